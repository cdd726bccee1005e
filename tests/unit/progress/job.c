/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "job.h"
#include "wan_job.h"

static void told(uint64_t *words, uint64_t total, unsigned count, const double *at_s)
{
	struct wan_tracker_scale scale = {1, wan_latency_shift(1)};
	memset(words, 0, WAN_TRACKER_WORDS * sizeof(*words));
	words[WAN_TRACKER_TOTAL] = total;
	words[WAN_TRACKER_BEGIN] = words[WAN_TRACKER_UPDATED] = job_ticks(0);
	words[WAN_TRACKER_STATE] = WAN_TRACKER_ACTIVE;
	for (unsigned i = 0; i < count; i++)
		wan_tracker_step(words, NULL, &scale, i + 1, job_ticks(at_s[i]));
}

TEST(a_step_is_the_median_without_the_first)
{
	static const double at[] = {30, 39, 48, 70, 79}; /* warm-up, swap */
	uint64_t words[WAN_TRACKER_WORDS];
	struct wan_job job;
	told(words, 40, 5, at);
	wan_job_read(&job, words, 1, job_ticks(81));
	CHECK_EQ(job.gap_count, 4);
	CHECK_NEAR(job.typical_ns, 9e9, 1e3);
	CHECK_NEAR((double)job.first_ns, 30e9, 1e3);
	CHECK_NEAR((double)job.silent_ns, 2e9, 1e3);
	CHECK_EQ(job.device_done, UINT64_MAX);
}

TEST(steps_of_an_earlier_phase_do_not_count)
{
	static const double at[] = {1, 2, 3, 4};
	struct wan_tracker_scale scale = {1, wan_latency_shift(1)};
	uint64_t words[WAN_TRACKER_WORDS];
	struct wan_job job;
	told(words, 40, 4, at);
	wan_phase_enter(words, WAN_PHASE_GENERATION, 0, job_ticks(5), 1);
	wan_job_read(&job, words, 1, job_ticks(6));
	CHECK_EQ(job.gap_count, 0);
	CHECK_EQ(job.since_phase, 0);
	CHECK_NEAR((double)job.silent_ns, 1e9, 1e3);
	for (unsigned i = 0; i < 3; i++)
		wan_tracker_step(words, NULL, &scale, i + 5, job_ticks(10 + i * 7.0));
	wan_job_read(&job, words, 1, job_ticks(25));
	CHECK_EQ(job.since_phase, 3);
	CHECK_NEAR(job.typical_ns, 7e9, 1e3);
	CHECK_NEAR((double)job.first_ns, 5e9, 1e3);
	CHECK_EQ(job.phase_steps[WAN_PHASE_GENERATION], 3);
}

TEST(only_the_latest_sixteen_updates_are_there)
{
	double at[100];
	uint64_t words[WAN_TRACKER_WORDS];
	struct wan_job job;
	for (unsigned i = 0; i < 100; i++)
		at[i] = i < 80 ? i + 1 : 80 + (i - 79) * 2; /* it became slower */
	told(words, 0, 100, at);
	wan_job_read(&job, words, 1, job_ticks(at[99]));
	CHECK_EQ(job.gap_count, WAN_JOB_GAPS);
	CHECK_NEAR(job.typical_ns, 2e9, 1e3);
	CHECK_EQ(job.first_ns, 0);
}

TEST(a_bar_that_begins_in_the_middle_counts_from_there)
{
	static const double at[] = {1, 2};
	uint64_t words[WAN_TRACKER_WORDS];
	struct wan_job job;
	told(words, 1000, 2, at);
	words[WAN_TRACKER_INITIAL] = 500;
	words[WAN_TRACKER_DONE] = 502;
	wan_job_read(&job, words, 1, job_ticks(3));
	CHECK_NEAR(wan_job_units_per_update(&job), 1, 1e-9);
	words[WAN_TRACKER_DONE] = 520;
	wan_job_read(&job, words, 1, job_ticks(3));
	CHECK_NEAR(wan_job_units_per_update(&job), 10, 1e-9);
	words[WAN_TRACKER_DONE] = 100; /* backwards */
	wan_job_read(&job, words, 1, job_ticks(3));
	CHECK_NEAR(wan_job_units_per_update(&job), 1, 1e-9);
}

TEST(any_words_give_finite_figures)
{
	uint64_t words[WAN_TRACKER_WORDS], seed = 7;
	static const double rates[] = {1, 0.38, 0, -1, 1e300, NAN};
	for (unsigned round = 0; round < 20000; round++) {
		for (unsigned i = 0; i < WAN_TRACKER_WORDS; i++) {
			uint64_t random = (uint64_t)(job_random(&seed) * 0x1p64);
			words[i] = round % 3 ? random : random % 64;
		}
		struct wan_job job;
		struct wan_eta eta;
		struct wan_stall stall;
		struct wan_stall_watch watch = {0};
		struct wan_prior prior = {0};
		words[WAN_TRACKER_STATE] = 1 + round % 2;
		wan_job_read(&job, words, rates[round % 6], (uint64_t)(job_random(&seed) * 0x1p64));
		CHECK(isfinite(job.typical_ns) && isfinite(job.mad_ns));
		CHECK(job.phase < WAN_TRACKER_PHASES && job.gap_count <= WAN_JOB_GAPS);
		bool learned = wan_prior_of_tracker(&prior, words, 1, NULL, 0, NULL, 0);
		wan_eta_job(&job, learned ? &prior : NULL, &eta);
		CHECK(eta.low_ns <= eta.left_ns && eta.left_ns <= eta.high_ns);
		wan_stall_step(&watch, &job, learned ? &prior : NULL, NULL, round, &stall);
	}
}

TAP_MAIN
