/* SPDX-License-Identifier: MIT */
/*
 * list_operations FILE...: what recordings hold, as lines of tab-separated name=value fields for
 * the tests. Exit status 1 when a file cannot be read, 2 when one is damaged.
 */
#include <inttypes.h>
#include <stdio.h>

#include "reader.h"
#include "wan/profile.h"
#include "wan/recording.h"

static const char *status_name(uint8_t status)
{
	static const char *const names[] = {"ok", "warned", "failed", "aborted"};
	return status < 4 ? names[status] : "in_flight";
}

static void print_known(const char *name, uint64_t value)
{
	if (value == UINT64_MAX)
		printf("\t%s=unknown", name);
	else
		printf("\t%s=%" PRIu64, name, value);
}

static void print_operation(const char *what, const struct wan_recording_operation *operation)
{
	printf("%s\tname=%s\tlibrary=%s\tstatus=%s\twidth=%u\theight=%u\tchannels=%u\tdepth=%u",
	       what, operation->name, operation->library, status_name(operation->status),
	       operation->width_px, operation->height_px, operation->channels,
	       operation->bit_depth);
	printf("\tspan_ns=%" PRIu64 "\tinside_ns=%" PRIu64, operation->span_ns,
	       operation->inside_ns);
	print_known("cpu_ns", operation->cpu_ns);
	if (operation->memory_bytes == INT64_MIN)
		printf("\tmemory=unknown");
	else
		printf("\tmemory=%" PRId64, operation->memory_bytes);
	print_known("peak", operation->peak_bytes);
	print_known("file_bytes", operation->file_bytes);
	printf("\tchild=%d\tthread=%u\tprocess=%u\tfile=%s", operation->child, operation->thread,
	       operation->process, operation->file ? operation->file : "");
}

/* All words of a block by their names. */
static void print_words(const char *kind, const struct wan_process_counters *block)
{
	printf("%s\tname=%s", kind, block->name);
#define WAN_WORD(kind_, index_, name_, unit_)                                                      \
	if (block->kind == WAN_COUNTERS_##kind_)                                                   \
		printf("\t%s=%" PRIu64, name_, block->words[index_]);
#define WAN_EVENT(kind_, index_, name_, unit_)
#include "schema.def"
#undef WAN_WORD
#undef WAN_EVENT
	uint64_t latencies = 0;
	for (unsigned i = 0; block->latencies && i < WAN_RECORD_LATENCY_BUCKETS; i++)
		latencies += block->latencies[i];
	if (block->kind == WAN_COUNTERS_TRACKER)
		printf("\tlatencies=%" PRIu64, latencies);
	putchar('\n');
}

static void print_phase(const struct wan_process_event *event)
{
	if (event->kind == WAN_RECORD_PHASE)
		printf("phase\tname=%s\tphase=%u\tduration=%" PRIu64 "\tsteps=%" PRIu64 "\n",
		       event->name, event->code, event->values[1], event->values[2]);
}

static void print_process(const struct wan_process *process)
{
	printf("process\tpid=%u\tprogram=%s\tallocator=%s\tallocator_active=%u\tlibraries=%s\t"
	       "state=%u\tdropped=%" PRIu64 "\ttotal=%" PRIu64 "\tstart_us=%u\n",
	       process->header.pid, process->header.program, process->header.allocator,
	       process->header.allocator_active, process->header.libraries, process->state,
	       process->dropped, process->total_operations, process->header.overhead_start_us);
	for (size_t i = 0; i < process->operation_count; i++) {
		print_operation("operation", &process->operations[i]);
		putchar('\n');
	}
	for (size_t i = 0; i < process->inflight_count; i++) {
		print_operation("inflight", &process->inflight[i].operation);
		printf("\trows=%u\n", process->inflight[i].rows_done);
	}
	for (size_t i = 0; i < process->aggregate_count; i++) {
		const struct wan_process_aggregate *aggregate = &process->aggregates[i];
		printf("aggregate\tname=%s\tlibrary=%s\tstatus=%s\tflags=%u\tcount=%" PRIu64
		       "\tfile_known=%u\tfile_bytes=%" PRIu64 "\tinside_ns=%" PRIu64 "\n",
		       aggregate->name, aggregate->library, status_name(aggregate->status),
		       aggregate->flags, aggregate->count, aggregate->file_known,
		       aggregate->file_bytes, aggregate->inside_ns);
	}
	for (size_t i = 0; i < process->counters_count; i++)
		if (process->counters[i].kind == WAN_COUNTERS_COVERAGE)
			printf("coverage\tname=%s\tobjects=%" PRIu64 "\toperations=%" PRIu64
			       "\tunresolved=%" PRIu64 "\n",
			       process->counters[i].name, process->counters[i].words[0],
			       process->counters[i].words[1], process->counters[i].words[2]);
	for (size_t i = 0; i < process->counters_count; i++)
		if (process->counters[i].kind == WAN_COUNTERS_CUDA)
			print_words("cuda", &process->counters[i]);
	for (size_t i = 0; i < process->event_count; i++)
		print_phase(&process->events[i]);
	for (size_t i = 0; i < process->counters_count; i++)
		if (process->counters[i].kind == WAN_COUNTERS_TRACKER)
			print_words("tracker", &process->counters[i]);
	for (size_t i = 0; i < process->event_count; i++)
		if (process->events[i].kind == WAN_RECORD_VRAM)
			printf("vram\tname=%s\tlive=%" PRIu64 "\thigh=%" PRIu64 "\n",
			       process->events[i].name, process->events[i].values[0],
			       process->events[i].values[1]);
	for (size_t i = 0; i < process->damage_count; i++)
		printf("damage\toffset=%" PRIu64 "\treason=%s\n", process->damage[i].offset,
		       process->damage[i].reason);
}

int main(int argc, char **argv)
{
	int status = 0;
	for (int i = 1; i < argc; i++) {
		struct wan_recording *recording;
		struct wan_error error;
		if (wan_recording_open(argv[i], &recording, &error) < 0) {
			fprintf(stderr, "%s: %s\n", error.object, error.reason);
			status = 1;
			continue;
		}
		for (size_t k = 0; k < wan_recording_process_count(recording); k++)
			print_process(wan_recording_process(recording, k));
		if (wan_recording_is_damaged(recording))
			status = 2;
		wan_recording_close(recording);
	}
	return status;
}
