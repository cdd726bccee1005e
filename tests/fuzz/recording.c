/* SPDX-License-Identifier: MIT */
/* The reader of recordings: whatever the file holds, it gives records or one sentence. */
#include "recording_changes.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static size_t touch(const char *text)
{
	return text ? strlen(text) : 0;
}

/* Look at all of it: whatever is not there, or does not end, is found by the sanitizers. */
static void walk(struct wan_recording *recording)
{
	struct wan_recording_operation operation;
	size_t sum = wan_recording_skipped(recording) + wan_recording_is_damaged(recording);
	while (wan_recording_next(recording, &operation) == 1)
		sum += touch(operation.name) + touch(operation.file) + touch(operation.library);
	for (size_t i = 0; i < wan_recording_process_count(recording); i++) {
		const struct wan_process *process = wan_recording_process(recording, i);
		for (size_t k = 0; k < process->aggregate_count; k++)
			sum += touch(process->aggregates[k].name) +
			       wan_histogram_percentile_ns(process->aggregates[k].histogram, 0.95,
							   process->aggregates[k].min_ns,
							   process->aggregates[k].max_ns);
		for (size_t k = 0; k < process->counters_count; k++)
			sum += touch(process->counters[k].name);
		for (size_t k = 0; k < process->event_count; k++)
			sum += touch(process->events[k].name) + touch(process->events[k].text);
		for (size_t k = 0; k < process->inflight_count; k++)
			sum += touch(process->inflight[k].operation.name);
		for (size_t k = 0; k < process->damage_count; k++)
			sum += touch(process->damage[k].reason);
		sum += touch(process->header.job) + touch(process->header.command);
	}
	__asm__ volatile("" : : "r"(sum));
}

static int open_as_file(const char *bytes, size_t count, struct wan_recording **ret_recording)
{
	char path[64];
	int fd = memfd_create("recording", 0);
	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int error = wan_recording_open(path, ret_recording, NULL);
	close(fd);
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct wan_recording *recording;
	size_t count;
	bool file;
	char *copy = changed_recording(data, bytes, &count, &file);
	if (!copy)
		return 0;
	struct wan_error error = {0};
	int result = file ? open_as_file(copy, count, &recording)
			  : wan_recording_open_memory(copy, count, &recording, &error);
	if (result == 0) {
		walk(recording);
		wan_recording_close(recording);
	} else if (!file && !error.reason[0]) {
		abort(); /* an error without a sentence */
	}
	free(copy);
	return 0;
}
