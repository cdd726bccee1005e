/* SPDX-License-Identifier: MIT */
#include "ticker.h"

#include "support.h"

#define SECOND_NS ((uint64_t)1000000000)

TEST(stamps_of_a_thread_go_up_whatever_the_clock_does)
{
	struct wan_ticker ticker;
	wan_ticker_init(&ticker, NULL, 0);
	uint64_t last = wan_ticker_read(&ticker);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t stamp = wan_ticker_stamp(&ticker, last);
		CHECK(stamp > last);
		last = stamp;
	}
	uint64_t ahead = last + ((uint64_t)1 << 40);
	CHECK_EQ(wan_ticker_stamp(&ticker, ahead), ahead + 1);
	CHECK(last < WAN_STAMP_MAX);
}

TEST(a_clock_that_stands_still_gives_stamps_all_the_same)
{
	struct wan_ticker ticker;
	test_now_ns = 5000;
	wan_ticker_init(&ticker, test_clock, 100);
	test_now_ns = 6000;
	uint64_t first = wan_ticker_stamp(&ticker, 0), second = wan_ticker_stamp(&ticker, 0);
	CHECK(second > first);
	test_now_ns = 5500; /* back */
	uint64_t third = wan_ticker_stamp(&ticker, 0);
	CHECK(third > second);
	test_now_ns = 6001;
	CHECK(wan_ticker_stamp(&ticker, 0) > third);
}

TEST(idle_time_of_such_a_clock_is_exact)
{
	struct wan_ticker ticker;
	test_now_ns = 5000;
	wan_ticker_init(&ticker, test_clock, 100);
	uint64_t stamp = 0;
	for (unsigned i = 0; i < 1000; i++)
		stamp = wan_ticker_stamp(&ticker, 0);
	test_now_ns = 5099;
	CHECK(!wan_ticker_expired(&ticker, stamp, wan_ticker_read(&ticker)));
	test_now_ns = 5100;
	CHECK(wan_ticker_expired(&ticker, stamp, wan_ticker_read(&ticker)));
	/* What a hit takes for certain is certain. */
	CHECK((int64_t)(wan_ticker_read(&ticker) - stamp) >= ticker.idle_near);
	test_now_ns = 4000;
	CHECK(!wan_ticker_expired(&ticker, stamp, wan_ticker_read(&ticker)));
}

TEST(a_clock_beyond_its_days_stays_within_its_stamps)
{
	struct wan_ticker ticker;
	test_now_ns = 0;
	wan_ticker_init(&ticker, test_clock, 0);
	test_now_ns = UINT64_MAX;
	uint64_t stamp = wan_ticker_stamp(&ticker, 0);
	CHECK(stamp <= WAN_STAMP_MAX);
	CHECK(!wan_ticker_expired(&ticker, 0, stamp));
	CHECK(wan_ticker_stamp(&ticker, 0) > stamp);
}

TEST(ticks_are_taken_for_the_time_they_are)
{
	struct wan_ticker ticker;
	wan_ticker_init(&ticker, NULL, 3600 * SECOND_NS);
	double ticks_per_second = 1e9 / wan_clock_ns_per_tick();
	CHECK_NEAR((double)ticker.idle_ticks / ticks_per_second, 3600, 36);
	CHECK(ticker.idle_near < ticker.idle_ticks);
	wan_ticker_refine(&ticker);
	CHECK_NEAR((double)ticker.idle_ticks / ticks_per_second, 3600, 36);
	uint64_t now = wan_ticker_read(&ticker);
	uint64_t hour = (uint64_t)(ticks_per_second * 3600);
	CHECK(!wan_ticker_expired(&ticker, now, now + hour / 10 * 9));
	CHECK(wan_ticker_expired(&ticker, now, now + hour / 10 * 11));
	CHECK(!wan_ticker_expired(&ticker, now + 1000, now)); /* a stamp of another processor */
}

TAP_MAIN
