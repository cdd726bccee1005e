/* SPDX-License-Identifier: MIT */
#include "environment.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clock.h"
#include "procfs.h"
#include "str.h"

/* The value after "name<tabs>: " of /proc/cpuinfo. */
static void read_cpu(struct wan_environment *environment)
{
	char text[4096];
	if (wan_procfs_read("/proc/cpuinfo", text, sizeof(text)) < 0)
		return;
	const char *line = strstr(text, "model name");
	const char *colon = line ? strchr(line, ':') : NULL;
	if (!colon)
		return;
	const char *value = colon + 1 + strspn(colon + 1, " ");
	wan_str_format(environment->cpu, sizeof(environment->cpu), "%.*s",
		       (int)strcspn(value, "\n"), value);
}

static void read_memory(struct wan_environment *environment)
{
	char text[4096];
	uint64_t kib;
	if (wan_procfs_read("/proc/meminfo", text, sizeof(text)) < 0)
		return;
	if (wan_procfs_field(text, "MemTotal:", &kib) == 0)
		environment->memory_total_bytes = kib * 1024;
	if (wan_procfs_field(text, "MemAvailable:", &kib) == 0)
		environment->memory_available_bytes = kib * 1024;
}

static uint64_t read_number(const char *folder, const char *level, const char *file)
{
	char path[512], text[64];
	uint64_t value;
	wan_str_format(path, sizeof(path), "%s%s/%s", folder, level, file);
	if (wan_procfs_read(path, text, sizeof(text)) < 0)
		return UINT64_MAX;
	text[strcspn(text, "\n")] = '\0';
	/* "max", or what version 1 writes for it: close to 2^63 */
	if (wan_parse_u64(text, &value) || value >= (uint64_t)1 << 62)
		return UINT64_MAX;
	return value;
}

static void add_level(struct wan_environment *environment, const char *folder, const char *level,
		      const char *limit_file, const char *usage_file)
{
	if (environment->cgroup_count == WAN_ENVIRONMENT_CGROUPS)
		return;
	struct wan_environment_cgroup *cgroup = &environment->cgroups[environment->cgroup_count];
	cgroup->usage_bytes = read_number(folder, level, usage_file);
	if (cgroup->usage_bytes == UINT64_MAX)
		return; /* no memory controller here */
	cgroup->limit_bytes = read_number(folder, level, limit_file);
	wan_str_copy(cgroup->path, sizeof(cgroup->path), level[0] ? level : "/");
	environment->cgroup_count++;
}

/* Our own level first, then each parent up to the root. */
static void read_levels(struct wan_environment *environment, const char *folder, char *level,
			const char *limit_file, const char *usage_file)
{
	if (strcmp(level, "/") == 0)
		level[0] = '\0';
	for (;;) {
		add_level(environment, folder, level, limit_file, usage_file);
		char *slash = strrchr(level, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

static void read_cgroups(struct wan_environment *environment)
{
	char text[4096], level[160];
	if (wan_procfs_read("/proc/self/cgroup", text, sizeof(text)) < 0)
		return;
	const char *line = strstr(text, ":memory:");
	const char *path = line ? line + strlen(":memory:") : NULL;
	if (!path && (line = strstr(text, "0::")))
		path = line + strlen("0::");
	if (!path)
		return;
	wan_str_format(level, sizeof(level), "%.*s", (int)strcspn(path, "\n"), path);
	if (line[0] == ':')
		read_levels(environment, "/sys/fs/cgroup/memory", level, "memory.limit_in_bytes",
			    "memory.usage_in_bytes");
	else
		read_levels(environment, "/sys/fs/cgroup", level, "memory.max", "memory.current");
}

void wan_environment_read(struct wan_environment *ret_environment)
{
	*ret_environment = (struct wan_environment){0};
	struct utsname name;
	if (uname(&name) == 0)
		wan_str_format(ret_environment->kernel, sizeof(ret_environment->kernel), "%s %s %s",
			       name.sysname, name.release, name.machine);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ret_environment->cpus = cpus > 0 ? (unsigned)cpus : 0;
	read_cpu(ret_environment);
	read_memory(ret_environment);
	read_cgroups(ret_environment);
	char text[128];
	double up_s;
	if (wan_procfs_read("/proc/uptime", text, sizeof(text)) > 0) {
		text[strcspn(text, " ")] = '\0';
		if (wan_parse_double(text, &up_s) == 0)
			ret_environment->boot_realtime_ns =
				wan_realtime_ns() - (uint64_t)(up_s * 1e9);
	}
}
