/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "stall.h"
#include "wan_job.h"

static const double LOOK_S = 0.25;

/* How a healthy machine looks while a step is under way. */
enum healthy { SPINS, DEVICE_TOLD, LOADS, HEALTHY };

static struct wan_evidence nothing_moves(double at_s)
{
	return (struct wan_evidence){
		.time_ns = job_ticks(at_s),
		.readable = true,
		.exit_status = -1,
		.thread_state = 'S',
		.sleep = WAN_SLEEP_FUTEX,
		.gpu_percent = -1,
	};
}

static struct wan_evidence healthy_at(double at_s, enum healthy how)
{
	struct wan_evidence evidence = nothing_moves(at_s);
	evidence.sleep = WAN_SLEEP_OTHER;
	if (how == SPINS)
		evidence.cpu_ns = (uint64_t)(at_s * 0.9e9);
	else if (how == DEVICE_TOLD)
		evidence.gpu_percent = 95;
	else
		evidence.storage_bytes = (uint64_t)(at_s * 400e6);
	return evidence;
}

struct outcome {
	unsigned false_alarms, notices, unnamed;
	double latest_s; /* after the deadline that the figure allows: 1.5 steps + 1 s */
};

/* One job, watched; stuck_after: step after which nothing moves any more, 0: never. */
static void watch(const struct job_plan *plan, uint64_t seed, const struct wan_prior *prior,
		  enum healthy how, unsigned stuck_after, struct outcome *outcome)
{
	static struct job job;
	static struct job_life life;
	struct wan_stall_watch watch = {0};
	struct wan_stall stall;
	bool alarmed = false, noticed = false;
	double stuck_s = 1e9;
	job_make(&job, plan, seed);
	job_live(&life, &job);
	for (double at = 0.1; at < (stuck_s < 1e8 ? stuck_s + 60 : job.end_s); at += LOOK_S) {
		struct wan_job look;
		job_advance(&life, &job, fmin(at, stuck_s));
		if (stuck_after && life.done == stuck_after && stuck_s > 1e8)
			stuck_s = at;
		job_look(&life, at, &look);
		struct wan_evidence evidence =
			stuck_s < 1e8 ? nothing_moves(at) : healthy_at(at, how);
		bool wanted = wan_stall_wants_evidence(&watch, &look, prior);
		wan_stall_step(&watch, &look, prior, wanted ? &evidence : NULL, job_ticks(at),
			       &stall);
		noticed |= stall.state == WAN_STALL_LONG_STEP;
		if (stall.state != WAN_STALL_STALLED || alarmed)
			continue;
		alarmed = true;
		if (stuck_s > 1e8) {
			outcome->false_alarms++;
			continue;
		}
		double allowed_s = 1.5 * stall.typical_ns * 1e-9 + 1;
		outcome->latest_s =
			fmax(outcome->latest_s, (double)look.silent_ns * 1e-9 - allowed_s);
		CHECK_EQ(stall.cause, WAN_CAUSE_LOCK);
	}
	outcome->notices += noticed;
	outcome->unnamed += stuck_after && !alarmed;
}

static struct outcome watch_many(bool declared, unsigned stuck_after)
{
	struct outcome outcome = {.latest_s = -1e9};
	for (uint64_t seed = 1; seed <= 100; seed++)
		for (int style = JOB_PHASES; style <= JOB_BAR; style++) {
			struct job_plan plan = {style, 40, 1, declared, seed % 2};
			watch(&plan, seed, NULL, (enum healthy)(seed % HEALTHY), stuck_after,
			      &outcome);
		}
	return outcome;
}

TEST(healthy_jobs_raise_no_alarm_when_their_swap_is_declared)
{
	struct outcome outcome = watch_many(true, 0);
	printf("# 300 jobs: %u false alarms, %u with a notice\n", outcome.false_alarms,
	       outcome.notices);
	CHECK(outcome.false_alarms <= 3);
}

TEST(healthy_jobs_with_an_undeclared_swap_get_a_notice_and_no_alarm)
{
	struct outcome outcome = watch_many(false, 0);
	printf("# 300 jobs: %u false alarms, %u with a notice\n", outcome.false_alarms,
	       outcome.notices);
	CHECK(outcome.false_alarms <= 3);
	CHECK(outcome.notices >= 190); /* where the swap is a phase of its own it is none */
}

TEST(a_stall_is_named_within_one_and_a_half_steps_and_a_second)
{
	static const unsigned steps[] = {3, 11, 19, 30, 39};
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct outcome outcome = watch_many(false, steps[i]);
		printf("# after step %u: at most %.2f s beyond 1.5 steps + 1 s\n", steps[i],
		       outcome.latest_s);
		CHECK_EQ(outcome.unnamed, 0);
		CHECK_EQ(outcome.false_alarms, 0);
		CHECK(outcome.latest_s <= 0);
	}
}

/* A tracker with steps of step_s so far. */
static void steps_told(struct job_life *life, unsigned count, double step_s)
{
	struct wan_tracker_scale scale = {1, wan_latency_shift(1)};
	struct job job = {.total = 40};
	job_live(life, &job);
	for (unsigned i = 1; i <= count; i++)
		wan_tracker_step(life->words, life->counts, &scale, i, job_ticks(i * step_s));
	life->done = count;
}

static enum wan_stall_state look_at(struct wan_stall_watch *watch, const struct job_life *life,
				    double ticks_s, double now_s, struct wan_stall *stall)
{
	struct wan_job look;
	struct wan_evidence evidence = nothing_moves(now_s);
	job_look(life, ticks_s, &look);
	wan_stall_step(watch, &look, NULL, &evidence, job_ticks(now_s), stall);
	return stall->state;
}

TEST(before_the_second_step_nothing_is_known_without_earlier_jobs)
{
	static struct job_life life;
	struct wan_job look;
	steps_told(&life, 1, 9);
	job_look(&life, 100, &look);
	CHECK(wan_stall_deadline_ns(&look, NULL) == UINT64_MAX);
	steps_told(&life, 2, 9);
	job_look(&life, 100, &look);
	CHECK_NEAR((double)wan_stall_deadline_ns(&look, NULL) * 1e-9, 13.5, 0.01);
}

TEST(earlier_jobs_give_a_deadline_before_the_second_step)
{
	static struct job job;
	static struct job_life life;
	struct job_plan plan = {JOB_PHASES, 40, 1, false, false};
	struct wan_prior prior;
	struct wan_job look;
	job_make(&job, &plan, 5);
	job_live(&life, &job);
	job_advance(&life, &job, job.end_s);
	REQUIRE(job_learn(&life, 1, &prior));
	job_make(&job, &plan, 6);
	job_live(&life, &job);
	job_advance(&life, &job, 1);
	job_look(&life, 1, &look);
	double loading_s = (double)wan_stall_deadline_ns(&look, &prior) * 1e-9;
	CHECK(loading_s > 60 && loading_s < 110); /* 55 s and half as much */
	CHECK(wan_stall_deadline_ns(&look, NULL) == UINT64_MAX);
}

TEST(a_suspended_machine_is_no_stall)
{
	static struct job_life life;
	struct wan_stall_watch watch = {0};
	struct wan_stall stall;
	steps_told(&life, 10, 9);
	CHECK_EQ(look_at(&watch, &life, 91, 91, &stall), WAN_STALL_FINE);
	/* The counter went on for an hour, the clock did not. */
	CHECK_EQ(look_at(&watch, &life, 3691, 91.5, &stall), WAN_STALL_FINE);
	CHECK(stall.silent_ns < 2000000000);
	for (double now = 92; now < 104; now += 0.25)
		look_at(&watch, &life, 3600 + now, now, &stall);
	CHECK_EQ(stall.state, WAN_STALL_STALLED);
}

TEST(a_watcher_that_was_stopped_itself_looks_anew)
{
	static struct job_life life;
	struct wan_stall_watch watch = {0};
	struct wan_stall stall;
	steps_told(&life, 10, 9);
	CHECK_EQ(look_at(&watch, &life, 91, 91, &stall), WAN_STALL_FINE);
	CHECK_EQ(look_at(&watch, &life, 691, 691, &stall), WAN_STALL_FINE);
}

TEST(a_declared_one_off_is_waited_for)
{
	static struct job_life life;
	struct wan_stall_watch watch = {0};
	struct wan_stall stall;
	steps_told(&life, 10, 9);
	life.words[WAN_TRACKER_GRACE] = job_ticks(120);
	for (double now = 91; now < 119; now += 0.25)
		look_at(&watch, &life, now, now, &stall);
	CHECK_EQ(stall.state, WAN_STALL_GRACE);
	look_at(&watch, &life, 120.5, 120.5, &stall);
	CHECK_EQ(stall.state, WAN_STALL_STALLED);
}

TEST(what_ended_is_no_stall)
{
	static struct job_life life;
	struct wan_stall_watch watch = {0};
	struct wan_stall stall;
	steps_told(&life, 40, 9);
	CHECK_EQ(look_at(&watch, &life, 900, 900, &stall), WAN_STALL_NOT_KNOWN); /* all done */
	steps_told(&life, 10, 9);
	life.words[WAN_TRACKER_STATE] = WAN_TRACKER_ENDED;
	CHECK_EQ(look_at(&watch, &life, 900, 900, &stall), WAN_STALL_NOT_KNOWN);
}

static enum wan_cause cause_of(struct wan_evidence first, struct wan_evidence last)
{
	struct wan_stall_window window = {.first = first, .samples = 4};
	struct wan_stall figures;
	window.disk = first.thread_state == 'D' ? 4 : 0;
	window.futex = first.sleep == WAN_SLEEP_FUTEX ? 4 : 0;
	window.other = first.sleep == WAN_SLEEP_OTHER ? 4 : 0;
	window.device = first.gpu_wait_ns ? 4 : 0;
	return wan_stall_cause(&window, &last, &figures);
}

TEST(evidence_names_the_cause)
{
	struct wan_evidence first = nothing_moves(1), last = nothing_moves(2), other;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_LOCK);
	last.cpu_ns = 500000000;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_COMPUTING);
	last = nothing_moves(2);
	last.call_bytes = 300000000;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_LOADING);
	last.major_faults = 5000;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_LOADING); /* a model that is mapped */
	last.refaults = 40000;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_THRASHING);
	other = last;
	other.stopped = true;
	CHECK_EQ(cause_of(first, other), WAN_CAUSE_STOPPED);
	other.gone = true;
	CHECK_EQ(cause_of(first, other), WAN_CAUSE_GONE);
	other.killed_for_memory = true;
	CHECK_EQ(cause_of(first, other), WAN_CAUSE_KILLED_FOR_MEMORY);
	last = nothing_moves(2);
	first.gpu_wait_ns = 1;
	last.gpu_wait_ns = 900000000;
	last.cpu_ns = 1000000000; /* it spins */
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_GPU_WAIT);
	last.gpu_percent = 99;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_COMPUTING);
	first = last = nothing_moves(1);
	last.time_ns += 1000000000;
	first.thread_state = 'D';
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_DISK);
	struct wan_stall_window starved = {.first = nothing_moves(1), .samples = 4, .running = 3};
	struct wan_stall figures;
	CHECK_EQ(wan_stall_cause(&starved, &last, &figures), WAN_CAUSE_COMPUTING);
	first = nothing_moves(1);
	first.sleep = WAN_SLEEP_OTHER;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_WAITING);
}

TEST(what_a_device_has_done_is_progress)
{
	struct wan_evidence first = nothing_moves(1), last = nothing_moves(2);
	first.gpu_wait_ns = last.gpu_wait_ns = 900000000;
	first.device_done = last.device_done = 7;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_GPU_WAIT);
	last.device_done = 8;
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_COMPUTING);
	first.device_done = UINT64_MAX; /* nobody knew */
	CHECK_EQ(cause_of(first, last), WAN_CAUSE_GPU_WAIT);
}

TEST(a_job_whose_device_gets_on_is_late_but_not_stalled)
{
	static struct job_life life;
	for (int moves = 0; moves < 2; moves++) {
		struct wan_stall_watch watch = {0};
		struct wan_stall stall;
		struct wan_job look;
		steps_told(&life, 10, 9);
		for (double now = 91; now < 125; now += 0.25) {
			struct wan_evidence evidence = nothing_moves(now);
			evidence.device_done = UINT64_MAX;
			if (moves)
				life.words[WAN_TRACKER_DEVICE_DONE] = 1 + (uint64_t)now;
			job_look(&life, now, &look);
			wan_stall_step(&watch, &look, NULL, &evidence, job_ticks(now), &stall);
		}
		CHECK_EQ(stall.state, moves ? WAN_STALL_LONG_STEP : WAN_STALL_STALLED);
		CHECK_EQ(stall.cause, moves ? WAN_CAUSE_COMPUTING : WAN_CAUSE_LOCK);
	}
}

TEST(without_any_evidence_it_is_told_late_and_without_a_cause)
{
	static struct job_life life;
	struct wan_stall_watch watch = {0};
	struct wan_stall stall;
	struct wan_job look;
	steps_told(&life, 10, 9);
	for (double now = 91; now < 125; now += 0.5) {
		job_look(&life, now, &look);
		wan_stall_step(&watch, &look, NULL, NULL, job_ticks(now), &stall);
	}
	CHECK_EQ(stall.state, WAN_STALL_LOOKING);
	for (double now = 125; now < 140; now += 0.5) {
		job_look(&life, now, &look);
		wan_stall_step(&watch, &look, NULL, NULL, job_ticks(now), &stall);
	}
	CHECK_EQ(stall.state, WAN_STALL_STALLED);
	CHECK_EQ(stall.cause, WAN_CAUSE_UNKNOWN);
}

TEST(the_message_is_one_sentence_with_the_numbers)
{
	static struct job_life life;
	struct wan_stall stall = {.state = WAN_STALL_STALLED,
				  .cause = WAN_CAUSE_LOCK,
				  .silent_ns = 14200000000,
				  .typical_ns = 9e9};
	struct wan_job look;
	char text[160];
	steps_told(&life, 10, 9);
	job_look(&life, 95, &look);
	CHECK_STR(wan_stall_message(&stall, &look, text, sizeof(text)),
		  "no step for 14.2 s, 9.0 s is typical: waiting for a lock or another thread");
}

TAP_MAIN
