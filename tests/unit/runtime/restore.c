/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "restore.h"

#define SECOND 1000000000ull

TEST(a_lowered_limit_grows_back_in_twenty_steps)
{
	struct wan_restore restore = {0};
	uint64_t limit = 40, now_ns = 100 * SECOND;
	wan_restore_lowered(&restore, 50, 40, now_ns);
	CHECK_EQ(wan_restore_step(&restore, limit, now_ns + SECOND / 2), 40); /* too soon */
	for (int i = 1; i <= 5; i++) {
		limit = wan_restore_step(&restore, limit, now_ns + i * SECOND);
		CHECK_EQ(limit, 40 + 2 * i);
	}
	CHECK_EQ(wan_restore_step(&restore, 50, now_ns + 9 * SECOND), 50);
	CHECK_EQ(restore.full, 0);
}

TEST(several_lowerings_lead_back_to_the_first_limit)
{
	struct wan_restore restore = {0};
	wan_restore_lowered(&restore, 50, 40, SECOND);
	wan_restore_lowered(&restore, 40, 32, 2 * SECOND);
	CHECK_EQ(restore.full, 50);
	wan_restore_lowered(&restore, 100, 80, 3 * SECOND); /* set by its owner between */
	CHECK_EQ(restore.full, 100);
}

TEST(small_limits_grow_by_one)
{
	struct wan_restore restore = {0};
	wan_restore_lowered(&restore, 12, 10, SECOND);
	CHECK_EQ(wan_restore_step(&restore, 10, 3 * SECOND), 11);
}

TEST(an_owner_s_own_change_stands)
{
	struct wan_restore restore = {0};
	wan_restore_lowered(&restore, 50, 40, SECOND);
	CHECK_EQ(wan_restore_step(&restore, 20, 5 * SECOND), 20);
	CHECK_EQ(wan_restore_step(&restore, 20, 9 * SECOND), 20);
}

TEST(nothing_grows_while_the_alert_holds)
{
	struct wan_restore restore = {0};
	wan_restore_lowered(&restore, 50, 40, 100 * SECOND);
	CHECK(!wan_restore_over(&restore, 10, 100, 105 * SECOND)); /* ten seconds of calm */
	CHECK(wan_restore_over(&restore, 90, 100, 110 * SECOND));
	CHECK(!wan_restore_over(&restore, 90.1, 100, 110 * SECOND));
	CHECK(wan_restore_over(&restore, -1, 100, 110 * SECOND)); /* nobody measures */
}

TAP_MAIN
