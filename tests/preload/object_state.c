/* SPDX-License-Identifier: MIT */
#include "object_state.h"
#include "tap.h"

#include <pthread.h>

static const struct wan_codec codec = {.family = WAN_FAMILY_JPEG};

/* Addresses whose slots share one window: same hash, far apart. */
static unsigned same_home(const void **addresses, unsigned want)
{
	unsigned home = wan_object_home((void *)(uintptr_t)0x10000), found = 0;
	for (uintptr_t at = 0x10000; found < want; at += 16)
		if (wan_object_home((void *)at) == home)
			addresses[found++] = (void *)at;
	return found;
}

TEST(bound_object_is_found_and_released_one_is_not)
{
	int thing = 0;
	struct wan_object *object = wan_object_bind(&thing, WAN_OBJECT_JPEG_READER, &codec);
	REQUIRE(object != NULL);
	CHECK(wan_object_find(&thing) == object);
	CHECK(object->codec == &codec);
	CHECK_EQ(object->fd, -1);
	wan_object_release(object, &thing);
	CHECK(wan_object_find(&thing) == NULL);
	CHECK_EQ(wan_object_count(), 0);
}

TEST(null_is_never_found)
{
	CHECK(wan_object_find(NULL) == NULL);
	CHECK(wan_object_find_near(NULL) == NULL);
}

TEST(address_used_again_gets_a_fresh_state_in_its_slot)
{
	int thing = 0;
	struct wan_object *object = wan_object_bind(&thing, WAN_OBJECT_JPEG_READER, &codec);
	object->width_px = 640;
	object->frame = 1;
	struct wan_object *again = wan_object_bind(&thing, WAN_OBJECT_PNG_READER, &codec);
	CHECK(again == object);
	CHECK_EQ(again->width_px, 0);
	CHECK_EQ(again->frame, 0);
	CHECK_EQ(again->kind, WAN_OBJECT_PNG_READER);
	CHECK_EQ(wan_object_count(), 1);
	wan_object_release(again, &thing);
}

TEST(release_of_another_address_does_nothing)
{
	int thing = 0, other = 0;
	struct wan_object *object = wan_object_bind(&thing, WAN_OBJECT_JPEG_READER, &codec);
	wan_object_release(object, &other);
	CHECK(wan_object_find(&thing) == object);
	wan_object_release(object, &thing);
}

TEST(objects_of_one_home_stay_apart)
{
	const void *addresses[WAN_OBJECT_WINDOW];
	struct wan_object *objects[WAN_OBJECT_WINDOW];
	same_home(addresses, WAN_OBJECT_WINDOW);
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++) {
		objects[i] = wan_object_bind(addresses[i], WAN_OBJECT_JPEG_READER, &codec);
		REQUIRE(objects[i] != NULL);
	}
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++)
		CHECK(wan_object_find(addresses[i]) == objects[i]);
	CHECK(wan_object_find_near(addresses[1]) == NULL);
	/* A gap in the middle hides nobody behind it. */
	wan_object_release(objects[3], addresses[3]);
	for (unsigned i = 4; i < WAN_OBJECT_WINDOW; i++)
		CHECK(wan_object_find(addresses[i]) == objects[i]);
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++)
		if (i != 3)
			wan_object_release(objects[i], addresses[i]);
	CHECK_EQ(wan_object_count(), 0);
}

TEST(full_window_takes_the_one_that_rested_longest)
{
	struct wan_lane other_thread = {.recorder = (struct wan_recorder *)16};
	const void *addresses[WAN_OBJECT_WINDOW + 2];
	struct wan_object *objects[WAN_OBJECT_WINDOW];
	same_home(addresses, WAN_OBJECT_WINDOW + 2);
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++) {
		objects[i] = wan_object_bind(addresses[i], WAN_OBJECT_JPEG_READER, &codec);
		objects[i]->used_ticks = 1000 - i; /* the last one is the oldest */
	}
	objects[WAN_OBJECT_WINDOW - 1]->frame = 1; /* but inside a call of another thread */
	objects[WAN_OBJECT_WINDOW - 1]->lane = &other_thread;
	struct wan_object *newest =
		wan_object_bind(addresses[WAN_OBJECT_WINDOW], WAN_OBJECT_JPEG_READER, &codec);
	CHECK(newest == objects[WAN_OBJECT_WINDOW - 2]);
	CHECK(wan_object_find(addresses[WAN_OBJECT_WINDOW - 2]) == NULL);
	CHECK(wan_object_find(addresses[WAN_OBJECT_WINDOW - 1]) == objects[WAN_OBJECT_WINDOW - 1]);

	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++)
		objects[i]->frame = 1, objects[i]->lane = &other_thread;
	CHECK(wan_object_bind(addresses[WAN_OBJECT_WINDOW + 1], WAN_OBJECT_JPEG_READER, &codec) ==
	      NULL);
	objects[5]->lane = NULL; /* ours: left by longjmp */
	CHECK(wan_object_bind(addresses[WAN_OBJECT_WINDOW + 1], WAN_OBJECT_JPEG_READER, &codec) ==
	      objects[5]);
	for (unsigned i = 0; i < WAN_OBJECT_WINDOW; i++)
		wan_object_release(objects[i], wan_object_address(objects[i]));
	CHECK_EQ(wan_object_count(), 0);
}

static unsigned lost; /* atomic */

static void *churn(void *argument)
{
	char *base = argument;
	for (unsigned i = 0; i < 50000; i++) {
		char *at = base + i % 37 * 64;
		struct wan_object *object = wan_object_bind(at, WAN_OBJECT_JPEG_READER, &codec);
		if (!object || wan_object_find(at) != object)
			wan_add_relaxed(&lost, 1);
		else
			wan_object_release(object, at);
	}
	return NULL;
}

TEST(threads_bind_and_release_side_by_side)
{
	static char space[4][37 * 64];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, space[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(lost, 0);
	CHECK_EQ(wan_object_count(), 0);
}

TEST(forked_child_forgets_what_was_open)
{
	int thing = 0;
	struct wan_object *object = wan_object_bind(&thing, WAN_OBJECT_JPEG_READER, &codec);
	object->phase = WAN_PHASE_RUNNING;
	wan_object_forget_all();
	CHECK(wan_object_find(&thing) == object);
	CHECK_EQ(object->phase, WAN_PHASE_IDLE);
	CHECK(object->codec == &codec);
	wan_object_release(object, &thing);
}

TAP_MAIN
