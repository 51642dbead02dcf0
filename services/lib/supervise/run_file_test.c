#include "lib/supervise/run_file.h"

#include "lib/base/test.h"

TEST(run_file_says_what_a_service_is)
{
	struct run_file r;
	struct err e;
	str text = STR(
		"#!/bin/coracle-run\n"
		"role=master,node\nuser=etcd\nneeds=setup\nneeds=clock\ncgroup=system/etcd\n"
		"memory.min=64M\noom=-997\nnotify=socket\nmount=idmap /etc/a\n"
		"mount=bind /a /b\nfolder=/var/x 0750 log\nenv=A=b\nargv=/bin/x\nargv=--y=z\n");

	REQUIRE_OK(run_file_read(&t->arena, text, &r, &e), &e);
	CHECK_STR(r.user, "etcd");
	CHECK_INT((int64_t)r.roles.len, 2);
	CHECK_STR(r.roles.at[1], "node");
	CHECK_INT((int64_t)r.needs.len, 2);
	CHECK_STR(pairs_get(&r.limits, STR("memory.min")), "64M");
	CHECK_INT(r.oom, -997);
	CHECK_INT(r.nofile, INT64_MIN);
	CHECK_INT(r.notify, RUN_NOTIFY_SOCKET);
	CHECK_INT((int64_t)r.mount_count, 2);
	CHECK_STR(r.mounts[1].to, "/b");
	CHECK_INT(r.folders[0].mode, 0750);
	CHECK_STR(r.folders[0].user, "log");
	CHECK_STR(r.env.at[0], "A=b");
	CHECK_STR(r.argv.at[1], "--y=z");
	CHECK(r.log);
}

TEST(run_file_names_what_is_wrong)
{
	static const struct {
		const char *text, *part;
	} wrong[] = {
		{"user=x\n", "there is no argv"},
		{"argv=/x\nusr=y\n", "line 2: there is no key \"usr\""},
		{"argv=/x\noom=1001\n", "oom: \"1001\" is no number from -1000 to 1000"},
		{"argv=/x\nnotify=maybe\n", "notify: \"maybe\" is none of its kinds"},
		{"argv=/x\nmount=idmap\n", "is not KIND PATH"},
		{"argv=/x\nmount=bind /a\n", "is not KIND PATH"},
		{"argv=/x\nmount=read /a /b\n", "is not KIND PATH"},
		{"argv=/x\nfolder=/a 0800 root\n", "is not PATH MODE USER"},
		{"argv=/x\nlog=1\n", "log: neither yes nor no"},
	};
	struct run_file r;
	struct err e;

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		test_note(t, "%s", wrong[i].text);
		CHECK_FAILS(run_file_read(&t->arena, str_of(wrong[i].text), &r, &e), &e,
			ERR_INVALID, wrong[i].part);
	}
}

TEST(run_expand_puts_settings_in)
{
	struct pair_list values;
	struct err e;
	str to;

	REQUIRE_OK(pairs_read(&t->arena, STR("name=boat\nempty=\n"), &values, &e), &e);
	REQUIRE_OK(run_expand(&t->arena, STR("--a=${name}-$x${empty}{}"), &values, &to, &e), &e);
	CHECK_STR(to, "--a=boat-$x{}");
	CHECK_FAILS(run_expand(&t->arena, STR("${other}"), &values, &to, &e), &e, ERR_INVALID,
		"${other} has no value");
}

/* The services that are shipped. */
TEST(run_files_of_the_house_are_read)
{
	static const char *const names[] = {"etcd", "kube-apiserver", "kube-controller-manager",
		"kube-scheduler", "log@", "ntpd", "setup", "status", "udhcpc@"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *path = arena_fmt(&t->arena, "services/s6/%s", names[i]).at;
		struct run_file r;
		struct err e;

		test_note(t, "%s", names[i]);
		CHECK_OK(run_file_read(&t->arena, test_file(t, path), &r, &e), &e);
	}
}
