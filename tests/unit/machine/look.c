/* SPDX-License-Identifier: MIT */
/* The look at a machine, in trees of kernel files that a test has written. */
#include "machine_parts.h"

#include <ftw.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "tap.h"

static char root[256];

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static void new_root(void)
{
	if (root[0])
		nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	const char *base = getenv("TMPDIR");
	snprintf(root, sizeof(root), "%s/wan-machine-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(root))
		abort();
}

__attribute__((format(printf, 2, 3))) static void put(const char *path, const char *format, ...)
{
	char full[1024];
	va_list arguments;
	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0755);
		*at = '/';
	}
	FILE *file = fopen(full, "w");
	if (!file)
		abort();
	va_start(arguments, format);
	vfprintf(file, format, arguments);
	va_end(arguments);
	fclose(file);
}

static void put_cpu(unsigned cpu, const char *siblings)
{
	char path[128];
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/core_cpus_list", cpu);
	put(path, "%s\n", siblings);
}

static struct machine look(void)
{
	struct machine machine;
	const struct machine_request request = {.root = root, .system = true};
	machine_look(&request, &machine);
	return machine;
}

TEST(lists_of_processors_are_read_as_the_kernel_writes_them)
{
	struct machine_cpu_set set;
	CHECK_EQ(machine_cpu_list("0", &set), 1);
	CHECK_EQ(machine_cpu_list("0-3,8-11\n", &set), 8);
	CHECK(machine_cpu_has(&set, 8) && !machine_cpu_has(&set, 4));
	CHECK_EQ(machine_cpu_list("0-127", &set), 128);
	CHECK_EQ(machine_cpu_list("3,3,3", &set), 1);
	CHECK_EQ(machine_cpu_list("", &set), 0);
	CHECK_EQ(machine_cpu_list("garbage", &set), 0);
	CHECK_EQ(machine_cpu_list("0-", &set), 0);
	CHECK_EQ(machine_cpu_list("5-2", &set), 0);
	CHECK_EQ(machine_cpu_list("0-99999999999999999999", &set), 0);
	CHECK_EQ(machine_cpu_list("1;2", &set), 0);
}

TEST(quotas_are_read_as_the_kernel_writes_them)
{
	double cpus;
	CHECK(machine_cpu_max("150000 100000", &cpus));
	CHECK_NEAR(cpus, 1.5, 1e-9);
	CHECK(machine_cpu_max("max 100000", &cpus));
	CHECK_NEAR(cpus, 0, 0);
	CHECK(machine_cpu_max("-1 100000", &cpus));
	CHECK_NEAR(cpus, 0, 0);
	CHECK(machine_cpu_max("max", &cpus));
	static const char *const bad[] = {"", "1", "100 0", "0 100", "x y", "-5 100", "1 -1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!machine_cpu_max(bad[i], &cpus));
}

TEST(a_hybrid_processor_is_counted_by_cores)
{
	new_root();
	/* Two fast cores with two threads each, four slow ones. */
	put("/sys/devices/system/cpu/online", "0-7\n");
	put("/sys/devices/cpu_core/cpus", "0-3\n");
	put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Hybrid 12700\nflags\t: x\n");
	for (unsigned cpu = 0; cpu < 8; cpu++)
		put_cpu(cpu, cpu < 2 ? "0-1" : cpu < 4 ? "2-3" : (char[]){(char)('0' + cpu), 0});
	struct machine machine = look();
	CHECK_EQ(machine.logical, 8);
	CHECK_EQ(machine.physical_cores, 6);
	CHECK_EQ(machine.fast_cores, 2);
	CHECK_STR(machine.cpu_model, "Hybrid 12700");
}

TEST(processors_that_are_off_leave_gaps)
{
	new_root();
	put("/sys/devices/system/cpu/online", "0-31,64-95\n"); /* of 128 */
	put("/proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-63,90-127\nMems_allowed:\t1\n");
	for (unsigned cpu = 0; cpu < 96; cpu++) {
		char siblings[32];
		snprintf(siblings, sizeof(siblings), "%u,%u", cpu % 64, cpu % 64 + 64);
		if (cpu < 32 || cpu >= 64)
			put_cpu(cpu, siblings);
	}
	struct machine machine = look();
	CHECK_EQ(machine.logical, 64);
	CHECK_EQ(machine.physical_cores, 32);
	CHECK_EQ(machine.usable, 64); /* the mask names 102, more than are on */
	CHECK_EQ(machine.fast_cores, 0);
}

TEST(affinity_and_unreadable_topology_are_respected)
{
	new_root();
	put("/sys/devices/system/cpu/online", "0-7\n");
	put("/proc/self/status", "Name:\tx\nCpus_allowed_list:\t2-3\n");
	put_cpu(0, "0");
	put_cpu(1, "nonsense");
	struct machine machine = look();
	CHECK_EQ(machine.usable, 2);
	CHECK_EQ(machine.physical_cores, 0);
	CHECK_NEAR(machine_cpus(&machine), 2, 0);
}

#define V2_MOUNT "31 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"

static void put_memory(void)
{
	put("/proc/meminfo", "MemTotal: 33554432 kB\nMemFree: 1 kB\nMemAvailable: 16777216 kB\n"
			     "SwapTotal: 2097152 kB\nSwapFree: 1048576 kB\n");
}

TEST(the_tightest_quota_of_any_level_counts)
{
	new_root();
	put("/sys/devices/system/cpu/online", "0-15\n");
	put("/proc/self/cgroup", "0::/pod/box\n");
	put("/proc/self/mountinfo", V2_MOUNT);
	put("/sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
	put("/sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
	struct machine machine = look();
	CHECK_NEAR(machine.cpu_quota, 1.5, 1e-9);
	CHECK_STR(machine.cpu_quota_by, "cgroup /pod");
	CHECK_NEAR(machine_cpus(&machine), 1.5, 1e-9);
	put("/sys/fs/cgroup/pod/box/cpu.max", "50000 100000\n");
	CHECK_NEAR(look().cpu_quota, 0.5, 1e-9);
	put("/sys/fs/cgroup/pod/box/cpu.max", "lots\n");
	CHECK_NEAR(look().cpu_quota, 1.5, 1e-9);
}

TEST(a_quota_of_version_1_counts_too)
{
	new_root();
	put("/sys/devices/system/cpu/online", "0-3\n");
	put("/proc/self/cgroup", "4:cpu,cpuacct:/box\n5:memory:/other\n");
	put("/proc/self/mountinfo",
	    "30 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
	put("/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "250000\n");
	put("/sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	CHECK_NEAR(look().cpu_quota, 2.5, 1e-9);
}

TEST(memory_is_the_hosts_or_the_tightest_limits)
{
	new_root();
	put_memory();
	struct machine machine = look();
	CHECK_EQ(machine.memory_bytes, 32 * MACHINE_GIB);
	CHECK_EQ(machine.memory_headroom_bytes, 16 * MACHINE_GIB);
	CHECK_EQ(machine.swap_bytes, 2 * MACHINE_GIB);
	CHECK_EQ(machine.memory_limit_bytes, MACHINE_UNLIMITED);
	CHECK_EQ(machine_memory_bytes(&machine), 32 * MACHINE_GIB);
	put("/proc/self/cgroup", "0::/box\n");
	put("/proc/self/mountinfo", V2_MOUNT);
	put("/sys/fs/cgroup/box/memory.max", "4294967296\n");
	put("/sys/fs/cgroup/box/memory.current", "1073741824\n");
	put("/sys/fs/cgroup/box/memory.stat", "anon 1073741824\n");
	machine = look();
	CHECK_EQ(machine_memory_bytes(&machine), 4 * MACHINE_GIB);
	CHECK_EQ(machine.memory_headroom_bytes, 3 * MACHINE_GIB);
	CHECK_STR(machine.memory_limit_by, "cgroup /box");
}

TEST(a_machine_without_kernel_files_is_unknown_and_nothing_fails)
{
	new_root();
	struct machine machine = look();
	CHECK_EQ(machine.logical, 0);
	CHECK_EQ(machine.usable, 0);
	CHECK_EQ(machine.memory_bytes, 0);
	CHECK_EQ(machine_memory_bytes(&machine), 0);
	CHECK(!machine.proc_readable);
	CHECK_EQ(machine.power, MACHINE_POWER_UNKNOWN);
	CHECK(!machine_largest_gpu(&machine));
}

TEST(garbage_in_kernel_files_is_unknown)
{
	new_root();
	put("/sys/devices/system/cpu/online", "\xff\xfe 12 CPUs");
	put("/proc/meminfo",
	    "MemTotal: -5 kB\nMemAvailable: many kB\nSwapTotal: 99999999999999999999 kB\n");
	put("/proc/cpuinfo", "%s", "");
	put("/proc/self/status", "Cpus_allowed_list:\tall\n");
	put("/proc/self/cgroup", "::::\n0::\n");
	put("/proc/self/mountinfo", "x\ny y y\n - \n");
	struct machine machine = look();
	CHECK_EQ(machine.logical, 0);
	CHECK_EQ(machine.memory_bytes, 0);
	CHECK_EQ(machine.swap_bytes, 0);
	CHECK_NEAR(machine.cpu_quota, 0, 0);
	CHECK_STR(machine.cpu_model, "");
}

TEST(cards_are_found_where_the_kernel_shows_their_memory)
{
	new_root();
	struct machine_gpus gpus = {.state = MACHINE_GPU_NONE};
	put("/sys/class/drm/card0/device/mem_info_vram_total", "8573157376\n");
	put("/sys/class/drm/card0/device/mem_info_vram_used", "1073741824\n");
	put("/sys/class/drm/card0/device/product_name", "Radeon RX 6600 XT\n");
	put("/sys/class/drm/card1/device/mem_info_vram_total", "536870912\n");
	put("/sys/class/drm/card1/device/device", "0x15bf\n");
	put("/sys/class/drm/card2/device/mem_info_vram_total", "nonsense\n");
	put("/sys/class/drm/card0-HDMI-A-1/device/mem_info_vram_total", "8573157376\n");
	machine_look_cards(root, &gpus);
	REQUIRE(gpus.count == 2);
	CHECK_EQ(gpus.state, MACHINE_GPU_FOUND);
	struct machine machine = {.gpus = gpus};
	const struct machine_gpu *largest = machine_largest_gpu(&machine);
	CHECK_STR(largest->name, "Radeon RX 6600 XT");
	CHECK_EQ(largest->used_bytes, MACHINE_GIB);
}

TEST(a_laptop_without_its_charger_is_on_battery)
{
	new_root();
	put("/sys/class/power_supply/hid-mouse/type", "Battery\n");
	put("/sys/class/power_supply/hid-mouse/scope", "Device\n");
	put("/sys/class/power_supply/hid-mouse/status", "Discharging\n");
	CHECK_EQ(look().power, MACHINE_POWER_MAINS);
	put("/sys/class/power_supply/BAT0/type", "Battery\n");
	put("/sys/class/power_supply/BAT0/status", "Discharging\n");
	put("/sys/class/power_supply/AC/type", "Mains\n");
	put("/sys/class/power_supply/AC/online", "0\n");
	CHECK_EQ(look().power, MACHINE_POWER_BATTERY);
	put("/sys/class/power_supply/AC/online", "1\n");
	CHECK_EQ(look().power, MACHINE_POWER_MAINS);
}

TEST(containers_and_systems_are_named)
{
	new_root();
	put("/etc/os-release", "NAME=x\nPRETTY_NAME=\"Some Linux 9\"\n");
	CHECK_STR(look().system, "Some Linux 9");
	CHECK_STR(look().container, "");
	put("/proc/self/cgroup", "0::/kubepods/burstable/pod1\n");
	CHECK_STR(look().container, "kubernetes");
	put("/run/.containerenv", "engine=podman\n");
	CHECK_STR(look().container, "podman");
}

TEST(a_disk_is_found_for_a_folder_that_is_still_to_be_made)
{
	new_root();
	char path[512];
	struct machine_disk disk;
	snprintf(path, sizeof(path), "%s/not/yet/there", root);
	machine_look_disk("", path, &disk);
	CHECK(disk.known && disk.total_bytes > 0 && disk.free_bytes <= disk.total_bytes);
	machine_look_disk(root, path, &disk); /* no mountinfo there: the kind stays unknown */
	CHECK(disk.known);
	CHECK_STR(disk.file_system, "");
	CHECK_EQ(disk.rotational, -1);
}

TEST(the_real_machine_agrees_with_libc)
{
	struct machine machine;
	machine_look(NULL, &machine);
	if (!machine.proc_readable)
		SKIP("no /proc here");
	CHECK_EQ(machine.logical, (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(machine.usable > 0 && machine.usable <= machine.logical);
	CHECK(machine.memory_bytes > 0);
	CHECK_EQ(machine.gpus.state, MACHINE_GPU_NOT_ASKED);
}

TEST(roots_are_taken_away)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	CHECK(access(root, F_OK) != 0);
}

TAP_MAIN
