/* SPDX-License-Identifier: MIT */
/*
 * The GPU of this machine, if there is one: what is read is true, the threshold is seen while the
 * device is filled, and a batch is halved and grows back. Takes 80 % of the device for a moment.
 */
#include "tap.h"

#include <dlfcn.h>

#include "clock.h"
#include "dyn_cuda.h"
#include "macros.h"
#include "wan/runtime.h"

enum { BLOCKS = 4096 };

static const struct wan_cuda *cuda;
static int (*device_malloc)(void **ret, size_t bytes);
static int (*device_free)(void *block);
static void *blocks[BLOCKS];
static unsigned block_count;

/* Why there is nothing to test with; NULL: there is. */
static const char *no_gpu(void)
{
	static char reason[160];
	int count = 0, error;
	static const char *const names[] = {"libcudart.so.13", "libcudart.so.12",
					    "libcudart.so.11.0", "libcudart.so"};
	for (size_t i = 0; i < WAN_COUNT_OF(names) && !cuda; i++)
		if (dlopen(names[i], RTLD_NOW | RTLD_GLOBAL))
			cuda = wan_cuda(true);
	if (!cuda)
		return "no CUDA runtime is installed";
	error = cuda->get_device_count(&count);
	if (error || count < 1) {
		snprintf(reason, sizeof(reason), "no GPU: error %d (%s)", error,
			 cuda->get_error_string ? cuda->get_error_string(error) : "no text");
		return reason;
	}
	*(void **)&device_malloc = dlsym(RTLD_DEFAULT, "cudaMalloc");
	*(void **)&device_free = dlsym(RTLD_DEFAULT, "cudaFree");
	return device_malloc && device_free ? NULL : "cudaMalloc is not found";
}

static struct wan_runtime *new_runtime(void)
{
	static const struct wan_setting settings[] = {{"record.path", "off"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime = NULL;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = 1;
	options.ignore_files = options.ignore_environment = true;
	return wan_runtime_create(&options, &runtime, NULL) == 0 ? runtime : NULL;
}

static struct wan_batch *new_batch(struct wan_runtime *runtime)
{
	struct wan_batch_options options;
	struct wan_batch *batch = NULL;
	wan_batch_options_init(&options);
	options.maximum = 64;
	options.on_gpu = true;
	return wan_batch_create(wan_runtime_memory(runtime), &options, &batch) == 0 ? batch : NULL;
}

static struct wan_gpu_state state_now(struct wan_runtime *runtime)
{
	struct wan_gpu_state state = {.struct_size = sizeof(state)};
	(void)wan_memory_gpu_state(wan_runtime_memory(runtime), 0, &state);
	return state;
}

static void free_all(void)
{
	while (block_count)
		device_free(blocks[--block_count]);
}

TEST(total_and_free_are_those_of_the_device)
{
	const char *reason = no_gpu();
	if (reason)
		SKIP("%s", reason);
	struct wan_runtime *runtime = new_runtime();
	REQUIRE(runtime);
	struct wan_batch *batch = new_batch(runtime);
	REQUIRE(batch);
	size_t free_bytes, total_bytes;
	REQUIRE_EQ(cuda->mem_get_info(&free_bytes, &total_bytes), 0);
	wan_memory_tick(wan_runtime_memory(runtime));
	struct wan_gpu_state state = state_now(runtime);
	CHECK(state.known);
	CHECK_EQ(state.total_bytes, total_bytes);
	CHECK_NEAR((double)state.used_bytes, (double)(total_bytes - free_bytes),
		   (double)(256 * WAN_MIB)); /* others may work there */
	printf("# %s: %.1f of %.1f GB used, utilisation %.0f %%\n", state.name,
	       (double)state.used_bytes / (1 << 30), (double)state.total_bytes / (1 << 30),
	       state.utilization_percent);
	wan_batch_destroy(batch);
	wan_runtime_unref(runtime);
}

/* Until the watcher has halved the batch; ms it took, or less than 0. */
static double wait_for_halving(struct wan_batch *batch, uint32_t before)
{
	uint64_t begin = wan_now_ns();
	while (wan_elapsed(begin, wan_now_ns()) < 10000000000) {
		if (wan_batch_next(batch) < before)
			return (double)wan_elapsed(begin, wan_now_ns()) / 1e6;
		usleep(1000);
	}
	return -1;
}

TEST(a_batch_is_halved_while_the_device_fills_and_grows_back)
{
	const char *reason = no_gpu();
	if (reason)
		SKIP("%s", reason);
	struct wan_runtime *runtime = new_runtime();
	REQUIRE(runtime);
	struct wan_batch *batch = new_batch(runtime);
	REQUIRE(batch);
	size_t free_bytes, total_bytes;
	REQUIRE_EQ(cuda->mem_get_info(&free_bytes, &total_bytes), 0);
	if ((double)free_bytes < (double)total_bytes * 0.5)
		SKIP("others use half of the device");
	size_t block = WAN_MAX(total_bytes / 200, (size_t)(2 * WAN_MIB));
	while ((double)free_bytes >= (double)total_bytes * 0.195 && block_count < BLOCKS) {
		REQUIRE_EQ(device_malloc(&blocks[block_count], block), 0);
		block_count++;
		REQUIRE_EQ(cuda->mem_get_info(&free_bytes, &total_bytes), 0);
	}
	double seen_ms = wait_for_halving(batch, 64);
	printf("# above 80 %% seen within %.0f ms (the watcher looks every 100 ms)\n", seen_ms);
	CHECK(seen_ms >= 0);
	CHECK_EQ(wan_batch_next(batch), 32);
	CHECK(state_now(runtime).percent > 80);
	free_all();
	for (int i = 0; i < 300 && wan_batch_next(batch) < 64; i++) {
		wan_memory_tick(wan_runtime_memory(runtime));
		wan_batch_report(batch, wan_batch_next(batch), false);
	}
	CHECK_EQ(wan_batch_next(batch), 64);
	wan_batch_destroy(batch);
	wan_runtime_unref(runtime);
}

TEST(what_does_not_fit_is_told_by_number)
{
	const char *reason = no_gpu();
	if (reason)
		SKIP("%s", reason);
	void *block;
	size_t free_bytes, total_bytes;
	REQUIRE_EQ(cuda->mem_get_info(&free_bytes, &total_bytes), 0);
	CHECK_EQ(wan_gpu_error_of(device_malloc(&block, total_bytes * 2)), WAN_GPU_NO_MEMORY);
}

TAP_MAIN
