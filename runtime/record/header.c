/* SPDX-License-Identifier: MIT */
/* What a recording says about its process: identity, time anchors, outcome. */
#include "recorder.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clock.h"
#include "cpu.h"
#include "hash.h"
#include "str.h"
#include "sys.h"

#define ANCHOR_INTERVAL_NS 1000000000u

static void fill_command(char *to, size_t bytes)
{
	int fd = wan_sys->open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
	ssize_t count = fd < 0 ? 0 : wan_read_full(fd, to, bytes - 1);
	if (fd >= 0)
		wan_sys->close(fd);
	count = WAN_MAX(count, 0);
	while (count && !to[count - 1])
		count--; /* the terminator of the last argument separates nothing */
	for (ssize_t i = 0; i < count; i++)
		if (!to[i])
			to[i] = '\x1f';
	to[count] = '\0';
}

/* The same for all processes of a run when one was given, else new. */
static void make_run_id(struct wan_recorder *recorder, const struct wan_place *place)
{
	static const uint8_t none[16];
	struct {
		uint64_t start, realtime, ticks, address;
	} seed = {place->start_ticks, wan_realtime_ns(), wan_ticks(), (uintptr_t)recorder};
	if (memcmp(recorder->run_id, none, sizeof(none)) != 0)
		return;
	struct wan_hash128 id = wan_hash128(&seed, sizeof(seed), place->pid);
	memcpy(recorder->run_id, &id, sizeof(recorder->run_id));
}

/* A recording is often read elsewhere, and its times mean little without the machine. Calls that
 * take a microsecond: /proc/cpuinfo of a large machine would take a hundred. */
static void fill_machine(struct wan_record_header *header)
{
	struct utsname name;
	struct sysinfo info;
	cpu_set_t usable;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	header->cpus = online > 0 ? (uint32_t)online : 0;
	if (sched_getaffinity(0, sizeof(usable), &usable) == 0)
		header->cpus_usable = (uint32_t)CPU_COUNT(&usable);
	if (sysinfo(&info) == 0)
		header->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	if (uname(&name) == 0)
		wan_str_format(header->kernel, sizeof(header->kernel), "%s %s %s", name.sysname,
			       name.release, name.machine);
	wan_cpu_model(header->cpu, sizeof(header->cpu));
}

/* magic comes last: before it there is no recording, only zeros. */
void wan_header_fill(struct wan_recorder *recorder, const struct wan_place *place)
{
	struct wan_record_header *header = recorder->header;
	double ns_per_tick = wan_clock_ns_per_tick();

	make_run_id(recorder, place);
	header->version = WAN_RECORD_VERSION;
	header->endian = WAN_RECORD_ENDIAN;
	header->header_bytes = WAN_RECORD_ANCHORS_AT;
	header->record_bytes = sizeof(struct wan_record_operation);
	header->role = recorder->role;
	header->pid = place->pid;
	header->parent_pid = (uint32_t)getppid();
	header->state = WAN_RUN_RUNNING;
	header->pid_start_ticks = place->start_ticks;
	header->units = 0;
	header->capacity = recorder->capacity;
	header->ns_per_tick = ns_per_tick;
	header->estimate_ns = recorder->estimate_ns;
	memcpy(header->run_id, recorder->run_id, sizeof(header->run_id));
	wan_str_copy(header->job, sizeof(header->job), recorder->job);
	wan_str_copy(header->program, sizeof(header->program), place->executable);
	fill_command(header->command, sizeof(header->command));
	fill_machine(header);
	recorder->ns_per_tick_32 = (uint64_t)(ns_per_tick * 4294967296.0 + 0.5);
	wan_store_release(&header->used_bytes, WAN_RECORD_UNITS_AT);

	recorder->anchor_sequence = 0;
	recorder->anchor_ns = 0;
	wan_recorder_anchor(recorder);
	/* check depends on magic, so magic is written into a copy first */
	struct wan_record_header identity = *header;
	identity.magic = WAN_RECORD_MAGIC;
	header->check = wan_record_header_check(&identity);
	wan_store_release(&header->magic, WAN_RECORD_MAGIC);
}

/* The first anchor stays; when the list is full the last two are written in turn, so that a kill
 * in the middle of one leaves the other. */
static void append_anchor(struct wan_recorder *recorder, const struct wan_clock_anchor *now)
{
	struct wan_record_anchor *list =
		(struct wan_record_anchor *)(recorder->map + WAN_RECORD_ANCHORS_AT);
	uint32_t sequence = ++recorder->anchor_sequence;
	uint32_t index = sequence - 1;
	if (index >= WAN_RECORD_ANCHORS)
		index = WAN_RECORD_ANCHORS - 2 + (index & 1);

	struct wan_record_anchor anchor = {
		.ticks = now->ticks,
		.monotonic_ns = now->monotonic_ns,
		.realtime_ns = now->realtime_ns,
	};
	wan_store_relaxed(&list[index].seal, 0);
	wan_fence_release();
	list[index].ticks = anchor.ticks;
	list[index].monotonic_ns = anchor.monotonic_ns;
	list[index].realtime_ns = anchor.realtime_ns;
	wan_store_release(&list[index].seal, wan_record_anchor_seal(&anchor, sequence));
	wan_store_relaxed(&recorder->anchor_ns, now->monotonic_ns);
}

void wan_header_anchor(struct wan_recorder *recorder, uint64_t interval_ns)
{
	uint64_t last_ns = wan_load_relaxed(&recorder->anchor_ns);
	if (last_ns && interval_ns && wan_now_ns() < last_ns + interval_ns)
		return;
	uint32_t idle = 0;
	if (!wan_cas_acq_rel(&recorder->anchor_busy, &idle, 1))
		return; /* somebody is writing one at this very moment */
	struct wan_clock_anchor now;
	wan_clock_anchor(&now);
	append_anchor(recorder, &now);
	wan_store_release(&recorder->anchor_busy, 0);
}

void wan_recorder_anchor(struct wan_recorder *recorder)
{
	if (recorder && recorder->map)
		wan_header_anchor(recorder, ANCHOR_INTERVAL_NS);
}

void wan_recorder_set_outcome(struct wan_recorder *recorder, uint32_t state, int exit_status,
			      int signal)
{
	if (!recorder || wan_load_acquire(&recorder->state) != WAN_RECORDER_READY)
		return;
	struct wan_record_header *header = recorder->header;
	header->exit_status = exit_status;
	header->signal = signal;
	if (state != WAN_RUN_RUNNING)
		header->end_realtime_ns = wan_realtime_ns();
	wan_header_anchor(recorder, 0);
	wan_store_release(&header->state, state); /* last: the fields above are valid by state */
}
