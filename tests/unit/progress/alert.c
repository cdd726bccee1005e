/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <string.h>

#include "alert.h"

static const struct wan_alert_rules classic = {true, 100, 500, 80, 0.5, 100, 0.5};
static const struct wan_alert_rules classed = {false, 100, 500, 80, 0.5, 100, 0.5};

/* At every limit exactly: nothing is exceeded. */
static const struct wan_progress_sample boundary = {
	.time_ns = 1,
	.latency_ms = 100,
	.memory_mb = 500,
	.cpu_percent = 80,
	.updates_per_second = 0.5,
	.active_trackers = 101,
	.queue = 100,
	.active = true,
};

static struct wan_alert alerts[WAN_ALERT_TYPES];

/* The single alert of a sample under both rule sets, or NULL. */
static const struct wan_alert *only(struct wan_progress_sample sample)
{
	uint32_t count = wan_alert_judge(&classic, &sample, alerts);
	CHECK_EQ(wan_alert_judge(&classed, &sample, alerts), count);
	return count == 1 ? &alerts[0] : NULL;
}

TEST(exact_boundary_values_give_none)
{
	CHECK_EQ(wan_alert_judge(&classic, &boundary, alerts), 0);
	CHECK_EQ(wan_alert_judge(&classed, &boundary, alerts), 0);
}

TEST(latency_of_150_ms_is_a_medium_alert)
{
	struct wan_progress_sample sample = boundary;
	sample.latency_ms = 150;
	const struct wan_alert *alert = only(sample);
	REQUIRE(alert);
	CHECK_EQ(alert->type, WAN_ALERT_HIGH_LATENCY);
	CHECK_STR(alert->type_name, "high_latency");
	CHECK_EQ(alert->severity, WAN_ALERT_MEDIUM);
	CHECK_STR(alert->message, "Update latency is 150.0 ms (limit 100 ms)");
	CHECK(alert->suggested_action[0]);
	CHECK_NEAR(alert->value, 150, 0);
	CHECK_NEAR(alert->limit, 100, 0);
	CHECK_EQ(alert->time_ns, 1);
}

TEST(latency_above_200_ms_is_high)
{
	struct wan_progress_sample sample = boundary;
	sample.latency_ms = 200;
	CHECK_EQ(only(sample)->severity, WAN_ALERT_MEDIUM);
	sample.latency_ms = 200.001;
	CHECK_EQ(only(sample)->severity, WAN_ALERT_HIGH);
}

TEST(memory_of_501_mb_is_high_and_above_1000_critical)
{
	struct wan_progress_sample sample = boundary;
	sample.memory_mb = 501;
	const struct wan_alert *alert = only(sample);
	REQUIRE(alert);
	CHECK_STR(alert->type_name, "high_memory");
	CHECK_EQ(alert->severity, WAN_ALERT_HIGH);
	sample.memory_mb = 1000;
	CHECK_EQ(only(sample)->severity, WAN_ALERT_HIGH);
	sample.memory_mb = 1000.1;
	CHECK_EQ(only(sample)->severity, WAN_ALERT_CRITICAL);
}

TEST(cpu_of_81_percent_is_medium)
{
	struct wan_progress_sample sample = boundary;
	sample.cpu_percent = 81;
	const struct wan_alert *alert = only(sample);
	REQUIRE(alert);
	CHECK_STR(alert->type_name, "high_cpu");
	CHECK_EQ(alert->severity, WAN_ALERT_MEDIUM);
}

TEST(a_queue_of_101_is_large_and_above_200_critical)
{
	struct wan_progress_sample sample = boundary;
	sample.queue = 101;
	const struct wan_alert *alert = only(sample);
	REQUIRE(alert);
	CHECK_STR(alert->type_name, "large_queue");
	CHECK(alert->severity < WAN_ALERT_CRITICAL);
	sample.queue = 200;
	CHECK(only(sample)->severity < WAN_ALERT_CRITICAL);
	sample.queue = 201;
	CHECK_EQ(only(sample)->severity, WAN_ALERT_CRITICAL);
}

TEST(four_updates_in_ten_seconds_are_a_low_rate)
{
	struct wan_progress_sample sample = boundary;
	sample.updates_per_second = 0.4;
	const struct wan_alert *alert = only(sample);
	REQUIRE(alert);
	CHECK_STR(alert->type_name, "low_update_rate");
	CHECK_EQ(alert->severity, WAN_ALERT_MEDIUM);
	CHECK_STR(alert->message, "Update rate is 0.4 updates/s (limit at least 0.5 updates/s)");
	sample.updates_per_second = -1; /* not known yet */
	CHECK_EQ(wan_alert_judge(&classic, &sample, alerts), 0);
}

TEST(everything_at_once_raises_each_once)
{
	struct wan_progress_sample sample = {.latency_ms = 1e6,
					     .memory_mb = 1e6,
					     .cpu_percent = 1e6,
					     .queue = 1000000,
					     .active = 1};
	REQUIRE_EQ(wan_alert_judge(&classic, &sample, alerts), 5);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(alerts[i].type, i);
}

TEST(idle_is_no_alert_except_in_classic)
{
	struct wan_progress_sample idle = {.memory_mb = 900, .cpu_percent = 300};
	CHECK_EQ(wan_alert_judge(&classed, &idle, alerts), 0);
	CHECK_EQ(wan_alert_judge(&classic, &idle, alerts), 3); /* memory, CPU and rate */
}

TEST(a_healthy_generation_raises_nothing)
{
	/* Steps of 9 s, 40 GB resident, 16 cores at work. */
	struct wan_progress_sample sample = {
		.latency_ms = 9000,
		.memory_mb = 40000,
		.cpu_percent = 1600,
		.updates_per_second = 0.11,
		.active_trackers = 1,
		.active = true,
		.declared = true,
	};
	CHECK_EQ(wan_alert_judge(&classed, &sample, alerts), 0);
	sample.queue = 101;
	CHECK_EQ(wan_alert_judge(&classed, &sample, alerts), 1);
	sample.queue = 0;
	sample.declared = false; /* no unit and no phase: the absolute limits hold */
	CHECK_EQ(wan_alert_judge(&classed, &sample, alerts), 4);
}

TEST(figures_that_are_no_numbers_raise_nothing)
{
	struct wan_progress_sample sample = boundary;
	sample.latency_ms = sample.memory_mb = sample.cpu_percent = sample.updates_per_second = NAN;
	CHECK_EQ(wan_alert_judge(&classic, &sample, alerts), 0);
}

/* --- what declared jobs are judged by --- */

/* A generation that is well: each figure at its limit. */
static const struct wan_alert_window healthy = {
	.sample = {.time_ns = 5,
		   .latency_ms = 9000,
		   .memory_mb = 40000,
		   .cpu_percent = 1600,
		   .updates_per_second = 0.11,
		   .active = true,
		   .declared = true},
	.window_ns = 1000000000,
	.callback_ms = 100,
	.delivery_ms = 100,
	.own_cpu_percent = 80,
	.grown_mb = 500,
	.baseline_mb = 39500,
	.rate = 0.055,
	.expected_rate = 0.11,
	.queue_wait_s = -1,
};

static const struct wan_alert *only_of(struct wan_alert_window window)
{
	return wan_alert_judge_window(&classed, &window, alerts) == 1 ? &alerts[0] : NULL;
}

TEST(figures_of_declared_jobs_at_their_limits_give_none)
{
	CHECK_EQ(wan_alert_judge_window(&classed, &healthy, alerts), 0);
}

TEST(a_callback_above_100_ms_is_a_latency_alert_of_its_own)
{
	struct wan_alert_window window = healthy;
	window.callback_ms = 100.1;
	const struct wan_alert *alert = only_of(window);
	REQUIRE(alert);
	CHECK_EQ(alert->type, WAN_ALERT_HIGH_LATENCY);
	CHECK_STR(alert->message, "Time in an update callback is 100.1 ms (limit 100 ms)");
	CHECK_STR(alert->unit, "ms");
	CHECK_EQ(alert->window_ns, 1000000000);
	window.delivery_ms = 200.1; /* the longer one is told */
	alert = only_of(window);
	REQUIRE(alert);
	CHECK_STR(alert->subject, "Delivery of an update");
	CHECK_EQ(alert->severity, WAN_ALERT_HIGH);
}

TEST(memory_that_grows_in_a_phase_is_told_with_its_baseline)
{
	struct wan_alert_window window = healthy;
	window.grown_mb = 500.5;
	const struct wan_alert *alert = only_of(window);
	REQUIRE(alert);
	CHECK_EQ(alert->severity, WAN_ALERT_HIGH);
	CHECK_NEAR(alert->baseline, 39500, 0);
	CHECK_NEAR(alert->value, 500.5, 0);
	window.grown_mb = 1000.5;
	CHECK_EQ(only_of(window)->severity, WAN_ALERT_CRITICAL);
}

TEST(threads_that_show_progress_may_not_take_a_core)
{
	struct wan_alert_window window = healthy;
	window.own_cpu_percent = 80.5;
	const struct wan_alert *alert = only_of(window);
	REQUIRE(alert);
	CHECK_EQ(alert->type, WAN_ALERT_HIGH_CPU);
	CHECK_STR(alert->subject, "CPU of threads that show progress");
}

TEST(half_the_usual_rate_is_low)
{
	struct wan_alert_window window = healthy;
	window.rate = 0.0549;
	strcpy(window.rate_tracker, "sampling");
	const struct wan_alert *alert = only_of(window);
	REQUIRE(alert);
	CHECK_EQ(alert->type, WAN_ALERT_LOW_UPDATE_RATE);
	CHECK_STR(alert->message,
		  "Update rate is 0.0549 updates/s (limit at least 0.055 updates/s)");
	CHECK_STR(alert->tracker, "sampling");
	CHECK_NEAR(alert->baseline, 0.11, 1e-12);
}

TEST(a_queue_tells_how_long_its_last_one_waits)
{
	struct wan_alert_window window = healthy;
	window.sample.queue = 101;
	window.queue_wait_s = 12.5;
	const struct wan_alert *alert = only_of(window);
	REQUIRE(alert);
	CHECK_STR(alert->evidence, "at the present rate the last one waits 12.5 s");
}

TEST(a_condition_lingers_above_four_fifths_of_its_limit)
{
	struct wan_alert_window window = healthy;
	uint32_t all = 1 << WAN_ALERT_HIGH_LATENCY | 1 << WAN_ALERT_HIGH_MEMORY |
		       1 << WAN_ALERT_HIGH_CPU | 1 << WAN_ALERT_LOW_UPDATE_RATE;
	CHECK_EQ(wan_alert_lingering(&classed, &window), all);
	window.callback_ms = window.delivery_ms = 80;
	window.own_cpu_percent = 64;
	window.grown_mb = 400;
	window.rate = 0.11 * 0.5 / 0.8 + 1e-9;
	window.sample.queue = 80;
	CHECK_EQ(wan_alert_lingering(&classed, &window), 0);
	window.sample.queue = 81;
	CHECK_EQ(wan_alert_lingering(&classed, &window), 1 << WAN_ALERT_LARGE_QUEUE);
}

TEST(types_and_severities_have_names)
{
	CHECK_STR(wan_alert_type_name(WAN_ALERT_STALL), "stall");
	CHECK_STR(wan_alert_type_name((enum wan_alert_type)50), "unknown");
	CHECK_STR(wan_alert_severity_name(WAN_ALERT_CRITICAL), "critical");
	CHECK_STR(wan_alert_severity_name((enum wan_alert_severity)50), "unknown");
}

TAP_MAIN
