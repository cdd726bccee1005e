/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"
#include "evidence.h"
#include "wan_job.h"

TEST(a_stat_line_is_read_behind_a_name_that_holds_anything)
{
	struct wan_evidence evidence = {.exit_status = -1};
	uint64_t start = 0;
	wan_evidence_parse_stat(
		&evidence,
		"12 (a) S 1 (x) R) D 1 2 3 4 5 6 7 8 321 10 250 50 13 14 15 16 17 18 "
		"777 20 21",
		false, &start);
	CHECK(evidence.readable && !evidence.gone && !evidence.stopped);
	CHECK_EQ(evidence.major_faults, 321);
	CHECK_EQ(evidence.cpu_ns, 3000000000);
	CHECK_EQ(start, 777);
}

TEST(damaged_texts_of_the_kernel_say_nothing)
{
	static const char *const texts[] = {"",
					    ")",
					    "1 (a)",
					    "1 (a) ",
					    "1 (a) S",
					    "1 (a) S 1 x y",
					    "1 (a) S 99999999999999999999999 1 1 1 1 1 1 1 "
					    "99999999999999999999999 1 99999999999999999999999"};
	uint64_t seed = 3;
	char noise[512];
	for (unsigned i = 0; i < 5000; i++) {
		struct wan_evidence evidence = {.exit_status = -1};
		uint64_t start = 0;
		for (unsigned k = 0; k + 1 < sizeof(noise); k++)
			noise[k] = (char)(1 + job_random(&seed) * 126);
		noise[sizeof(noise) - 1] = '\0';
		const char *text = i < 7 ? texts[i] : noise;
		wan_evidence_parse_stat(&evidence, text, i % 2, &start);
		wan_evidence_parse_io(&evidence, text);
		wan_evidence_parse_wait(&evidence, text, text);
		CHECK(memchr(evidence.where, 0, sizeof(evidence.where)) != NULL);
	}
}

TEST(where_a_thread_sleeps_is_told_by_function_or_by_call)
{
	struct wan_evidence evidence = {.thread_state = 'S'};
	wan_evidence_parse_wait(&evidence, "futex_do_wait", "");
	CHECK_EQ(evidence.sleep, WAN_SLEEP_FUTEX);
	wan_evidence_parse_wait(&evidence, "folio_wait_bit_common", "");
	CHECK_EQ(evidence.sleep, WAN_SLEEP_DISK);
	wan_evidence_parse_wait(&evidence, "anon_pipe_read", "");
	CHECK_EQ(evidence.sleep, WAN_SLEEP_OTHER);
	CHECK_STR(evidence.where, "anon_pipe_read");
#if defined(__x86_64__)
	wan_evidence_parse_wait(&evidence, "0", "202 0x1 0x80");
	CHECK_EQ(evidence.sleep, WAN_SLEEP_FUTEX);
#endif
	wan_evidence_parse_wait(&evidence, "", "running");
	CHECK_EQ(evidence.sleep, WAN_SLEEP_UNKNOWN);
}

TEST(this_process_can_look_at_itself)
{
	struct wan_evidence_reader reader = {0};
	struct wan_evidence first, last;
	volatile double sum = 0;
	REQUIRE(wan_evidence_open(&reader, 0, 0) == 0);
	wan_evidence_take(&reader, &first);
	for (uint64_t end = wan_now_ns() + 50000000; wan_now_ns() < end;)
		sum += 1;
	wan_evidence_take(&reader, &last);
	CHECK(last.readable && !last.gone && !last.stopped);
	CHECK(last.cpu_ns > first.cpu_ns);
	CHECK_EQ(last.thread_state, 'R');
	CHECK(last.time_ns > first.time_ns);
	wan_evidence_close(&reader);
	wan_evidence_close(&reader);
	wan_evidence_take(&reader, &last);
	CHECK(!last.readable);
}

/* Looks until the condition holds, for at most ten seconds. */
#define UNTIL(condition)                                                                           \
	for (int looks = 0; looks < 1000; looks++) {                                               \
		wan_evidence_take(&reader, &seen);                                                 \
		if (condition)                                                                     \
			break;                                                                     \
		usleep(10000);                                                                     \
	}

TEST(a_child_is_seen_to_wait_to_stop_and_to_go)
{
	struct wan_evidence_reader reader;
	struct wan_evidence seen;
	int ends[2];
	REQUIRE(pipe(ends) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		char byte;
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) < 0);
	}
	REQUIRE(pid > 0);
	REQUIRE(wan_evidence_open(&reader, (uint32_t)pid, 0) == 0);
	UNTIL(seen.thread_state == 'S');
	CHECK_EQ(seen.thread_state, 'S');
	kill(pid, SIGSTOP);
	UNTIL(seen.stopped);
	CHECK(seen.stopped && !seen.gone);
	kill(pid, SIGKILL);
	UNTIL(seen.gone);
	CHECK(seen.gone && !seen.killed_for_memory); /* a zombie already counts */
	waitpid(pid, NULL, 0);
	wan_evidence_take(&reader, &seen);
	CHECK(seen.gone);
	wan_evidence_close(&reader);
	CHECK_EQ(wan_evidence_open(&reader, (uint32_t)pid, 0), -ESRCH);
	close(ends[0]);
	close(ends[1]);
}

TEST(a_forked_child_does_not_take_its_parent_for_itself)
{
	struct wan_evidence_reader reader;
	struct wan_evidence seen;
	int status;
	REQUIRE(wan_evidence_open(&reader, 0, 0) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		wan_evidence_take(&reader, &seen);
		_exit(seen.readable);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	wan_evidence_close(&reader);
}

TEST(the_recording_knows_of_waits_for_the_device_and_of_the_end)
{
	struct wan_process_inflight open = {
		.operation = {.name = "cuda.synchronize_stream", .thread = 7, .span_ns = 5000}};
	struct wan_process process = {
		.header = {.state = WAN_RUN_RUNNING}, .inflight = &open, .inflight_count = 1};
	struct wan_evidence seen = {.device_done = UINT64_MAX};
	wan_evidence_add_recording(&seen, &process, 8);
	CHECK_EQ(seen.gpu_wait_ns, 0);
	CHECK_EQ(seen.device_done, UINT64_MAX);
	struct wan_process_counters devices[2] = {{.kind = WAN_COUNTERS_CUDA},
						  {.kind = WAN_COUNTERS_CUDA}};
	devices[0].words[17] = 30;
	devices[1].words[17] = 12;
	process.counters = devices;
	process.counters_count = 2;
	wan_evidence_add_recording(&seen, &process, 7);
	CHECK_EQ(seen.gpu_wait_ns, 5000);
	CHECK_EQ(seen.device_done, 42);
	CHECK(!seen.gone);
	process.header.state = WAN_RUN_KILLED_FOR_MEMORY;
	wan_evidence_add_recording(&seen, &process, 7);
	CHECK(seen.gone && seen.killed_for_memory);
}

TAP_MAIN
