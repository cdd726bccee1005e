/* SPDX-License-Identifier: MIT */
#include "sums.h"

#include <pthread.h>

#include "check.h"
#include "alloc.h"
#include "recorder.h"
#include "support.h"

static struct wan_recorder *recorder;
static struct wan_lane *lane;

static void begin(void)
{
	REQUIRE_EQ(wan_recorder_create(support_config(1000), WAN_ROLE_LINKED, NULL, &recorder), 0);
	lane = wan_lane_claim(recorder);
	REQUIRE(lane != NULL);
}

static struct wan_recording *read_back(void (*change)(char *bytes, size_t count))
{
	struct wan_recording *recording = NULL;
	void *copy;
	size_t bytes;
	struct wan_error error;
	if (!CHECK_EQ(wan_recorder_snapshot(recorder, &copy, &bytes), 0))
		return NULL;
	/* Of a process that is gone: what lives may look half done. */
	((struct wan_record_header *)copy)->state = WAN_RUN_EXITED;
	if (change)
		change(copy, bytes);
	CHECK_EQ(wan_recording_open_memory(copy, bytes, &recording, &error), 0);
	wan_free(copy);
	return recording;
}

static void end(struct wan_recording *recording)
{
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

static const struct wan_process_aggregate *sum_of(const struct wan_recording *recording,
						  const char *name)
{
	const struct wan_process *process = wan_recording_process(recording, 0);
	for (size_t i = 0; i < process->aggregate_count; i++)
		if (strcmp(process->aggregates[i].name, name) == 0)
			return &process->aggregates[i];
	return NULL;
}

static struct wan_record_aggregate *sum(const char *name, bool bytes_known)
{
	return wan_lane_sum(lane, wan_recorder_string(recorder, name), WAN_LIBRARY_CUDA, WAN_OP_OK,
			    WAN_FLAG_CHILD, bytes_known);
}

TEST(sums_in_place_are_read_as_aggregates)
{
	begin();
	struct wan_record_aggregate *launches = sum("cuda.launch", false);
	struct wan_record_aggregate *copies = sum("cuda.memcpy_h2d", true);
	CHECK(launches != copies);
	CHECK(sum("cuda.launch", false) == launches);
	for (unsigned i = 1; i <= 1000; i++) {
		wan_sum_add(launches, i, 0, 0);
		wan_sum_add(copies, 2, 3, 1 << 20);
	}
	wan_sum_memory(copies, 5, 7);
	struct wan_recording *recording = read_back(NULL);
	CHECK(!wan_recording_is_damaged(recording));
	const struct wan_process_aggregate *read = sum_of(recording, "cuda.launch");
	REQUIRE(read != NULL);
	CHECK_EQ(read->count, 1000);
	CHECK_STR(read->library, "cuda");
	CHECK_EQ(read->flags, WAN_FLAG_CHILD);
	CHECK_EQ(read->file_known, 0);
	CHECK_EQ(read->histogram[0], 1000);
	CHECK_EQ(read->span_ns, read->inside_ns);
	CHECK(read->min_ns <= 1 && read->max_ns > read->min_ns);
	read = sum_of(recording, "cuda.memcpy_h2d");
	REQUIRE(read != NULL);
	CHECK_EQ(read->file_bytes, 1000ull << 20);
	CHECK_EQ(read->file_known, 1000);
	CHECK_EQ(read->memory_bytes, 5 * 1024);
	CHECK_EQ(read->peak_bytes, 7 * 1024);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, 2000);
	end(recording);
}

TEST(records_and_sums_of_a_kind_add_up)
{
	begin();
	struct wan_record_operation one = {
		.span_ticks = 100,
		.inside = UINT16_MAX,
		.name = wan_recorder_string(recorder, "cuda.synchronize"),
		.library = WAN_LIBRARY_CUDA,
		.flags = WAN_FLAG_CHILD,
		.cpu_us = WAN_CPU_UNKNOWN,
		.file_bytes = WAN_BYTES_UNKNOWN,
		.memory_kib = WAN_MEMORY_UNKNOWN,
		.peak_kib = WAN_BYTES_UNKNOWN,
		.kind_status = WAN_RECORD_OPERATION << 4,
	};
	wan_lane_append(lane, &one);
	wan_sum_add(sum("cuda.synchronize", false), 5, 0, 0);
	struct wan_recording *recording = read_back(NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK_EQ(process->aggregate_count, 1);
	CHECK_EQ(process->aggregates[0].count, 2);
	CHECK_EQ(process->operation_count, 1);
	CHECK_EQ(process->skipped, 1);
	end(recording);
}

TEST(too_many_kinds_are_summed_up_as_other)
{
	char name[32];
	begin();
	for (unsigned i = 0; i < WAN_LANE_SUM_KINDS + 50; i++) {
		snprintf(name, sizeof(name), "range %u", i);
		struct wan_record_aggregate *one = sum(name, false);
		REQUIRE(one != NULL);
		wan_sum_add(one, 1, 0, 0);
	}
	struct wan_recording *recording = read_back(NULL);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, WAN_LANE_SUM_KINDS + 50);
	const struct wan_process_aggregate *other = sum_of(recording, "");
	REQUIRE(other != NULL);
	CHECK_EQ(other->count, 50);
	CHECK(!wan_recording_is_damaged(recording));
	end(recording);
}

static void *other_thread(void *unused)
{
	lane = wan_lane_claim(recorder);
	wan_sum_add(sum("cuda.launch", false), 1, 0, 0);
	return NULL;
}

TEST(threads_sum_up_apart_and_a_lane_goes_on_where_it_was)
{
	begin();
	wan_sum_add(sum("cuda.launch", false), 1, 0, 0);
	for (unsigned i = 0; i < 5; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, other_thread, NULL);
		pthread_join(thread, NULL);
	}
	struct wan_recording *recording = read_back(NULL);
	CHECK_EQ(sum_of(recording, "cuda.launch")->count, 6);
	CHECK_EQ(recorder->lane_count, 2);
	end(recording);
}

static struct wan_record_sums *find_unit(char *bytes, size_t count)
{
	for (size_t at = WAN_RECORD_UNITS_AT; at + WAN_RECORD_UNIT <= count; at += WAN_RECORD_UNIT)
		if (((struct wan_record_sums *)(bytes + at))->magic == WAN_RECORD_SUMS_MAGIC)
			return (struct wan_record_sums *)(bytes + at);
	return NULL;
}

static void damage_magic(char *bytes, size_t count)
{
	find_unit(bytes, count)->magic = 5;
}

static void damage_owner(char *bytes, size_t count)
{
	find_unit(bytes, count)->lane ^= 1;
}

static void damage_count(char *bytes, size_t count)
{
	find_unit(bytes, count)->sums[0].count += 100;
}

static void cut_in_half(char *bytes, size_t count)
{
	find_unit(bytes, count)->sums[0].count--;
}

TEST(damaged_sums_are_told_and_whole_ones_kept)
{
	static const struct {
		void (*change)(char *bytes, size_t count);
		uint64_t left;
		bool damaged;
	} cases[] = {{damage_magic, 10, true},
		     {damage_owner, 10, true},
		     {damage_count, 0, true},
		     {cut_in_half, 9, false}};
	for (size_t i = 0; i < WAN_COUNT_OF(cases); i++) {
		begin();
		for (unsigned k = 0; k < 10; k++)
			wan_sum_add(sum("cuda.launch", false), 1, 0, 0);
		struct wan_recording *recording = read_back(cases[i].change);
		CHECK_EQ(wan_recording_process(recording, 0)->total_operations, cases[i].left);
		CHECK_EQ(wan_recording_is_damaged(recording), cases[i].damaged);
		end(recording);
	}
}

static void forked_child(void)
{
	struct wan_lane *own = wan_lane_current;
	_exit(own == NULL && lane->sum_count == 0 && lane->calls == NULL ? 0 : 1);
}

TEST(a_child_of_a_fork_starts_without_sums)
{
	int status;
	begin();
	lane->calls = &recorder;
	wan_sum_add(sum("cuda.launch", false), 1, 0, 0);
	pid_t child = fork();
	if (child == 0)
		forked_child();
	REQUIRE_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	struct wan_recording *recording = read_back(NULL);
	CHECK_EQ(sum_of(recording, "cuda.launch")->count, 1);
	end(recording);
}

TAP_MAIN
