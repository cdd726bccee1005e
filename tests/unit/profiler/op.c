/* SPDX-License-Identifier: MIT */
/* Operations through a real recorder in memory, read back through the reader. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "alloc.h"
#include "clock.h"
#include "jemalloc.h"
#include "macros.h"
#include "profile.h"
#include "op_support.h"

TEST(an_operation_keeps_name_size_bytes_and_time)
{
	struct wan_op op;
	begin(true);
	wan_op_begin(profile, &op, "image_validation");
	wan_op_set_image(&op, 512, 512, 3, 8, 1024);
	wan_op_set_file(&op, "/tmp/a.png");
	sleep_ms(10);
	wan_op_end(&op, WAN_OP_OK);
	look();
	REQUIRE_EQ(process->operation_count, 1);
	const struct wan_recording_operation *record = &process->operations[0];
	CHECK_STR(record->name, "image_validation");
	CHECK_EQ(record->width_px, 512);
	CHECK_EQ(record->height_px, 512);
	CHECK_EQ(record->channels, 3);
	CHECK_EQ(record->bit_depth, 8);
	CHECK_EQ(record->file_bytes, 1024);
	CHECK_STR(record->file, "/tmp/a.png");
	CHECK(record->span_ns >= 10000000u);
	CHECK_EQ(record->span_ns, record->inside_ns);
	CHECK_EQ(record->status, WAN_OP_OK);
	CHECK(!record->child);
	CHECK_EQ(process->inflight_count, 0);
	end();
}

TEST(off_records_nothing)
{
	struct wan_op op;
	begin(false);
	wan_op_begin(profile, &op, "a");
	wan_op_set_image(&op, 1, 1, 1, 8, 1);
	wan_op_end(&op, WAN_OP_OK);
	wan_op_begin(NULL, &op, "a");
	wan_op_end(&op, WAN_OP_OK);
	look();
	CHECK_EQ(process->operation_count, 0);
	end();
}

TEST(cancel_records_nothing_and_closes_the_entry)
{
	struct wan_op op;
	begin(true);
	wan_op_begin(profile, &op, "a");
	wan_op_cancel(&op);
	look();
	CHECK_EQ(process->total_operations, 0);
	CHECK_EQ(process->inflight_count, 0);
	end();
}

TEST(ending_twice_or_without_a_begin_does_nothing)
{
	struct wan_op op, never, copy;
	memset(&never, 0xa5, sizeof(never));
	begin(true);
	wan_op_end(&never, WAN_OP_OK);
	wan_op_cancel(&never);
	wan_op_end(NULL, WAN_OP_OK);
	wan_op_begin(profile, NULL, "a");
	wan_op_begin(profile, &op, NULL);
	wan_op_end(&op, WAN_OP_OK);
	wan_op_begin(profile, &op, "a");
	copy = op;
	wan_op_end(&copy, WAN_OP_OK); /* a copy is not the operation */
	wan_op_end(&op, WAN_OP_OK);
	wan_op_end(&op, WAN_OP_OK);
	look();
	CHECK_EQ(process->total_operations, 1);
	end();
}

TEST(nested_operations_are_children)
{
	struct wan_op outer, inner;
	begin(true);
	wan_op_begin(profile, &outer, "outer");
	wan_op_begin(profile, &inner, "inner");
	wan_op_end(&inner, WAN_OP_OK);
	wan_op_end(&outer, WAN_OP_OK);
	wan_op_begin(profile, &outer, "outer");
	wan_op_end(&outer, WAN_OP_FAILED);
	look();
	REQUIRE_EQ(process->operation_count, 3);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(process->operations[i].child,
			 strcmp(process->operations[i].name, "inner") == 0);
	end();
}

TEST(nesting_deeper_than_the_table_is_counted)
{
	static struct wan_op ops[40];
	begin(true);
	for (int i = 0; i < 40; i++)
		wan_op_begin(profile, &ops[i], "deep");
	for (int i = 39; i >= 0; i--)
		wan_op_end(&ops[i], WAN_OP_OK);
	wan_op_begin(profile, &ops[0], "flat");
	wan_op_end(&ops[0], WAN_OP_OK);
	look();
	CHECK_EQ(process->total_operations, 41);
	unsigned children = 0;
	for (size_t i = 0; i < process->operation_count; i++)
		children += process->operations[i].child;
	CHECK_EQ(children, 39);
	end();
}

static jmp_buf back;
static volatile bool comes_back; /* never: but the compiler shall not know */

static __attribute__((noinline)) void leave_by_longjmp(int depth)
{
	struct wan_op op;
	wan_op_begin(profile, &op, "lost");
	if (depth)
		leave_by_longjmp(depth - 1);
	else if (!comes_back)
		longjmp(back, 1);
}

TEST(frames_left_by_longjmp_do_not_make_later_operations_children)
{
	struct wan_op op;
	begin(true);
	if (setjmp(back) == 0)
		leave_by_longjmp(3);
	wan_op_begin(profile, &op, "next");
	wan_op_end(&op, WAN_OP_OK);
	look();
	REQUIRE_EQ(process->operation_count, 1);
	CHECK_STR(process->operations[0].name, "next");
	CHECK(!process->operations[0].child);
	CHECK_EQ(process->inflight_count, 0);
	end();
}

TEST(an_open_operation_is_in_flight)
{
	struct wan_op op;
	begin(true);
	wan_op_begin(profile, &op, "png.decode");
	wan_op_set_image(&op, 640, 480, 4, 16, 99);
	look();
	REQUIRE_EQ(process->inflight_count, 1);
	CHECK_STR(process->inflight[0].operation.name, "png.decode");
	CHECK_EQ(process->inflight[0].operation.width_px, 640);
	CHECK_EQ(process->inflight[0].operation.file_bytes, 99);
	wan_op_end(&op, WAN_OP_OK);
	end();
}

/* One operation, and the thread's CPU clock read around it and inside it. */
struct timed {
	uint64_t before_ns, first_ns, last_ns, after_ns;
};

static struct timed timed_operation(const char *name, void (*work)(void))
{
	struct timed timed;
	struct wan_op op;
	timed.before_ns = wan_thread_cpu_ns();
	wan_op_begin_large(profile, &op, name); /* large: the clock is read in begin itself */
	timed.first_ns = wan_thread_cpu_ns();
	work();
	timed.last_ns = wan_thread_cpu_ns();
	wan_op_end(&op, WAN_OP_OK);
	timed.after_ns = wan_thread_cpu_ns();
	return timed;
}

/* What begin and end read lies between the readings around them; the record has whole us. */
static void check_cpu(const struct wan_recording_operation *record, const struct timed *timed)
{
	REQUIRE(record->cpu_ns != UINT64_MAX);
	CHECK(record->cpu_ns <= record->span_ns);
	CHECK(record->cpu_ns <= timed->after_ns - timed->before_ns + 1000);
	CHECK(record->cpu_ns + 1000 >= WAN_MIN(timed->last_ns - timed->first_ns, record->span_ns));
}

static void use_cpu_5ms(void)
{
	uint64_t until = wan_thread_cpu_ns() + 5000000;
	while (wan_thread_cpu_ns() < until)
		;
}

static void sleep_30ms(void)
{
	sleep_ms(30);
}

static void nothing(void)
{
}

TEST(cpu_time_tells_work_from_sleep)
{
	begin(true);
	struct timed busy = timed_operation("busy", use_cpu_5ms);
	struct timed asleep = timed_operation("asleep", sleep_30ms);
	struct timed brief = timed_operation("short", nothing);
	look();
	REQUIRE_EQ(process->operation_count, 3);
	check_cpu(&process->operations[0], &busy);
	check_cpu(&process->operations[1], &asleep);
	check_cpu(&process->operations[2], &brief);
	end();
}

/* The clock is read again at a begin, once the last reading is old. */
TEST(a_long_operation_has_its_cpu_time_without_being_called_large)
{
	struct wan_op op;
	begin(true);
	sleep_ms(5);
	uint64_t before_ns = wan_thread_cpu_ns();
	wan_op_begin(profile, &op, "long");
	uint64_t first_ns = wan_thread_cpu_ns();
	use_cpu_5ms();
	struct timed timed = {before_ns, first_ns, wan_thread_cpu_ns(), 0};
	wan_op_end(&op, WAN_OP_OK);
	timed.after_ns = wan_thread_cpu_ns();
	look();
	REQUIRE_EQ(process->operation_count, 1);
	check_cpu(&process->operations[0], &timed);
	end();
}

TEST(a_short_operation_between_others_leaves_cpu_unknown_rather_than_wrong)
{
	struct wan_op op;
	begin(true);
	for (int i = 0; i < 2000; i++) {
		wan_op_begin(profile, &op, "tiny");
		wan_op_end(&op, WAN_OP_OK);
	}
	look();
	unsigned known = 0, long_enough = 0;
	for (size_t i = 0; i < process->operation_count; i++) {
		const struct wan_recording_operation *record = &process->operations[i];
		/* half of 0.8 ms: the rate of a process that has just begun is an estimate */
		long_enough += record->span_ns >= 400000;
		if (record->cpu_ns == UINT64_MAX)
			continue;
		known++;
		CHECK(record->span_ns >= 400000);
	}
	CHECK(known <= long_enough); /* only what was interrupted */
	end();
}

static void take_and_give(size_t stay, size_t transient)
{
	char *kept = malloc(stay);
	char *passing = malloc(transient);
	memset(kept, 1, stay);
	memset(passing, 1, transient);
	__asm__ volatile("" ::"r"(passing) : "memory"); /* or the compiler leaves it out */
	free(passing);
	__asm__ volatile("" ::"r"(kept) : "memory");
	if (stay < 100)
		free(kept);
}

TEST(memory_that_stays_and_its_peak_are_exact_for_one_thread)
{
	struct wan_op op;
	if (!wan_jemalloc_active())
		SKIP("jemalloc does not serve this program");
	begin(true);
	wan_op_begin(profile, &op, "a");
	take_and_give(2 * WAN_MIB, 40 * WAN_MIB);
	wan_op_end(&op, WAN_OP_OK);
	wan_op_begin(profile, &op, "b");
	wan_op_end(&op, WAN_OP_OK);
	look();
	REQUIRE_EQ(process->operation_count, 2);
	CHECK_NEAR((double)process->operations[0].memory_bytes, 2.0 * WAN_MIB, 0.6 * WAN_MIB);
	CHECK_NEAR((double)process->operations[0].peak_bytes, 42.0 * WAN_MIB, 9.0 * WAN_MIB);
	CHECK_EQ(process->operations[1].memory_bytes, 0);
	CHECK_EQ(process->operations[1].peak_bytes, 0);
	end();
}

TEST(nested_operations_keep_their_own_peak_and_the_outer_one_its_maximum)
{
	struct wan_op outer, inner;
	if (!wan_jemalloc_active())
		SKIP("jemalloc does not serve this program");
	begin(true);
	wan_op_begin(profile, &outer, "outer");
	take_and_give(1, 64 * WAN_MIB); /* before the inner one begins */
	wan_op_begin(profile, &inner, "inner");
	take_and_give(1, 8 * WAN_MIB);
	wan_op_end(&inner, WAN_OP_OK);
	wan_op_begin(profile, &inner, "later");
	take_and_give(1, 2 * WAN_MIB);
	wan_op_end(&inner, WAN_OP_OK);
	wan_op_end(&outer, WAN_OP_OK);
	look();
	REQUIRE_EQ(process->operation_count, 3);
	CHECK_NEAR((double)process->operations[0].peak_bytes, 64.0 * WAN_MIB, 13.0 * WAN_MIB);
	CHECK_NEAR((double)process->operations[1].peak_bytes, 8.0 * WAN_MIB, 2.0 * WAN_MIB);
	CHECK_NEAR((double)process->operations[2].peak_bytes, 2.0 * WAN_MIB, 0.6 * WAN_MIB);
	end();
}

TEST(without_counters_memory_is_unknown_until_it_is_told)
{
	struct wan_op op;
	begin(true);
	wan_op_begin(profile, &op, "told");
	wan_op_add_memory(&op, 3 * (int64_t)WAN_MIB, 4 * WAN_MIB);
	wan_op_add_memory(&op, -(int64_t)WAN_MIB, WAN_MIB);
	wan_op_end(&op, WAN_OP_OK);
	wan_op_begin(profile, &op, "untold");
	wan_op_end(&op, WAN_OP_OK);
	look();
	REQUIRE_EQ(process->operation_count, 2);
	CHECK_EQ(process->operations[0].memory_bytes, 2 * (int64_t)WAN_MIB);
	CHECK_EQ(process->operations[0].peak_bytes, 5 * WAN_MIB);
	if (!wan_jemalloc_active())
		CHECK(process->operations[1].memory_bytes == INT64_MIN);
	end();
}

static void *end_elsewhere(void *op)
{
	wan_op_end(op, WAN_OP_OK);
	return NULL;
}

TEST(an_operation_ended_on_another_thread_keeps_its_time)
{
	struct wan_op op, next;
	pthread_t thread;
	begin(true);
	wan_op_begin(profile, &op, "handed on");
	REQUIRE_EQ(pthread_create(&thread, NULL, end_elsewhere, &op), 0);
	pthread_join(thread, NULL);
	wan_op_begin(profile, &next, "next");
	wan_op_end(&next, WAN_OP_OK);
	look();
	REQUIRE_EQ(process->operation_count, 2);
	CHECK_EQ(process->operations[0].cpu_ns, UINT64_MAX);
	CHECK(!process->operations[1].child);
	CHECK_EQ(process->inflight_count, 0);
	end();
}

static void *many(void *unused)
{
	char name[32];
	for (int i = 0; i < 20000; i++) {
		struct wan_op op;
		snprintf(name, sizeof(name), "op_%d", i % 7);
		wan_op_begin(profile, &op, name);
		wan_op_end(&op, WAN_OP_OK);
	}
	return unused;
}

TEST(threads_and_names_in_reused_buffers_are_counted_exactly)
{
	pthread_t threads[4];
	begin(true);
	for (int i = 0; i < 4; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, many, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	look();
	CHECK_EQ(process->total_operations + process->dropped, 80000);
	uint64_t counts[7] = {0};
	for (size_t i = 0; i < process->aggregate_count; i++)
		counts[atoi(process->aggregates[i].name + 3)] += process->aggregates[i].count;
	for (int i = 0; i < 7; i++)
		CHECK(counts[i] == 4 * (20000 / 7) || counts[i] == 4 * (20000 / 7 + 1));
	end();
}

TEST(the_child_of_a_fork_does_not_end_its_parents_operation)
{
	struct wan_op op;
	begin(true);
	wan_op_begin(profile, &op, "parent");
	pid_t child = fork();
	REQUIRE(child >= 0);
	if (child == 0) {
		struct wan_op own;
		wan_op_end(&op, WAN_OP_OK);
		wan_op_begin(profile, &own, "child");
		wan_op_end(&own, WAN_OP_OK);
		_exit(0);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	look();
	CHECK_EQ(process->total_operations, 0);
	CHECK_EQ(process->inflight_count, 1);
	wan_op_end(&op, WAN_OP_OK);
	look();
	CHECK_EQ(process->total_operations, 1);
	end();
}

TAP_MAIN
