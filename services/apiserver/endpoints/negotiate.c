#include "apiserver/endpoints/negotiate.h"

#include "lib/api/status.h"
#include "lib/http/media.h"

struct format_row {
	enum format format;
	str subtype, type;
	bool streams;
};

/* In the order in which upstream registers them: the first one serves "any". */
static const struct format_row formats[] = {
	{FORMAT_JSON, STR_INIT("json"), STR_INIT("application/json"), true},
	{FORMAT_YAML, STR_INIT("yaml"), STR_INIT("application/yaml"), false},
	{FORMAT_PROTOBUF, STR_INIT("vnd.kubernetes.protobuf"),
		STR_INIT("application/vnd.kubernetes.protobuf"), true},
};

static const struct {
	const char *kind, *group;
	enum answer_as as;
} transforms[] = {
	{"Table", "meta.k8s.io", AS_TABLE},
	{"PartialObjectMetadata", "meta.k8s.io", AS_METADATA},
	{"PartialObjectMetadataList", "meta.k8s.io", AS_METADATA_LIST},
	{"APIGroupDiscoveryList", "apidiscovery.k8s.io", AS_DISCOVERY},
};

#define OBJECT_TYPES      "application/json, application/yaml, application/vnd.kubernetes.protobuf"
#define TEXT_TYPES        "application/json, application/yaml"
#define TEXT_STREAM_TYPES "application/json;stream=watch"
#define STREAM_TYPES \
	"application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"

static bool accept(const struct media_type *range, const struct format_row *f,
	enum accept_endpoint endpoint, struct answer_form *to);
static bool pretty_wanted(const struct http_headers *h, const struct url_query *q);

static int negotiate(struct arena *a, const struct http_headers *h, const struct url_query *q,
	enum accept_endpoint endpoint, bool protobuf, struct answer_form *to, struct err *e)
{
	str header = http_header(h, STR("accept"));
	struct answer_form f = {.format = FORMAT_JSON};
	struct media_type *ranges;
	size_t count = 0;
	bool found = header.len == 0;

	if (!found)
		TRY(media_accept(a, header, &ranges, &count, e));
	for (size_t i = 0; i < count && !found; i++)
		for (size_t k = 0; k < COUNT_OF(formats) && !found; k++)
			found = accept(&ranges[i], &formats[k], endpoint, &f) &&
				(protobuf || f.format != FORMAT_PROTOBUF || f.as != AS_OBJECT);
	if (!found)
		return status_fail(a, e, STATUS_NOT_ACCEPTABLE,
			"only the following media types are accepted: %s",
			!protobuf ? (endpoint == ACCEPT_WATCH ? TEXT_STREAM_TYPES : TEXT_TYPES)
				: endpoint == ACCEPT_WATCH ? STREAM_TYPES
							   : OBJECT_TYPES);
	f.pretty |= pretty_wanted(h, q);
	f.gzip = http_header_has_token(h, STR("accept-encoding"), STR("gzip"));
	*to = f;
	return 0;
}

int negotiate_answer(struct arena *a, const struct http_headers *h, const struct url_query *q,
	enum accept_endpoint endpoint, struct answer_form *to, struct err *e)
{
	return negotiate(a, h, q, endpoint, true, to, e);
}

int negotiate_text(struct arena *a, const struct http_headers *h, const struct url_query *q,
	enum accept_endpoint endpoint, struct answer_form *to, struct err *e)
{
	return negotiate(a, h, q, endpoint, false, to, e);
}

struct answer_form negotiate_error(
	struct arena *a, const struct http_headers *h, const struct url_query *q)
{
	struct answer_form f = {.format = FORMAT_JSON};
	struct err ignored;

	if (negotiate_answer(a, h, q, ACCEPT_LIST, &f, &ignored) == 0)
		f.as = AS_OBJECT;
	else
		f.pretty = pretty_wanted(h, q);
	return f;
}

str answer_content_type(const struct answer_form *f)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (formats[i].format == f->format)
			return formats[i].type;
	__builtin_unreachable();
}

str answer_stream_type(struct arena *a, const struct answer_form *f)
{
	if (f->format == FORMAT_JSON)
		return STR("application/json");
	return arena_fmt(a, "%.*s;stream=watch", STR_ARG(answer_content_type(f)));
}

int negotiate_body(struct arena *a, const struct http_headers *h, enum format *to, struct err *e)
{
	str header = http_header(h, STR("content-type"));
	struct media_type m;
	struct err malformed;

	if (header.len == 0) {
		*to = FORMAT_JSON;
		return 0;
	}
	if (media_parse(a, header, &m, &malformed) == 0 &&
		str_eq_ignoring_case(m.type, STR("application"))) {
		for (size_t i = 0; i < COUNT_OF(formats); i++) {
			if (str_eq_ignoring_case(m.subtype, formats[i].subtype)) {
				*to = formats[i].format;
				return 0;
			}
		}
	}
	return status_fail(a, e, STATUS_UNSUPPORTED_MEDIA_TYPE,
		"the body of the request was in an unknown format - accepted media types include: "
		"%s",
		OBJECT_TYPES);
}

/* What a range asks to be made of the object; false when nobody here can. */
static bool transform(const struct media_type *range, enum accept_endpoint endpoint,
	enum format format, struct answer_form *to)
{
	str kind = media_param(range, STR("as")), group = media_param(range, STR("g"));
	str version = media_param(range, STR("v"));
	bool discovery = endpoint == ACCEPT_DISCOVERY;

	if (!kind.at && !group.at && !version.at)
		return true;
	for (size_t i = 0; i < COUNT_OF(transforms); i++) {
		if (!str_eq(kind, str_of(transforms[i].kind)) ||
			!str_eq(group, str_of(transforms[i].group)))
			continue;
		enum answer_as as = transforms[i].as;

		if (endpoint == ACCEPT_PLAIN || (as == AS_DISCOVERY) != discovery)
			return false;
		if (as == AS_METADATA_LIST && endpoint != ACCEPT_LIST)
			return false;
		/* Table has no protobuf form. */
		if (as == AS_TABLE && format == FORMAT_PROTOBUF)
			return false;
		if (discovery ? !str_eq(version, STR("v2"))
			      : !str_eq(version, STR("v1")) && !str_eq(version, STR("v1beta1")))
			return false;
		to->as = as;
		to->as_version = version;
		return true;
	}
	return false;
}

static bool accept(const struct media_type *range, const struct format_row *f,
	enum accept_endpoint endpoint, struct answer_form *to)
{
	struct answer_form answer = {.format = f->format};
	str stream = media_param(range, STR("stream")), sv = media_param(range, STR("sv"));

	if (!media_covers(range, STR("application"), f->subtype))
		return false;
	if (endpoint == ACCEPT_WATCH && !f->streams)
		return false;
	if (stream.len && (!f->streams || !str_eq(stream, STR("watch"))))
		return false;
	if (sv.len || !transform(range, endpoint, f->format, &answer))
		return false;
	answer.pretty = str_eq(media_param(range, STR("pretty")), STR("1"));
	*to = answer;
	return true;
}

static bool pretty_wanted(const struct http_headers *h, const struct url_query *q)
{
	static const char *const people[] = {"curl", "Wget", "Mozilla/5.0"};
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	str agent = http_header(h, STR("user-agent")), pretty = url_query_get(q, STR("pretty"));

	for (size_t i = 0; i < COUNT_OF(yes) && pretty.len; i++)
		if (str_eq(pretty, str_of(yes[i])))
			return true;
	if (pretty.len)
		return false;
	for (size_t i = 0; i < COUNT_OF(people); i++)
		if (str_starts(agent, str_of(people[i])))
			return true;
	return false;
}
