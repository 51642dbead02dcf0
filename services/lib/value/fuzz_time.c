/* Times and durations are the same when printed and read again; the seconds may be any. */
#include "lib/value/duration.h"
#include "lib/value/int_or_string.h"
#include "lib/value/time.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Years past 9999 print, but have no form that Go would read. */
static bool has_form(const struct time_value *v)
{
	return v->seconds >= -62167219200 && v->seconds < 253402300800;
}

static void check_time(const struct time_value *v)
{
	struct time_value back;
	struct buf b;
	struct err e;

	buf_init(&b, 256);
	time_put(&b, v);
	if (has_form(v) && (time_parse(buf_str(&b), &back, &e) < 0 || back.seconds != v->seconds))
		abort();
	buf_reset(&b);
	time_put_micro(&b, v);
	if (has_form(v) &&
		(time_parse_micro(buf_str(&b), &back, &e) < 0 || back.seconds != v->seconds ||
			back.nanos != v->nanos / 1000 * 1000))
		abort();
	buf_free(&b);
}

static void check_duration(str text)
{
	struct duration d, back;
	struct buf b;
	struct err e;

	if (duration_parse(text, &d, &e) < 0)
		return;
	buf_init(&b, 256);
	duration_put(&b, d);
	if (duration_parse(buf_str(&b), &back, &e) < 0 || back.ns != d.ns)
		abort();
	buf_free(&b);
}

static void check_int_or_string(str text)
{
	struct int_or_string v = int_or_string_of(text);
	int64_t up, down;
	struct err e;

	if (int_or_string_scale(&v, 1000, true, &up, &e) == 0 &&
		(int_or_string_scale(&v, 1000, false, &down, &e) < 0 || down > up))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_span((const char *)data, size);
	struct time_value v;
	struct err e;

	if (time_parse(text, &v, &e) == 0)
		check_time(&v);
	if (time_parse_micro(text, &v, &e) == 0)
		check_time(&v);
	if (size >= sizeof(v.seconds) + sizeof(v.nanos)) {
		memcpy(&v.seconds, data, sizeof(v.seconds));
		memcpy(&v.nanos, data + sizeof(v.seconds), sizeof(v.nanos));
		v = time_from_micros(v.seconds, v.nanos);
		check_time(&v);
	}
	check_duration(text);
	check_int_or_string(text);
	return 0;
}
