#include "status/view.h"

#include "lib/base/test.h"

static str shown(struct test *t, struct view *v, const char *settings, const char *report)
{
	struct buf b;
	struct err e;

	REQUIRE_OK(pairs_read(&t->arena, str_of(settings), &v->settings, &e), &e);
	REQUIRE_OK(pairs_read(&t->arena, str_of(report), &v->report, &e), &e);
	buf_init(&b, BUF_NO_LIMIT);
	view_put(v, &b);
	return test_take(t, &b);
}

TEST(view_of_a_machine_that_is_ready)
{
	struct view_service services[] = {
		{STR("kube-apiserver"), {.up = true, .ready = true, .wanted_up = true}, {0}, true},
		{STR("ntpd"), {0}, {.count = 1, .in_a_row = 1}, false},
		{STR("udhcpc@eth0"), {.up = true, .wanted_up = true}, {0}, false},
	};
	str address = STR("192.0.2.10");
	struct view v = {.version = STR("v1.36.2"),
		.addresses = {&address, 1},
		.services = services,
		.service_count = COUNT_OF(services)};

	CHECK_STR(shown(t, &v, "node-name=boat-1\nrole=master\n",
			  "phase=running\nnotice=a word\ncode=abcd\nstate=/dev/vdb\n"
			  "setting=role=master (config disk)\n"),
		"Coracle v1.36.2  node boat-1  role master\n"
		"addresses 192.0.2.10\n"
		"state in /dev/vdb\n"
		"set: role=master (config disk)\n"
		"kube-apiserver             ready\n"
		"ntpd                       off; it has ended 1 times\n"
		"udhcpc@eth0                runs\n"
		"coracle: control plane Ready\n"
		"note: a word\n"
		"to administer it, once: coraclectl kubeconfig https://192.0.2.10:6444 abcd\n");
}

TEST(view_of_what_fails)
{
	struct view_service services[] = {
		{STR("kube-apiserver"), {.up = true, .ready = true, .wanted_up = true}, {0}, true},
		{STR("kube-scheduler"), {.up = true, .wanted_up = true},
			{.in_a_row = 3, .signal = 9}, true},
	};
	struct view v = {
		.version = STR("v1"), .services = services, .service_count = COUNT_OF(services)};

	CHECK_STR(shown(t, &v, "", "phase=wrong\nproblem=this and that\n"),
		"Coracle v1\n"
		"addresses none yet\n"
		"kube-apiserver             ready\n"
		"kube-scheduler             fails: it has ended 3 times, the last with signal 9; "
		"tried again after 4 s; see /var/log/kube-scheduler\n"
		"WRONG: this and that\n"
		"nothing of the cluster was started; set it right and restart\n");
}
