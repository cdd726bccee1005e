/* SPDX-License-Identifier: MIT */
#include "dyn_cuda.h"

#include <dlfcn.h>
#include <sched.h>
#include <stdint.h>

#include "atomics.h"
#include "dyn.h"
#include "macros.h"

#define SYMBOL(field_, name_, required_)                                                           \
	{                                                                                          \
		.name = (name_), .offset = offsetof(struct wan_cuda, field_),                      \
		.required = (required_)                                                            \
	}

static const char *const sonames[] = {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0",
				      "libcudart.so", NULL};

static const struct wan_dyn_symbol symbols[] = {
	SYMBOL(get_device_count, "cudaGetDeviceCount", true),
	SYMBOL(get_device, "cudaGetDevice", true),
	SYMBOL(set_device, "cudaSetDevice", true),
	SYMBOL(mem_get_info, "cudaMemGetInfo", true),
	SYMBOL(device_bus_id, "cudaDeviceGetPCIBusId", false),
	SYMBOL(runtime_get_version, "cudaRuntimeGetVersion", false),
	SYMBOL(get_error_string, "cudaGetErrorString", false),
	SYMBOL(host_register, "cudaHostRegister", false),
	SYMBOL(host_unregister, "cudaHostUnregister", false),
};

static const struct wan_dyn_library library = {
	.sonames = sonames,
	.override_environment = "WAN_CUDART",
	.symbols = symbols,
	.symbol_count = WAN_COUNT_OF(symbols),
};

enum { EMPTY, FILLING, READY };
static struct wan_cuda shared;
static uint32_t state;  /* of shared; READY is stored with release */
static uint32_t absent; /* loading was tried and failed: not again, it searches the disk */

/* No lock: the loader runs foreign constructors, and a fork may come at any time. */
static const struct wan_cuda *publish(const struct wan_cuda *table, void *handle)
{
	uint32_t seen = EMPTY;
	if (wan_cas_acq_rel(&state, &seen, FILLING)) {
		shared = *table;
		wan_store_release(&state, READY);
		return &shared;
	}
	while (wan_load_acquire(&state) != READY) /* the other thread copies a few pointers */
		sched_yield();
	dlclose(handle);
	return &shared;
}

const struct wan_cuda *wan_cuda(bool only_if_loaded)
{
	struct wan_cuda table;
	void *handle;
	if (wan_load_acquire(&state) == READY)
		return &shared;
	/* What the program has loaded since is found even after a failed search. */
	if (wan_load_relaxed(&absent))
		only_if_loaded = true;
	if (wan_dyn_load(&library, &table, only_if_loaded, &handle) == 0)
		return publish(&table, handle);
	if (!only_if_loaded)
		wan_store_relaxed(&absent, 1);
	return NULL;
}

bool wan_cuda_framework_caches(void)
{
	/* torch's allocator; by its name, wherever it was loaded from */
	static const char *const names[] = {"libc10_cuda.so", "libc10_hip.so"};
	static uint32_t found;
	if (wan_load_relaxed(&found))
		return true;
	for (size_t i = 0; i < WAN_COUNT_OF(names); i++) {
		void *handle = dlopen(names[i], RTLD_LAZY | RTLD_NOLOAD);
		if (!handle)
			continue;
		dlclose(handle);
		wan_store_relaxed(&found, 1);
		return true;
	}
	return false;
}
