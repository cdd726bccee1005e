/* SPDX-License-Identifier: MIT */
/* What a process is doing, out of the texts of the kernel and the recording. Pure. */
#include "evidence.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "macros.h"
#include "procfs.h"
#include "str.h"

enum { STAT_FIELDS = 52 };

/* Number at the front of text, else UINT64_MAX; an overflow saturates. */
static uint64_t number(const char *text)
{
	char *end;
	if (*text < '0' || *text > '9')
		return UINT64_MAX;
	uint64_t value = strtoull(text, &end, 10);
	return *end == ' ' || *end == '\n' || !*end ? value : UINT64_MAX;
}

/* Fields 3 to 52 of a stat line into places 3 to 52; the name in field 2 may hold anything. */
static bool split(const char *text, const char **fields)
{
	const char *at = strrchr(text, ')');
	if (!at || at[1] != ' ' || !at[2])
		return false;
	for (unsigned i = 0; i <= STAT_FIELDS; i++)
		fields[i] = "";
	at += 2;
	for (unsigned i = 3; i <= STAT_FIELDS && at; i++) {
		fields[i] = at;
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return true;
}

static uint64_t cpu_ns(const char *const *fields)
{
	uint64_t user = number(fields[14]), system = number(fields[15]);
	if (user > UINT32_MAX * 1000ull || system > UINT32_MAX * 1000ull)
		return UINT64_MAX;
	return (user + system) * 10000000; /* USER_HZ is 100 on all machines that we know */
}

void wan_evidence_parse_stat(struct wan_evidence *evidence, const char *text, bool of_thread,
			     uint64_t *ret_start_ticks)
{
	const char *fields[STAT_FIELDS + 1];
	if (!split(text, fields))
		return;
	char state = fields[3][0];
	if (of_thread) {
		evidence->thread_state = state;
		evidence->stopped |= state == 'T' || state == 't';
		return;
	}
	*ret_start_ticks = number(fields[22]);
	evidence->readable = true;
	evidence->gone = state == 'Z' || state == 'X' || state == 'x';
	evidence->stopped = state == 'T' || state == 't';
	evidence->major_faults = number(fields[12]);
	evidence->cpu_ns = cpu_ns(fields);
	uint64_t status = number(fields[52]);
	if (evidence->gone && status <= 0xffff)
		evidence->exit_status = (int)status;
}

static uint64_t sum(uint64_t one, uint64_t other)
{
	return one == UINT64_MAX || other == UINT64_MAX ? UINT64_MAX : one + other;
}

static uint64_t field(const char *text, const char *name)
{
	uint64_t value;
	return wan_procfs_field(text, name, &value) == 0 ? value : UINT64_MAX;
}

void wan_evidence_parse_io(struct wan_evidence *evidence, const char *text)
{
	evidence->storage_bytes = sum(field(text, "read_bytes:"), field(text, "write_bytes:"));
	evidence->call_bytes = sum(field(text, "rchar:"), field(text, "wchar:"));
}

static bool has_one_of(const char *text, const char *const *parts)
{
	for (; *parts; parts++)
		if (strstr(text, *parts))
			return true;
	return false;
}

/* wchan names the function; where there is none, the number of the system call must do. */
static enum wan_sleep sleep_of(const char *wchan, const char *call)
{
	static const char *const locks[] = {"futex", NULL};
	static const char *const disks[] = {"io_schedule",  "folio_wait",
					    "wait_on_page", "wait_on_buffer",
					    "blk_",         "rq_qos_wait",
					    "wbt_wait",     "submit_bio_wait",
					    "jbd2",         "do_direct_IO",
					    "iomap_dio",    "dio_",
					    "nfs",          "ext4_",
					    "xfs_",         "balance_dirty",
					    "throtl",       NULL};
	if (wchan[0] && wchan[0] != '0') {
		if (has_one_of(wchan, locks))
			return WAN_SLEEP_FUTEX;
		return has_one_of(wchan, disks) ? WAN_SLEEP_DISK : WAN_SLEEP_OTHER;
	}
#if defined(__x86_64__)
	if (strncmp(call, "202 ", 4) == 0)
		return WAN_SLEEP_FUTEX;
#elif defined(__aarch64__)
	if (strncmp(call, "98 ", 3) == 0)
		return WAN_SLEEP_FUTEX;
#endif
	return call[0] >= '0' && call[0] <= '9' ? WAN_SLEEP_OTHER : WAN_SLEEP_UNKNOWN;
}

void wan_evidence_parse_wait(struct wan_evidence *evidence, const char *wchan, const char *call)
{
	char where[sizeof(evidence->where)];
	size_t length = strspn(wchan, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.");
	length = WAN_MIN(length, sizeof(where) - 1);
	memcpy(where, wchan, length);
	where[length] = '\0';
	bool frozen = strstr(where, "refrigerator") || strstr(where, "do_freezer_trap");
	evidence->stopped |=
		frozen || strstr(where, "ptrace_stop") || strstr(where, "do_signal_stop");
	if (evidence->thread_state == 'R')
		return;
	evidence->sleep = sleep_of(where, call);
	wan_str_copy(evidence->where, sizeof(evidence->where), strcmp(where, "0") ? where : "");
}

static void add_end(struct wan_evidence *evidence, const struct wan_process *process)
{
	const struct wan_record_header *header = &process->header;
	if (header->state == WAN_RUN_RUNNING || process->live)
		return;
	evidence->readable = evidence->gone = true;
	evidence->stopped = false;
	evidence->killed_for_memory |= header->state == WAN_RUN_KILLED_FOR_MEMORY;
	if (header->state == WAN_RUN_EXITED)
		evidence->exit_status = (header->exit_status & 0xff) << 8;
	else if (header->state == WAN_RUN_SIGNALLED)
		evidence->exit_status = header->signal & 0x7f;
}

void wan_evidence_add_recording(struct wan_evidence *evidence, const struct wan_process *process,
				uint32_t thread)
{
	enum { WORD_KNOWN_DONE = 17 }; /* of a CUDA block, as in schema.def */
	static const char wait[] = WAN_DEVICE_WAIT;
	add_end(evidence, process);
	for (size_t i = 0; i < process->counters_count; i++) {
		const struct wan_process_counters *block = &process->counters[i];
		if (block->kind != WAN_COUNTERS_CUDA)
			continue;
		evidence->device_done =
			evidence->device_done == UINT64_MAX ? 0 : evidence->device_done;
		evidence->device_done += block->words[WORD_KNOWN_DONE];
	}
	for (size_t i = 0; i < process->inflight_count; i++) {
		const struct wan_recording_operation *operation = &process->inflight[i].operation;
		if (strncmp(operation->name, wait, sizeof(wait) - 1) != 0 ||
		    (thread && operation->thread != thread))
			continue;
		evidence->gpu_wait_ns = WAN_MAX(evidence->gpu_wait_ns, operation->span_ns);
	}
}
