/* SPDX-License-Identifier: MIT */
/* The public read side: open, attach, walk, close. */
#include "wan/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "find.h"
#include "log.h"
#include "macros.h"
#include "place.h"
#include "reading.h"

/*
 * A process that says "running" and is gone did not get to tell how it ended. Its parent may know:
 * wanprof run notes the outcome of the command in its own recording.
 */
static void resolve_state(const struct wan_recording *recording, struct wan_process *process)
{
	if (process->header.state != WAN_RUN_RUNNING || process->live)
		return;
	process->state = WAN_RUN_UNKNOWN;
	for (size_t i = 0; i < recording->count; i++) {
		const struct wan_record_header *parent = &recording->processes[i]->process.header;
		if (parent->role != WAN_ROLE_PARENT || parent->pid != process->header.parent_pid ||
		    parent->state == WAN_RUN_RUNNING)
			continue;
		process->state = parent->state;
		process->header.exit_status = parent->exit_status;
		process->header.signal = parent->signal;
		process->header.end_realtime_ns = parent->end_realtime_ns;
	}
}

static struct wan_recording *make(void)
{
	return wan_calloc(1, sizeof(struct wan_recording));
}

static int finish(struct wan_recording *recording, int error, struct wan_recording **ret_recording)
{
	if (error) {
		wan_recording_close(recording);
		return error;
	}
	for (size_t i = 0; i < recording->count; i++)
		resolve_state(recording, &recording->processes[i]->process);
	*ret_recording = recording;
	return 0;
}

int wan_recording_open(const char *path, struct wan_recording **ret_recording,
		       struct wan_error *reterr_error)
{
	if (!path || !path[0] || !ret_recording)
		return wan_error_set(reterr_error, -EINVAL, "recording", "name a file or folder",
				     "no path was given");
	struct wan_recording *recording = make();
	if (!recording)
		return wan_error_set(reterr_error, -ENOMEM, path, "", "not enough memory");
	int error = wan_read_add_path(recording, path, reterr_error);
	return finish(recording, error, ret_recording);
}

int wan_recording_attach(uint32_t pid, struct wan_recording **ret_recording,
			 struct wan_error *reterr_error)
{
	if (!pid || !ret_recording)
		return wan_error_set(reterr_error, -EINVAL, "pid 0", "", "no such process");
	struct wan_recording *recording = make();
	if (!recording)
		return wan_error_set(reterr_error, -ENOMEM, "recording", "", "not enough memory");
	int error = wan_find_add_pid(recording, pid, reterr_error);
	return finish(recording, error, ret_recording);
}

int wan_recording_open_memory(const void *bytes, size_t count, struct wan_recording **ret_recording,
			      struct wan_error *reterr_error)
{
	struct wan_recording *recording = make();
	if (!recording)
		return wan_error_set(reterr_error, -ENOMEM, "memory", "", "not enough memory");
	int error = wan_read_add_memory(recording, bytes, count, reterr_error);
	return finish(recording, error, ret_recording);
}

static int compare_pointers(const void *left, const void *right)
{
	const struct wan_recording_operation *const *a = left, *const *b = right;
	if ((*a)->start_realtime_ns != (*b)->start_realtime_ns)
		return (*a)->start_realtime_ns < (*b)->start_realtime_ns ? -1 : 1;
	return *a < *b ? -1 : *a > *b; /* of one process: the order they are in */
}

static int make_order(struct wan_recording *recording)
{
	size_t count = 0;
	for (size_t i = 0; i < recording->count; i++)
		count += recording->processes[i]->process.operation_count;
	recording->order = wan_calloc(count + 1, sizeof(recording->order[0]));
	if (!recording->order)
		return -ENOMEM;
	for (size_t i = 0; i < recording->count; i++) {
		const struct wan_process *process = &recording->processes[i]->process;
		for (size_t k = 0; k < process->operation_count; k++)
			recording->order[recording->order_count++] = &process->operations[k];
	}
	if (recording->count > 1 && count > 1)
		qsort(recording->order, count, sizeof(recording->order[0]), compare_pointers);
	return 0;
}

int wan_recording_next(struct wan_recording *recording,
		       struct wan_recording_operation *ret_operation)
{
	if (!recording || !ret_operation)
		return -EINVAL;
	int error = recording->order ? 0 : make_order(recording);
	if (error)
		return error;
	if (recording->order_next >= recording->order_count)
		return 0;
	*ret_operation = *recording->order[recording->order_next++];
	return 1;
}

uint64_t wan_recording_skipped(const struct wan_recording *recording)
{
	uint64_t skipped = 0;
	for (size_t i = 0; recording && i < recording->count; i++)
		skipped += recording->processes[i]->process.skipped;
	return skipped;
}

void wan_recording_close(struct wan_recording *recording)
{
	if (!recording)
		return;
	for (size_t i = 0; i < recording->count; i++)
		wan_read_process_free(recording->processes[i]);
	wan_free(recording->processes);
	wan_free(recording->order);
	wan_free(recording);
}

size_t wan_recording_process_count(const struct wan_recording *recording)
{
	return recording->count;
}

const struct wan_process *wan_recording_process(const struct wan_recording *recording, size_t index)
{
	return index < recording->count ? &recording->processes[index]->process : NULL;
}

bool wan_recording_is_damaged(const struct wan_recording *recording)
{
	bool damaged = recording->damaged;
	for (size_t i = 0; i < recording->count; i++)
		damaged |= recording->processes[i]->process.damage_count > 0;
	return damaged;
}

int wan_recording_default_folder(char *to, size_t bytes)
{
	return wan_place_default_folder(to, bytes);
}
