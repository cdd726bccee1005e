/* SPDX-License-Identifier: MIT */
/* The parts of machine_look(): each fills its own fields and leaves the rest alone. */
#ifndef WAN_TOOLS_MACHINE_PARTS_H
#define WAN_TOOLS_MACHINE_PARTS_H

#include "machine.h"

void machine_look_cpu(const char *root, struct machine *machine);
void machine_look_memory(const char *root, struct machine *machine);
void machine_look_quota(const char *root, struct machine *machine);
void machine_look_disk(const char *root, const char *path, struct machine_disk *ret_disk);
void machine_look_power(const char *root, struct machine *machine);
void machine_look_system(const char *root, struct machine *machine);
/* Cards that have no library of their own here (amdgpu), appended. */
void machine_look_cards(const char *root, struct machine_gpus *gpus);

/* The text of root + path without the line's end. Its length, negative errno. */
int machine_read(const char *root, const char *path, char *to, size_t bytes);
/* Its number. 0, negative errno. */
int machine_read_u64(const char *root, const char *path, uint64_t *ret_value);
/* The whole of a longer file, to be freed, at most 1 MiB; NULL: it cannot be read. */
char *machine_read_whole(const char *root, const char *path);
bool machine_exists(const char *root, const char *path);

/* "0-3,8,10-11": sets bits, returns how many; 0 for what is no such list. Pure. */
#define MACHINE_CPUS_MAX 8192
struct machine_cpu_set {
	uint64_t words[MACHINE_CPUS_MAX / 64];
};
unsigned machine_cpu_list(const char *text, struct machine_cpu_set *ret_set);
static inline bool machine_cpu_has(const struct machine_cpu_set *set, unsigned cpu)
{
	return cpu < MACHINE_CPUS_MAX && (set->words[cpu / 64] >> cpu % 64 & 1);
}
/* "max 100000" or "150000 100000" of cpu.max: CPUs, 0: none. false: neither. Pure. */
bool machine_cpu_max(const char *text, double *ret_cpus);

#endif
