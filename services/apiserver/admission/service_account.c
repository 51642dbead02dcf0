#include "apiserver/admission/plugins.h"
#include "apiserver/authorization/pod_refs.h"

#include <time.h>

/* ServiceAccount: pods run as one, and carry its token. */

#define VOLUME_PREFIX      "kube-api-access-"
#define MOUNT_PATH         "/var/run/secrets/kubernetes.io/serviceaccount"
#define ENFORCE_ANNOTATION "kubernetes.io/enforce-mountable-secrets"

enum { TOKEN_LIFE_S = 3607, SUFFIX_CHARS = 5, DEFAULT_ATTEMPTS = 10, DEFAULT_MODE = 0644 };

static int find_account(struct admission *n, const struct admission_attributes *t,
	const struct pod *p, struct service_account **to, struct err *e);
static int check_mirror(const struct admission_attributes *t, struct err *e);
static int check_secrets(
	const struct admission_attributes *t, const struct service_account *s, struct err *e);

static bool is_mirror(const struct pod *p)
{
	return meta_annotation(&p->metadata, STR(MIRROR_POD_ANNOTATION)).at;
}

int service_account_mutate(struct admission *n, struct admission_attributes *t, struct err *e)
{
	struct pod *p = t->object;
	struct service_account *s;

	if (t->operation != ADMIT_CREATE || t->subresource.len > 0 || is_mirror(p))
		return service_account_validate(n, t, e);
	if (p->spec.service_account_name.len == 0)
		p->spec.service_account_name = STR("default");
	TRY(find_account(n, t, p, &s, e));
	if (service_account_automounts(s, p))
		service_account_mount(
			t->arena, p, meta_random_suffix(t->arena, n->options.random, SUFFIX_CHARS));
	for (size_t i = 0, len = p->spec.image_pull_secrets.len;
		len == 0 && i < s->image_pull_secrets.len; i++)
		ADMISSION_ADD(t->arena, &p->spec.image_pull_secrets,
			((struct local_object_reference){
				.name = s->image_pull_secrets.at[i].name}));
	/* The old name of the field follows. */
	p->spec.service_account = p->spec.service_account_name;
	return check_secrets(t, s, e);
}

int service_account_validate(
	struct admission *n, const struct admission_attributes *t, struct err *e)
{
	const struct pod *p = t->object;
	bool ephemeral = str_eq(t->subresource, STR("ephemeralcontainers"));
	struct service_account *s;

	if (ephemeral ? t->operation != ADMIT_UPDATE
		      : t->operation != ADMIT_CREATE || t->subresource.len > 0)
		return 0;
	if (!ephemeral && is_mirror(p))
		return check_mirror(t, e);
	if (p->spec.service_account_name.len == 0)
		return admission_forbid(t, e, "no service account specified for pod %.*s/%.*s",
			STR_ARG(t->ns), STR_ARG(p->metadata.name));
	TRY(find_account(n, t, p, &s, e));
	return check_secrets(t, s, e);
}

bool service_account_automounts(const struct service_account *s, const struct pod *p)
{
	if (p->spec.automount_service_account_token)
		return *p->spec.automount_service_account_token;
	return !s->automount_service_account_token || *s->automount_service_account_token;
}

static struct volume token_volume(struct arena *a, str name)
{
	struct volume v = {.name = name};
	struct projected_volume_source *s = arena_get(a, sizeof(*s));
	struct volume_projection *sources = arena_get(a, 3 * sizeof(*sources));
	struct service_account_token_projection *token = arena_get(a, sizeof(*token));
	struct config_map_projection *ca = arena_get(a, sizeof(*ca));
	struct downward_api_projection *api = arena_get(a, sizeof(*api));
	struct downward_api_volume_file *file = arena_get(a, sizeof(*file));
	struct object_field_selector *field = arena_get(a, sizeof(*field));
	struct key_to_path *item = arena_get(a, sizeof(*item));

	token->path = STR("token");
	token->expiration_seconds = arena_i64(a, TOKEN_LIFE_S);
	ca->local_object_reference.name = STR("kube-root-ca.crt");
	*item = (struct key_to_path){.key = STR("ca.crt"), .path = STR("ca.crt")};
	ca->items.at = item;
	ca->items.len = 1;
	field->api_version = STR("v1");
	field->field_path = STR("metadata.namespace");
	file->path = STR("namespace");
	file->field_ref = field;
	api->items.at = file;
	api->items.len = 1;
	sources[0].service_account_token = token;
	sources[1].config_map = ca;
	sources[2].downward_api = api;
	s->sources.at = sources;
	s->sources.len = 3;
	s->default_mode = arena_i32(a, DEFAULT_MODE);
	v.volume_source.projected = s;
	return v;
}

/* False where something is mounted there already. */
static bool mount(struct arena *a, struct container *c, str volume)
{
	struct volume_mount m = {.name = volume, .read_only = true, .mount_path = STR(MOUNT_PATH)};

	for (size_t i = 0; i < c->volume_mounts.len; i++)
		if (str_eq(c->volume_mounts.at[i].mount_path, m.mount_path))
			return false;
	ADMISSION_ADD(a, &c->volume_mounts, m);
	return true;
}

void service_account_mount(struct arena *a, struct pod *p, str suffix)
{
	struct pod_spec *s = &p->spec;
	str volume = {NULL, 0};
	bool needed = false;

	for (size_t i = 0; i < s->volumes.len && !volume.at; i++)
		if (str_starts(s->volumes.at[i].name, STR(VOLUME_PREFIX)))
			volume = s->volumes.at[i].name;
	bool there = volume.at;

	if (!there)
		volume = arena_fmt(a, VOLUME_PREFIX "%.*s", STR_ARG(suffix));
	for (size_t i = 0; i < s->init_containers.len; i++)
		needed |= mount(a, &s->init_containers.at[i], volume);
	for (size_t i = 0; i < s->containers.len; i++)
		needed |= mount(a, &s->containers.at[i], volume);
	if (needed && !there)
		ADMISSION_ADD(a, &s->volumes, token_volume(a, volume));
}

/* A controller makes each namespace's default account; a pod that comes first waits for it a
 * second, as upstream does. */
static int find_account(struct admission *n, const struct admission_attributes *t,
	const struct pod *p, struct service_account **to, struct err *e)
{
	const struct timespec pause = {.tv_nsec = 100 * NS_PER_MS};
	str name = p->spec.service_account_name;
	int attempts = str_eq(name, STR("default")) ? DEFAULT_ATTEMPTS : 1;

	TRY(admission_get(n, t, "", "serviceaccounts", t->ns, name, to, e));
	for (int i = 0; i < attempts && !*to; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		TRY(admission_fetch(n, t, "", "serviceaccounts", t->ns, name, to, e));
	}
	if (*to)
		return 0;
	return admission_forbid(t, e,
		"error looking up service account %.*s/%.*s: serviceaccount \"%.*s\" not found",
		STR_ARG(t->ns), STR_ARG(name), STR_ARG(name));
}

static int check_mirror(const struct admission_attributes *t, struct err *e)
{
	const struct pod *p = t->object;
	struct object_refs refs = {.arena = t->arena};

	if (p->spec.service_account_name.len > 0)
		return admission_forbid(t, e, "a mirror pod may not reference service accounts");
	pod_refs(p, &refs);
	for (size_t i = 0; i < refs.len; i++)
		if (refs.at[i].kind == REF_SECRET)
			return admission_forbid(t, e, "a mirror pod may not reference secrets");
	for (size_t i = 0; i < p->spec.volumes.len; i++) {
		const struct projected_volume_source *s =
			p->spec.volumes.at[i].volume_source.projected;

		for (size_t j = 0; s && j < s->sources.len; j++)
			if (s->sources.at[j].service_account_token)
				return admission_forbid(t, e,
					"a mirror pod may not use ServiceAccountToken volume "
					"projections");
	}
	return 0;
}

static bool is_mountable(const struct service_account *s, str secret)
{
	for (size_t i = 0; i < s->secrets.len; i++)
		if (str_eq(s->secrets.at[i].name, secret))
			return true;
	return false;
}

static int check_environment(const struct admission_attributes *t, const struct service_account *s,
	const char *kind, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->env.len; i++) {
		const struct env_var_source *v = c->env.at[i].value_from;
		str secret = v && v->secret_key_ref ? v->secret_key_ref->local_object_reference.name
						    : (str){NULL, 0};

		if (v && v->secret_key_ref && !is_mountable(s, secret))
			return admission_forbid(t, e,
				"%s %.*s with envVar %.*s referencing secret.secretName=\"%.*s\" "
				"is "
				"not allowed because service account %.*s does not reference that "
				"secret",
				kind, STR_ARG(c->name), STR_ARG(c->env.at[i].name), STR_ARG(secret),
				STR_ARG(s->metadata.name));
	}
	for (size_t i = 0; i < c->env_from.len; i++) {
		const struct secret_env_source *v = c->env_from.at[i].secret_ref;

		if (v && !is_mountable(s, v->local_object_reference.name))
			return admission_forbid(t, e,
				"%s %.*s with envFrom referencing secret.secretName=\"%.*s\" is "
				"not "
				"allowed because service account %.*s does not reference that "
				"secret",
				kind, STR_ARG(c->name), STR_ARG(v->local_object_reference.name),
				STR_ARG(s->metadata.name));
	}
	return 0;
}

static int check_volumes(const struct admission_attributes *t, const struct service_account *s,
	const struct pod *p, struct err *e)
{
	for (size_t i = 0; i < p->spec.volumes.len; i++) {
		const struct secret_volume_source *v = p->spec.volumes.at[i].volume_source.secret;

		if (v && !is_mountable(s, v->secret_name))
			return admission_forbid(t, e,
				"volume with secret.secretName=\"%.*s\" is not allowed because "
				"service account %.*s does not reference that secret",
				STR_ARG(v->secret_name), STR_ARG(s->metadata.name));
	}
	return 0;
}

static int check_pull_secrets(const struct admission_attributes *t, const struct service_account *s,
	const struct pod *p, struct err *e)
{
	for (size_t i = 0; i < p->spec.image_pull_secrets.len; i++) {
		str name = p->spec.image_pull_secrets.at[i].name;
		bool found = false;

		for (size_t j = 0; j < s->image_pull_secrets.len; j++)
			found |= str_eq(s->image_pull_secrets.at[j].name, name);
		if (!found)
			return admission_forbid(t, e,
				"imagePullSecrets[%zu].name=\"%.*s\" is not allowed because "
				"service "
				"account %.*s does not reference that imagePullSecret",
				i, STR_ARG(name), STR_ARG(s->metadata.name));
	}
	return 0;
}

/* The fields of a container that debugs, as an ordinary one's. */
static struct container environment_of(const struct ephemeral_container_common *from)
{
	struct container c = {.name = from->name};

	c.env.at = from->env.at;
	c.env.len = from->env.len;
	c.env_from.at = from->env_from.at;
	c.env_from.len = from->env_from.len;
	return c;
}

static bool is_true(str s)
{
	static const char *const forms[] = {"1", "t", "T", "TRUE", "true", "True"};

	for (size_t i = 0; i < COUNT_OF(forms); i++)
		if (str_eq(s, str_of(forms[i])))
			return true;
	return false;
}

/* An account may say that its pods get no secrets but those it lists. */
static int check_secrets(
	const struct admission_attributes *t, const struct service_account *s, struct err *e)
{
	const struct pod *p = t->object;

	if (!is_true(meta_annotation(&s->metadata, STR(ENFORCE_ANNOTATION))))
		return 0;
	for (size_t i = 0; t->subresource.len > 0 && i < p->spec.ephemeral_containers.len; i++) {
		struct container c = environment_of(
			&p->spec.ephemeral_containers.at[i].ephemeral_container_common);

		TRY(check_environment(t, s, "ephemeral container", &c, e));
	}
	if (t->subresource.len > 0)
		return 0;
	TRY(check_volumes(t, s, p, e));
	for (size_t i = 0; i < p->spec.init_containers.len; i++)
		TRY(check_environment(t, s, "init container", &p->spec.init_containers.at[i], e));
	for (size_t i = 0; i < p->spec.containers.len; i++)
		TRY(check_environment(t, s, "container", &p->spec.containers.at[i], e));
	return check_pull_secrets(t, s, p, e);
}
