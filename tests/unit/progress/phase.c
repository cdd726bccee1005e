/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "phase.h"

static uint64_t words[WAN_TRACKER_WORDS];

static void begin(void)
{
	memset(words, 0, sizeof(words));
	words[WAN_TRACKER_STATE] = WAN_TRACKER_ACTIVE;
}

TEST(each_phase_left_has_its_duration)
{
	begin();
	wan_phase_enter(words, WAN_PHASE_INITIALIZATION, 0, 100, 2.0);
	wan_phase_enter(words, WAN_PHASE_MODEL_LOADING, 0, 110, 2.0);
	wan_phase_enter(words, WAN_PHASE_GENERATION, 0, 150, 2.0);
	CHECK_EQ(words[WAN_TRACKER_PHASE_NS + WAN_PHASE_INITIALIZATION], 20);
	CHECK_EQ(words[WAN_TRACKER_PHASE_NS + WAN_PHASE_MODEL_LOADING], 80);
	CHECK_EQ(words[WAN_TRACKER_PHASE], WAN_PHASE_GENERATION);
	CHECK_EQ(words[WAN_TRACKER_PHASE_START + WAN_PHASE_GENERATION], 150);
}

TEST(a_phase_entered_again_adds_up)
{
	begin();
	wan_phase_enter(words, WAN_PHASE_GENERATION, 0, 100, 1.0);
	wan_phase_enter(words, WAN_PHASE_ENCODING, 0, 130, 1.0);
	wan_phase_enter(words, WAN_PHASE_GENERATION, 0, 135, 1.0);
	wan_phase_enter(words, WAN_PHASE_COMPLETION, 0, 145, 1.0);
	CHECK_EQ(words[WAN_TRACKER_PHASE_NS + WAN_PHASE_GENERATION], 40);
	/* Entering the phase that is open already loses nothing. */
	wan_phase_enter(words, WAN_PHASE_COMPLETION, 0, 150, 1.0);
	wan_phase_enter(words, WAN_PHASE_NONE, 0, 160, 1.0);
	CHECK_EQ(words[WAN_TRACKER_PHASE_NS + WAN_PHASE_COMPLETION], 15);
}

TEST(the_open_phase_counts_until_now_while_the_job_is_active)
{
	begin();
	wan_phase_enter(words, WAN_PHASE_GENERATION, 0, 100, 1.0);
	CHECK_EQ(wan_phase_total_ns(words, WAN_PHASE_GENERATION, 160, 1.0), 60);
	CHECK_EQ(wan_phase_total_ns(words, WAN_PHASE_ENCODING, 160, 1.0), 0);
	wan_phase_settle(words, 170, 1.0);
	CHECK_EQ(wan_phase_total_ns(words, WAN_PHASE_GENERATION, 170, 1.0), 70);
	words[WAN_TRACKER_STATE] = WAN_TRACKER_ENDED;
	CHECK_EQ(wan_phase_total_ns(words, WAN_PHASE_GENERATION, 999, 1.0), 70);
}

TEST(time_outside_of_any_phase_is_not_counted)
{
	begin();
	wan_phase_enter(words, WAN_PHASE_NONE, 0, 100, 1.0);
	wan_phase_enter(words, WAN_PHASE_GENERATION, 0, 200, 1.0);
	for (int phase = 0; phase < WAN_PHASES; phase++)
		CHECK_EQ(words[WAN_TRACKER_PHASE_NS + phase], 0);
}

TEST(a_clock_that_steps_back_gives_no_duration)
{
	begin();
	wan_phase_enter(words, WAN_PHASE_GENERATION, 0, 1000, 1.0);
	wan_phase_enter(words, WAN_PHASE_ENCODING, 0, 500, 1.0);
	CHECK_EQ(words[WAN_TRACKER_PHASE_NS + WAN_PHASE_GENERATION], 0);
}

TEST(a_garbage_phase_in_the_words_harms_nothing)
{
	begin();
	words[WAN_TRACKER_PHASE] = 0xffffffffu;
	wan_phase_enter(words, WAN_PHASE_ENCODING, 0, 500, 1.0);
	CHECK_EQ(words[WAN_TRACKER_PHASE], WAN_PHASE_ENCODING);
}

TEST(phases_have_names)
{
	CHECK_STR(wan_phase_name(WAN_PHASE_MODEL_LOADING), "model_loading");
	CHECK_STR(wan_phase_name(WAN_PHASE_COMPLETION), "completion");
	CHECK_STR(wan_phase_name((enum wan_phase)77), "unknown");
}

TAP_MAIN
