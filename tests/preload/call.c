/* SPDX-License-Identifier: MIT */
/* Calls on objects without a recording: what is nested, what failed, which rows are timed. */
#include "operation.h"
#include "tap.h"

static struct wan_codec codec = {.family = WAN_FAMILY_JPEG, .low = 0x400000, .high = 0x500000};
static const void *const in_library = (void *)0x450000;
static const void *const in_program = (void *)0x700000; /* neither there nor in this module */

static struct wan_object *running(void *thing)
{
	struct wan_object *object = wan_object_bind(thing, WAN_OBJECT_JPEG_READER, &codec);
	object->phase = WAN_PHASE_RUNNING;
	return object;
}

static void find(struct wan_call *call, void *thing, const void *caller, uintptr_t frame)
{
	wan_call_find(call, thing, WAN_FAMILY_JPEG, WAN_SYMBOL_jpeg_start_decompress, caller,
		      frame);
}

static void done(struct wan_object *object, void *thing)
{
	object->phase = WAN_PHASE_IDLE;
	wan_object_release(object, thing);
}

TEST(call_of_the_library_on_itself_has_no_object)
{
	int thing = 0;
	struct wan_object *object = running(&thing);
	struct wan_call call;
	find(&call, &thing, in_library, 0x9000);
	CHECK(call.object == NULL);
	CHECK(call.codec == &codec);
	done(object, &thing);
}

TEST(call_that_comes_back_leaves_no_frame)
{
	int thing = 0;
	struct wan_object *object = running(&thing);
	struct wan_call call;
	find(&call, &thing, in_program, 0x9000);
	wan_call_enter(&call);
	CHECK_EQ(object->frame, 0x9000);
	wan_call_leave(&call);
	CHECK_EQ(object->frame, 0);
	CHECK(!object->failed);
	CHECK(object->call_ticks > 0);
	done(object, &thing);
}

TEST(call_that_never_came_back_is_a_failure)
{
	int thing = 0;
	struct wan_object *object = running(&thing);
	struct wan_call call;
	find(&call, &thing, in_program, 0x9000);
	wan_call_enter(&call);
	find(&call, &thing, in_program, 0x9100); /* above the frame: that one is dead */
	wan_call_enter(&call);
	CHECK(object->failed);
	wan_call_leave(&call);
	CHECK_EQ(object->frame, 0);
	done(object, &thing);
}

TEST(callback_calls_from_below_and_is_timed_once)
{
	int thing = 0;
	struct wan_object *object = running(&thing);
	struct wan_call outer, inner;
	find(&outer, &thing, in_program, 0x9000);
	wan_call_enter(&outer);
	find(&inner, &thing, in_program, 0x8000);
	wan_call_enter(&inner);
	wan_call_leave(&inner);
	CHECK(!object->failed);
	CHECK_EQ(object->frame, 0x9000);
	CHECK_EQ(object->call_ticks, 0);
	wan_call_leave(&outer);
	CHECK(object->call_ticks > 0);
	done(object, &thing);
}

/* Which of count row calls were timed. */
static unsigned timed_rows(struct wan_object *object, void *thing, unsigned count, bool *timed)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < count; i++) {
		struct wan_call call;
		timed[i] = wan_row_short(thing) == NULL;
		if (!timed[i])
			continue;
		sum++;
		wan_row_enter(&call, thing, WAN_FAMILY_JPEG, WAN_SYMBOL_jpeg_read_scanlines,
			      in_program, 0x9000);
		wan_row_leave(&call, count - i - 1);
		(void)object;
	}
	return sum;
}

TEST(rows_are_timed_at_every_position_equally)
{
	static bool timed[4 * 256 + 1];
	for (unsigned rate = 0; rate < 3; rate++) {
		int thing = 0;
		struct wan_object *object = running(&thing);
		unsigned at[16] = {0}, step = 16 >> rate;
		object->row_rate = (uint8_t)rate;
		timed_rows(object, &thing, WAN_COUNT_OF(timed), timed);
		CHECK(timed[0]);
		for (unsigned i = 1; i < WAN_COUNT_OF(timed); i++)
			at[(i - 1) % 16] += timed[i];
		/* 64 rounds of 16 rows: 64 / step at each position, and the last row in any case.
		 */
		for (unsigned i = 0; i < 16; i++)
			CHECK(at[i] >= 64 / step && at[i] <= 64 / step + 1);
		/* What was timed stands for all but the first. */
		CHECK_EQ(object->row_calls + object->row_gap - (unsigned)object->row_wait,
			 WAN_COUNT_OF(timed) - 1);
		done(object, &thing);
	}
}

TEST(last_row_is_always_looked_at)
{
	static bool timed[300];
	for (unsigned count = 1; count < 300; count++) {
		int thing = 0;
		struct wan_object *object = running(&thing);
		unsigned sum = timed_rows(object, &thing, count, timed);
		CHECK(timed[count - 1]);
		CHECK(sum <= count / 16 + 3);
		done(object, &thing);
	}
}

TEST(idle_objects_are_passed_on_the_short_way)
{
	int thing = 0;
	struct wan_object *object = wan_object_bind(&thing, WAN_OBJECT_JPEG_READER, &codec);
	static bool timed[1000];
	CHECK_EQ(timed_rows(object, &thing, 1000, timed), 1);
	done(object, &thing);
}

TAP_MAIN
