/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fakes.h"

static struct wan_tracker *begin(struct wan_progress *progress, uint64_t total)
{
	struct wan_tracker *tracker = NULL;
	return wan_progress_begin(progress, "job", total, "step", &tracker) == 0 ? tracker : NULL;
}

static struct wan_progress_look look_at(const struct wan_tracker *tracker)
{
	struct wan_progress_look look = {.struct_size = sizeof(look)};
	wan_progress_look(tracker, &look);
	return look;
}

static void steps(struct wan_tracker *tracker, uint64_t from, uint64_t count, uint64_t each_ns)
{
	for (uint64_t step = from; step < from + count; step++) {
		fake_pass(each_ns);
		wan_progress_update(tracker, step);
	}
}

static bool about(uint64_t ns, uint64_t expected_ns)
{
	double off = (double)ns / (double)expected_ns - 1;
	return off <= 0.008 && off >= -0.008;
}

TEST(percentiles_are_of_the_time_between_updates)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 100);
	CHECK_EQ(look_at(tracker).p50_ns, 0);
	steps(tracker, 1, 98, 100 * MS);
	steps(tracker, 99, 2, 7 * SECOND);
	struct wan_progress_look look = look_at(tracker);
	CHECK(about(look.p50_ns, 100 * MS));
	CHECK(about(look.p90_ns, 100 * MS));
	CHECK(about(look.p99_ns, 7 * SECOND));
	CHECK_EQ(look.max_ns, 7 * SECOND);
	CHECK_EQ(fake_counts[wan_latency_bucket(7 * SECOND >> 4)], 2); /* in the recording */
	CHECK_EQ(fake_words[WAN_TRACKER_HISTOGRAM], 5);
	wan_progress_destroy(progress);
}

TEST(a_declared_interval_counts_what_a_pause_kept_waiting)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 0);
	wan_progress_expect(tracker, 100 * MS);
	steps(tracker, 1, 900, 100 * MS);
	steps(tracker, 901, 1, 10 * SECOND);
	CHECK(look_at(tracker).p99_ns > 8 * SECOND);
	wan_progress_expect(tracker, 0);
	CHECK(about(look_at(tracker).p99_ns, 100 * MS));
	wan_progress_destroy(progress);
}

TEST(an_ended_handle_keeps_its_percentiles_from_the_next_job)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *first = begin(progress, 10);
	steps(first, 1, 10, 3 * SECOND);
	wan_progress_complete(first);
	struct wan_tracker *second = begin(progress, 10); /* the same words */
	CHECK_EQ(look_at(second).p50_ns, 0);
	steps(second, 1, 10, 20 * MS);
	CHECK(about(look_at(first).p50_ns, 3 * SECOND));
	CHECK(about(look_at(second).p50_ns, 20 * MS));
	CHECK_EQ(fake_words[WAN_TRACKER_HISTOGRAM], 5);
	wan_progress_destroy(progress);
}

TEST(each_phase_left_is_told_with_its_steps)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 20);
	wan_progress_phase(tracker, WAN_PHASE_MODEL_LOADING);
	CHECK_EQ(fake_stretches, 0); /* nothing was open */
	uint64_t entered = fake_now_ns;
	fake_pass(4 * SECOND);
	wan_progress_phase(tracker, WAN_PHASE_GENERATION);
	CHECK_EQ(fake_stretches, 1);
	CHECK_STR(fake_stretch.tracker, "job");
	CHECK_EQ(fake_stretch.phase, WAN_PHASE_MODEL_LOADING);
	CHECK_EQ(fake_stretch.started_ticks, entered);
	CHECK_EQ(fake_stretch.duration_ns, 4 * SECOND);
	CHECK_EQ(fake_stretch.steps, 0);
	steps(tracker, 1, 20, SECOND);
	wan_progress_phase(tracker, WAN_PHASE_GENERATION); /* open already */
	CHECK_EQ(fake_stretches, 1);
	wan_progress_phase_named(tracker, "vae_tiling");
	CHECK_EQ(fake_stretch.steps, 20);
	CHECK_EQ(fake_stretch.duration_ns, 20 * SECOND);
	steps(tracker, 21, 2, SECOND);
	wan_progress_end(tracker);
	CHECK_EQ(fake_stretches, 3);
	CHECK_STR(fake_stretch_text, "vae_tiling");
	CHECK_EQ(fake_stretch.steps, 2);
	struct wan_progress_look look = look_at(tracker);
	CHECK_EQ(look.phase_steps[WAN_PHASE_GENERATION], 20);
	CHECK_EQ(look.phase_steps[WAN_PHASE_NONE], 2);
	CHECK_EQ(look.phase_ns[WAN_PHASE_NONE], 2 * SECOND);
	wan_progress_destroy(progress);
}

TEST(phases_of_the_programs_own_are_told_by_name)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 0);
	wan_progress_phase_named(tracker, "vae");
	CHECK_EQ(fake_words[WAN_TRACKER_PHASE_TEXT], 73);
	fake_pass(SECOND);
	wan_progress_phase_named(tracker, "no room"); /* in the recording, for its name */
	CHECK_EQ(fake_words[WAN_TRACKER_PHASE_TEXT], UINT64_MAX);
	fake_pass(SECOND);
	wan_progress_phase(tracker, WAN_PHASE_ENCODING);
	CHECK_EQ(fake_words[WAN_TRACKER_PHASE_TEXT], 0);
	CHECK_EQ(fake_stretches, 2);
	CHECK_STR(fake_stretch_text, "no room");
	CHECK_EQ(look_at(tracker).phase_ns[WAN_PHASE_NONE], 2 * SECOND);
	wan_progress_phase_named(tracker, NULL);
	wan_progress_phase_named(tracker, "");
	CHECK_EQ(look_at(tracker).phase, WAN_PHASE_ENCODING);
	wan_progress_destroy(progress);
}

TEST(what_the_device_has_done_is_told_apart)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 30);
	CHECK_EQ(look_at(tracker).device_done, UINT64_MAX);
	wan_progress_update(tracker, 29);
	wan_progress_device_done(tracker, 3);
	CHECK_EQ(look_at(tracker).done, 29);
	CHECK_EQ(look_at(tracker).device_done, 3);
	wan_progress_device_done(tracker, UINT64_MAX);
	CHECK_EQ(look_at(tracker).device_done, UINT64_MAX);
	wan_progress_destroy(progress);
}

TEST(totals_and_one_offs_can_be_told_later)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 0);
	wan_progress_update(tracker, 5);
	CHECK_NEAR(look_at(tracker).percent, 0, 0);
	wan_progress_total(tracker, 10);
	CHECK_NEAR(look_at(tracker).percent, 50, 0);
	wan_progress_one_off(tracker, 22 * SECOND);
	CHECK_EQ(fake_words[WAN_TRACKER_GRACE], fake_now_ns + 22 * SECOND);
	wan_progress_one_off(tracker, UINT64_MAX);
	CHECK_EQ(fake_words[WAN_TRACKER_GRACE], UINT64_MAX);
	wan_progress_end(tracker);
	wan_progress_total(tracker, 99);
	wan_progress_one_off(tracker, SECOND);
	wan_progress_expect(tracker, SECOND);
	wan_progress_device_done(tracker, 1);
	CHECK_EQ(look_at(tracker).total, 10);
	wan_progress_destroy(progress);
}

static void take_30_ms(void *context, const struct wan_tracker *tracker)
{
	fake_pass(30 * MS);
}

TEST(time_in_callbacks_is_counted)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 10);
	wan_progress_on_update(tracker, take_30_ms, NULL);
	steps(tracker, 1, 3, SECOND);
	CHECK_EQ(look_at(tracker).callback_ns, 90 * MS);
	CHECK_EQ(look_at(tracker).callback_max_ns, 30 * MS);
	wan_progress_destroy(progress);
}

TEST(a_forked_child_leaves_the_latencies_of_its_parent_alone)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 10);
	memset(fake_counts, 0, sizeof(fake_counts));
	pid_t child = fork();
	if (child == 0) {
		steps(tracker, 1, 5, SECOND);
		_exit(fake_counts[wan_latency_bucket(SECOND >> 4)]);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	steps(tracker, 1, 5, SECOND);
	CHECK_EQ(fake_counts[wan_latency_bucket(SECOND >> 4)], 5);
	wan_progress_destroy(progress);
}

TEST(many_steps_at_once_are_as_many_of_equal_length)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 1000);
	wan_progress_update_many(tracker, 0, 0);
	CHECK_EQ(fake_words[WAN_TRACKER_UPDATES], 0);
	fake_pass(50 * SECOND);
	wan_progress_update_many(tracker, 500, 500);
	struct wan_progress_look look = look_at(tracker);
	CHECK_EQ(look.done, 500);
	CHECK_EQ(fake_words[WAN_TRACKER_UPDATES], 500);
	CHECK(about(look.p50_ns, 100 * MS));
	CHECK(about(look.p99_ns, 100 * MS));
	CHECK_EQ(look.max_ns, 100 * MS);
	for (unsigned i = 1; i < WAN_TRACKER_RECENT; i++)
		CHECK_EQ(fake_words[WAN_TRACKER_LATEST + (484 + i + 1) % WAN_TRACKER_RECENT] -
				 fake_words[WAN_TRACKER_LATEST + (484 + i) % WAN_TRACKER_RECENT],
			 100 * MS);
	wan_progress_destroy(progress);
}

TEST(a_binding_stores_to_the_words_until_the_end)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 10);
	uint64_t *words = wan_progress_slot(tracker);
	CHECK(words == fake_words);
	words[WAN_TRACKER_DONE] = 4;
	CHECK_EQ(look_at(tracker).done, 4);
	wan_progress_complete(tracker);
	CHECK_EQ(fake_words[WAN_TRACKER_OUTCOME], WAN_TRACKER_COMPLETED);
	CHECK(wan_progress_slot(tracker) == NULL);
	CHECK(wan_progress_slot(NULL) == NULL);
	wan_progress_destroy(progress);
}

/* --- what makes no sense --- */

static uint32_t active_in(struct wan_progress *progress)
{
	struct wan_progress_summary summary = {.struct_size = sizeof(summary)};
	wan_progress_summary(progress, &summary);
	return (uint32_t)summary.active_trackers;
}

TEST(an_ended_handle_takes_nothing_any_more)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *old = begin(progress, 10);
	wan_progress_update(old, 3);
	wan_progress_complete(old);
	const struct wan_progress_look before = look_at(old);
	fake_pass(SECOND);
	wan_progress_update_many(old, 9, 6);
	wan_progress_phase_named(old, "late");
	wan_progress_total(old, 99);
	wan_progress_one_off(old, SECOND);
	wan_progress_expect(old, SECOND);
	wan_progress_device_done(old, 2);
	wan_progress_delivered(old, 10);
	wan_progress_on_update(old, NULL, NULL);
	CHECK(wan_progress_slot(old) == NULL);
	const struct wan_progress_look after = look_at(old);
	CHECK_EQ(memcmp(&before, &after, sizeof(before)), 0);
	CHECK_EQ(after.done, 10);
	wan_progress_destroy(progress);
}

TEST(a_job_that_is_dropped_stays_where_it_was)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 10);
	wan_progress_phase(tracker, WAN_PHASE_GENERATION);
	wan_progress_update(tracker, 4);
	CHECK_EQ(active_in(progress), 1);
	wan_progress_destroy(progress); /* and frees it */
	CHECK_EQ(fake_words[WAN_TRACKER_STATE], WAN_TRACKER_ACTIVE);
	CHECK_EQ(fake_words[WAN_TRACKER_DONE], 4);
	CHECK_EQ(fake_words[WAN_TRACKER_OUTCOME], WAN_TRACKER_NOT_TOLD);
}

TEST(a_total_that_shrinks_below_what_is_done_is_all_of_it)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 100);
	fake_pass(SECOND);
	wan_progress_update(tracker, 50);
	CHECK_EQ(look_at(tracker).eta_ns, SECOND);
	wan_progress_total(tracker, 40);
	CHECK_NEAR(look_at(tracker).percent, 100, 0);
	CHECK_EQ(look_at(tracker).eta_ns, 0);
	CHECK_EQ(look_at(tracker).done, 50);
	wan_progress_total(tracker, 200);
	CHECK_NEAR(look_at(tracker).percent, 25, 1e-9);
	wan_progress_total(tracker, 40);
	wan_progress_complete(tracker);
	CHECK_EQ(look_at(tracker).done, 40);
	wan_progress_destroy(progress);
}

TEST(a_total_of_zero_is_unknown_until_it_is_told)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, 0);
	fake_pass(SECOND);
	wan_progress_update(tracker, 7);
	CHECK_NEAR(look_at(tracker).percent, 0, 0);
	CHECK_EQ(look_at(tracker).eta_ns, UINT64_MAX);
	wan_progress_complete(tracker);
	CHECK_EQ(look_at(tracker).done, 7); /* there is no total it could become */
	CHECK_NEAR(look_at(tracker).percent, 100, 0);
	wan_progress_destroy(progress);
}

TEST(a_job_needs_a_name_and_somewhere_to_go)
{
	static char name[200];
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = NULL;
	CHECK_EQ(wan_progress_begin(progress, NULL, 1, NULL, &tracker), -EINVAL);
	CHECK_EQ(wan_progress_begin(progress, "job", 1, NULL, NULL), -EINVAL);
	CHECK(tracker == NULL);
	memset(name, 'x', sizeof(name) - 1);
	CHECK_EQ(wan_progress_begin(progress, name, 1, NULL, &tracker), 0);
	wan_progress_phase_named(tracker, NULL);
	wan_progress_phase_named(tracker, "");
	CHECK_EQ(fake_words[WAN_TRACKER_PHASE_TEXT], 0);
	wan_progress_phase_named(tracker, name);
	CHECK_EQ(fake_words[WAN_TRACKER_PHASE_TEXT], 70 + 63); /* cut */
	CHECK_EQ(wan_progress_begin(progress, "", 1, "", &tracker), 0);
	CHECK_EQ(active_in(progress), 2);
	wan_progress_destroy(progress);
}

TEST(the_largest_figures_do_no_harm)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_tracker *tracker = begin(progress, UINT64_MAX);
	fake_pass(SECOND);
	wan_progress_update_many(tracker, 1, UINT64_MAX);
	wan_progress_update_many(tracker, 2, UINT64_MAX);
	CHECK_EQ(look_at(tracker).eta_ns, UINT64_MAX); /* longer than can be told */
	wan_progress_update(tracker, UINT64_MAX - 1);
	CHECK(look_at(tracker).percent > 99.9);
	wan_progress_update(tracker, UINT64_MAX);
	CHECK_NEAR(look_at(tracker).percent, 100, 0);
	wan_progress_expect(tracker, UINT64_MAX);
	wan_progress_one_off(tracker, UINT64_MAX);
	CHECK_EQ(fake_words[WAN_TRACKER_GRACE], UINT64_MAX);
	wan_progress_device_done(tracker, UINT64_MAX - 1);
	CHECK_EQ(look_at(tracker).device_done, UINT64_MAX - 1);
	wan_progress_sample_now(progress);
	CHECK(look_at(tracker).p99_ns < 1000); /* all at once */
	wan_progress_complete(tracker);
	wan_progress_destroy(progress);
}

TAP_MAIN
