#include "apiserver/authentication/bootstrap_token.h"
#include "apiserver/authentication/service_account.h"
#include "apiserver/authentication/token_cache.h"
#include "apiserver/authentication/token_file.h"
#include "lib/base/test.h"
#include "lib/codec/base64.h"
#include "lib/jose/jwt.h"

enum { NOW_S = 1750000000 };

static str compact(struct test *t, const char *header, const char *payload, const char *signature)
{
	struct buf b;

	buf_init(&b, BUF_NO_LIMIT);
	base64url_put(&b, str_of(header));
	buf_add_char(&b, '.');
	base64url_put(&b, str_of(payload));
	buf_add_char(&b, '.');
	base64url_put(&b, str_of(signature));
	return test_take(t, &b);
}

TEST(jwt_is_signed_and_verified)
{
	struct key *k, *other;
	struct jwt read;
	struct err e;
	str token;

	REQUIRE_OK(key_make(&k, &e), &e);
	REQUIRE_OK(key_make(&other, &e), &e);
	str id = jwt_key_id(k, &t->arena);

	CHECK_INT(id.len, 43);
	REQUIRE_OK(jwt_sign(&t->arena, k, id, STR("{\"iss\":\"x\"}"), &token, &e), &e);
	REQUIRE_OK(jwt_read(&t->arena, token, &read, &e), &e);
	CHECK_BYTES(read.key_id, id);
	CHECK_STR(read.payload, "{\"iss\":\"x\"}");
	CHECK_OK(jwt_verify(&read, k, &e), &e);
	CHECK_FAILS(jwt_verify(&read, other, &e), &e, ERR_UNAUTHORIZED, "does not fit");

	/* Any character of the payload changed. */
	char *bad = arena_get(&t->arena, token.len);

	memcpy(bad, token.at, token.len);
	size_t at = (size_t)str_find_char(token, '.') + 3;

	bad[at] = bad[at] == 'A' ? 'B' : 'A';
	REQUIRE_OK(jwt_read(&t->arena, str_span(bad, token.len), &read, &e), &e);
	CHECK_FAILS(jwt_verify(&read, k, &e), &e, ERR_UNAUTHORIZED, "does not fit");
	key_drop(k);
	key_drop(other);
}

TEST(jwt_refuses_other_forms)
{
	static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"HS256\"}", "{}",
		"[]", "{\"alg\":1}", "{\"alg\":\"ES256\",\"kid\":1}",
		"{\"alg\":\"ES256\",\"crit\":[\"b64\"]}"};
	struct jwt read;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		test_note(t, "%s", headers[i]);
		CHECK_FAILS(jwt_read(&t->arena, compact(t, headers[i], "{}", "x"), &read, &e), &e,
			ERR_INVALID, "");
	}
	test_note(t, "%s", "");
	CHECK_FAILS(jwt_read(&t->arena, STR("a.b"), &read, &e), &e, ERR_INVALID, "three parts");
	CHECK_FAILS(jwt_read(&t->arena, STR("a.b.c.d"), &read, &e), &e, ERR_INVALID, "three");
	CHECK_FAILS(jwt_read(&t->arena, STR("e30.*.x"), &read, &e), &e, ERR_INVALID, "");
}

/* A key of one kind never verifies a token that says the other. */
TEST(jwt_algorithm_must_be_the_keys)
{
	struct key *k;
	struct jwt read;
	struct err e;

	REQUIRE_OK(key_make(&k, &e), &e);
	REQUIRE_OK(
		jwt_read(&t->arena, compact(t, "{\"alg\":\"RS256\"}", "{}", "x"), &read, &e), &e);
	CHECK_FAILS(jwt_verify(&read, k, &e), &e, ERR_UNSUPPORTED, "RS256");
	key_drop(k);
}

static struct token_content content(struct test *t)
{
	int64_t *now_s = arena_i64(&t->arena, NOW_S);

	return (struct token_content){
		.issuer = STR("https://i"),
		.subject = STR("system:serviceaccount:ns:sa"),
		.id = STR("id-1"),
		.audiences = {arena_get(&t->arena, sizeof(str)), 1},
		.expires_s = arena_i64(&t->arena, NOW_S + 600),
		.not_before_s = now_s,
		.issued_s = now_s,
		.ns = STR("ns"),
		.account = {STR("sa"), STR("u-sa")},
		.pod = {STR("p"), STR("u-p")},
		.node = {STR("n"), STR("u-n")},
	};
}

TEST(token_claims_are_written_as_upstream_writes_them)
{
	struct token_content c = content(t), back;
	struct buf b;
	struct err e;

	c.audiences.at[0] = STR("https://i");
	c.warn_after_s = NOW_S + 5;
	buf_init(&b, BUF_NO_LIMIT);
	token_content_put(&b, &c);
	str text = test_take(t, &b);

	CHECK_STR(text,
		"{\"aud\":[\"https://i\"],\"exp\":1750000600,\"iat\":1750000000,\"iss\":"
		"\"https://i\",\"jti\":\"id-1\",\"kubernetes.io\":{\"namespace\":\"ns\",\"node\":"
		"{\"name\":\"n\",\"uid\":\"u-n\"},\"pod\":{\"name\":\"p\",\"uid\":\"u-p\"},"
		"\"serviceaccount\":{\"name\":\"sa\",\"uid\":\"u-sa\"},\"warnafter\":1750000005},"
		"\"nbf\":1750000000,\"sub\":\"system:serviceaccount:ns:sa\"}");
	REQUIRE_OK(token_content_read(&t->arena, text, &back, &e), &e);
	CHECK_STR(back.account.uid, "u-sa");
	CHECK_STR(back.node.name, "n");
	CHECK(!back.secret.name.at && !back.legacy);
	CHECK_INT(*back.expires_s, NOW_S + 600);
	CHECK_INT(back.warn_after_s, NOW_S + 5);
}

TEST(token_claims_of_other_types_are_refused)
{
	static const char *const bad[] = {"[]", "{}", "{\"kubernetes.io\":1}",
		"{\"kubernetes.io\":{},\"exp\":\"1\"}", "{\"kubernetes.io\":{},\"exp\":1e300}",
		"{\"kubernetes.io\":{},\"aud\":1}", "{\"kubernetes.io\":{},\"aud\":[1]}",
		"{\"kubernetes.io\":{\"pod\":\"p\"}}", "{\"iss\":1}"};
	struct token_content c;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		test_note(t, "%s", bad[i]);
		CHECK_FAILS(
			token_content_read(&t->arena, str_of(bad[i]), &c, &e), &e, ERR_INVALID, "");
	}
}

/* The objects that the claims of content() name. */
struct cluster {
	struct service_account account;
	struct pod pod;
	struct node node;
	struct secret secret;
	struct token_objects found;
};

static void fill(struct cluster *c)
{
	*c = (struct cluster){0};
	c->account.metadata.uid = STR("u-sa");
	c->pod.metadata.uid = STR("u-p");
	c->node.metadata.uid = STR("u-n");
	c->secret.metadata.uid = STR("u-s");
	c->found = (struct token_objects){&c->account, &c->pod, &c->secret, &c->node};
}

static void check_refused(struct test *t, const struct token_content *c, const struct cluster *in,
	int64_t now_s, const char *why)
{
	struct err e;

	test_note(t, "%s", why);
	CHECK_FAILS(token_content_check(c, &in->found, STR("token"), now_s, &e), &e,
		ERR_UNAUTHORIZED, why);
}

TEST(token_holds_while_time_and_objects_do)
{
	struct token_content c = content(t);
	struct time_value long_ago = {.seconds = NOW_S - 61, .set = true};
	struct time_value just_now = {.seconds = NOW_S - 59, .set = true};
	struct cluster in;
	struct err e;

	fill(&in);
	CHECK_OK(token_content_check(&c, &in.found, STR("t"), NOW_S, &e), &e);
	CHECK_OK(token_content_check(&c, &in.found, STR("t"), NOW_S + 660, &e), &e);
	CHECK_OK(token_content_check(&c, &in.found, STR("t"), NOW_S - 60, &e), &e);
	check_refused(t, &c, &in, NOW_S + 661, "service account token has expired");
	check_refused(t, &c, &in, NOW_S - 61, "service account token is not valid yet");
	c.not_before_s = NULL;
	check_refused(t, &c, &in, NOW_S - 61, "service account token is issued in the future");

	in.account.metadata.uid = STR("other");
	check_refused(t, &c, &in, NOW_S, "service account UID (other) does not match claim (u-sa)");
	fill(&in);
	in.found.account = NULL;
	check_refused(t, &c, &in, NOW_S, "serviceaccounts \"sa\" not found");
	fill(&in);
	in.account.metadata.deletion_timestamp = &long_ago;
	check_refused(t, &c, &in, NOW_S, "service account ns/sa has been deleted");
	in.account.metadata.deletion_timestamp = &just_now;
	CHECK_OK(token_content_check(&c, &in.found, STR("t"), NOW_S, &e), &e);

	fill(&in);
	in.pod.metadata.deletion_timestamp = &long_ago;
	check_refused(t, &c, &in, NOW_S, "service account token has been invalidated");
	fill(&in);
	in.found.pod = NULL;
	check_refused(t, &c, &in, NOW_S, "service account token has been invalidated");
	fill(&in);
	in.pod.metadata.uid = STR("new");
	check_refused(t, &c, &in, NOW_S,
		"pod UID (new) does not match service account pod ref claim (u-p)");

	/* The node is looked at only when there is no pod. */
	fill(&in);
	in.found.node = NULL;
	CHECK_OK(token_content_check(&c, &in.found, STR("t"), NOW_S, &e), &e);
	c.pod.name = (str){NULL, 0};
	check_refused(t, &c, &in, NOW_S, "service account token has been invalidated");
	c.secret = (struct token_bound){STR("s"), STR("u-old")};
	check_refused(t, &c, &in, NOW_S,
		"secret UID (u-s) does not match service account secret ref claim (u-old)");
}

TEST(token_names_its_user_and_extras)
{
	static const char *const keys[] = {"authentication.kubernetes.io/credential-id",
		"authentication.kubernetes.io/node-name", "authentication.kubernetes.io/node-uid",
		"authentication.kubernetes.io/pod-name", "authentication.kubernetes.io/pod-uid"};
	static const char *const values[] = {"JTI=id-1", "n", "u-n", "p", "u-p"};
	struct token_content c = content(t);
	struct user *u = user_new_authenticated(token_content_user(&t->arena, &c));

	CHECK_STR(u->name, "system:serviceaccount:ns:sa");
	CHECK_STR(u->uid, "u-sa");
	REQUIRE(u->groups.len == 3);
	CHECK_STR(u->groups.at[0], "system:serviceaccounts");
	CHECK_STR(u->groups.at[1], "system:serviceaccounts:ns");
	CHECK_STR(u->groups.at[2], "system:authenticated");
	REQUIRE(u->extra_count == COUNT_OF(keys));
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct str_list l = user_extra(u, str_of(keys[i]));

		REQUIRE(l.len == 1);
		CHECK_STR(l.at[0], values[i]);
	}
	CHECK_INT(user_extra(u, STR("x")).len, 0);
	counted_drop(&u->counted);
}

TEST(legacy_token_must_be_its_secrets)
{
	struct str_entry entry = {STR("token"), STR("token")};
	struct str_entry since = {STR("kubernetes.io/legacy-token-invalid-since"), STR("2026")};
	struct token_content c;
	struct cluster in;
	struct err e;

	REQUIRE_OK(token_content_read(&t->arena,
			   STR("{\"iss\":\"kubernetes/serviceaccount\",\"sub\":"
			       "\"system:serviceaccount:ns:sa\","
			       "\"kubernetes.io/serviceaccount/namespace\":\"ns\","
			       "\"kubernetes.io/serviceaccount/secret.name\":\"s\","
			       "\"kubernetes.io/serviceaccount/service-account.name\":\"sa\","
			       "\"kubernetes.io/serviceaccount/service-account.uid\":\"u-sa\"}"),
			   &c, &e),
		&e);
	CHECK(c.legacy);
	fill(&in);
	check_refused(t, &c, &in, NOW_S, "Token does not match server's copy");
	in.secret.data = (struct str_map){&entry, 1};
	CHECK_OK(token_content_check(&c, &in.found, STR("token"), NOW_S, &e), &e);
	CHECK_INT(token_content_user(&t->arena, &c)->extra_count, 0);
	in.secret.metadata.labels = (struct str_map){&since, 1};
	check_refused(t, &c, &in, NOW_S, "the token in secret ns/s for service account ns/sa has");
	in.found.secret = NULL;
	check_refused(t, &c, &in, NOW_S, "Token has been invalidated");
	c.subject = STR("system:serviceaccount:ns:other");
	check_refused(t, &c, &in, NOW_S, "sub claim is invalid");
	c.account.uid = (str){NULL, 0};
	check_refused(t, &c, &in, NOW_S, "serviceAccountUID claim is missing");
}

TEST(bootstrap_token_has_one_form)
{
	static const char *const bad[] = {"", "abcdef", "abcdef.", "abcdef.0123456789abcde",
		"abcdef.0123456789abcdeff", "ABCDEF.0123456789abcdef", "abcde.0123456789abcdef",
		"abcdef.0123456789abcde-", "abcdef.0123456789abcdef.x"};
	str id, secret;

	CHECK(bootstrap_token_split(STR("abcdef.0123456789abcdef"), &id, &secret));
	CHECK_STR(id, "abcdef");
	CHECK_STR(secret, "0123456789abcdef");
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!bootstrap_token_split(str_of(bad[i]), &id, &secret));
}

static struct secret bootstrap_secret(struct test *t)
{
	struct secret s = {.type = STR("bootstrap.kubernetes.io/token")};

	str_map_set(&t->arena, &s.data, STR("token-id"), STR("abcdef"));
	str_map_set(&t->arena, &s.data, STR("token-secret"), STR("0123456789abcdef"));
	str_map_set(&t->arena, &s.data, STR("usage-bootstrap-authentication"), STR("true"));
	return s;
}

TEST(bootstrap_secret_decides)
{
	static const struct {
		const char *key, *value;
		bool good;
	} cases[] = {
		{"token-id", "abcdeg", false},
		{"token-secret", "0123456789abcdeg", false},
		{"usage-bootstrap-authentication", "false", false},
		{"usage-bootstrap-authentication", "True", false},
		{"expiration", "2025-06-15T15:06:41Z", true},
		{"expiration", "2025-06-15T15:06:40Z", false},
		{"expiration", "soon", false},
		{"auth-extra-groups", "system:bootstrappers:a", true},
		{"auth-extra-groups", "system:masters", false},
		{"auth-extra-groups", "system:bootstrappers:a,system:bootstrappers:", false},
		{"auth-extra-groups", "system:bootstrappers:a-", false},
		{"description", "x", true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret s = bootstrap_secret(t);

		str_map_set(&t->arena, &s.data, str_of(cases[i].key), str_of(cases[i].value));
		test_note(t, "%s=%s", cases[i].key, cases[i].value);
		CHECK(cases[i].good ==
			!!bootstrap_token_user(
				&t->arena, &s, STR("abcdef"), STR("0123456789abcdef"), NOW_S));
	}
	test_note(t, "%s", "");
	struct secret s = bootstrap_secret(t);
	struct time_value now = {.seconds = NOW_S, .set = true};

	str_map_set(&t->arena, &s.data, STR("auth-extra-groups"),
		STR("system:bootstrappers:z,system:bootstrappers:a,system:bootstrappers:z"));
	const struct user *u = bootstrap_token_user(
		&t->arena, &s, STR("abcdef"), STR("0123456789abcdef"), NOW_S);

	REQUIRE(u);
	CHECK_STR(u->name, "system:bootstrap:abcdef");
	REQUIRE(u->groups.len == 3);
	CHECK_STR(u->groups.at[0], "system:bootstrappers");
	CHECK_STR(u->groups.at[1], "system:bootstrappers:a");
	s.metadata.deletion_timestamp = &now;
	CHECK(!bootstrap_token_user(&t->arena, &s, STR("abcdef"), STR("0123456789abcdef"), NOW_S));
	s = bootstrap_secret(t);
	s.type = STR("Opaque");
	CHECK(!bootstrap_token_user(&t->arena, &s, STR("abcdef"), STR("0123456789abcdef"), NOW_S));
}

TEST(token_file_is_read_as_csv)
{
	struct token_file *f;
	struct err e;

	REQUIRE_OK(token_file_read(STR("t1,jane,u1\r\n\nt2,joe,u2,\"a,b\"\n\"t\"\"3\",\"x "
				       "y\",\n,no,u\nt1,two,u"),
			   &f, &e),
		&e);
	struct user *joe = token_file_find(f, STR("t2"));

	REQUIRE(joe);
	CHECK_STR(joe->name, "joe");
	REQUIRE(joe->groups.len == 2);
	CHECK_STR(joe->groups.at[1], "b");
	REQUIRE(token_file_find(f, STR("t\"3")));
	CHECK_STR(token_file_find(f, STR("t\"3"))->name, "x y");
	REQUIRE(token_file_find(f, STR("t1")));
	CHECK_STR(token_file_find(f, STR("t1"))->name, "two");
	CHECK(!token_file_find(f, STR("")));
	CHECK(!token_file_find(f, STR("jane")));
	token_file_free(f);
	CHECK_FAILS(token_file_read(STR("a,b\n"), &f, &e), &e, ERR_INVALID, "found 2");
	CHECK_FAILS(token_file_read(STR("a,\"b\n"), &f, &e), &e, ERR_INVALID, "quoted-field");
	CHECK_FAILS(token_file_read(STR("a,b\"c,d\n"), &f, &e), &e, ERR_INVALID, "bare");
	CHECK_FAILS(token_file_read(STR("a,\"b\"c,d\n"), &f, &e), &e, ERR_INVALID, "quoted-field");
}

TEST(token_cache_forgets_after_ten_seconds)
{
	struct str_list none = {0}, one = {(str[]){STR("a")}, 1};
	struct user named = {.name = STR("jane")};
	struct user *u = user_new(&named);
	struct clock_fake clock;

	clock_fake_init(&clock, 0);
	struct token_cache *c = token_cache_new(&clock.clock);
	struct token_verdict *v = token_verdict_new(u, one), *found;

	token_cache_put(c, STR("t"), one, v);
	counted_drop(&v->counted);
	counted_drop(&u->counted);
	CHECK(!token_cache_get(c, STR("t"), none));
	CHECK(!token_cache_get(c, STR("ta"), none));
	found = token_cache_get(c, STR("t"), one);
	REQUIRE(found);
	CHECK_STR(found->user->name, "jane");
	CHECK_STR(found->audiences.at[0], "a");
	counted_drop(&found->counted);
	clock_fake_advance(&clock, 10 * NS_PER_S);
	CHECK(!token_cache_get(c, STR("t"), one));
	token_cache_free(c);
}
