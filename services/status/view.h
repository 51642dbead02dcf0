/*
 * What the screen says, as text of one screen: made from what is known at one moment, so that it
 * can be compared with what was said before. Threading: any; no I/O.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/codec/pairs.h"
#include "lib/supervise/service.h"

struct view_service {
	str name;
	struct service_status status;
	struct service_deaths deaths;
	bool tells_ready; /* its run file has notify= */
};

struct view {
	str version;
	struct pair_list settings; /* of SETTINGS_FILE; empty before they are settled */
	struct pair_list report;   /* of setup's report */
	struct str_list addresses;
	const struct view_service *services;
	size_t service_count;
	str ending; /* "poweroff", "reboot", "halt"; absent: it goes on */
};

void view_put(const struct view *v, struct buf *to);
