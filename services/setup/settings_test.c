#include "setup/settings.h"

#include "lib/base/test.h"

static struct setting_sources sources(
	struct test *t, const char *cmdline, const char *fw_cfg, const char *disk, const char *kept)
{
	struct setting_sources s = {0};
	struct err e;

	REQUIRE_OK(
		settings_read_cmdline(&t->arena, str_of(cmdline), &s.at[SOURCE_CMDLINE], &e), &e);
	REQUIRE_OK(settings_read_file(&t->arena, str_of(fw_cfg), &s.at[SOURCE_FW_CFG], &e), &e);
	REQUIRE_OK(settings_read_file(&t->arena, str_of(disk), &s.at[SOURCE_CONFIG_DISK], &e), &e);
	REQUIRE_OK(settings_read_file(&t->arena, str_of(kept), &s.at[SOURCE_KEPT], &e), &e);
	return s;
}

TEST(settings_the_strongest_source_wins)
{
	struct setting_sources from = sources(t,
		"console=ttyS0 quiet coracle.role=master coracle.names=\"a.example, b.example\"\n",
		"role=node\nnode-name=boat-1\n", "coracle.node-name=boat-2\nntp=192.0.2.1\n",
		"ntp=192.0.2.9\ndns=192.0.2.53\n");
	struct settings s;
	struct buf problems;

	buf_init(&problems, BUF_NO_LIMIT);
	settings_resolve(&from, &s, &problems);
	CHECK_STR(s.at[SETTING_ROLE], "master");
	CHECK_INT(s.from[SETTING_ROLE], SOURCE_CMDLINE);
	CHECK_STR(s.at[SETTING_NODE_NAME], "boat-1");
	CHECK_STR(s.at[SETTING_NTP], "192.0.2.1");
	CHECK_STR(s.at[SETTING_DNS], "192.0.2.53");
	CHECK_STR(s.at[SETTING_SERVICE_CIDR], "10.96.0.0/12");
	CHECK_INT(s.from[SETTING_SERVICE_CIDR], SOURCE_PRESET);
	CHECK(!s.at[SETTING_GATEWAY].at);
	struct str_list names = settings_list(&t->arena, s.at[SETTING_NAMES]);

	REQUIRE(names.len == 2);
	CHECK_STR(names.at[1], "b.example");
	CHECK(settings_has_role(&s, STR("master")) && !settings_has_role(&s, STR("node")));
	CHECK_STR(test_take(t, &problems), "");
}

TEST(settings_each_check_says_what_it_wants)
{
	static const char *const wrong[] = {"role=captain", "node-name=Boat_1", "interface=a/b",
		"address=192.0.2.1", "address=2001:db8::1/64", "gateway=here", "dns=1.2.3.4,",
		"ntp=-x-", "state=vdb", "state=/dev/../x", "names=", "addresses=1.2.3",
		"advertise-address=", "service-cidr=10.0.0.0/33", "service-cidr=dhcp",
		"token=short", "token=ABCDEF.0123456789abcdef", "sail=red"};
	struct settings s;

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct setting_sources from = sources(t, "", wrong[i], "", "");
		struct buf problems;

		test_note(t, "%s", wrong[i]);
		buf_init(&problems, BUF_NO_LIMIT);
		settings_resolve(&from, &s, &problems);
		str said = test_take(t, &problems);

		CHECK(str_find(said, STR("the fw_cfg file")) >= 0);
		CHECK(str_find(said, STR("coracle.")) >= 0);
		CHECK(str_find(said, STR("for example")) >= 0 ||
			str_find(said, STR("there is no setting")) >= 0);
	}
}

TEST(settings_a_secret_is_neither_shown_nor_kept)
{
	struct setting_sources from = sources(
		t, "", "token=abcdef.0123456789abcdeX\nrole=master\nstate=ram", "", "");
	struct buf problems, kept;
	struct settings s;

	buf_init(&problems, BUF_NO_LIMIT);
	buf_init(&kept, BUF_NO_LIMIT);
	settings_resolve(&from, &s, &problems);
	CHECK(str_find(buf_str(&problems), STR("abcdeX")) < 0);
	CHECK(setting_is_secret(SETTING_TOKEN));
	settings_put_kept(&s, &kept);
	CHECK_STR(test_take(t, &kept), "role=master\n");
	buf_free(&problems);
}

TEST(settings_of_others_are_let_be)
{
	struct setting_sources from = sources(
		t, "coracle.root=/dev/vda coracle.slot=A", "", "", "");
	struct buf problems;
	struct settings s;

	buf_init(&problems, BUF_NO_LIMIT);
	settings_resolve(&from, &s, &problems);
	CHECK_STR(test_take(t, &problems), "");
}
