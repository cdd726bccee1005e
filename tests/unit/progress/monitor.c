/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "fakes.h"

static struct wan_progress_summary summary_of(struct wan_progress *progress)
{
	struct wan_progress_summary summary = {.struct_size = sizeof(summary)};
	wan_progress_summary(progress, &summary);
	return summary;
}

/* Threads with our name; sanitizers have threads of their own. */
static unsigned sampling_threads(void)
{
	unsigned threads = 0;
	DIR *folder = opendir("/proc/self/task");
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char path[300], name[32] = "";
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		FILE *file = fopen(path, "r");
		if (file && fgets(name, sizeof(name), file))
			threads += strcmp(name, "wan-progress\n") == 0;
		if (file)
			fclose(file);
	}
	if (folder)
		closedir(folder);
	return threads;
}

static struct wan_progress *real_monitor(void)
{
	struct wan_progress_options options = {.struct_size = sizeof(options)};
	struct wan_progress *progress = NULL;
	return wan_progress_create(&options, &progress) == 0 ? progress : NULL;
}

TEST(a_thread_exists_only_between_start_and_stop)
{
	struct wan_progress *progress = real_monitor();
	CHECK_EQ(sampling_threads(), 0);
	CHECK(!wan_progress_running(progress));
	CHECK_EQ(wan_progress_start(progress, 0), 0);
	CHECK(wan_progress_running(progress));
	for (int i = 0; i < 4000 && !sampling_threads(); i++)
		usleep(5000); /* it may not have its name yet */
	CHECK_EQ(sampling_threads(), 1);
	CHECK_EQ(wan_progress_start(progress, 0), -EALREADY);
	wan_progress_stop(progress);
	CHECK(!wan_progress_running(progress));
	for (int i = 0; i < 4000 && sampling_threads(); i++)
		usleep(5000); /* joined, but the kernel may still list it */
	CHECK_EQ(sampling_threads(), 0);
	wan_progress_stop(progress);
	wan_progress_stop(progress);
	CHECK_EQ(wan_progress_start(progress, 0), 0); /* and again */
	CHECK(wan_progress_running(progress));
	wan_progress_destroy(progress); /* stops it */
}

TEST(an_interval_of_a_tenth_gives_two_samples_in_a_quarter_second)
{
	struct wan_progress *progress = real_monitor();
	struct wan_progress_summary summary;
	uint64_t seen = 0;
	CHECK_EQ(wan_progress_start(progress, 100 * MS), 0);
	/* A busy machine may take a quarter second away; it does not do so each time. */
	for (int attempt = 0; attempt < 40 && seen < 2; attempt++) {
		uint64_t before = summary_of(progress).samples;
		usleep(250000);
		summary = summary_of(progress);
		seen = summary.samples - before;
	}
	CHECK(seen >= 2);
	wan_progress_stop(progress);
	summary = summary_of(progress);
	CHECK(summary.monitoring_duration_minutes >= 0.25 / 60);
	CHECK(summary.average_memory_mb > 0.1);
	CHECK(summary.peak_memory_mb >= summary.average_memory_mb);
	wan_progress_destroy(progress);
}

TEST(stopping_does_not_wait_for_the_next_sample)
{
	struct wan_progress *progress = real_monitor();
	CHECK_EQ(wan_progress_start(progress, 600 * SECOND), 0);
	uint64_t begin = wan_now_ns();
	wan_progress_stop(progress);
	CHECK(wan_now_ns() - begin < 300 * SECOND);
	wan_progress_destroy(progress);
}

TEST(the_interval_stays_within_its_bounds_whatever_is_seen)
{
	static const char *const rules[] = {"classed", "classic"};
	for (int which = 0; which < 2; which++) {
		struct wan_progress *progress = fake_monitor(rules[which]);
		for (int i = 0; i < 300; i++) {
			fake_memory_mb = i % 100 < 50 ? 100000 : 0;
			fake_cpu_percent = i % 70 < 40 ? 100000 : 0;
			fake_pass(SECOND);
			uint64_t interval = wan_progress_sample_now(progress);
			CHECK(interval >= 100 * MS && interval <= 5 * SECOND);
		}
		wan_progress_destroy(progress);
	}
}

TEST(an_idle_program_raises_nothing)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	fake_memory_mb = 5000;
	for (int i = 0; i < 100; i++) {
		fake_pass(SECOND);
		wan_progress_sample_now(progress);
	}
	CHECK_EQ(alerts_of(&counter), 0);
	wan_progress_destroy(progress);
}

/* Load 14 s, encode 3 s, 40 steps of 9 s with a swap of 22 s between, decode 30 s, save 2 s. */
static void generate(struct wan_progress *progress, bool declare)
{
	struct wan_tracker *tracker;
	REQUIRE_EQ(wan_progress_begin(progress, "clip", 40, declare ? "step" : NULL, &tracker), 0);
	fake_memory_mb = 40000;
	fake_cpu_percent = 1600;
	if (declare)
		wan_progress_phase(tracker, WAN_PHASE_MODEL_LOADING);
	for (int second = 0; second < 14; second++) {
		fake_pass(SECOND);
		wan_progress_sample_now(progress);
	}
	if (declare)
		wan_progress_phase(tracker, WAN_PHASE_GENERATION);
	for (uint64_t step = 1; step <= 40; step++) {
		for (int second = 0; second < (step == 20 ? 31 : 9); second++) {
			fake_pass(SECOND);
			wan_progress_sample_now(progress);
		}
		wan_progress_update(tracker, step);
	}
	wan_progress_sample_now(progress);
	if (declare)
		wan_progress_phase(tracker, WAN_PHASE_ENCODING);
	for (int second = 0; second < 30; second++) {
		fake_pass(SECOND);
		wan_progress_sample_now(progress);
	}
	wan_progress_complete(tracker);
	wan_progress_sample_now(progress);
}

TEST(a_healthy_generation_raises_nothing)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	generate(progress, true);
	CHECK_EQ(alerts_of(&counter), 0);
	CHECK_EQ(summary_of(progress).updates, 40);
	wan_progress_destroy(progress);
}

TEST(a_job_without_unit_or_phase_gets_the_absolute_limits)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	generate(progress, false);
	CHECK(counter.types[WAN_ALERT_HIGH_LATENCY] > 0);
	CHECK(counter.types[WAN_ALERT_HIGH_MEMORY] > 0);
	CHECK(counter.types[WAN_ALERT_HIGH_CPU] > 0);
	CHECK(counter.types[WAN_ALERT_LOW_UPDATE_RATE] > 0);
	CHECK_EQ(counter.types[WAN_ALERT_LARGE_QUEUE], 0);
	/* 440 s at one per type and 10 s, and what was held back is counted. */
	CHECK(alerts_of(&counter) <= 4 * 45);
	CHECK(summary_of(progress).total_alerts > alerts_of(&counter));
	wan_progress_destroy(progress);
}

TEST(classic_rules_alarm_at_every_sample)
{
	struct wan_progress *progress = fake_monitor("classic");
	struct alert_counter counter = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	for (int i = 0; i < 10; i++) {
		fake_pass(SECOND);
		wan_progress_sample_now(progress);
	}
	CHECK_EQ(counter.types[WAN_ALERT_LOW_UPDATE_RATE], 10); /* idle, taken literally */
	wan_progress_destroy(progress);
}

static int slow_call(void *context)
{
	fake_pass(150 * MS);
	return 0;
}

TEST(a_slow_tracked_call_is_a_latency_alert)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	wan_progress_sample_now(progress);
	for (int window = 0; window < 4; window++) { /* a second after the first of them */
		CHECK_EQ(alerts_of(&counter), 0);
		for (int i = 0; i < 3; i++)
			wan_progress_track(progress, "validate", slow_call, NULL);
		wan_progress_sample_now(progress);
	}
	CHECK_EQ(alerts_of(&counter), 1);
	CHECK_EQ(counter.last.type, WAN_ALERT_HIGH_LATENCY);
	CHECK_NEAR(counter.last.value, 150, 1e-6);
	wan_progress_destroy(progress);
}

TEST(a_hundred_and_two_jobs_at_once_are_a_large_queue)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0};
	struct wan_tracker *trackers[102];
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	for (int i = 0; i < 101; i++)
		REQUIRE_EQ(wan_progress_begin(progress, "job", 1, "job", &trackers[i]), 0);
	wan_progress_sample_now(progress);
	CHECK_EQ(alerts_of(&counter), 0); /* one at work and 100 behind it */
	REQUIRE_EQ(wan_progress_begin(progress, "job", 1, "job", &trackers[101]), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(counter.types[WAN_ALERT_LARGE_QUEUE], 0);
		wan_progress_sample_now(progress);
		fake_pass(SECOND);
	}
	CHECK_EQ(counter.types[WAN_ALERT_LARGE_QUEUE], 1);
	wan_progress_destroy(progress);
}

TEST(a_pause_between_jobs_does_not_make_the_next_one_slow)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct alert_counter counter = {0};
	CHECK_EQ(wan_progress_on_alert(progress, count_alert, &counter), 0);
	for (int i = 0; i < 60; i++) {
		fake_pass(SECOND);
		wan_progress_sample_now(progress);
	}
	struct wan_tracker *tracker;
	REQUIRE_EQ(wan_progress_begin(progress, "job", 100, NULL, &tracker), 0);
	for (uint64_t i = 1; i <= 100; i++) {
		fake_pass(50 * MS);
		wan_progress_update(tracker, i);
		if (i % 20 == 0)
			wan_progress_sample_now(progress);
	}
	CHECK_EQ(alerts_of(&counter), 0);
	wan_progress_destroy(progress);
}

TEST(the_summary_has_means_and_peaks_of_all_samples)
{
	struct wan_progress *progress = fake_monitor(NULL);
	for (int i = 1; i <= 4; i++) {
		fake_memory_mb = 100 * i;
		fake_cpu_percent = 10 * i;
		fake_pass(SECOND);
		wan_progress_sample_now(progress);
	}
	struct wan_progress_summary summary = summary_of(progress);
	CHECK_NEAR(summary.average_memory_mb, 250, 1e-9);
	CHECK_NEAR(summary.peak_memory_mb, 400, 1e-9);
	CHECK_NEAR(summary.average_cpu_percent, 25, 1e-9);
	CHECK_NEAR(summary.peak_cpu_percent, 40, 1e-9);
	CHECK_EQ(summary.samples, 4);
	CHECK_EQ(summary.total_alerts, 0);
	/* And the recording has them. */
	CHECK_EQ(fake_monitor_words[0], 4);
	CHECK_EQ(fake_monitor_words[5], 400ull << 20);
	CHECK_EQ(fake_monitor_words[7], 40000);
	wan_progress_destroy(progress);
}

TEST(shorter_summaries_of_older_callers_are_respected)
{
	struct wan_progress *progress = fake_monitor(NULL);
	struct wan_progress_summary summary;
	memset(&summary, 0x55, sizeof(summary));
	summary.struct_size = offsetof(struct wan_progress_summary, average_memory_mb);
	wan_progress_summary(progress, &summary);
	CHECK(summary.samples == 0x5555555555555555u);
	CHECK_NEAR(summary.average_latency_ms, 0, 0);
	wan_progress_destroy(progress);
}

static void stop_from_within(void *context, const struct wan_alert *alert)
{
	wan_progress_stop(context);
}

TEST(a_callback_may_stop_the_sampling_that_called_it)
{
	struct wan_progress *progress = fake_monitor("classic");
	CHECK_EQ(wan_progress_on_alert(progress, stop_from_within, progress), 0);
	CHECK_EQ(wan_progress_start(progress, 100 * MS), 0); /* idle: alarms at once */
	for (int i = 0; i < 2000 && wan_progress_running(progress); i++)
		usleep(10000);
	CHECK(!wan_progress_running(progress));
	CHECK_EQ(wan_progress_start(progress, 100 * MS), 0); /* the old thread is joined first */
	wan_progress_destroy(progress);
}

static void *start_and_stop(void *argument)
{
	for (int i = 0; i < 20; i++) {
		int status = wan_progress_start(argument, 0);
		if (status == 0 || status == -EALREADY)
			wan_progress_stop(argument);
	}
	return NULL;
}

TEST(start_and_stop_from_several_threads_end_stopped)
{
	struct wan_progress *progress = real_monitor();
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		REQUIRE(pthread_create(&threads[i], NULL, start_and_stop, progress) == 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	wan_progress_stop(progress);
	CHECK(!wan_progress_running(progress));
	wan_progress_destroy(progress);
}

TEST(a_forked_child_has_no_sampling_and_can_stop_and_start_it)
{
	struct wan_progress *progress = real_monitor();
	CHECK_EQ(wan_progress_start(progress, 5 * SECOND), 0);
	for (int i = 0; i < 2000 && summary_of(progress).samples < 1; i++)
		usleep(10000); /* the thread sleeps now and holds no lock */
	usleep(10000);
	pid_t child = fork();
	if (child == 0) {
		alarm(10);
		if (wan_progress_running(progress))
			_exit(1);
		wan_progress_stop(progress);
		if (wan_progress_running(progress))
			_exit(2);
#ifndef __SANITIZE_THREAD__ /* which dies when a child of a threaded process starts a thread */
		if (wan_progress_start(progress, 0) < 0)
			_exit(3);
#endif
		wan_progress_destroy(progress);
		_exit(0);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK(wan_progress_running(progress));
	wan_progress_destroy(progress);
}

static uint32_t hooked_alerts, hooked_samples;
static void hook_alert(void *context, const struct wan_alert *alert)
{
	hooked_alerts++;
}
static void hook_sample(void *context, const struct wan_progress_sample *sample)
{
	hooked_samples++;
}

TEST(the_recording_hears_of_samples_and_alerts)
{
	struct wan_progress_options options = {
		.struct_size = sizeof(options),
		.resources = fake_resources,
		.on_alert = hook_alert,
		.on_sample = hook_sample,
		.now_ns = fake_clock,
	};
	struct wan_progress *progress;
	struct wan_tracker *tracker;
	REQUIRE_EQ(wan_progress_create(&options, &progress), 0);
	REQUIRE_EQ(wan_progress_begin(progress, "job", 1, NULL, &tracker), 0);
	fake_memory_mb = 600;
	hooked_alerts = hooked_samples = 0;
	wan_progress_sample_now(progress);
	CHECK_EQ(hooked_samples, 1);
	CHECK_EQ(hooked_alerts, 0);
	fake_pass(SECOND);
	wan_progress_sample_now(progress);
	CHECK_EQ(hooked_samples, 2);
	CHECK_EQ(hooked_alerts, 1);
	wan_progress_destroy(progress);
}

TEST(a_sample_costs_microseconds)
{
	struct wan_progress *progress = real_monitor();
	enum { TIMES = 1000 };
	uint64_t begin = wan_thread_cpu_ns();
	for (int i = 0; i < TIMES; i++)
		wan_progress_sample_now(progress);
	double us = (double)(wan_thread_cpu_ns() - begin) / TIMES / 1000;
	printf("# %.1f us CPU per sample\n", us);
	CHECK(us < 5000);
	wan_progress_destroy(progress);
}

TAP_MAIN
