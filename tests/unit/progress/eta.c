/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "eta.h"
#include "wan/progress.h"
#include "wan_job.h"

TEST(step_25_of_100_is_25_percent_with_three_times_elapsed_to_go)
{
	CHECK_NEAR(wan_eta_percent(25, 100), 25, 0);
	CHECK_EQ(wan_eta_ns(4000, 25, 100), 12000);
}

TEST(an_unknown_total_has_no_eta)
{
	CHECK_NEAR(wan_eta_percent(25, 0), 0, 0);
	CHECK(wan_eta_ns(4000, 25, 0) == UINT64_MAX);
	CHECK(wan_eta_ns(4000, 0, 100) == UINT64_MAX);
}

TEST(beyond_the_total_is_done)
{
	CHECK_NEAR(wan_eta_percent(150, 100), 100, 0);
	CHECK_EQ(wan_eta_ns(4000, 150, 100), 0);
	CHECK_EQ(wan_eta_ns(4000, 100, 100), 0);
}

TEST(huge_figures_are_unknown_and_not_wrapped)
{
	CHECK(wan_eta_ns(UINT64_MAX, 1, UINT64_MAX) == UINT64_MAX);
	CHECK(wan_eta_percent(UINT64_MAX - 1, UINT64_MAX) <= 100);
}

static const char *text(int64_t seconds)
{
	static char to[32];
	return wan_progress_duration_text(to, sizeof(to), seconds);
}

TEST(durations_read_as_people_say_them)
{
	CHECK_STR(text(30), "30s");
	CHECK_STR(text(45), "45s");
	CHECK_STR(text(59), "59s");
	CHECK_STR(text(60), "1m 0s");
	CHECK_STR(text(125), "2m 5s");
	CHECK_STR(text(3599), "59m 59s");
	CHECK_STR(text(3665), "1h 1m");
	CHECK_STR(text(0), "0s");
	CHECK_STR(text(-10), "0s");
	CHECK_STR(text(INT64_MAX), "2562047788015215h 30m");
	CHECK_STR(text(INT64_MIN), "0s");
}

TEST(a_duration_is_cut_to_the_room_there_is)
{
	char small[4];
	CHECK_STR(wan_progress_duration_text(small, sizeof(small), 3665), "1h ");
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

struct quality {
	double median, p90, told; /* percent */
};

/* Generations after one earlier run of another size (or the same), looked at each 2 s. */
static struct quality quality_of(enum job_style style, double work, unsigned steps)
{
	static double errors[200000];
	static struct job job;
	static struct job_life life;
	size_t count = 0, looks = 0;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct job_plan plan = {style, 40, 1, false, false};
		struct job_plan before = {style, steps, work, false, false};
		struct wan_prior prior;
		job_make(&job, &before, seed + 5000);
		job_live(&life, &job);
		job_advance(&life, &job, job.end_s);
		CHECK(job_learn(&life, work, &prior));
		wan_prior_scale(&prior, 40, 1);
		job_make(&job, &plan, seed);
		job_live(&life, &job);
		for (double at = 0.5; at < job.end_s; at += 2) {
			struct wan_job look;
			struct wan_eta eta;
			job_advance(&life, &job, at);
			job_look(&life, at, &look);
			wan_eta_job(&look, &prior, &eta);
			CHECK(eta.low_ns <= eta.left_ns && eta.left_ns <= eta.high_ns);
			looks++;
			if (eta.basis == WAN_ETA_UNKNOWN)
				continue;
			double off = (double)eta.left_ns * 1e-9 - (job.end_s - at);
			errors[count++] = fabs(off) / job.end_s * 100;
		}
	}
	qsort(errors, count, sizeof(errors[0]), by_value);
	struct quality quality = {errors[count / 2], errors[count * 9 / 10],
				  100.0 * (double)count / (double)looks};
	printf("# error in %% of the job: median %.2f, p90 %.2f, told %.1f %%\n", quality.median,
	       quality.p90, quality.told);
	return quality;
}

TEST(from_the_second_run_of_a_size_on_it_is_within_one_percent)
{
	for (int style = JOB_PHASES; style <= JOB_BAR; style++) {
		struct quality quality = quality_of(style, 1, 40);
		CHECK(quality.median <= 1 && quality.p90 <= 3 && quality.told >= 99);
	}
}

TEST(after_a_change_of_size_it_is_within_three_percent)
{
	for (int style = JOB_PHASES; style <= JOB_BAR; style++) {
		struct quality quality = quality_of(style, 0.5, 40);
		CHECK(quality.median <= 3 && quality.told >= 99);
		quality = quality_of(style, 1, 24);
		CHECK(quality.median <= 3 && quality.told >= 99);
	}
}

/* A bar with steps of 9 s, of which the third took 30. */
static void bar(struct job_life *life, unsigned count)
{
	struct wan_tracker_scale scale = {1, wan_latency_shift(1)};
	struct job job = {.total = 40};
	job_live(life, &job);
	for (unsigned i = 1; i <= count; i++)
		wan_tracker_step(life->words, life->counts, &scale, i,
				 job_ticks(i * 9.0 + (i > 2 ? 21 : 0)));
}

static struct wan_eta eta_at(const struct job_life *life, double at_s)
{
	struct wan_job look;
	struct wan_eta eta;
	job_look(life, at_s, &look);
	wan_eta_job(&look, NULL, &eta);
	return eta;
}

TEST(a_single_slow_step_moves_nothing)
{
	static struct job_life life;
	bar(&life, 10);
	struct wan_eta eta = eta_at(&life, 111);
	CHECK_EQ(eta.basis, WAN_ETA_STEPS);
	CHECK_NEAR((double)eta.left_ns * 1e-9, 270, 0.1);
}

TEST(between_steps_it_counts_down_but_not_into_the_next)
{
	static struct job_life life;
	bar(&life, 10);
	CHECK_NEAR((double)eta_at(&life, 115).left_ns * 1e-9, 266, 0.1);
	CHECK_NEAR((double)eta_at(&life, 119).left_ns * 1e-9, 262, 0.1);
	CHECK_NEAR((double)eta_at(&life, 300).left_ns * 1e-9, 261, 0.1);
}

TEST(unknown_is_said_rather_than_a_wrong_number)
{
	static struct job_life life;
	bar(&life, 1);
	CHECK_EQ(eta_at(&life, 12).basis, WAN_ETA_UNKNOWN);
	CHECK(eta_at(&life, 12).left_ns == UINT64_MAX);
	bar(&life, 10);
	life.words[WAN_TRACKER_TOTAL] = 0;
	CHECK_EQ(eta_at(&life, 111).basis, WAN_ETA_UNKNOWN);
	life.words[WAN_TRACKER_TOTAL] = 5; /* it has shrunk below what is done */
	CHECK_EQ(eta_at(&life, 111).left_ns, 0);
	life.words[WAN_TRACKER_STATE] = WAN_TRACKER_ENDED;
	CHECK_EQ(eta_at(&life, 111).basis, WAN_ETA_DONE);
}

TAP_MAIN
