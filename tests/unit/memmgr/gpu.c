/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>

#include "fakes.h"
#include "gpu.h"

static struct wan_batch *batch_on(struct wan_memory *memory, int device)
{
	struct wan_batch_options options;
	struct wan_batch *batch = NULL;
	wan_batch_options_init(&options);
	options.maximum = 64;
	options.on_gpu = true;
	options.device = device;
	return wan_batch_create(memory, &options, &batch) == 0 ? batch : NULL;
}

static void device_is(int device, uint64_t used, uint64_t total)
{
	fake.gpu = true;
	fake.gpus[device].used = used;
	fake.gpus[device].total = total;
}

static struct wan_gpu_state state_of(struct wan_memory *memory, int device)
{
	struct wan_gpu_state state = {.struct_size = sizeof(state)};
	CHECK_EQ(wan_memory_gpu_state(memory, device, &state), 0);
	return state;
}

TEST(each_device_stands_for_itself)
{
	fake_reset(10);
	device_is(0, 30, 100);
	device_is(1, 81, 100);
	struct wan_memory *memory = fake_manager(NULL);
	struct wan_batch *zero = batch_on(memory, 0), *one = batch_on(memory, 1);
	REQUIRE(zero && one);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(zero), 64);
	CHECK_EQ(wan_batch_next(one), 32);
	CHECK_STR(fake_last_action()->reason, "gpu 1 at 81.0 % (limit 80 %)");
	CHECK_NEAR(state_of(memory, 0).percent, 30, 1e-9);
	CHECK_NEAR(state_of(memory, 1).percent, 81, 1e-9);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK_EQ(state.gpu_used_bytes, 81); /* the fullest, never the sum */
	CHECK_EQ(state.gpu_total_bytes, 100);
	wan_batch_destroy(zero);
	wan_batch_destroy(one);
	wan_memory_destroy(memory);
}

TEST(what_a_framework_can_use_again_is_no_need)
{
	fake_reset(10);
	device_is(0, 90, 100);
	fake.gpu_cached = true;
	struct wan_memory *memory = fake_manager(NULL);
	struct wan_batch *batch = batch_on(memory, 0);
	REQUIRE(batch);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(batch), 64); /* it keeps memory, and has not told how much */
	struct wan_memory_advice advice[5];
	CHECK_EQ(wan_memory_recommend(memory, advice, 5), 1);
	CHECK_STR(advice[0].id, "gpu_high");
	CHECK_EQ(wan_memory_gpu_reusable(memory, 0, 30), 0);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(batch), 64);
	CHECK_NEAR(state_of(memory, 0).percent, 60, 1e-9);
	CHECK_EQ(state_of(memory, 0).headroom_bytes, 40);
	CHECK_EQ(wan_memory_gpu_reusable(memory, 0, 5), 0);
	wan_memory_tick(memory);
	CHECK_EQ(wan_batch_next(batch), 32); /* told, and above 80 % */
	CHECK_EQ(wan_memory_gpu_reusable(memory, 64, 5), -EINVAL);
	CHECK_EQ(wan_memory_gpu_reusable(memory, -1, 5), -EINVAL);
	CHECK_EQ(wan_memory_gpu_reusable(NULL, 0, 5), -EINVAL);
	wan_batch_destroy(batch);
	wan_memory_destroy(memory);
}

TEST(nobody_is_asked_about_a_device_that_nobody_uses)
{
	fake_reset(10);
	device_is(0, 90, 100);
	struct wan_memory *memory = fake_manager(NULL);
	struct wan_gpu_state state = {.struct_size = sizeof(state)};
	CHECK_EQ(wan_memory_gpu_reusable(memory, 0, 0), 0);
	wan_memory_tick(memory);
	CHECK_EQ(fake.gpu_reads, 0);
	CHECK_EQ(wan_memory_gpu_state(memory, 0, &state), -ENODEV);
	CHECK(!state.known);
	CHECK_EQ(wan_memory_gpu_state(memory, 64, &state), -EINVAL);
	wan_memory_destroy(memory);
}

TEST(a_lost_device_is_told_once_and_asked_once_a_second)
{
	fake_reset(10);
	device_is(0, 50, 100);
	struct wan_memory *memory = fake_manager(NULL);
	struct wan_batch *batch = batch_on(memory, 0);
	REQUIRE(batch);
	wan_memory_tick(memory);
	fake.gpu = false;
	fake.action_count = 0;
	for (int i = 0; i < 50; i++) {
		fake_now_ns += 100000000;
		wan_memory_tick(memory);
	}
	CHECK(fake.gpu_reads < 12);
	CHECK_EQ(fake.action_count, 1);
	CHECK_STR(fake_last_action()->what, "degraded");
	CHECK(!state_of(memory, 0).known);
	wan_batch_report(batch, 64, true); /* failures still count */
	CHECK_EQ(wan_batch_next(batch), 32);
	fake.gpu = true;
	fake_now_ns += 2000000000;
	wan_memory_tick(memory);
	CHECK(state_of(memory, 0).known);
	CHECK_EQ(fake.action_count, 1);
	wan_batch_destroy(batch);
	wan_memory_destroy(memory);
}

static struct wan_gpu_state judged(uint64_t used, uint64_t reusable, uint64_t own, uint64_t cap,
				   uint64_t mps)
{
	struct wan_gpu_state state = {
		.total_bytes = 1000, .used_bytes = used, .reusable_bytes = reusable};
	wan_gpu_judge(&state, own, cap, mps);
	return state;
}

TEST(the_least_of_total_cap_and_mps_limit_counts)
{
	/* total alone */
	CHECK_EQ(judged(600, 0, UINT64_MAX, 0, UINT64_MAX).headroom_bytes, 400);
	CHECK_NEAR(judged(600, 100, UINT64_MAX, 0, UINT64_MAX).percent, 50, 1e-9);
	/* a cap: all that is used counts as ours while nobody says what is */
	CHECK_EQ(judged(300, 0, UINT64_MAX, 400, UINT64_MAX).headroom_bytes, 100);
	CHECK_NEAR(judged(300, 0, UINT64_MAX, 400, UINT64_MAX).percent, 75, 1e-9);
	CHECK_EQ(judged(300, 0, 50, 400, UINT64_MAX).headroom_bytes, 350);
	/* the device is fuller than our own limit */
	CHECK_EQ(judged(900, 0, 50, 400, UINT64_MAX).headroom_bytes, 100);
	CHECK_NEAR(judged(900, 0, 50, 400, UINT64_MAX).percent, 90, 1e-9);
	/* MPS, below the cap */
	CHECK_EQ(judged(100, 0, 100, 400, 200).limit_bytes, 200);
	CHECK_EQ(judged(100, 0, 100, 400, 200).headroom_bytes, 100);
	/* more than can be */
	CHECK_EQ(judged(2000, 5000, UINT64_MAX, 0, UINT64_MAX).headroom_bytes, 1000);
	CHECK_EQ(judged(500, 0, 500, 400, UINT64_MAX).headroom_bytes, 0);
}

TEST(the_limit_of_mps_is_read)
{
	CHECK_EQ(wan_gpu_mps_limit("0=1G", 0), 1024 * WAN_MIB);
	CHECK_EQ(wan_gpu_mps_limit("0=1G,1=512M", 1), 512 * WAN_MIB);
	CHECK(wan_gpu_mps_limit("0=1G,1=512M", 2) == UINT64_MAX);
	static const char *const bad[] = {
		NULL,   "",
		"0",    "0=",
		"=1G",  "0=x",
		"x=1G", ",,",
		"0=0",  "00000000000000000000000000000000000000000000000000000000000"};
	for (size_t i = 0; i < WAN_COUNT_OF(bad); i++)
		CHECK(wan_gpu_mps_limit(bad[i], 0) == UINT64_MAX);
}

TEST(errors_are_told_apart_by_number)
{
	CHECK_EQ(wan_gpu_error_of(0), WAN_GPU_OK);
	CHECK_EQ(wan_gpu_error_of(2), WAN_GPU_NO_MEMORY);
	CHECK_EQ(wan_gpu_error_of(1), WAN_GPU_ERROR);
	CHECK_EQ(wan_gpu_error_of(999), WAN_GPU_ERROR);
	CHECK_EQ(wan_gpu_error_of(214), WAN_GPU_LOST);
	CHECK_EQ(wan_gpu_error_of(700), WAN_GPU_LOST);
}

TAP_MAIN
