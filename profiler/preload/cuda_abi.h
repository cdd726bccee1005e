/* SPDX-License-Identifier: MIT */
/*
 * The binary interface of the CUDA runtime and driver as far as it is hooked, from NVIDIA's public
 * documentation, in our own words: no header of theirs is needed, and none fits 11, 12 and 13
 * alike. Handles are pointers, enumerations are int, device addresses of the driver are 64-bit
 * numbers.
 */
#ifndef WAN_PRELOAD_CUDA_ABI_H
#define WAN_PRELOAD_CUDA_ABI_H

#include <stddef.h>
#include <stdint.h>

enum {
	WAN_CUDA_SUCCESS = 0,
	WAN_CUDA_OUT_OF_MEMORY = 2,  /* cudaErrorMemoryAllocation, CUDA_ERROR_OUT_OF_MEMORY */
	WAN_CUDA_UNRESOLVED = 302,   /* cudaErrorSharedObjectSymbolNotFound */
	WAN_CUDA_NOT_READY = 600,    /* work is still under way: an answer, no error */
	WAN_CUDA_SHUTTING_DOWN = 4,  /* calls from destructors at exit */
	WAN_CUDA_STICKY_FIRST = 700, /* from here on the context is lost ... */
	WAN_CUDA_STICKY_LAST = 720,  /* ... cudaErrorIllegalAddress to cudaErrorLaunchFailure */
	WAN_CUDA_HARDWARE_LOST = 46, /* cudaErrorDevicesUnavailable */
	WAN_CUDA_ECC = 214,          /* cudaErrorECCUncorrectable */
	WAN_CUDA_STREAM_LEGACY = 1,  /* names of the default streams, as handles */
	WAN_CUDA_STREAM_PER_THREAD = 2,
};

struct cuda_dim3 {
	unsigned x, y, z;
};
struct cuda_extent {
	size_t width, height, depth;
};
struct cuda_position {
	size_t x, y, z;
};
struct cuda_pitched {
	void *at;
	size_t pitch, width, height;
};
struct cuda_channels {
	int x, y, z, w; /* bits */
	int kind;
};
struct cuda_copy_3d {
	const void *from_array;
	struct cuda_position from_position;
	struct cuda_pitched from;
	void *to_array;
	struct cuda_position to_position;
	struct cuda_pitched to;
	struct cuda_extent extent;
	int kind;
};
struct cuda_copy_3d_peer {
	const void *from_array;
	struct cuda_position from_position;
	struct cuda_pitched from;
	int from_device;
	void *to_array;
	struct cuda_position to_position;
	struct cuda_pitched to;
	int to_device;
	struct cuda_extent extent;
};
struct cuda_launch {
	struct cuda_dim3 grid, block;
	size_t shared_bytes;
	void *stream;
};

/* Driver. */
typedef unsigned long long cu_address;
struct cu_copy_2d {
	size_t from_x, from_y;
	unsigned from_type;
	const void *from_host;
	cu_address from_device;
	void *from_array;
	size_t from_pitch;
	size_t to_x, to_y;
	unsigned to_type;
	void *to_host;
	cu_address to_device;
	void *to_array;
	size_t to_pitch;
	size_t width, height;
};
struct cu_place_3d {
	size_t x, y, z, level;
	unsigned type;
	const void *host;
	cu_address device;
	void *array;
	void *reserved;
	size_t pitch, height;
};
struct cu_copy_3d {
	struct cu_place_3d from, to;
	struct cuda_extent extent;
};
struct cu_launch {
	unsigned grid[3], block[3], shared_bytes;
	void *stream;
};

/* Arguments of a function whose prototype changed between versions, handed through as words. */
typedef uintptr_t cuda_word;

static inline size_t wan_cuda_volume(const struct cuda_extent *extent)
{
	return extent->width * (extent->height ? extent->height : 1) *
	       (extent->depth ? extent->depth : 1);
}

static inline size_t wan_cuda_array_bytes(const struct cuda_channels *channels, size_t width,
					  size_t height, size_t depth)
{
	struct cuda_extent extent = {width, height, depth};
	int bits = channels->x + channels->y + channels->z + channels->w;
	return wan_cuda_volume(&extent) * (size_t)(bits > 0 ? bits : 8) / 8;
}

#endif
