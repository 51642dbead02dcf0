/*
 * One binary under many names: the name it was started by picks the program.
 */
#include "apiserver/apiserver.h"
#include "controller-manager/controller_manager.h"
#include "coracle-run/coracle_run.h"
#include "coraclectl/coraclectl.h"
#include "init/init.h"
#include "lib/base/str.h"
#include "scheduler/scheduler.h"
#include "setup/setup.h"
#include "status/status.h"

#include <stdio.h>

struct program {
	const char *name;
	int (*main)(int argc, char **argv);
};

static const struct program programs[] = {
	{"kube-apiserver", apiserver_main},
	{"kube-controller-manager", controller_manager_main},
	{"kube-scheduler", scheduler_main},
	{"setup", setup_main},
	{"dhcp-hook", dhcp_hook_main},
	{"init", init_main},
	{"shutdown", shutdown_main},
	{"coracle-run", coracle_run_main},
	{"status", status_main},
	{"coraclectl", coraclectl_main},
};

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	str name = str_of(slash ? slash + 1 : argc ? argv[0] : "");

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (str_eq(name, str_of(programs[i].name)))
			return programs[i].main(argc, argv);
	fprintf(stderr, "coracle: no program is called \"%.*s\"; there are:\n", STR_ARG(name));
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		fprintf(stderr, "  %s\n", programs[i].name);
	return 2;
}
