/* SPDX-License-Identifier: MIT */
/* What declared jobs are judged by: windows of the monitor, jobs that are well and that are not. */
#include "tap.h"

#include <errno.h>

#include "fakes.h"

static struct wan_progress *progress;
static struct wan_tracker *tracker;
static struct alert_counter counter;

static void begin_job(void)
{
	counter = (struct alert_counter){0};
	progress = fake_monitor(NULL);
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	CHECK_EQ(wan_progress_begin(progress, "sampling", 1000, "step", &tracker), 0);
	wan_progress_phase(tracker, WAN_PHASE_GENERATION);
}

static void pass_sampled(uint64_t ns)
{
	for (uint64_t passed = 0; passed < ns; passed += SECOND) {
		fake_pass(SECOND);
		wan_progress_sample_now(progress);
	}
}

/* Steps of so many seconds, each of which takes so much more memory. */
static void work(uint64_t from, uint64_t steps, uint64_t seconds, double mb_each)
{
	for (uint64_t step = from; step < from + steps; step++) {
		pass_sampled(seconds * SECOND);
		fake_memory_mb += mb_each;
		wan_progress_update(tracker, step);
	}
	wan_progress_sample_now(progress);
}

TEST(a_leak_from_step_to_step_is_told)
{
	begin_job();
	fake_memory_mb = 40000;
	work(1, 5, 9, 1);
	CHECK_EQ(alerts_of(&counter), 0);
	work(6, 4, 9, 120);
	CHECK_EQ(counter.types[WAN_ALERT_HIGH_MEMORY], 0); /* 480 MB so far */
	work(10, 2, 9, 120);
	CHECK(counter.types[WAN_ALERT_HIGH_MEMORY] > 0);
	CHECK_STR(counter.last.subject, "Growth of memory in this phase");
	CHECK_NEAR(counter.last.baseline, 40001, 1.01);
	wan_progress_destroy(progress);
}

TEST(what_a_swap_takes_is_no_leak)
{
	begin_job();
	fake_memory_mb = 40000;
	work(1, 10, 9, 0);
	for (int second = 0; second < 30; second++) { /* told by nobody */
		fake_memory_mb += second < 20 ? 1000 : 0;
		pass_sampled(SECOND);
	}
	wan_progress_update(tracker, 11);
	work(12, 10, 9, 0);
	CHECK_EQ(counter.types[WAN_ALERT_HIGH_MEMORY], 0);
	fake_memory_mb += 30000; /* and the first step of a phase */
	wan_progress_phase(tracker, WAN_PHASE_ENCODING);
	work(22, 10, 9, 0);
	CHECK_EQ(counter.types[WAN_ALERT_HIGH_MEMORY], 0);
	CHECK_EQ(counter.types[WAN_ALERT_LOW_UPDATE_RATE], 0);
	wan_progress_destroy(progress);
}

TEST(half_the_learned_rate_is_told_and_one_slow_step_is_not)
{
	begin_job();
	work(1, 10, 4, 0);
	work(11, 1, 12, 0);
	work(12, 6, 4, 0);
	CHECK_EQ(counter.types[WAN_ALERT_LOW_UPDATE_RATE], 0);
	for (uint64_t step = 18; step < 30; step++) {
		uint64_t seconds = 4 + step - 18; /* slower by and by: 15 s in the end */
		work(step, 1, seconds, 0);
	}
	CHECK(counter.types[WAN_ALERT_LOW_UPDATE_RATE] > 0);
	wan_progress_destroy(progress);
}

TEST(a_declared_interval_needs_no_learning)
{
	begin_job();
	wan_progress_expect(tracker, SECOND);
	work(1, 12, 3, 0);
	CHECK(counter.types[WAN_ALERT_LOW_UPDATE_RATE] > 0);
	CHECK_STR(counter.last.tracker, "sampling");
	CHECK_NEAR(counter.last.baseline, 1, 1e-9);
	wan_progress_destroy(progress);
}

static void take_150_ms(void *context, const struct wan_tracker *updated)
{
	fake_pass(150 * MS);
}

TEST(slow_callbacks_are_told_of_jobs_whose_steps_may_be_slow)
{
	begin_job();
	wan_progress_on_update(tracker, take_150_ms, NULL);
	for (uint64_t step = 1; step <= 3; step++) {
		fake_pass(SECOND);
		wan_progress_update(tracker, step);
		wan_progress_sample_now(progress);
	}
	CHECK_EQ(counter.types[WAN_ALERT_HIGH_LATENCY], 1);
	CHECK_STR(counter.last.subject, "Time in an update callback");
	wan_progress_destroy(progress);
}

TEST(late_deliveries_are_told)
{
	begin_job();
	struct wan_progress_look look = {.struct_size = sizeof(look)};
	for (uint64_t step = 1; step <= 20; step++) {
		fake_pass(SECOND);
		wan_progress_update(tracker, step);
		fake_pass(step < 10 ? 90 * MS : 110 * MS);
		wan_progress_delivered(tracker, step);
		wan_progress_sample_now(progress);
		CHECK_EQ(counter.types[WAN_ALERT_HIGH_LATENCY] > 0, step >= 11);
	}
	wan_progress_look(tracker, &look);
	CHECK_EQ(look.delivery_max_ns, 110 * MS);
	wan_progress_delivered(tracker, 18); /* two steps ago */
	wan_progress_look(tracker, &look);
	CHECK_EQ(look.delivery_max_ns, 2 * 1110 * MS + 110 * MS);
	wan_progress_delivered(tracker, 0); /* at least as old as what is kept */
	wan_progress_look(tracker, &look);
	CHECK(look.delivery_max_ns >= 15 * 1110 * MS);
	wan_progress_end(tracker);
	wan_progress_delivered(tracker, 20);
	wan_progress_delivered(NULL, 20);
	wan_progress_destroy(progress);
}

TEST(what_is_produced_and_not_consumed_is_the_queue)
{
	begin_job();
	struct wan_progress_summary summary = {.struct_size = sizeof(summary)};
	wan_progress_sample_now(progress);
	wan_progress_produced(progress, 101);
	for (int i = 0; i < 3; i++)
		pass_sampled(SECOND);
	CHECK_EQ(counter.types[WAN_ALERT_LARGE_QUEUE], 1);
	CHECK_EQ(counter.last.evidence[0], 0); /* nothing is taken: no wait can be told */
	wan_progress_consumed(progress, 1);
	pass_sampled(SECOND);
	wan_progress_summary(progress, &summary);
	CHECK_EQ(summary.queue, 100);
	CHECK_EQ(summary.queue_wait_ns, 100 * SECOND); /* Little's law */
	wan_progress_consumed(progress, 200);          /* more than there were */
	pass_sampled(SECOND);
	wan_progress_summary(progress, &summary);
	CHECK_EQ(summary.queue, 0);
	wan_progress_produced(NULL, 1);
	wan_progress_consumed(NULL, 1);
	wan_progress_destroy(progress);
}

static uint32_t told_updates;

static void count_updates(void *context, const struct wan_tracker *updated)
{
	told_updates++;
}

TEST(a_critical_queue_tells_fewer_updates_until_it_is_short_again)
{
	begin_job();
	wan_progress_on_update(tracker, count_updates, NULL);
	wan_progress_produced(progress, 500);
	for (int i = 0; i < 3; i++)
		pass_sampled(SECOND);
	CHECK_EQ(counter.last.severity, WAN_ALERT_CRITICAL);
	CHECK_STR(counter.last.action.code, "granularity");
	CHECK(counter.last.action.applied);
	told_updates = 0;
	for (uint64_t step = 1; step <= 10; step++)
		wan_progress_update(tracker, step);
	CHECK_EQ(told_updates, 5);
	wan_progress_update(tracker, 1000); /* the last one always */
	CHECK_EQ(told_updates, 6);
	wan_progress_consumed(progress, 500);
	for (int i = 0; i < 6; i++)
		pass_sampled(SECOND);
	told_updates = 0;
	for (uint64_t step = 1; step <= 10; step++)
		wan_progress_update(tracker, step);
	CHECK_EQ(told_updates, 10);
	wan_progress_destroy(progress);
}

/* --- a real stall --- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *step_and_wait(void *argument)
{
	struct wan_tracker *job;
	if (wan_progress_begin(argument, "stuck", 40, "step", &job) < 0)
		return NULL;
	for (uint64_t step = 1; step <= 12; step++) {
		usleep(20000);
		wan_progress_update(job, step);
	}
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	wan_progress_end(job);
	return NULL;
}

static uint32_t stalls;
static struct wan_alert stall;

static void hear_stall(void *context, const struct wan_alert *alert)
{
	if (alert->type != WAN_ALERT_STALL)
		return;
	stall = *alert;
	__atomic_fetch_add(&stalls, 1, __ATOMIC_SEQ_CST);
}

TEST(a_thread_that_waits_for_a_lock_is_named_as_stalled)
{
	struct wan_progress_options options = {.struct_size = sizeof(options)};
	pthread_t thread;
	REQUIRE_EQ(wan_progress_create(&options, &progress), 0);
	CHECK_EQ(wan_progress_on_alert(progress, hear_stall, NULL), 0);
	pthread_mutex_lock(&gate);
	REQUIRE(pthread_create(&thread, NULL, step_and_wait, progress) == 0);
	CHECK_EQ(wan_progress_start(progress, 100 * MS), 0);
	for (int i = 0; i < 3000 && !__atomic_load_n(&stalls, __ATOMIC_SEQ_CST); i++)
		usleep(10000);
	CHECK_EQ(stalls, 1);
	CHECK_STR(stall.tracker, "stuck");
	CHECK_EQ(stall.step, 12);
	CHECK_STR(stall.unit, "s");
	CHECK(strncmp(stall.evidence, "lock;", 5) == 0);
	CHECK(stall.baseline > 0 && stall.value > stall.limit);
	printf("# %s (%s)\n", stall.message, stall.evidence);
	usleep(300000);
	CHECK_EQ(stalls, 1); /* once */
	pthread_mutex_unlock(&gate);
	pthread_join(thread, NULL);
	wan_progress_destroy(progress);
}

/* --- phases without steps: what earlier jobs took says when one is late --- */

static uint32_t priors_asked, loading;

static int two_seconds_of_each(void *context, const char *name, uint64_t total,
			       struct wan_prior *ret_prior)
{
	CHECK_STR(name, "video");
	CHECK_EQ(total, 40);
	priors_asked++;
	*ret_prior = (struct wan_prior){.jobs = 1, .total = 40, .stretch_count = 2};
	ret_prior->stretches[0] =
		(struct wan_prior_stretch){.phase = WAN_PHASE_MODEL_LOADING, .ns = 2e9};
	ret_prior->stretches[1] = (struct wan_prior_stretch){
		.name_hash = wan_job_name_hash("warming the tiles"), .ns = 2e9};
	return 0;
}

static int nothing_known(void *context, const char *name, uint64_t total,
			 struct wan_prior *ret_prior)
{
	priors_asked++;
	return -ENOENT;
}

static void *load_and_wait(void *own_name)
{
	struct wan_tracker *job;
	if (wan_progress_begin(progress, "video", 40, "step", &job) < 0)
		job = NULL; /* what is done to none does nothing */
	if (own_name)
		wan_progress_phase_named(job, own_name);
	else
		wan_progress_phase(job, WAN_PHASE_MODEL_LOADING);
	__atomic_store_n(&loading, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	wan_progress_end(job);
	return NULL;
}

/* Looks at a job that waits in its first phase for so long, on the clock of the tests. */
static void wait_in_a_phase(const char *own_name, uint64_t for_ns)
{
	pthread_t thread;
	stalls = loading = priors_asked = 0;
	progress = fake_monitor(NULL);
	CHECK_EQ(wan_progress_on_alert(progress, hear_stall, NULL), 0);
	pthread_mutex_lock(&gate);
	if (!CHECK(pthread_create(&thread, NULL, load_and_wait, (void *)own_name) == 0))
		return;
	while (!__atomic_load_n(&loading, __ATOMIC_SEQ_CST))
		usleep(1000);
	for (uint64_t passed = 0; passed < for_ns && !stalls; passed += SECOND / 4) {
		fake_pass(SECOND / 4);
		usleep(30000); /* evidence is of the kernel, by its own clock */
		wan_progress_sample_now(progress);
	}
	pthread_mutex_unlock(&gate);
	pthread_join(thread, NULL);
	wan_progress_destroy(progress);
}

TEST(a_phase_that_lasts_longer_than_in_earlier_jobs_is_a_stall)
{
	static const char *const names[] = {NULL, "warming the tiles"};
	fake_prior = two_seconds_of_each;
	for (unsigned i = 0; i < 2; i++) {
		wait_in_a_phase(names[i], 60 * SECOND);
		CHECK_EQ(stalls, 1);
		CHECK_EQ(priors_asked, 1);
		CHECK(stall.value > 3 && stall.limit == 3); /* 1.5 times what is typical */
		CHECK_EQ(stall.baseline, 2);
		CHECK(strncmp(stall.evidence, "lock;", 5) == 0);
		printf("# %s (%s)\n", stall.message, stall.evidence);
	}
	fake_prior = NULL;
}

TEST(a_phase_of_which_nothing_is_known_is_no_stall)
{
	fake_prior = nothing_known;
	wait_in_a_phase(NULL, 6 * SECOND);
	CHECK_EQ(stalls, 0);
	CHECK_EQ(priors_asked, 1);
	fake_prior = NULL;
}

TAP_MAIN
