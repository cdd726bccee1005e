/* SPDX-License-Identifier: MIT */
/*
 * A CUDA runtime without a GPU, for tests that name it by its path (WAN_CUDART, LD_PRELOAD,
 * dlopen). Environment, read at each call: WAN_FAKE_CUDA_DEVICES (default 1), WAN_FAKE_CUDA_FREE
 * and WAN_FAKE_CUDA_TOTAL in bytes (default 24 GiB and what is not allocated of it),
 * WAN_FAKE_CUDA_ERROR (every call returns this number), WAN_FAKE_CUDA_WAIT_MS (synchronising takes
 * so long). "Device" memory is host memory.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

enum {
	SUCCESS = 0,
	INVALID_VALUE = 1,
	MEMORY_ALLOCATION = 2,
	NO_DEVICE = 100,
	INVALID_DEVICE = 101
};

static atomic_int current_device;
static atomic_int last_error;
static atomic_ullong allocated_bytes;
static atomic_uint calls;

/* How many calls came in so far: "no first CUDA call from us" is proved with it. */
EXPORT unsigned wan_fake_cuda_calls(void)
{
	return atomic_load(&calls);
}

static unsigned long long setting(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static int answer(int error)
{
	int forced = (int)setting("WAN_FAKE_CUDA_ERROR", 0);
	atomic_fetch_add(&calls, 1);
	if (forced)
		error = forced;
	if (error)
		atomic_store(&last_error, error);
	return error;
}

int wan_fake_cuda_answer(int error);
int wan_fake_cuda_answer(int error)
{
	return answer(error);
}

static int wait_answer(void)
{
	unsigned long long ms = setting("WAN_FAKE_CUDA_WAIT_MS", 0);
	struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	if (ms)
		nanosleep(&pause, NULL);
	return answer(SUCCESS);
}

static unsigned long long total_bytes(void)
{
	return setting("WAN_FAKE_CUDA_TOTAL", 24ull << 30);
}

EXPORT int cudaGetDeviceCount(int *count)
{
	int devices = (int)setting("WAN_FAKE_CUDA_DEVICES", 1);
	int error = answer(devices ? SUCCESS : NO_DEVICE);
	if (!error)
		*count = devices;
	return error;
}

EXPORT int cudaGetDevice(int *device)
{
	int error = answer(SUCCESS);
	if (!error)
		*device = atomic_load(&current_device);
	return error;
}

EXPORT int cudaSetDevice(int device)
{
	int devices = (int)setting("WAN_FAKE_CUDA_DEVICES", 1);
	int error = answer(device >= 0 && device < devices ? SUCCESS : INVALID_DEVICE);
	if (!error)
		atomic_store(&current_device, device);
	return error;
}

EXPORT int cudaDeviceGetPCIBusId(char *bus_id, int bytes, int device)
{
	snprintf(bus_id, bytes > 0 ? (size_t)bytes : 0, "0000:%02x:00.0", (unsigned)device + 1);
	return answer(SUCCESS);
}

EXPORT int cudaMemGetInfo(size_t *free_bytes, size_t *ret_total_bytes)
{
	int error = answer(SUCCESS);
	unsigned long long total = total_bytes(), used = atomic_load(&allocated_bytes);
	if (error)
		return error;
	*ret_total_bytes = total;
	*free_bytes = setting("WAN_FAKE_CUDA_FREE", used < total ? total - used : 0);
	return SUCCESS;
}

EXPORT int cudaRuntimeGetVersion(int *version)
{
	int error = answer(SUCCESS);
	if (!error)
		*version = 13000;
	return error;
}

EXPORT const char *cudaGetErrorString(int error)
{
	switch (error) {
	case SUCCESS:
		return "no error";
	case MEMORY_ALLOCATION:
		return "out of memory";
	case NO_DEVICE:
		return "no CUDA-capable device is detected";
	default:
		return "fake error";
	}
}

EXPORT int cudaGetLastError(void)
{
	return atomic_exchange(&last_error, SUCCESS);
}

EXPORT int cudaPeekAtLastError(void)
{
	return atomic_load(&last_error);
}

/* A block keeps its size in front, so that free knows what becomes available. */
struct block {
	max_align_t align;
	size_t bytes;
	_Alignas(max_align_t) char content[];
};

EXPORT int cudaMalloc(void **ret_block, size_t bytes)
{
	unsigned long long used = atomic_load(&allocated_bytes), limit = total_bytes();
	limit = setting("WAN_FAKE_CUDA_FREE", limit > used ? limit - used : 0);
	struct block *block = bytes <= limit ? malloc(sizeof(*block) + bytes) : NULL;
	int error = answer(block ? SUCCESS : MEMORY_ALLOCATION);
	if (error) {
		free(block);
		return error;
	}
	block->bytes = bytes;
	atomic_fetch_add(&allocated_bytes, bytes);
	*ret_block = block->content;
	return SUCCESS;
}

EXPORT int cudaFree(void *content)
{
	if (content) {
		struct block *block = (void *)((char *)content - offsetof(struct block, content));
		atomic_fetch_sub(&allocated_bytes, block->bytes);
		free(block);
	}
	return answer(SUCCESS);
}

EXPORT int cudaMallocAsync(void **ret_block, size_t bytes, void *stream)
{
	(void)stream;
	return cudaMalloc(ret_block, bytes);
}

EXPORT int cudaFreeAsync(void *content, void *stream)
{
	(void)stream;
	return cudaFree(content);
}

EXPORT int cudaMallocHost(void **ret_block, size_t bytes)
{
	void *block = malloc(bytes ? bytes : 1);
	int error = answer(block ? SUCCESS : MEMORY_ALLOCATION);
	if (error)
		free(block);
	else
		*ret_block = block;
	return error;
}

EXPORT int cudaHostAlloc(void **ret_block, size_t bytes, unsigned flags)
{
	(void)flags;
	return cudaMallocHost(ret_block, bytes);
}

EXPORT int cudaFreeHost(void *block)
{
	free(block);
	return answer(SUCCESS);
}

/* Registered memory must be mapped, in whole pages, and is unregistered by its first byte. */
static atomic_int registered_ranges;

EXPORT int wan_fake_cuda_registered(void)
{
	return atomic_load(&registered_ranges);
}

EXPORT int cudaHostRegister(void *at, size_t bytes, unsigned flags)
{
	(void)flags;
	int error = answer(at && bytes && (uintptr_t)at % 4096 == 0 ? SUCCESS : INVALID_VALUE);
	if (!error)
		atomic_fetch_add(&registered_ranges, 1);
	return error;
}

EXPORT int cudaHostUnregister(void *at)
{
	int error = answer(at && atomic_load(&registered_ranges) > 0 ? SUCCESS : INVALID_VALUE);
	if (!error)
		atomic_fetch_sub(&registered_ranges, 1);
	return error;
}

EXPORT int cudaMemcpy(void *to, const void *from, size_t bytes, int kind)
{
	int error = answer(kind >= 0 && kind <= 4 ? SUCCESS : INVALID_VALUE);
	if (!error)
		memmove(to, from, bytes);
	return error;
}

EXPORT int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *stream)
{
	(void)stream;
	return cudaMemcpy(to, from, bytes, kind);
}

EXPORT int cudaMemset(void *to, int byte, size_t bytes)
{
	int error = answer(SUCCESS);
	if (!error)
		memset(to, byte, bytes);
	return error;
}

EXPORT int cudaMemsetAsync(void *to, int byte, size_t bytes, void *stream)
{
	(void)stream;
	return cudaMemset(to, byte, bytes);
}

EXPORT int cudaDeviceSynchronize(void)
{
	return wait_answer();
}

EXPORT int cudaStreamCreate(void **ret_stream)
{
	static char stream;
	int error = answer(SUCCESS);
	if (!error)
		*ret_stream = &stream;
	return error;
}

EXPORT int cudaStreamDestroy(void *stream)
{
	return answer(stream ? SUCCESS : INVALID_VALUE);
}

EXPORT int cudaStreamSynchronize(void *stream)
{
	(void)stream;
	return wait_answer();
}

/* What is asked about is done, unless WAN_FAKE_CUDA_QUERY says otherwise (600: not ready). */
EXPORT int cudaStreamQuery(void *stream)
{
	(void)stream;
	return answer((int)setting("WAN_FAKE_CUDA_QUERY", SUCCESS));
}

EXPORT int cudaEventQuery(void *event)
{
	return cudaStreamQuery(event);
}

EXPORT int cudaMallocManaged(void **ret_block, size_t bytes, unsigned flags)
{
	(void)flags;
	return cudaMalloc(ret_block, bytes);
}

EXPORT int cudaMallocPitch(void **ret_block, size_t *ret_pitch, size_t width, size_t height)
{
	*ret_pitch = (width + 511) / 512 * 512;
	return cudaMalloc(ret_block, *ret_pitch * height);
}

EXPORT int cudaGraphLaunch(void *graph, void *stream)
{
	(void)stream;
	return answer(graph ? SUCCESS : INVALID_VALUE);
}

struct dimensions {
	unsigned x, y, z;
};

EXPORT int cudaLaunchKernel(const void *function, struct dimensions grid, struct dimensions block,
			    void **arguments, size_t shared_bytes, void *stream)
{
	(void)arguments;
	(void)shared_bytes;
	(void)stream;
	return answer(function && grid.x && block.x ? SUCCESS : INVALID_VALUE);
}
