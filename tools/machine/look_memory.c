/* SPDX-License-Identifier: MIT */
/* Memory of the host and of every cgroup level, by the memory manager's own readers. */
#include "machine_parts.h"

#include "macros.h"
#include "procfs.h"
#include "readers.h"
#include "str.h"

static void read_host(const char *root, struct machine *machine)
{
	struct wan_source_system system;
	if (wan_source_system_open(&system, root) < 0)
		return;
	if (wan_source_system_read(&system, &machine->memory_bytes,
				   &machine->memory_available_bytes) == 0)
		machine->memory_headroom_bytes = machine->memory_available_bytes;
	wan_source_system_close(&system);
}

static void read_levels(const char *root, struct machine *machine)
{
	struct wan_source_cgroup groups;
	struct wan_level_reading levels[WAN_CGROUP_LEVELS_MAX];
	if (wan_source_cgroup_open(&groups, root) < 0)
		return;
	int count = wan_source_cgroup_read(&groups, NULL, machine->memory_bytes, levels,
					   WAN_COUNT_OF(levels));
	for (int i = 0; i < count; i++) {
		const struct wan_level_reading *level = &levels[i];
		uint64_t left = level->limit_bytes > level->need_bytes
					? level->limit_bytes - level->need_bytes
					: 0;
		if (!machine->memory_headroom_bytes || left < machine->memory_headroom_bytes)
			machine->memory_headroom_bytes = WAN_MAX(left, 1u);
		if (level->limit_bytes >= machine->memory_limit_bytes)
			continue;
		machine->memory_limit_bytes = level->limit_bytes;
		wan_str_copy(machine->memory_limit_by, sizeof(machine->memory_limit_by),
			     level->name);
	}
	wan_source_cgroup_close(&groups);
}

static void read_swap(const char *root, struct machine *machine)
{
	char text[4096];
	uint64_t kib;
	if (machine_read(root, "/proc/meminfo", text, sizeof(text)) <= 0)
		return;
	if (wan_procfs_field(text, "SwapTotal:", &kib) == 0)
		machine->swap_bytes = kib * 1024;
	if (wan_procfs_field(text, "SwapFree:", &kib) == 0)
		machine->swap_free_bytes = kib * 1024;
}

void machine_look_memory(const char *root, struct machine *machine)
{
	read_host(root, machine);
	read_levels(root, machine);
	read_swap(root, machine);
}
