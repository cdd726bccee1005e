/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "gate.h"

#define MS 1000000ull

static const struct wan_alert_rules classic = {true, 100, 500, 80, 0.5, 100, 0.5};
static const struct wan_alert_rules classed = {false, 100, 500, 80, 0.5, 100, 0.5};

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

/* --- a condition must hold --- */

/* One window at that time, with or without a latency alert. Whether it fires. */
static bool window_at(struct wan_alert_gate *gate, uint64_t ms, bool raised, bool lingers)
{
	struct wan_alert alert = {.type = WAN_ALERT_HIGH_LATENCY};
	uint32_t latency = 1u << WAN_ALERT_HIGH_LATENCY;
	return wan_alert_hold(gate, &classed, &alert, raised, lingers ? latency : 0, ms * MS) &
	       latency;
}

TEST(a_condition_fires_after_two_windows_and_a_second)
{
	struct wan_alert_gate gate = {0};
	for (uint64_t ms = 5000; ms < 6000; ms += 100)
		CHECK(!window_at(&gate, ms, true, true));
	CHECK(window_at(&gate, 6000, true, true));
	struct wan_alert_gate slow = {0};
	CHECK(!window_at(&slow, 5000, true, true));
	CHECK(window_at(&slow, 10000, true, true)); /* the second one */
}

TEST(a_condition_that_does_not_hold_begins_anew)
{
	struct wan_alert_gate gate = {0};
	CHECK(!window_at(&gate, 5000, true, true));
	CHECK(!window_at(&gate, 5900, false, false));
	CHECK(!window_at(&gate, 6100, true, true));
	CHECK(!window_at(&gate, 7000, true, true));
	CHECK(window_at(&gate, 7100, true, true));
}

TEST(a_condition_keeps_for_three_windows_below_four_fifths)
{
	struct wan_alert_gate gate = {0};
	window_at(&gate, 5000, true, true);
	CHECK(window_at(&gate, 6000, true, true));
	for (uint64_t ms = 7000; ms < 20000; ms += 1000) /* below the limit, but lingering */
		CHECK(window_at(&gate, ms, false, true));
	for (uint64_t ms = 20000; ms < 23000; ms += 1000)
		CHECK(window_at(&gate, ms, false, false));
	CHECK(!window_at(&gate, 23000, false, false));
	CHECK(!window_at(&gate, 24000, true, true)); /* it has to hold again */
}

TEST(classic_fires_at_once)
{
	struct wan_alert_gate gate = {0};
	struct wan_alert alert = {.type = WAN_ALERT_HIGH_CPU};
	CHECK_EQ(wan_alert_hold(&gate, &classic, &alert, 1, 0, 5), 1 << WAN_ALERT_HIGH_CPU);
	CHECK_EQ(wan_alert_hold(&gate, &classic, &alert, 0, 0, 6), 0);
}

/* --- not too often --- */

struct flapping {
	uint64_t windows, delivered, delivered_before_a_minute, told;
	uint64_t times[200];
};

/* Ten windows a second for ten minutes; on: how many of ten are over the limit, in a row. */
static struct flapping flap(unsigned on, unsigned of, unsigned types, bool severities)
{
	struct wan_alert_gate gate = {0};
	struct flapping result = {0};
	uint64_t suppressed = 0;
	for (unsigned i = 0; i < 6000; i++) {
		uint64_t now = (1000 + i * 100ull) * MS;
		struct wan_alert alerts[WAN_ALERT_TYPES] = {0};
		uint32_t count = i % of < on ? types : 0;
		for (unsigned t = 0; t < count; t++) {
			alerts[t].type = (enum wan_alert_type)t;
			alerts[t].time_ns = now;
			alerts[t].severity =
				severities && i % 2 ? WAN_ALERT_HIGH : WAN_ALERT_MEDIUM;
		}
		uint32_t firing = wan_alert_hold(&gate, &classed, alerts, count, 0, now);
		for (unsigned t = 0; t < count; t++) {
			result.windows++;
			if (!(firing >> t & 1)) {
				wan_alert_count(&gate, &alerts[t]);
			} else if (wan_alert_pass(&gate, &classed, &alerts[t])) {
				if (result.delivered < 200)
					result.times[result.delivered] = now;
				result.delivered++;
				result.told += 1 + alerts[t].suppressed;
				CHECK_EQ(alerts[t].id, result.delivered);
			}
		}
	}
	for (unsigned t = 0; t < WAN_ALERT_TYPES; t++)
		suppressed += gate.types[t].suppressed;
	result.told += suppressed; /* for the next ones to tell */
	CHECK_EQ(gate.suppressed + result.delivered, result.windows);
	return result;
}

static uint64_t most_in_a_minute(const struct flapping *flapping)
{
	uint64_t most = 0;
	for (uint64_t i = 0; i < flapping->delivered; i++) {
		uint64_t count = 0;
		for (uint64_t j = i; j < flapping->delivered; j++)
			count += flapping->times[j] - flapping->times[i] < 60000 * MS;
		most = count > most ? count : most;
	}
	return most;
}

TEST(flapping_at_10_hz_gives_ten_alerts_a_minute_at_most_and_none_is_lost_in_count)
{
	static const struct {
		unsigned on, of, types;
		bool severities;
	} plans[] = {{1, 2, 1, false},  {1, 2, 5, true},    {15, 30, 1, false}, {15, 30, 5, false},
		     {15, 30, 1, true}, {10, 10, 5, false}, {10, 10, 1, true}};
	for (unsigned i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct flapping result =
			flap(plans[i].on, plans[i].of, plans[i].types, plans[i].severities);
		printf("# %u of %u windows, %u types: %llu exceeded, %llu delivered, %llu a "
		       "minute\n",
		       plans[i].on, plans[i].of, plans[i].types, (unsigned long long)result.windows,
		       (unsigned long long)result.delivered,
		       (unsigned long long)most_in_a_minute(&result));
		CHECK(most_in_a_minute(&result) <= 10);
		CHECK_EQ(result.told, result.windows);
		CHECK_EQ(result.delivered > 0, plans[i].on > 1);
	}
}

TEST(a_severity_that_rises_passes_a_full_bucket)
{
	struct wan_alert_gate gate = {0};
	for (unsigned i = 0; i < 10; i++) {
		struct wan_alert alert = alert_at(100 + 10 * (i / 5), WAN_ALERT_MEDIUM);
		alert.type = (enum wan_alert_type)(i % 5);
		CHECK(wan_alert_pass(&gate, &classed, &alert));
	}
	struct wan_alert alert = alert_at(121, WAN_ALERT_MEDIUM);
	CHECK(!wan_alert_pass(&gate, &classed, &alert));
	alert = alert_at(121, WAN_ALERT_HIGH);
	CHECK(wan_alert_pass(&gate, &classed, &alert));
	CHECK_EQ(alert.suppressed, 1);
	alert = alert_at(171, WAN_ALERT_MEDIUM); /* a minute after the first five */
	CHECK(wan_alert_pass(&gate, &classed, &alert));
}

TAP_MAIN
