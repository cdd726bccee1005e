/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "alert.h"

static const struct wan_alert_rules classic = {true, 100, 500, 80, 0.5, 100};
static const struct wan_alert_rules classed = {false, 100, 500, 80, 0.5, 100};

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

static struct wan_alert alert_at(uint64_t seconds, enum wan_alert_severity severity)
{
	return (struct wan_alert){.type = WAN_ALERT_HIGH_LATENCY,
				  .severity = severity,
				  .time_ns = seconds * 1000000000ull};
}

TEST(one_alert_per_type_is_delivered_in_ten_seconds)
{
	struct wan_alert_gate gate = {0};
	unsigned delivered = 0, held_back = 0;
	for (unsigned second = 100; second < 160; second++) {
		struct wan_alert alert = alert_at(second, WAN_ALERT_MEDIUM);
		if (wan_alert_pass(&gate, &classed, &alert)) {
			delivered++;
			held_back += alert.suppressed;
		}
		CHECK_EQ(alert.count, second - 99);
	}
	CHECK_EQ(delivered, 6);
	CHECK_EQ(held_back, 45); /* the last nine wait for the next one */
}

TEST(types_do_not_hold_each_other_back)
{
	struct wan_alert_gate gate = {0};
	struct wan_alert one = alert_at(1, WAN_ALERT_MEDIUM), other = alert_at(1, WAN_ALERT_MEDIUM);
	other.type = WAN_ALERT_HIGH_CPU;
	CHECK(wan_alert_pass(&gate, &classed, &one));
	CHECK(wan_alert_pass(&gate, &classed, &other));
}

TEST(a_rising_severity_passes_at_once)
{
	struct wan_alert_gate gate = {0};
	struct wan_alert alert = alert_at(100, WAN_ALERT_MEDIUM);
	CHECK(wan_alert_pass(&gate, &classed, &alert));
	alert = alert_at(101, WAN_ALERT_HIGH);
	CHECK(wan_alert_pass(&gate, &classed, &alert));
	alert = alert_at(102, WAN_ALERT_MEDIUM);
	CHECK(!wan_alert_pass(&gate, &classed, &alert));
}

TEST(classic_delivers_every_one)
{
	struct wan_alert_gate gate = {0};
	for (int i = 0; i < 5; i++) {
		struct wan_alert alert = alert_at(100, WAN_ALERT_MEDIUM);
		CHECK(wan_alert_pass(&gate, &classic, &alert));
	}
}

TEST(a_clock_that_steps_back_holds_nothing_back)
{
	struct wan_alert_gate gate = {0};
	struct wan_alert alert = alert_at(100, WAN_ALERT_MEDIUM);
	CHECK(wan_alert_pass(&gate, &classed, &alert));
	alert = alert_at(50, WAN_ALERT_MEDIUM);
	CHECK(wan_alert_pass(&gate, &classed, &alert));
}

TEST(types_and_severities_have_names)
{
	CHECK_STR(wan_alert_type_name(WAN_ALERT_STALL), "stall");
	CHECK_STR(wan_alert_type_name((enum wan_alert_type)50), "unknown");
	CHECK_STR(wan_alert_severity_name(WAN_ALERT_CRITICAL), "critical");
	CHECK_STR(wan_alert_severity_name((enum wan_alert_severity)50), "unknown");
}

TAP_MAIN
