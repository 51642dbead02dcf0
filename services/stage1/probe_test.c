#include "stage1/probe.h"

#include "lib/base/test.h"

TEST(probe_tells_a_squashfs_and_an_iso)
{
	char *start = arena_get(&t->arena, PROBE_BYTES);

	CHECK_INT(probe_bytes(str_span(start, PROBE_BYTES)), PROBE_OTHER);
	memcpy(start + 32769, "CD001", 5);
	CHECK_INT(probe_bytes(str_span(start, PROBE_BYTES)), PROBE_ISO9660);
	CHECK_INT(probe_bytes(str_span(start, 32772)), PROBE_OTHER);
	memcpy(start, "hsqs", 4);
	CHECK_INT(probe_bytes(str_span(start, PROBE_BYTES)), PROBE_SQUASHFS);
	CHECK_INT(probe_bytes(str_span(start, 3)), PROBE_OTHER);
	CHECK_INT(probe_bytes((str){0}), PROBE_OTHER);
}

TEST(probe_finds_a_setting_on_the_command_line)
{
	str line = STR("quiet coracle.root=/dev/vda xcoracle.root=no coracle.root=/dev/vdb\n");

	CHECK_STR(probe_setting(line, STR("coracle.root=")), "/dev/vdb");
	CHECK(probe_setting(STR("quiet"), STR("coracle.root=")).at == NULL);
	CHECK(probe_setting(STR(""), STR("coracle.root=")).at == NULL);
	CHECK_STR(probe_setting(STR("coracle.root="), STR("coracle.root=")), "");
}

TEST(probe_reads_what_the_kernel_says_of_devices)
{
	CHECK_STR(probe_uevent(STR("add@/devices/pci0/block/vda/vda1\0ACTION=add\0"
				   "DEVPATH=/devices/pci0/block/vda/vda1\0SUBSYSTEM=block\0"
				   "DEVNAME=vda1\0")),
		"vda1");
	CHECK_STR(probe_uevent(STR("x\0ACTION=change\0SUBSYSTEM=block\0DEVNAME=sr0\0")), "sr0");
	CHECK(!probe_uevent(STR("x\0ACTION=remove\0SUBSYSTEM=block\0DEVNAME=sr0\0")).at);
	CHECK(!probe_uevent(STR("x\0ACTION=add\0SUBSYSTEM=net\0DEVNAME=eth0\0")).at);
	CHECK(!probe_uevent(STR("")).at);
}
