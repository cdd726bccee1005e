/* SPDX-License-Identifier: MIT */
/* Can memory be watched: files of the host and the cgroups, events, what the cache needs. */
#include <linux/membarrier.h>
#include <unistd.h>

#include "doctor.h"
#include "machine_parts.h"
#include "macros.h"
#include "readers.h"
#include "sys.h"

static void check_host(struct doctor *doctor)
{
	if (doctor->machine.memory_bytes)
		doctor_add(doctor, DOCTOR_MEMORY, "host-memory", DOCTOR_OK,
			   "the host's memory can be read");
	else
		doctor_mend(doctor_add(doctor, DOCTOR_MEMORY, "host-memory", DOCTOR_BROKEN,
				       "/proc/meminfo cannot be read: memory cannot be watched"),
			    "mount -t proc proc /proc");
}

static void check_events(struct doctor *doctor, struct wan_source_cgroup *groups)
{
	static const double steps[] = {75, 85, 95, 0};
	int fds[WAN_CGROUP_LEVELS_MAX * 4];
	uint32_t count = wan_source_cgroup_watch(groups, steps, fds, WAN_COUNT_OF(fds));
	if (count)
		doctor_add(doctor, DOCTOR_MEMORY, "memory-events", DOCTOR_OK,
			   "the kernel tells when a limit comes near");
	else
		doctor_add(doctor, DOCTOR_MEMORY, "memory-events", DOCTOR_NOTE,
			   "the kernel tells nothing about limits here: memory is looked at every "
			   "100 ms (memory.interval)");
}

static void check_groups(struct doctor *doctor)
{
	struct wan_source_cgroup groups;
	struct wan_level_reading levels[WAN_CGROUP_LEVELS_MAX];
	char text[256];
	if (wan_source_cgroup_open(&groups, "") < 0)
		return;
	int count = wan_source_cgroup_read(&groups, NULL, doctor->machine.memory_bytes, levels,
					   WAN_COUNT_OF(levels));
	bool trouble = false;
	while (wan_source_cgroup_trouble(&groups, text, sizeof(text))) {
		trouble = true;
		doctor_add(doctor, DOCTOR_MEMORY, "cgroup-trouble", DOCTOR_MISSING, "%s", text);
	}
	if (count > 0)
		doctor_add(
			doctor, DOCTOR_MEMORY, "cgroup", DOCTOR_OK,
			"%d limit%s on memory from above can be read; the tightest is that of %s",
			count, count == 1 ? "" : "s", doctor->machine.memory_limit_by);
	else if (!doctor->machine.proc_readable)
		doctor_add(doctor, DOCTOR_MEMORY, "cgroup", DOCTOR_NOTE,
			   "whether a container limits memory here cannot be read");
	else if (!trouble)
		doctor_add(doctor, DOCTOR_MEMORY, "cgroup", DOCTOR_OK,
			   "no container or group limits memory here");
	if (groups.tree)
		check_events(doctor, &groups);
	wan_source_cgroup_close(&groups);
}

static void check_pressure(struct doctor *doctor)
{
	char text[256];
	if (machine_read("", "/proc/pressure/memory", text, sizeof(text)) > 0)
		doctor_add(doctor, DOCTOR_MEMORY, "pressure", DOCTOR_OK,
			   "the kernel tells how long programs wait for memory (PSI)");
	else
		doctor_add(doctor, DOCTOR_MEMORY, "pressure", DOCTOR_NOTE,
			   "the kernel does not tell how long programs wait for memory (PSI): that "
			   "figure stays empty");
}

static void check_calls(struct doctor *doctor)
{
	int fd = wan_sys->eventfd(0, 0);
	if (fd >= 0)
		wan_sys->close(fd);
	else
		doctor_add(
			doctor, DOCTOR_MEMORY, "eventfd", DOCTOR_MISSING,
			"eventfd is refused here (a sandbox?): memory is looked at by time alone");
	int commands = wan_sys->membarrier(MEMBARRIER_CMD_QUERY, 0, 0);
	if (commands >= 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		doctor_add(doctor, DOCTOR_MEMORY, "membarrier", DOCTOR_OK,
			   "cache hits take the fast way (membarrier)");
	else
		doctor_add(doctor, DOCTOR_MEMORY, "membarrier", DOCTOR_NOTE,
			   "membarrier is refused here: each cache hit costs some 10 ns more");
}

void doctor_check_memory(struct doctor *doctor)
{
	check_host(doctor);
	check_groups(doctor);
	check_pressure(doctor);
	check_calls(doctor);
}
