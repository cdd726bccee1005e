/* SPDX-License-Identifier: MIT */
/* Against the fake runtime of tests/fakes/cudart.c, whatever this machine has. */
#include "dyn_cuda.h"

#include <dlfcn.h>
#include <stdint.h>

#include "tap.h"

/* Before the first real load, so this test comes first. */
TEST(a_program_without_cuda_gets_none_from_us)
{
	if (!getenv("WAN_CUDART"))
		SKIP("WAN_CUDART is not set: run by meson");
	CHECK(wan_cuda(true) == NULL);
	CHECK(dlopen(getenv("WAN_CUDART"), RTLD_LAZY | RTLD_NOLOAD) == NULL);
}

TEST(a_failed_search_is_not_repeated_but_a_loaded_copy_is_found)
{
	if (!getenv("WAN_CUDART"))
		SKIP("WAN_CUDART is not set: run by meson");
	char *path = strdup(getenv("WAN_CUDART"));
	setenv("WAN_CUDART", "/nonexistent/libcudart.so", 1);
	CHECK(wan_cuda(false) == NULL);
	setenv("WAN_CUDART", path, 1);
	CHECK(wan_cuda(false) == NULL);
	void *handle = dlopen(path, RTLD_LAZY);
	REQUIRE(handle != NULL);
	CHECK(wan_cuda(true) != NULL);
	unsigned (*calls)(void) = (unsigned (*)(void))dlsym(handle, "wan_fake_cuda_calls");
	REQUIRE(calls != NULL);
	CHECK_EQ(calls(), 0); /* the table is there, and no CUDA call was made */
	free(path);
}

static void *get_table(void *argument)
{
	return (void *)(uintptr_t)wan_cuda(false);
}

TEST(all_threads_get_one_table)
{
	pthread_t threads[4];
	const struct wan_cuda *cuda = wan_cuda(true);
	if (!cuda)
		SKIP("WAN_CUDART is not set: run by meson");
	for (int i = 0; i < 4; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, get_table, NULL), 0);
	for (int i = 0; i < 4; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		CHECK(result == cuda);
	}
}

TEST(the_table_calls_the_library)
{
	const struct wan_cuda *cuda = wan_cuda(false);
	size_t free_bytes = 0, total_bytes = 0;
	int count = 0, device = -1, version = 0;
	if (!cuda)
		SKIP("WAN_CUDART is not set: run by meson");
	setenv("WAN_FAKE_CUDA_DEVICES", "2", 1);
	setenv("WAN_FAKE_CUDA_TOTAL", "1000000", 1);
	setenv("WAN_FAKE_CUDA_FREE", "250000", 1);
	CHECK_EQ(cuda->get_device_count(&count), 0);
	CHECK_EQ(count, 2);
	CHECK_EQ(cuda->set_device(1), 0);
	CHECK(cuda->set_device(2) != 0);
	CHECK_EQ(cuda->get_device(&device), 0);
	CHECK_EQ(device, 1);
	CHECK_EQ(cuda->mem_get_info(&free_bytes, &total_bytes), 0);
	CHECK_EQ(free_bytes, 250000);
	CHECK_EQ(total_bytes, 1000000);
	REQUIRE(cuda->runtime_get_version && cuda->get_error_string);
	CHECK_EQ(cuda->runtime_get_version(&version), 0);
	CHECK(version >= 11000);
	setenv("WAN_FAKE_CUDA_ERROR", "100", 1);
	CHECK_EQ(cuda->mem_get_info(&free_bytes, &total_bytes), 100);
	CHECK_STR(cuda->get_error_string(100), "no CUDA-capable device is detected");
}

TAP_MAIN
