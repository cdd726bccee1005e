/* SPDX-License-Identifier: MIT */
/* The GPU source against a CUDA runtime without a GPU, named by WAN_CUDART. */
#include "tap.h"

#include <dlfcn.h>
#include <errno.h>

#include "dyn_cuda.h"
#include "fakes.h"
#include "source.h"

static unsigned (*fake_calls)(void);

static bool load_fake(void)
{
	static void *library;
	const char *path = getenv("WAN_CUDART");
	if (!library && path)
		library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	if (library)
		*(void **)&fake_calls = dlsym(library, "wan_fake_cuda_calls");
	return library && fake_calls;
}

TEST(without_a_runtime_in_the_process_nothing_is_loaded)
{
	uint64_t used, total;
	CHECK_EQ(wan_source_gpu_current(), -ENODEV);
	CHECK_EQ(wan_source_gpu_read(1, &used, &total), -ENODEV);
}

TEST(a_manager_makes_no_cuda_call_before_a_batch_uses_the_gpu)
{
	if (!load_fake())
		SKIP("WAN_CUDART names no library");
	struct wan_memory_options options = {.struct_size = sizeof(options)};
	struct wan_memory *memory;
	unsigned before = fake_calls();
	REQUIRE_EQ(wan_memory_create(&options, &memory), 0);
	wan_memory_tick(memory);
	CHECK_EQ(fake_calls(), before);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK(!state.gpu_known);
	wan_memory_destroy(memory);
}

TEST(used_memory_is_total_minus_free)
{
	if (!load_fake())
		SKIP("WAN_CUDART names no library");
	uint64_t used = 0, total = 0;
	setenv("WAN_FAKE_CUDA_TOTAL", "1000000", 1);
	setenv("WAN_FAKE_CUDA_FREE", "190000", 1);
	CHECK_EQ(wan_source_gpu_current(), 0);
	CHECK_EQ(wan_source_gpu_read(1, &used, &total), 0);
	CHECK_EQ(used, 810000);
	CHECK_EQ(total, 1000000);
	unsetenv("WAN_FAKE_CUDA_TOTAL");
	unsetenv("WAN_FAKE_CUDA_FREE");
}

TEST(a_real_batch_is_halved_at_81_percent)
{
	if (!load_fake())
		SKIP("WAN_CUDART names no library");
	struct wan_memory_options options = {.struct_size = sizeof(options)};
	struct wan_memory *memory;
	struct wan_batch_options batch_options;
	struct wan_batch *batch;
	setenv("WAN_FAKE_CUDA_TOTAL", "1000000", 1);
	setenv("WAN_FAKE_CUDA_FREE", "190000", 1);
	REQUIRE_EQ(wan_memory_create(&options, &memory), 0);
	wan_batch_options_init(&batch_options);
	batch_options.on_gpu = true;
	REQUIRE_EQ(wan_batch_create(memory, &batch_options, &batch), 0);
	uint32_t before = wan_batch_next(batch);
	wan_memory_tick(memory);
	CHECK(wan_batch_next(batch) <= before / 2); /* the host may be short of memory too */
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK(state.gpu_known);
	CHECK_EQ(state.gpu_used_bytes, 810000);
	wan_batch_destroy(batch);
	wan_memory_destroy(memory);
	unsetenv("WAN_FAKE_CUDA_TOTAL");
	unsetenv("WAN_FAKE_CUDA_FREE");
}

TEST(errors_of_the_runtime_make_the_gpu_unknown)
{
	if (!load_fake())
		SKIP("WAN_CUDART names no library");
	uint64_t used, total;
	setenv("WAN_FAKE_CUDA_ERROR", "999", 1);
	CHECK_EQ(wan_source_gpu_current(), -EIO);
	CHECK_EQ(wan_source_gpu_read(1, &used, &total), -EIO);
	unsetenv("WAN_FAKE_CUDA_ERROR");
	CHECK_EQ(wan_source_gpu_read((uint64_t)1 << 40, &used, &total), -EIO); /* no such device */
	CHECK_EQ(wan_source_gpu_read(0, &used, &total), -ENODEV);
}

TEST(the_thread_s_current_device_is_left_as_it_was)
{
	if (!load_fake())
		SKIP("WAN_CUDART names no library");
	uint64_t used, total;
	setenv("WAN_FAKE_CUDA_DEVICES", "3", 1);
	CHECK_EQ(wan_source_gpu_read(4, &used, &total), 0);
	CHECK_EQ(wan_source_gpu_current(), 0);
	unsetenv("WAN_FAKE_CUDA_DEVICES");
}

TEST(what_nvml_knows_is_told_and_its_errors_are_unknown)
{
	if (!load_fake() || !getenv("WAN_NVML"))
		SKIP("WAN_CUDART or WAN_NVML names no library");
	uint64_t own = UINT64_MAX;
	double utilization = -1;
	setenv("WAN_FAKE_NVML_UTILIZATION", "37", 1);
	wan_source_gpu_more(0, &own, &utilization);
	CHECK_NEAR(utilization, 37, 1e-9);
	setenv("WAN_FAKE_NVML_ERROR", "999", 1);
	own = UINT64_MAX;
	utilization = -1;
	wan_source_gpu_more(0, &own, &utilization);
	CHECK(own == UINT64_MAX);
	CHECK_NEAR(utilization, -1, 1e-9);
	unsetenv("WAN_FAKE_NVML_ERROR");
	unsetenv("WAN_FAKE_NVML_UTILIZATION");
}

TAP_MAIN
