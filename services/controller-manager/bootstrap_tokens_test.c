#include "controller-manager/bootstrap_tokens.h"
#include "lib/base/test.h"

#define CONTENT STR("Hello from the other side. I must have called a thousand times.")

TEST(signatures_are_those_of_other_implementations)
{
	CHECK_STR(bootstrap_token_signature(
			  &t->arena, CONTENT, STR("joshua"), STR("my voice is my passcode")),
		"eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9.."
		"VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8");
	CHECK_STR(bootstrap_token_signature(
			  &t->arena, STR(""), STR("joshua"), STR("my voice is my passcode")),
		"eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9.."
		"7Ui1ALizW4jXphVUB7xUqC9vLYLL9RZeOFfVLoB7Tgk");
	CHECK_STR(bootstrap_token_signature(&t->arena, CONTENT, STR("joshua"), STR("")),
		"eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9.."
		"UfkqvDGiIFxrMnFseDj9LYJOLNrvjW8aHhF71mvvAs8");
}

static struct secret *make(struct test *t, str usage, str expiration)
{
	struct secret *s = object_new(&t->arena, api_type(API_SECRET));

	s->metadata.namespace = STR("kube-system");
	s->metadata.name = STR("bootstrap-token-abcdef");
	s->type = STR("bootstrap.kubernetes.io/token");
	str_map_set(&t->arena, &s->data, STR("token-id"), STR("abcdef"));
	str_map_set(&t->arena, &s->data, STR("token-secret"), STR("0123456789abcdef"));
	str_map_set(&t->arena, &s->data, STR("usage-bootstrap-signing"), usage);
	if (expiration.at)
		str_map_set(&t->arena, &s->data, STR("expiration"), expiration);
	return s;
}

TEST(a_token_signs_while_it_lives_and_may)
{
	const int64_t now_s = 86400;
	struct secret *other = make(t, STR("true"), (str){NULL, 0});
	str id, secret;

	CHECK(bootstrap_token_signs(other, now_s, &id, &secret));
	CHECK_STR(id, "abcdef");
	CHECK_STR(secret, "0123456789abcdef");
	other->metadata.name = STR("bootstrap-token-fedcba");
	CHECK(!bootstrap_token_signs(other, now_s, &id, &secret));
	CHECK(!bootstrap_token_signs(make(t, STR("yes"), (str){NULL, 0}), now_s, &id, &secret));
	CHECK(bootstrap_token_signs(
		make(t, STR("true"), STR("1970-01-02T00:00:01Z")), now_s, &id, &secret));
	CHECK(!bootstrap_token_signs(
		make(t, STR("true"), STR("1970-01-02T00:00:00Z")), now_s, &id, &secret));
}

TEST(a_token_has_the_time_until_its_end)
{
	CHECK(bootstrap_token_left_s(make(t, STR("true"), (str){NULL, 0}), 0) == INT64_MAX);
	CHECK(bootstrap_token_left_s(make(t, STR("true"), STR("1970-01-01T00:01:00Z")), 50) == 10);
	CHECK(bootstrap_token_left_s(make(t, STR("true"), STR("soon")), 50) == 0);
}
