/* SPDX-License-Identifier: MIT */
/* Buffers for values of the program's own. */
#include "stages.h"

TEST(a_buffer_is_there_aligned_and_given_back)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	struct wan_pool_stats before, held, after;
	void *data = NULL;
	wan_pool_stats(&before);
	REQUIRE_EQ(wan_buffer_create(runtime, 5000000, &data, NULL), 0);
	wan_pool_stats(&held);
	CHECK_EQ((uintptr_t)data % 64, 0);
	memset(data, 7, 5000000);
	CHECK_EQ(held.in_use_bytes - before.in_use_bytes, wan_buffer_charge(5000000));
	CHECK(wan_buffer_charge(5000000) >= 5000000 && wan_buffer_charge(5000000) < 5700000);
	wan_buffer_destroy(data);
	wan_pool_stats(&after);
	CHECK_EQ(after.in_use_bytes, before.in_use_bytes);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(wan_runtime_memory(runtime), &state);
	CHECK_EQ(state.reserved_bytes, 0);
	wan_runtime_unref(runtime);
}

TEST(what_was_given_back_is_used_again)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	void *first = NULL, *second = NULL;
	REQUIRE_EQ(wan_buffer_create(runtime, 3 * WAN_MIB, &first, NULL), 0);
	wan_buffer_destroy(first);
	REQUIRE_EQ(wan_buffer_create(runtime, 3 * WAN_MIB, &second, NULL), 0);
	CHECK(first == second);
	wan_buffer_destroy(second);
	wan_runtime_unref(runtime);
}

static int compute(void *context, struct wan_value *ret_value)
{
	struct wan_runtime *runtime = context;
	void *data;
	int r = wan_buffer_create(runtime, 4 * WAN_MIB, &data, NULL);
	if (r < 0)
		return r;
	memset(data, 1, 4 * WAN_MIB);
	*ret_value = (struct wan_value){.data = data,
					.bytes = wan_buffer_charge(4 * WAN_MIB),
					.destroy = wan_buffer_destroy};
	return 0;
}

TEST(values_that_do_not_all_fit_take_the_buffers_of_the_oldest)
{
	struct wan_runtime *runtime = make_tight_runtime(40 * WAN_MIB);
	struct wan_pool_stats before, after;
	wan_pool_stats(&before);
	for (uint64_t i = 0; i < 60; i++) {
		struct wan_pin *pin = NULL;
		REQUIRE_EQ(wan_cache_get_or_compute(wan_runtime_cache(runtime),
						    wan_key_of(&i, sizeof(i)), 4 * WAN_MIB, compute,
						    runtime, &pin, NULL),
			   0);
		wan_pin_release(pin);
	}
	wan_pool_stats(&after);
	CHECK(after.fresh - before.fresh <= 12);
	CHECK(after.reused - before.reused >= 48);
	wan_runtime_unref(runtime);
}

TEST(a_buffer_without_room_is_refused_by_the_level_that_lacks_it)
{
	struct wan_runtime *runtime = make_tight_runtime(40 * WAN_MIB);
	struct wan_error error = {0};
	void *data = NULL;
	CHECK_EQ(wan_buffer_create(runtime, 400 * WAN_MIB, &data, &error), -ENOMEM);
	CHECK(data == NULL);
	CHECK(strstr(error.reason, "process") != NULL);
	wan_runtime_unref(runtime);
}

TEST(wrong_calls_do_nothing)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	void *data = NULL;
	CHECK_EQ(wan_buffer_create(runtime, 0, &data, NULL), -EINVAL);
	CHECK_EQ(wan_buffer_create(runtime, UINT64_MAX, &data, NULL), -EINVAL);
	CHECK_EQ(wan_buffer_create(runtime, 10, NULL, NULL), -EINVAL);
	wan_buffer_destroy(NULL);
	wan_runtime_unref(runtime);
}

TAP_MAIN
