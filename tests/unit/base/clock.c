/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "macros.h"

#include <errno.h>

#include "fault.h"
#include "tap.h"

static void sleep_ms(long ms)
{
	struct timespec pause = {.tv_nsec = ms * 1000000};
	nanosleep(&pause, NULL);
}

TEST(ticks_and_nanoseconds_go_forward)
{
	uint64_t ticks = wan_ticks(), ns = wan_now_ns();
	for (int i = 0; i < 10000; i++) {
		uint64_t next_ticks = wan_ticks(), next_ns = wan_now_ns();
		if (next_ticks < ticks || next_ns < ns)
			CHECK(!"a clock went back on one thread");
		ticks = next_ticks;
		ns = next_ns;
	}
	CHECK(wan_realtime_ns() > 1500000000ull * 1000000000);
	CHECK(wan_thread_cpu_ns() > 0);
}

TEST(the_source_is_what_the_kernel_trusts)
{
#if defined(__x86_64__)
	char name[32] = "";
	FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
	if (!file)
		SKIP("the clock source of this machine is not readable");
	CHECK(fgets(name, sizeof(name), file) != NULL);
	fclose(file);
	if (strcmp(name, "tsc\n") != 0)
		CHECK(!wan_clock_uses_counter);
	else
		CHECK(wan_clock_uses_counter ||
		      !"tsc, but processor or sandbox forbids the counter");
#else
	SKIP("x86 only");
#endif
}

TEST(ticks_convert_to_the_time_that_passed)
{
	struct wan_clock_anchor first, last;
	struct wan_clock_scale scale;
	wan_clock_anchor(&first);
	sleep_ms(30);
	wan_clock_anchor(&last);
	wan_clock_scale(&first, &last, &scale);
	double passed = (double)(last.monotonic_ns - first.monotonic_ns);
	CHECK(passed >= 30e6);
	CHECK_NEAR((double)wan_clock_span_ns(&scale, last.ticks - first.ticks), passed, 2);
	CHECK_NEAR((double)wan_clock_monotonic_ns(&scale, last.ticks) - (double)first.monotonic_ns,
		   passed, 300); /* a double of nanoseconds since boot has steps */
	CHECK_NEAR((double)(int64_t)(wan_clock_realtime_ns(&scale, last.ticks) - first.realtime_ns),
		   passed, 2);
}

TEST(the_calibrated_rate_agrees_with_the_measured_one)
{
	struct wan_clock_anchor first, last;
	struct wan_clock_scale scale;
	wan_clock_anchor(&first);
	sleep_ms(30);
	wan_clock_anchor(&last);
	wan_clock_scale(&first, &last, &scale);
	CHECK_NEAR(wan_clock_ns_per_tick() / scale.ns_per_tick, 1, 0.005);
}

TEST(calibration_takes_no_noticeable_time)
{
	uint64_t least_ns = UINT64_MAX; /* of five: a machine may count what it took from us */
	for (int i = 0; i < 5; i++) {
		uint64_t before_ns = wan_thread_cpu_ns();
		CHECK(wan_clock_ns_per_tick() > 0);
		least_ns = WAN_MIN(least_ns, wan_thread_cpu_ns() - before_ns);
	}
	CHECK(least_ns < 1000000);
}

TEST(anchors_close_together_use_the_calibrated_rate)
{
	struct wan_clock_anchor first, last;
	struct wan_clock_scale scale;
	wan_clock_anchor(&first);
	last = first;
	last.ticks += 10;
	last.monotonic_ns += 999999; /* absurd over ten ticks, so it must not be used */
	wan_clock_scale(&first, &last, &scale);
	CHECK_NEAR(scale.ns_per_tick / wan_clock_ns_per_tick(), 1, 0.01);
	last.monotonic_ns = first.monotonic_ns + 1000000;
	wan_clock_scale(&first, &last, &scale);
	CHECK_NEAR(scale.ns_per_tick, 100000, 0.001);
}

TEST(anchors_that_go_back_give_no_negative_duration)
{
	struct wan_clock_anchor first = {5000000, 9000000, 9000000}, last = {4000000, 7000000, 1};
	struct wan_clock_scale scale;
	wan_clock_scale(&first, &last, &scale);
	CHECK(scale.ns_per_tick > 0);
	CHECK_EQ(wan_elapsed(first.monotonic_ns, last.monotonic_ns), 0);
	CHECK_EQ(wan_elapsed(7, 9), 2);
	CHECK(wan_clock_monotonic_ns(&scale, last.ticks) <= first.monotonic_ns);
	CHECK(wan_clock_monotonic_ns(&scale, 0) <= first.monotonic_ns);
}

TEST(conversion_stays_in_range_for_any_input)
{
	struct wan_clock_scale scale = {.base = {1000, 500, UINT64_MAX - 5}, .ns_per_tick = 2};
	CHECK_EQ(wan_clock_monotonic_ns(&scale, 0), 0);
	CHECK_EQ(wan_clock_monotonic_ns(&scale, 900), 300);
	CHECK_EQ(wan_clock_realtime_ns(&scale, 1010), UINT64_MAX);
	CHECK_EQ(wan_clock_span_ns(&scale, UINT64_MAX), UINT64_MAX);
	scale.ns_per_tick = -1;
	CHECK_EQ(wan_clock_span_ns(&scale, 5), 0);
	scale.ns_per_tick = NAN;
	CHECK_EQ(wan_clock_span_ns(&scale, 5), 0);
}

TEST(a_refused_clock_gives_zero_and_does_not_hang)
{
	struct wan_clock_anchor anchor;
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_CLOCK, 1, EPERM, true);
	CHECK_EQ(wan_now_ns(), 0);
	CHECK_EQ(wan_thread_cpu_ns(), 0);
	wan_clock_anchor(&anchor);
	CHECK_EQ(anchor.monotonic_ns, 0);
	CHECK(wan_clock_ns_per_tick() > 0);
	wan_fault_remove();
}

TEST(a_clock_that_is_set_back_gives_no_negative_duration)
{
	wan_fault_install();
	uint64_t before_ns = wan_now_ns();
	wan_fault_step_clock(-3600ll * 1000000000);
	CHECK_EQ(wan_elapsed(before_ns, wan_now_ns()), 0);
	CHECK(wan_clock_ns_per_tick() > 0);
	wan_fault_step_clock(365ll * 86400 * 1000000000);
	CHECK(wan_elapsed(before_ns, wan_now_ns()) >= 365ull * 86400 * 1000000000);
	wan_fault_remove();
}

TEST(without_a_counter_ticks_are_nanoseconds)
{
	struct wan_clock_anchor anchor;
	bool before = wan_clock_uses_counter;
	wan_clock_uses_counter = false;
	uint64_t from_ns = wan_now_ns(), ticks = wan_ticks(), to_ns = wan_now_ns();
	CHECK(from_ns <= ticks && ticks <= to_ns);
	CHECK_NEAR(wan_clock_ns_per_tick(), 1, 0);
	wan_clock_anchor(&anchor);
	CHECK_EQ(anchor.ticks, anchor.monotonic_ns);
	wan_clock_uses_counter = before;
}

TAP_MAIN
