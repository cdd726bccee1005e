/* SPDX-License-Identifier: MIT */
/*
 * Processors. Cores are counted by the first CPU of each core among those online, which is right
 * for hybrid processors, for gaps of CPUs that are off, and where only some cores have two threads.
 */
#include "machine_parts.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cgroup_path.h"
#include "cleanup.h"
#include "macros.h"

#include "str.h"

/* A decimal number at *text, which is moved behind it. */
static bool take_number(const char **text, unsigned long *ret_value)
{
	const char *at = *text;
	unsigned long value = 0;
	if (*at < '0' || *at > '9')
		return false;
	while (*at >= '0' && *at <= '9') {
		value = value * 10 + (unsigned long)(*at++ - '0');
		if (value >= MACHINE_CPUS_MAX)
			return false;
	}
	*text = at;
	*ret_value = value;
	return true;
}

unsigned machine_cpu_list(const char *text, struct machine_cpu_set *ret_set)
{
	unsigned count = 0;
	unsigned long first, last;
	memset(ret_set, 0, sizeof(*ret_set));
	while (*text && *text != '\n') {
		if (!take_number(&text, &first))
			return 0;
		last = first;
		if (*text == '-' && (text++, !take_number(&text, &last)))
			return 0;
		for (unsigned long cpu = first; cpu <= last; cpu++) {
			count += !machine_cpu_has(ret_set, (unsigned)cpu);
			ret_set->words[cpu / 64] |= (uint64_t)1 << cpu % 64;
		}
		if (*text == ',')
			text++;
		else if (*text && *text != '\n')
			return 0;
	}
	return count;
}

/* The lowest CPU of the core that cpu belongs to; -1: the kernel does not tell. */
static long first_of_core(const char *root, unsigned cpu)
{
	static const char *const names[] = {"core_cpus_list", "thread_siblings_list"};
	char path[128], text[256];
	for (size_t i = 0; i < WAN_COUNT_OF(names); i++) {
		unsigned long first;
		const char *at = text;
		wan_str_format(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/%s", cpu,
			       names[i]);
		if (machine_read(root, path, text, sizeof(text)) > 0 && take_number(&at, &first))
			return (long)first;
	}
	return -1;
}

static void count_cores(const char *root, const struct machine_cpu_set *online,
			struct machine *machine)
{
	struct machine_cpu_set fast, seen = {{0}};
	char text[512];
	unsigned cores = 0, fast_cores = 0;
	bool hybrid = machine_read(root, "/sys/devices/cpu_core/cpus", text, sizeof(text)) > 0 &&
		      machine_cpu_list(text, &fast) > 0;
	for (unsigned cpu = 0; cpu < MACHINE_CPUS_MAX; cpu++) {
		if (!machine_cpu_has(online, cpu))
			continue;
		long first = first_of_core(root, cpu);
		if (first < 0)
			return; /* half of an answer is none */
		if (machine_cpu_has(&seen, (unsigned)first))
			continue;
		seen.words[first / 64] |= (uint64_t)1 << first % 64;
		cores++;
		fast_cores += hybrid && machine_cpu_has(&fast, cpu);
	}
	machine->physical_cores = cores;
	machine->fast_cores = fast_cores < cores ? fast_cores : 0;
}

static void read_model(const char *root, struct machine *machine)
{
	/* x86, then others; the first processor stands for all. */
	static const char *const names[] = {"model name", "Model", "Hardware", "cpu model", "cpu"};
	char text[4096];
	if (machine_read(root, "/proc/cpuinfo", text, sizeof(text)) <= 0)
		return;
	for (size_t i = 0; i < WAN_COUNT_OF(names); i++) {
		const char *line = text;
		for (; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			const char *after = line + strlen(names[i]);
			if (strncmp(line, names[i], strlen(names[i])) != 0 ||
			    after[strspn(after, " \t")] != ':')
				continue;
			const char *value = strchr(after, ':') + 1;
			value += strspn(value, " \t");
			wan_str_format(machine->cpu_model, sizeof(machine->cpu_model), "%.*s",
				       (int)strcspn(value, "\n"), value);
			return;
		}
	}
}

/* What the scheduler may give us, as the kernel writes it; a root of a test has its own. */
static unsigned count_usable(const char *root)
{
	struct machine_cpu_set set;
	char text[8192];
	if (machine_read(root, "/proc/self/status", text, sizeof(text)) > 0) {
		static const char name[] = "\nCpus_allowed_list:\t";
		const char *list = strstr(text, name);
		if (list)
			return machine_cpu_list(list + sizeof(name) - 1, &set);
	}
	cpu_set_t allowed;
	return !root[0] && sched_getaffinity(0, sizeof(allowed), &allowed) == 0
		       ? (unsigned)CPU_COUNT(&allowed)
		       : 0;
}

void machine_look_cpu(const char *root, struct machine *machine)
{
	struct machine_cpu_set online;
	char text[8192];
	if (machine_read(root, "/sys/devices/system/cpu/online", text, sizeof(text)) > 0)
		machine->logical = machine_cpu_list(text, &online);
	if (machine->logical)
		count_cores(root, &online, machine);
	long configured = root[0] ? 0 : sysconf(_SC_NPROCESSORS_ONLN);
	if (!machine->logical && configured > 0)
		machine->logical = (unsigned)configured;
	machine->usable = count_usable(root);
	if (machine->logical && machine->usable > machine->logical)
		machine->usable = machine->logical; /* the mask may name CPUs that are off */
	read_model(root, machine);
}

bool machine_cpu_max(const char *text, double *ret_cpus)
{
	char quota[32], period[32];
	double granted, out_of;
	size_t length = strcspn(text, " ");
	wan_str_format(quota, sizeof(quota), "%.*s", (int)length, text);
	wan_str_format(period, sizeof(period), "%s", text + length + (text[length] == ' '));
	if (strcmp(quota, "max") == 0 || strcmp(quota, "-1") == 0) {
		*ret_cpus = 0;
		return true;
	}
	if (wan_parse_double(quota, &granted) || wan_parse_double(period, &out_of) ||
	    !(granted > 0) || !(out_of > 0))
		return false;
	*ret_cpus = granted / out_of;
	return true;
}

static void look_at_level(const char *root, const struct wan_cgroup_place *place, bool v2,
			  struct machine *machine)
{
	char path[8300], text[128], period[64];
	double cpus;
	wan_str_format(path, sizeof(path), "%s%s/%s", place->mount, place->path,
		       v2 ? "cpu.max" : "cpu.cfs_quota_us");
	if (machine_read(root, path, text, 60) <= 0)
		return;
	if (!v2) {
		wan_str_format(path, sizeof(path), "%s%s/cpu.cfs_period_us", place->mount,
			       place->path);
		size_t used = strlen(text);
		if (machine_read(root, path, period, sizeof(period)) <= 0)
			return;
		wan_str_format(text + used, sizeof(text) - used, " %s", period);
	}
	if (!machine_cpu_max(text, &cpus) || cpus <= 0 ||
	    (machine->cpu_quota > 0 && cpus >= machine->cpu_quota))
		return;
	machine->cpu_quota = cpus;
	wan_str_format(machine->cpu_quota_by, sizeof(machine->cpu_quota_by), "cgroup %s",
		       place->name[0] ? place->name : "/");
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
}

/* The tightest grant of any level from ours up to the root of what is mounted. */
void machine_look_quota(const char *root, struct machine *machine)
{
	wan_cleanup(wan_freep) char *groups = machine_read_whole(root, "/proc/self/cgroup");
	wan_cleanup(wan_freep) char *mounts = machine_read_whole(root, "/proc/self/mountinfo");
	wan_cleanup(wan_freep) struct wan_cgroup_place *place = wan_malloc(sizeof(*place));
	if (!groups || !mounts || !place)
		return;
	for (int v2 = 0; v2 < 2; v2++) {
		if (wan_cgroup_locate_controller(groups, mounts, v2, "cpu", place) < 0)
			continue;
		for (;;) {
			look_at_level(root, place, v2, machine);
			if (!place->path[0])
				break;
			cut_last(place->path);
			cut_last(place->name);
		}
	}
}
