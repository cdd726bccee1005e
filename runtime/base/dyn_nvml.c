/* SPDX-License-Identifier: MIT */
#include "dyn_nvml.h"

#include <dlfcn.h>
#include <sched.h>
#include <stddef.h>

#include "atomics.h"
#include "dyn.h"
#include "macros.h"

#define SYMBOL(field_, name_, required_)                                                           \
	{                                                                                          \
		.name = (name_), .offset = offsetof(struct wan_nvml, field_),                      \
		.required = (required_)                                                            \
	}

static const char *const sonames[] = {"libnvidia-ml.so.1", NULL};

static const struct wan_dyn_symbol symbols[] = {
	SYMBOL(init, "nvmlInit_v2", true),
	SYMBOL(device_by_bus, "nvmlDeviceGetHandleByPciBusId_v2", true),
	SYMBOL(utilization, "nvmlDeviceGetUtilizationRates", false),
	SYMBOL(processes, "nvmlDeviceGetComputeRunningProcesses_v3", false),
	SYMBOL(device_count, "nvmlDeviceGetCount_v2", false),
	SYMBOL(device_by_index, "nvmlDeviceGetHandleByIndex_v2", false),
	SYMBOL(name, "nvmlDeviceGetName", false),
	SYMBOL(memory, "nvmlDeviceGetMemoryInfo", false),
	SYMBOL(driver, "nvmlSystemGetDriverVersion", false),
};

static const struct wan_dyn_library library = {
	.sonames = sonames,
	.override_environment = "WAN_NVML",
	.symbols = symbols,
	.symbol_count = WAN_COUNT_OF(symbols),
};

enum { UNTRIED, TRYING, READY, ABSENT };
static struct wan_nvml shared;
static uint32_t state; /* of shared; READY and ABSENT are stored with release */

const struct wan_nvml *wan_nvml(void)
{
	uint32_t seen = wan_load_acquire(&state);
	if (wan_likely(seen == READY))
		return &shared;
	if (seen == ABSENT)
		return NULL;
	if (wan_cas_acq_rel(&state, &seen, TRYING)) {
		void *handle;
		bool usable = wan_dyn_load(&library, &shared, false, &handle) == 0;
		if (usable && shared.init() != 0) {
			dlclose(handle);
			usable = false;
		}
		wan_store_release(&state, usable ? READY : ABSENT);
		return usable ? &shared : NULL;
	}
	while (seen == TRYING) { /* the other thread loads it */
		sched_yield();
		seen = wan_load_acquire(&state);
	}
	return seen == READY ? &shared : NULL;
}
