/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "prior.h"
#include "wan_job.h"

static struct wan_prior learned_from(enum job_style style, unsigned steps, double work,
				     uint64_t seed)
{
	static struct job job;
	static struct job_life life;
	struct job_plan plan = {style, steps, work, false, false};
	struct wan_prior prior = {0};
	job_make(&job, &plan, seed);
	job_live(&life, &job);
	job_advance(&life, &job, job.end_s);
	CHECK(job_learn(&life, work, &prior));
	return prior;
}

TEST(a_finished_job_teaches_its_stretches)
{
	struct wan_prior prior = learned_from(JOB_PHASES, 40, 1, 3);
	REQUIRE(prior.stretch_count == 5);
	CHECK_EQ(prior.stretches[2].phase, WAN_PHASE_GENERATION);
	CHECK_EQ(prior.stretches[2].steps, 40);
	CHECK_NEAR(prior.typical_ns, 9e9, 0.5e9);
	CHECK_NEAR(prior.excess_ns, 18e9, 6e9); /* warm-up 5 s, swap 13 s */
	CHECK_EQ(prior.tail_count, WAN_JOB_GAPS);
	double sum = 0;
	for (uint32_t i = 0; i < prior.stretch_count; i++)
		sum += prior.stretches[i].ns;
	CHECK_NEAR(sum, prior.total_ns, 1e6);
}

TEST(the_sums_in_the_words_do_when_the_records_are_gone)
{
	static struct job job;
	static struct job_life life;
	struct job_plan plan = {JOB_PHASES, 40, 1, false, false};
	struct wan_prior with, without;
	job_make(&job, &plan, 3);
	job_live(&life, &job);
	job_advance(&life, &job, job.end_s);
	REQUIRE(job_learn(&life, 1, &with));
	REQUIRE(wan_prior_of_tracker(&without, life.words, 1, NULL, 0, NULL, 0));
	REQUIRE(with.stretch_count == without.stretch_count);
	CHECK_EQ(without.tail_count, WAN_JOB_GAPS);
	CHECK_NEAR(without.tail_ns[0], with.tail_ns[0], 1e3);
	CHECK_NEAR(without.typical_ns, 9e9, 0.5e9);
	for (uint32_t i = 0; i < with.stretch_count; i++) {
		CHECK_EQ(with.stretches[i].phase, without.stretches[i].phase);
		CHECK_NEAR(with.stretches[i].ns, without.stretches[i].ns, 1e3);
	}
}

TEST(a_job_that_did_not_finish_teaches_nothing)
{
	static struct job job;
	static struct job_life life;
	struct job_plan plan = {JOB_BAR, 40, 1, false, false};
	struct wan_prior prior;
	job_make(&job, &plan, 3);
	job_live(&life, &job);
	job_advance(&life, &job, job.end_s / 2);
	CHECK(!job_learn(&life, 1, &prior));
	life.words[WAN_TRACKER_STATE] = WAN_TRACKER_ENDED; /* interrupted */
	CHECK(!job_learn(&life, 1, &prior));
}

TEST(several_jobs_are_their_mean_and_how_far_they_are_apart)
{
	struct wan_prior prior = learned_from(JOB_PHASES, 40, 1, 3);
	struct wan_prior other = learned_from(JOB_PHASES, 40, 1, 4);
	double mean = (prior.stretches[0].ns + other.stretches[0].ns) / 2;
	double apart = fabs(prior.stretches[0].ns - other.stretches[0].ns);
	wan_prior_merge(&prior, &other);
	CHECK_EQ(prior.jobs, 2);
	CHECK_NEAR(prior.stretches[0].ns, mean, 1);
	CHECK_NEAR(prior.stretches[0].spread_ns, apart * M_SQRT1_2, 1);
	other = learned_from(JOB_BAR, 40, 1, 5); /* of another shape */
	wan_prior_merge(&prior, &other);
	CHECK_EQ(prior.jobs, 2);
}

TEST(twice_the_size_takes_twice_the_steps_and_decoding_but_loads_alike)
{
	struct wan_prior prior = learned_from(JOB_PHASES, 40, 1, 3), twice = prior;
	wan_prior_scale(&twice, 40, 2);
	CHECK(twice.scaled);
	CHECK_NEAR(twice.stretches[0].ns, prior.stretches[0].ns, 1);
	CHECK_NEAR(twice.stretches[1].ns, prior.stretches[1].ns, 1);
	CHECK_NEAR(twice.stretches[2].ns, prior.stretches[2].ns + 40 * prior.typical_ns, 1e6);
	CHECK_NEAR(twice.stretches[3].ns, 2 * prior.stretches[3].ns, 1);
	twice = prior;
	wan_prior_scale(&twice, 20, 0);
	CHECK_EQ(twice.stretches[2].steps, 20);
	CHECK_NEAR(twice.stretches[2].ns, prior.stretches[2].ns - 20 * prior.typical_ns, 1e6);
	CHECK_NEAR(twice.stretches[3].ns, prior.stretches[3].ns, 1);
}

TEST(command_lines_tell_the_size_of_a_job)
{
	CHECK_NEAR(wan_prior_work("python3\x1fgenerate.py\x1f--size\x1f"
				  "1280*720\x1f--frame_num\x1f"
				  "81"),
		   1.280 * 0.720 * 81, 1e-9);
	CHECK_NEAR(wan_prior_work("gen --size=832x480"), 0.832 * 0.480, 1e-9);
	CHECK_NEAR(wan_prior_work("gen --width 512 --height=768 --num-frames 16"),
		   0.512 * 0.768 * 16, 1e-9);
	CHECK_NEAR(wan_prior_work("gen --prompt 1280x720"), 0, 0);
	CHECK_NEAR(wan_prior_work("gen --size"), 0, 0);
	CHECK_NEAR(wan_prior_work("gen --size large"), 0, 0);
	CHECK_NEAR(wan_prior_work(""), 0, 0);
	CHECK_NEAR(wan_prior_work(NULL), 0, 0);
	CHECK(isfinite(wan_prior_work("--size 99999999999999999999*99999999999999999999")));
}

TAP_MAIN
