/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>

#include "fakes.h"

static struct wan_tracker *begin(struct wan_progress *progress, uint64_t total, const char *unit)
{
	struct wan_tracker *tracker = NULL;
	return wan_progress_begin(progress, "job", total, unit, &tracker) == 0 ? tracker : NULL;
}

static struct wan_progress_look look_at(const struct wan_tracker *tracker)
{
	struct wan_progress_look look = {.struct_size = sizeof(look)};
	wan_progress_look(tracker, &look);
	return look;
}

static struct wan_progress_summary summary_of(struct wan_progress *progress)
{
	struct wan_progress_summary summary = {.struct_size = sizeof(summary)};
	wan_progress_summary(progress, &summary);
	return summary;
}

TEST(step_25_of_100_is_a_quarter_done)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 100, "step");
	fake_pass(10 * SECOND);
	wan_progress_update(tracker, 25);
	struct wan_progress_look look = look_at(tracker);
	CHECK_NEAR(look.percent, 25, 0);
	CHECK_EQ(look.elapsed_ns, 10 * SECOND);
	CHECK_EQ(look.eta_ns, 30 * SECOND);
	CHECK_NEAR(look.updates_per_second, 0.1, 1e-9);
	wan_progress_destroy(progress);
}

TEST(phases_that_were_left_have_durations)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 10, NULL);
	wan_progress_phase(tracker, WAN_PHASE_MODEL_LOADING);
	fake_pass(3 * SECOND);
	wan_progress_phase(tracker, WAN_PHASE_GENERATION);
	fake_pass(5 * SECOND);
	wan_progress_phase(tracker, WAN_PHASE_ENCODING);
	fake_pass(2 * SECOND);
	wan_progress_end(tracker);
	fake_pass(100 * SECOND);
	struct wan_progress_look look = look_at(tracker);
	CHECK_EQ(look.phase_ns[WAN_PHASE_MODEL_LOADING], 3 * SECOND);
	CHECK_EQ(look.phase_ns[WAN_PHASE_GENERATION], 5 * SECOND);
	CHECK_EQ(look.phase_ns[WAN_PHASE_ENCODING], 2 * SECOND); /* the end closes the open one */
	CHECK_EQ(look.phase, WAN_PHASE_COMPLETION);
	CHECK_EQ(look.elapsed_ns, 10 * SECOND);
	wan_progress_destroy(progress);
}

TEST(a_complete_job_is_at_100_percent_in_completion)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 100, NULL),
			   *unknown = begin(progress, 0, NULL);
	wan_progress_update(tracker, 99);
	wan_progress_complete(tracker);
	wan_progress_complete(unknown);
	struct wan_progress_look look = look_at(tracker);
	CHECK_NEAR(look.percent, 100, 0);
	CHECK_EQ(look.done, 100);
	CHECK_EQ(look.phase, WAN_PHASE_COMPLETION);
	CHECK_EQ(look.eta_ns, 0);
	CHECK(look.ended);
	CHECK_NEAR(look_at(unknown).percent, 100, 0);
	wan_progress_destroy(progress);
}

TEST(a_job_that_ends_early_does_not_claim_to_be_done)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 100, NULL);
	wan_progress_update(tracker, 40);
	wan_progress_end(tracker);
	CHECK_NEAR(look_at(tracker).percent, 40, 0);
	CHECK(look_at(tracker).ended);
	wan_progress_destroy(progress);
}

static uint32_t callbacks;
static double last_percent;
static void on_update(void *context, const struct wan_tracker *tracker)
{
	callbacks++;
	last_percent = look_at(tracker).percent;
	CHECK(context == &callbacks);
}

TEST(a_callback_is_called_at_least_once_per_update_the_last_at_100_percent)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 5, NULL);
	callbacks = 0;
	wan_progress_on_update(tracker, on_update, &callbacks);
	for (uint64_t i = 1; i <= 5; i++)
		wan_progress_update(tracker, i);
	CHECK_EQ(callbacks, 5);
	wan_progress_complete(tracker);
	CHECK_EQ(callbacks, 6);
	CHECK_NEAR(last_percent, 100, 0);
	wan_progress_update(tracker, 1);
	CHECK_EQ(callbacks, 6);
	wan_progress_destroy(progress);
}

static int add_one(void *context)
{
	int *calls = context;
	fake_pass(20 * MS);
	return ++*calls;
}

static int fail(void *context)
{
	return -EIO;
}

TEST(a_tracked_call_returns_its_result_and_counts_one)
{
	struct wan_progress *progress = fake_monitor(NULL);
	int calls = 6;
	CHECK_EQ(wan_progress_track(progress, "thumbnail", add_one, &calls), 7);
	CHECK_EQ(summary_of(progress).updates, 1);
	CHECK_EQ(wan_progress_track(progress, "thumbnail", fail, NULL), -EIO);
	CHECK_EQ(summary_of(progress).updates, 2);
	CHECK_EQ(wan_progress_track(NULL, "thumbnail", add_one, &calls), 8);
	CHECK_EQ(wan_progress_track(progress, NULL, add_one, &calls), 9);
	CHECK_EQ(wan_progress_track(progress, "nothing", NULL, NULL), -EINVAL);
	CHECK_EQ(summary_of(progress).updates, 3);
	wan_progress_destroy(progress);
}

TEST(the_latency_of_a_tracked_call_is_its_duration)
{
	struct wan_progress *progress = fake_monitor(NULL);
	int calls = 0;
	for (int i = 0; i < 3; i++) {
		wan_progress_track(progress, "call", add_one, &calls);
		fake_pass(10 * SECOND); /* between calls does not count */
	}
	CHECK_NEAR(summary_of(progress).average_latency_ms, 20, 1e-6);
	CHECK_NEAR(summary_of(progress).max_latency_ms, 20, 1e-6);
	wan_progress_destroy(progress);
}

static int sleep_20_ms(void *context)
{
	usleep(20000);
	return 0;
}

TEST(three_real_updates_of_20_ms_average_to_about_20_ms)
{
	struct wan_progress_options options = {.struct_size = sizeof(options)};
	struct wan_progress *progress;
	REQUIRE_EQ(wan_progress_create(&options, &progress), 0);
	double average = 0;
	/* A busy machine may stretch one attempt; the mean of an undisturbed one is exact. */
	for (int attempt = 0; attempt < 10 && !(average >= 16 && average <= 24); attempt++) {
		struct wan_progress_summary before = summary_of(progress);
		for (int i = 0; i < 3; i++)
			wan_progress_track(progress, "sleep", sleep_20_ms, NULL);
		struct wan_progress_summary after = summary_of(progress);
		CHECK_EQ(after.updates - before.updates, 3);
		average = (after.average_latency_ms * (double)after.updates -
			   before.average_latency_ms * (double)before.updates) /
			  3;
	}
	CHECK_NEAR(average, 20, 4);
	wan_progress_destroy(progress);
}

TEST(the_latency_of_an_update_is_the_gap_since_the_one_before)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 3, "step");
	for (uint64_t i = 1; i <= 3; i++) {
		fake_pass(i * 100 * MS);
		wan_progress_update(tracker, i);
	}
	CHECK_NEAR(summary_of(progress).average_latency_ms, 200, 1e-6);
	CHECK_NEAR(summary_of(progress).max_latency_ms, 300, 1e-6);
	CHECK_EQ(summary_of(progress).active_trackers, 1);
	wan_progress_end(tracker);
	CHECK_NEAR(summary_of(progress).average_latency_ms, 200, 1e-6); /* kept after the end */
	CHECK_EQ(summary_of(progress).active_trackers, 0);
	CHECK_EQ(summary_of(progress).updates, 3);
	wan_progress_destroy(progress);
}

TEST(words_of_the_recording_say_where_a_job_is)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 50, "step");
	uint64_t began = fake_now_ns;
	wan_progress_phase(tracker, WAN_PHASE_GENERATION);
	fake_pass(2 * SECOND);
	wan_progress_update(tracker, 7);
	CHECK_EQ(fake_words[WAN_TRACKER_DONE], 7);
	CHECK_EQ(fake_words[WAN_TRACKER_TOTAL], 50);
	CHECK_EQ(fake_words[WAN_TRACKER_PHASE], WAN_PHASE_GENERATION);
	CHECK_EQ(fake_words[WAN_TRACKER_STATE], WAN_TRACKER_ACTIVE);
	CHECK_EQ(fake_words[WAN_TRACKER_BEGIN], began);
	CHECK_EQ(fake_words[WAN_TRACKER_UPDATED], began + 2 * SECOND);
	CHECK_EQ(fake_words[WAN_TRACKER_UPDATES], 1);
	CHECK_EQ(wan_tracker_latency_sum_ns(fake_words, 1.0), 2 * SECOND);
	wan_progress_end(tracker);
	CHECK_EQ(fake_words[WAN_TRACKER_STATE], WAN_TRACKER_ENDED);
	CHECK_EQ(fake_words[WAN_TRACKER_PHASE_NS + WAN_PHASE_GENERATION], 2 * SECOND);
	wan_progress_destroy(progress);
}

TEST(a_name_used_again_writes_to_its_own_words)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *first = begin(progress, 50, "step");
	wan_progress_update(first, 20);
	wan_progress_end(first);
	struct wan_tracker *second = begin(progress, 8, "step");
	CHECK(second != first);
	CHECK_EQ(fake_words_asked, 1);
	CHECK_EQ(fake_words[WAN_TRACKER_TOTAL], 8);
	CHECK_EQ(fake_words[WAN_TRACKER_DONE], 0);
	CHECK_EQ(look_at(first).done, 20); /* and the old handle still tells its own story */
	/* A second job of the name at the same time has private words. */
	struct wan_tracker *third = begin(progress, 9, "step");
	wan_progress_update(third, 5);
	CHECK_EQ(fake_words[WAN_TRACKER_DONE], 0);
	CHECK_EQ(look_at(third).done, 5);
	wan_progress_destroy(progress);
}

TEST(updates_after_the_end_and_a_second_end_do_nothing)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *old = begin(progress, 10, NULL);
	wan_progress_update(old, 3);
	wan_progress_end(old);
	struct wan_tracker *next = begin(progress, 10, NULL);
	wan_progress_update(old, 9);
	wan_progress_phase(old, WAN_PHASE_ENCODING);
	wan_progress_end(old);
	wan_progress_complete(old);
	CHECK_EQ(look_at(old).done, 3);
	CHECK_EQ(look_at(next).done, 0);
	CHECK_EQ(summary_of(progress).active_trackers, 1);
	CHECK_EQ(summary_of(progress).updates, 1);
	wan_progress_destroy(progress); /* next was dropped without an end */
}

TEST(odd_figures_are_taken_as_they_are)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 10, NULL);
	wan_progress_update(tracker, 5);
	wan_progress_update(tracker, 2); /* backwards */
	CHECK_NEAR(look_at(tracker).percent, 20, 1e-9);
	wan_progress_update(tracker, UINT64_MAX);
	CHECK_NEAR(look_at(tracker).percent, 100, 0);
	CHECK_EQ(look_at(tracker).eta_ns, 0);
	wan_progress_phase(tracker, (enum wan_phase)99);
	CHECK_EQ(look_at(tracker).phase, WAN_PHASE_NONE);
	fake_now_ns -= 500 * SECOND; /* the clock steps back */
	wan_progress_update(tracker, 6);
	CHECK_EQ(look_at(tracker).elapsed_ns, 0);
	CHECK_EQ(summary_of(progress).updates, 4);
	CHECK(summary_of(progress).max_latency_ms < 1000);
	fake_now_ns += 500 * SECOND;
	wan_progress_destroy(progress);
}

TEST(more_trackers_than_there_are_places_are_refused)
{
	static struct wan_tracker *trackers[WAN_TRACKERS_ACTIVE_MAX];
	struct wan_progress *progress = fake_monitor(NULL);
	unsigned begun = 0;
	while (begun < WAN_TRACKERS_ACTIVE_MAX && (trackers[begun] = begin(progress, 1, NULL)))
		begun++;
	CHECK_EQ(begun, WAN_TRACKERS_ACTIVE_MAX);
	struct wan_tracker *more = NULL;
	CHECK_EQ(wan_progress_begin(progress, "more", 1, NULL, &more), -ENOSPC);
	CHECK(more == NULL);
	wan_progress_end(trackers[7]);
	CHECK_EQ(wan_progress_begin(progress, "more", 1, NULL, &more), 0);
	wan_progress_destroy(progress);
}

TEST(a_million_short_jobs_need_no_more_memory_than_a_few)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *distinct[200];
	unsigned count = 0;
	for (int i = 0; i < 20000; i++) {
		struct wan_tracker *tracker = begin(progress, 1, NULL);
		bool seen = false;
		for (unsigned k = 0; k < count; k++)
			seen |= distinct[k] == tracker;
		if (!seen && count < 200)
			distinct[count++] = tracker;
		wan_progress_complete(tracker);
	}
	CHECK(count <= WAN_TRACKERS_ENDED_KEPT + 1);
	wan_progress_destroy(progress);
}

TEST(many_names_of_tracked_calls_share_the_last_place)
{
	struct wan_progress *progress = fake_monitor(NULL);
	int calls = 0;
	for (int i = 0; i < 500; i++) {
		char name[32];
		snprintf(name, sizeof(name), "call %d", i);
		wan_progress_track(progress, name, add_one, &calls);
	}
	CHECK_EQ(calls, 500);
	CHECK_EQ(summary_of(progress).updates, 500);
	CHECK(progress->calls_count <= WAN_TRACKED_NAMES_MAX);
	wan_progress_destroy(progress);
}

TEST(null_handles_are_harmless)
{
	struct wan_tracker *tracker = NULL;
	wan_progress_destroy(NULL);
	wan_progress_update(NULL, 1);
	wan_progress_phase(NULL, WAN_PHASE_ENCODING);
	wan_progress_end(NULL);
	wan_progress_complete(NULL);
	wan_progress_on_update(NULL, NULL, NULL);
	wan_progress_look(NULL, NULL);
	wan_progress_summary(NULL, NULL);
	CHECK_EQ(wan_progress_begin(NULL, "x", 1, NULL, &tracker), -EINVAL);
	CHECK(tracker == NULL);
	CHECK_EQ(wan_progress_create(NULL, NULL), -EINVAL);
}

/* --- several threads --- */

static struct wan_progress *shared;

static int nothing(void *context)
{
	return 0;
}

static void *work(void *argument)
{
	for (int round = 0; round < 50; round++) {
		struct wan_tracker *tracker;
		if (wan_progress_begin(shared, "threads", 20, NULL, &tracker) < 0)
			continue;
		for (uint64_t i = 1; i <= 20; i++)
			wan_progress_update(tracker, i);
		wan_progress_phase(tracker, WAN_PHASE_ENCODING);
		wan_progress_complete(tracker);
		wan_progress_track(shared, argument, nothing, NULL);
	}
	return NULL;
}

TEST(no_update_is_lost_with_many_jobs_on_many_threads)
{
	static char names[4][8] = {"a", "b", "a", "c"};
	pthread_t threads[4];
	shared = fake_monitor(NULL);
	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, work, names[i]) == 0);
	for (int i = 0; i < 100; i++)
		wan_progress_sample_now(shared);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(summary_of(shared).updates, 4 * 50 * 21);
	CHECK_EQ(summary_of(shared).active_trackers, 0);
	wan_progress_destroy(shared);
}

TEST(an_update_costs_nanoseconds)
{
	struct wan_progress_options options = {.struct_size = sizeof(options)};
	struct wan_progress *progress;
	struct wan_tracker *tracker;
	enum { TIMES = 2000000 };
	REQUIRE_EQ(wan_progress_create(&options, &progress), 0);
	REQUIRE_EQ(wan_progress_begin(progress, "bench", TIMES, "step", &tracker), 0);
	uint64_t begin_ns = wan_thread_cpu_ns(), sum = 0;
	for (uint64_t i = 0; i < TIMES; i++)
		wan_progress_update(tracker, i);
	double update = (double)(wan_thread_cpu_ns() - begin_ns) / TIMES;
	begin_ns = wan_thread_cpu_ns();
	for (uint64_t i = 0; i < TIMES; i++)
		sum += wan_ticks();
	double clock = (double)(wan_thread_cpu_ns() - begin_ns) / TIMES;
	printf("# %.1f ns per update, %.1f ns of it the clock (%d)\n", update, clock, sum == 0);
	CHECK(update < 10000);
	wan_progress_destroy(progress);
}

TAP_MAIN
