/* SPDX-License-Identifier: MIT */
/*
 * The machine as the command found it, into our own recording: GPU memory and processors that
 * others use, free disk and memory, the tier. Looked at in our process once the command runs, so
 * its start waits for nothing. At the end: what it had to read.
 */
#include "run.h"

#include <math.h>
#include <string.h>
#include <sys/statfs.h>

#include "clock.h"
#include "machine.h"
#include "macros.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"
#include "writer.h"

/* Words of the block, by schema.def. */
enum {
	HOST_KNOWN,
	HOST_LOAD,
	HOST_CPUS,
	HOST_PHYSICAL_CORES,
	HOST_TOTAL,
	HOST_AVAILABLE,
	HOST_LIMIT,
	HOST_RECORD_FREE,
	HOST_WORK_FREE,
	HOST_GPU_USED,
	HOST_GPU_LARGEST,
	HOST_GPU_AFTER,
	HOST_GPU_MODEL,
	HOST_TIER,
	HOST_ENDED = 20,
	HOST_MAJOR_FAULTS,
	HOST_READ,
};

#define BLOCK_BYTES 512 /* getrusage(2) counts blocks of this size */

static struct {
	struct wan_recorder *recorder; /* NULL: nothing is recorded */
	const char *folder;
	uint64_t *words; /* NULL: nothing is told */
	uint64_t start_ns;
	bool gpu_told;
	struct machine machine;
} before;

static uint64_t load_average(void)
{
	char text[128];
	double load;
	if (wan_procfs_read("/proc/loadavg", text, sizeof(text)) <= 0)
		return UINT64_MAX;
	text[strcspn(text, " ")] = '\0';
	return wan_parse_double(text, &load) == 0 && load >= 0 ? (uint64_t)(load * 1000)
							       : UINT64_MAX;
}

static uint64_t free_bytes(const char *folder)
{
	struct statfs disk;
	if (wan_sys->statfs(folder, &disk) != 0)
		return UINT64_MAX;
	return (uint64_t)disk.f_bavail * (uint64_t)disk.f_bsize;
}

static void set(unsigned word, uint64_t value)
{
	wan_store_relaxed(&before.words[word], value);
}

static void set_machine(void)
{
	const struct machine *machine = &before.machine;
	machine_look(NULL, &before.machine);
	bool known = machine->memory_bytes > 0;
	set(HOST_CPUS, (uint64_t)ceil(machine_cpus(machine)));
	set(HOST_PHYSICAL_CORES, machine->physical_cores ? machine->physical_cores : UINT64_MAX);
	set(HOST_TOTAL, known ? machine->memory_bytes : UINT64_MAX);
	set(HOST_AVAILABLE, known ? machine->memory_available_bytes : UINT64_MAX);
	set(HOST_LIMIT, machine->memory_limit_bytes);
}

/* Once the GPUs are known, or that there are none. */
static void set_tier(uint64_t vram_bytes)
{
	const struct machine *machine = &before.machine;
	if (machine->memory_bytes)
		set(HOST_TIER,
		    1 + (uint64_t)machine_tier(machine_nominal_gb(vram_bytes),
					       machine_nominal_gb(machine_memory_bytes(machine)),
					       (unsigned)machine_cpus(machine)));
}

static void set_gpu(const struct run_gpu_look *gpu)
{
	set(HOST_GPU_USED, gpu->used_bytes);
	set(HOST_GPU_LARGEST, gpu->largest_bytes);
	set(HOST_GPU_AFTER, wan_elapsed(before.start_ns, gpu->at_ns));
	set(HOST_GPU_MODEL, wan_recorder_string(before.recorder, gpu->model));
	set_tier(gpu->largest_bytes);
	before.gpu_told = true;
}

void run_before_prepare(struct wan_recorder *recorder, const char *folder)
{
	before.recorder = recorder;
	before.folder = folder;
}

void run_before_start(uint64_t start_ns)
{
	before.start_ns = start_ns;
	before.words = wan_recorder_counters(before.recorder, WAN_COUNTERS_HOST, "host");
	if (!before.words)
		return;
	for (unsigned i = HOST_LOAD; i <= HOST_GPU_AFTER; i++)
		set(i, UINT64_MAX);
	set(HOST_LOAD, load_average());
	set_machine();
	set(HOST_RECORD_FREE, free_bytes(before.folder));
	set(HOST_WORK_FREE, free_bytes("."));
	if (!run_gpu_is_present()) {
		before.gpu_told = true;
		set(HOST_GPU_LARGEST, 0);
		set_tier(0);
	}
	wan_store_release(&before.words[HOST_KNOWN], 1);
}

void run_before_step(void)
{
	struct run_gpu_look gpu;
	if (before.words && !before.gpu_told && run_gpu_first_look(&gpu))
		set_gpu(&gpu);
}

void run_before_end(const struct rusage *usage)
{
	if (!before.words)
		return;
	run_before_step();
	set(HOST_MAJOR_FAULTS, (uint64_t)usage->ru_majflt);
	set(HOST_READ, (uint64_t)usage->ru_inblock * BLOCK_BYTES);
	wan_store_release(&before.words[HOST_ENDED], 1);
}
