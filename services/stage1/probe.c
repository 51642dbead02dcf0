#include "stage1/probe.h"

enum { ISO9660_DESCRIPTOR = 16 * 2048 };

enum probe_kind probe_bytes(str start)
{
	if (str_starts(start, STR("hsqs")))
		return PROBE_SQUASHFS;
	if (str_eq(str_slice(start, ISO9660_DESCRIPTOR + 1, 5), STR("CD001")))
		return PROBE_ISO9660;
	return PROBE_OTHER;
}

str probe_setting(str command_line, str key)
{
	str found = {0};

	for (str rest = str_trim(command_line); rest.at;) {
		str word = str_cut(&rest, ' ');

		if (str_starts(word, key))
			found = str_slice(word, key.len, word.len);
	}
	return found;
}

str probe_uevent(str message)
{
	bool appeared = false, block = false;
	str name = {0};

	for (str rest = message; rest.at;) {
		str line = str_cut(&rest, '\0');

		appeared |= str_eq(line, STR("ACTION=add")) || str_eq(line, STR("ACTION=change"));
		block |= str_eq(line, STR("SUBSYSTEM=block"));
		if (str_starts(line, STR("DEVNAME=")))
			name = str_slice(line, 8, line.len);
	}
	return appeared && block ? name : (str){0};
}
