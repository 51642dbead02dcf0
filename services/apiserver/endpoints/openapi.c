#include "apiserver/endpoints/openapi.h"

#include <stdlib.h>

struct openapi {
	struct arena arena;
};

int openapi_new(struct openapi **to, struct err *e)
{
	struct openapi *o = calloc(1, sizeof(*o));

	if (!o)
		return err_set(e, ERR_SYSTEM, "no memory for OpenAPI");
	arena_init(&o->arena, ARENA_NO_LIMIT);
	*to = o;
	return 0;
}

void openapi_free(struct openapi *o)
{
	free(o);
}

bool openapi_handle(UNUSED struct request *r, UNUSED str path)
{
	return false;
}
