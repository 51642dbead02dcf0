#include "lib/base/hash.h"
#include "lib/http/grpc.h"

/*
 * A body of gRPC, whole and in parts of the length that the first byte says: both give the same
 * messages, and the same verdict. Then the rest as the fields of a status.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_BYTES_MAX = 4096 };

static size_t read_in_parts(str in, size_t part_bytes, uint32_t *hash, bool *failed)
{
	struct grpc_reader r;
	struct err e;
	size_t count = 0;

	*hash = HASH_FNV32A_START;
	*failed = false;
	grpc_reader_init(&r, MESSAGE_BYTES_MAX);
	while (in.len > 0 && !*failed) {
		str part = str_slice(in, 0, part_bytes), message;

		in = str_slice(in, part.len, SIZE_MAX);
		while (part.len > 0 && !*failed) {
			*failed = grpc_read(&r, &part, &message, &e) < 0;
			if (*failed || !message.at)
				continue;
			if (message.len > MESSAGE_BYTES_MAX)
				__builtin_trap();
			*hash = hash_fnv32a(*hash, message);
			count++;
		}
	}
	grpc_reader_free(&r);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_span((const char *)data, size);
	bool whole_failed, parts_failed;
	uint32_t whole_hash, parts_hash;
	struct err e;

	if (size < 2)
		return 0;

	size_t part_bytes = data[0] + 1u;

	in = str_slice(in, 1, SIZE_MAX);
	if (read_in_parts(in, SIZE_MAX, &whole_hash, &whole_failed) !=
			read_in_parts(in, part_bytes, &parts_hash, &parts_failed) ||
		whole_failed != parts_failed || whole_hash != parts_hash)
		__builtin_trap();

	struct http_field fields[] = {{STR("grpc-status"), str_slice(in, 0, 1)},
		{STR("grpc-message"), str_slice(in, 1, SIZE_MAX)}};
	struct http_headers trailers = {.at = fields, .len = COUNT_OF(fields)};
	struct http_response response = {.status = 200};

	if (grpc_status(&response, &trailers, &e) != GRPC_OK && strlen(e.text) >= sizeof(e.text))
		__builtin_trap();
	return 0;
}
