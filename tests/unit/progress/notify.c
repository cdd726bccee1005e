/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>

#include "fakes.h"

static const struct wan_progress_sample slow = {
	.time_ns = 1, .latency_ms = 150, .updates_per_second = 1, .active = true};

TEST(a_latency_of_150_ms_reaches_the_callback)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	CHECK_EQ(wan_progress_judge(progress, &slow), 1);
	CHECK_EQ(counter.types[WAN_ALERT_HIGH_LATENCY], 1);
	CHECK_STR(counter.last.type_name, "high_latency");
	CHECK_EQ(counter.last.severity, WAN_ALERT_MEDIUM);
	CHECK_EQ(counter.last.count, 1);
	wan_progress_destroy(progress);
}

TEST(registering_twice_is_refused_and_unregistering_thrice_is_fine)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0}, other = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), -EEXIST);
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &other), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(wan_progress_off_alert(progress, count_alert, &counter), 0);
	wan_progress_judge(progress, &slow);
	CHECK_EQ(alerts_of(&counter), 0);
	CHECK_EQ(alerts_of(&other), 1);
	CHECK_EQ(wan_progress_on_alert(progress, NULL, NULL), -EINVAL);
	CHECK_EQ(wan_progress_on_alert(NULL, count_alert, &counter), -EINVAL);
	CHECK_EQ(wan_progress_off_alert(NULL, count_alert, &counter), -EINVAL);
	wan_progress_destroy(progress);
}

TEST(callbacks_beyond_the_places_are_refused)
{
	struct wan_progress *progress = fake_monitor(NULL);
	static struct alert_counter counters[WAN_ALERT_CALLBACKS_MAX + 1];
	for (int i = 0; i < WAN_ALERT_CALLBACKS_MAX; i++)
		CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counters[i]), 0);
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counters[WAN_ALERT_CALLBACKS_MAX]),
		 -ENOSPC);
	wan_progress_destroy(progress);
}

/* Unregisters itself, the next one and the one before, and judges again. */
struct meddler {
	struct wan_progress *progress;
	struct alert_counter *before, *after;
	uint32_t calls;
};

static void meddle(void *context, const struct wan_alert *alert)
{
	struct meddler *meddler = context;
	meddler->calls++;
	wan_progress_off_alert(meddler->progress, meddle, meddler);
	wan_progress_off_alert(meddler->progress, count_alert, meddler->before);
	wan_progress_off_alert(meddler->progress, count_alert, meddler->after);
	struct wan_progress_sample busy = slow;
	busy.latency_ms = 0;
	busy.cpu_percent = 100;
	wan_progress_judge(meddler->progress, &busy);
}

TEST(a_callback_that_meddles_with_the_list_does_not_break_it)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter before = {0}, after = {0}, last = {0};
	struct meddler meddler = {progress, &before, &after, 0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &before), 0);
	CHECK_EQ(wan_progress_on_alert(progress, meddle, &meddler), 0);
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &after), 0);
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &last), 0);
	wan_progress_judge(progress, &slow);
	CHECK_EQ(meddler.calls, 1);
	CHECK_EQ(alerts_of(&before), 1);
	CHECK_EQ(alerts_of(&after), 0); /* gone before its turn */
	CHECK_EQ(last.types[WAN_ALERT_HIGH_LATENCY], 1);
	CHECK_EQ(last.types[WAN_ALERT_HIGH_CPU], 1); /* from within */
	wan_progress_destroy(progress);
}

TEST(a_critical_queue_doubles_the_interval)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_progress_sample sample = {
		.time_ns = 1, .queue = 201, .updates_per_second = 1, .active = true};
	struct wan_progress_summary summary = {.struct_size = sizeof(summary)};
	wan_progress_judge(progress, &sample);
	wan_progress_summary(progress, &summary);
	CHECK_NEAR(summary.current_update_interval_s, 2, 1e-9);
	CHECK_EQ(summary.total_alerts, 1);
	CHECK_EQ(summary.critical_alerts, 1);
	for (int i = 0; i < 5; i++) {
		sample.time_ns += 11 * SECOND;
		wan_progress_judge(progress, &sample);
	}
	wan_progress_summary(progress, &summary);
	CHECK_NEAR(summary.current_update_interval_s, 5, 1e-9);
	wan_progress_destroy(progress);
}

TEST(nothing_to_judge_is_no_alert)
{
	struct wan_progress *progress = fake_monitor(NULL);
	CHECK_EQ(wan_progress_judge(progress, NULL), 0);
	CHECK_EQ(wan_progress_judge(NULL, &slow), 0);
	wan_progress_destroy(progress);
}

/* --- several threads --- */

struct guarded {
	bool alive;
	uint32_t calls, calls_when_dead;
};

static void visit(void *context, const struct wan_alert *alert)
{
	struct guarded *guarded = context;
	__atomic_fetch_add(&guarded->calls, 1, __ATOMIC_SEQ_CST);
	usleep(300);
	if (!__atomic_load_n(&guarded->alive, __ATOMIC_SEQ_CST))
		__atomic_fetch_add(&guarded->calls_when_dead, 1, __ATOMIC_SEQ_CST);
}

static void *judge_often(void *argument)
{
	struct wan_progress *progress = argument;
	for (int i = 0; i < 60; i++)
		wan_progress_judge(progress, &slow);
	return NULL;
}

TEST(after_unregistering_a_callback_does_not_run_any_more)
{
	struct wan_progress *progress = fake_monitor("classic"); /* nothing is held back */
	struct guarded guarded = {.alive = true};
	pthread_t threads[3];
	REQUIRE_EQ(wan_progress_on_alert(progress, visit, &guarded), 0);
	for (int i = 0; i < 3; i++)
		REQUIRE(pthread_create(&threads[i], NULL, judge_often, progress) == 0);
	for (int i = 0; i < 2000 && !__atomic_load_n(&guarded.calls, __ATOMIC_SEQ_CST); i++)
		usleep(1000);
	wan_progress_off_alert(progress, visit, &guarded);
	__atomic_store_n(&guarded.alive, false, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK(guarded.calls > 0);
	CHECK_EQ(guarded.calls_when_dead, 0);
	wan_progress_destroy(progress);
}

/* A callback that does not return until it is let. */
struct blocker {
	uint32_t entered, let, returned;
};

static void block(void *context, const struct wan_alert *alert)
{
	struct blocker *blocker = context;
	__atomic_fetch_add(&blocker->entered, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&blocker->let, __ATOMIC_SEQ_CST))
		usleep(1000);
	__atomic_fetch_add(&blocker->returned, 1, __ATOMIC_SEQ_CST);
}

static void count_calls(void *context, const struct wan_alert *alert)
{
	__atomic_fetch_add((uint32_t *)context, 1, __ATOMIC_SEQ_CST);
}

static bool reaches(const uint32_t *count, uint32_t wanted)
{
	for (int i = 0; i < 20000 && __atomic_load_n(count, __ATOMIC_SEQ_CST) < wanted; i++)
		usleep(1000);
	return __atomic_load_n(count, __ATOMIC_SEQ_CST) >= wanted;
}

static void *judge_once(void *argument)
{
	wan_progress_judge(argument, &slow);
	return NULL;
}

TEST(a_callback_that_does_not_return_keeps_the_others_for_a_second_only)
{
	struct wan_progress *progress = fake_monitor("classic");
	struct blocker blocker = {0};
	uint32_t before = 0, after = 0;
	CHECK_EQ(wan_progress_on_alert(progress, count_calls, &before), 0);
	CHECK_EQ(wan_progress_on_alert(progress, block, &blocker), 0);
	CHECK_EQ(wan_progress_on_alert(progress, count_calls, &after), 0);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		REQUIRE(pthread_create(&threads[i], NULL, judge_once, progress) == 0);
	/* The second thread does the rest of the first one's, then its own without the blocked. */
	CHECK(reaches(&after, 2));
	CHECK_EQ(__atomic_load_n(&before, __ATOMIC_SEQ_CST), 2);
	CHECK_EQ(__atomic_load_n(&blocker.entered, __ATOMIC_SEQ_CST), 1);
	CHECK_EQ(__atomic_load_n(&blocker.returned, __ATOMIC_SEQ_CST), 0);
	CHECK_EQ(progress->missed, 1);
	__atomic_store_n(&blocker.let, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(after, 2); /* once for each alert */
	wan_progress_judge(progress, &slow);
	CHECK_EQ(blocker.returned, 2); /* it hears again */
	CHECK_EQ(after, 3);
	wan_progress_destroy(progress);
}

TEST(a_blocked_callback_keeps_neither_the_sampler_nor_the_others)
{
	struct wan_progress *progress = fake_monitor("classic");
	struct blocker blocker = {0};
	uint32_t calls = 0;
	CHECK_EQ(wan_progress_on_alert(progress, block, &blocker), 0);
	CHECK_EQ(wan_progress_on_alert(progress, count_calls, &calls), 0);
	CHECK_EQ(wan_progress_start(progress, 100 * MS), 0); /* idle: alarms at each sample */
	CHECK(reaches(&blocker.entered, 1));
	CHECK(reaches(&calls, 3)); /* by a successor of the blocked thread */
	CHECK_EQ(blocker.returned, 0);
	__atomic_store_n(&blocker.let, 1, __ATOMIC_SEQ_CST);
	wan_progress_stop(progress);
	uint32_t at_stop = calls;
	usleep(20000);
	CHECK_EQ(calls, at_stop);
	CHECK(blocker.returned >= 1);
	wan_progress_destroy(progress);
}

TAP_MAIN
