/* SPDX-License-Identifier: MIT */
/*
 * Memory and utilisation of the machine's GPUs, by NVIDIA's management library: it creates no
 * context and costs the command nothing. Starting it takes from milliseconds to seconds, so a
 * thread of its own does, and the sampler takes what it last said.
 */
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "atomics.h"
#include "clock.h"
#include "dyn.h"
#include "macros.h"
#include "run.h"
#include "thread.h"

#define FRESH_NS 5000000000ull /* an older answer is none: the library hangs */

enum { DEVICES_MOST = 64, PERIOD_MS = 500 };

struct memory {
	unsigned long long total, free, used;
};
struct utilization {
	unsigned gpu, memory;
};

static struct {
	int (*init)(void);
	int (*count)(unsigned *count);
	int (*device)(unsigned index, void **device);
	int (*memory)(void *device, struct memory *memory);
	int (*name)(void *device, char *to, unsigned bytes);
	int (*utilization)(void *device, struct utilization *utilization);
	int (*temperature)(void *device, int sensor, unsigned *celsius);
	int (*power)(void *device, unsigned *milliwatts);
	int (*slowed)(void *device, unsigned long long *reasons);
} nvml;

#define SYMBOL(field_, name_, required_)                                                           \
	{                                                                                          \
		.name = (name_), .offset = (size_t)((char *)&nvml.field_ - (char *)&nvml),         \
		.required = (required_)                                                            \
	}

/* Of all devices: hottest, together, any. */
static uint64_t heat_celsius = RUN_GPU_UNKNOWN, power_mw = UINT32_MAX, slowed_by = UINT32_MAX;
static uint64_t used_bytes = UINT64_MAX, percent = RUN_GPU_UNKNOWN, read_ns;

/* What the library said first: how the command found the GPUs. */
static struct run_gpu_look first;
static uint64_t first_told;

/* Without a driver there is nothing to ask; under WSL the device has another name. */
bool run_gpu_is_present(void)
{
	const char *stand_in = getenv("WAN_NVML");
	return (stand_in && stand_in[0]) || access("/dev/nvidiactl", F_OK) == 0 ||
	       access("/dev/dxg", F_OK) == 0;
}

static bool load(void)
{
	static const char *const sonames[] = {"libnvidia-ml.so.1", NULL};
	const struct wan_dyn_symbol symbols[] = {
		SYMBOL(init, "nvmlInit_v2", true),
		SYMBOL(count, "nvmlDeviceGetCount_v2", true),
		SYMBOL(device, "nvmlDeviceGetHandleByIndex_v2", true),
		SYMBOL(memory, "nvmlDeviceGetMemoryInfo", true),
		SYMBOL(name, "nvmlDeviceGetName", false),
		SYMBOL(utilization, "nvmlDeviceGetUtilizationRates", false),
		SYMBOL(temperature, "nvmlDeviceGetTemperature", false),
		SYMBOL(power, "nvmlDeviceGetPowerUsage", false),
		SYMBOL(slowed, "nvmlDeviceGetCurrentClocksThrottleReasons", false),
	};
	const struct wan_dyn_library library = {.sonames = sonames,
						.override_environment = "WAN_NVML",
						.symbols = symbols,
						.symbol_count = WAN_COUNT_OF(symbols)};
	void *handle;
	return wan_dyn_load(&library, &nvml, false, &handle) == 0 && nvml.init() == 0;
}

static void read_sensors(void **devices, unsigned count)
{
	uint64_t heat = RUN_GPU_UNKNOWN, power = UINT32_MAX, slowed = UINT32_MAX;
	for (unsigned i = 0; i < count; i++) {
		unsigned celsius, mw;
		unsigned long long reasons;
		if (!devices[i])
			continue;
		if (nvml.temperature && nvml.temperature(devices[i], 0, &celsius) == 0)
			heat = heat == RUN_GPU_UNKNOWN ? celsius : WAN_MAX(heat, (uint64_t)celsius);
		if (nvml.power && nvml.power(devices[i], &mw) == 0)
			power = power == UINT32_MAX ? mw : power + mw;
		if (nvml.slowed && nvml.slowed(devices[i], &reasons) == 0)
			slowed = (slowed == UINT32_MAX ? 0 : slowed) | (reasons & INT32_MAX);
	}
	wan_store_relaxed(&heat_celsius, heat);
	wan_store_relaxed(&power_mw, WAN_MIN(power, (uint64_t)UINT32_MAX));
	wan_store_relaxed(&slowed_by, slowed);
}

/* Memory of all devices together, utilisation of the busiest one. */
static void read_all(void **devices, unsigned count)
{
	uint64_t used = 0, busiest = RUN_GPU_UNKNOWN;
	unsigned known = 0;
	for (unsigned i = 0; i < count; i++) {
		struct memory memory;
		struct utilization utilization;
		if (devices[i] && nvml.memory(devices[i], &memory) == 0) {
			used += memory.used;
			known++;
		}
		if (devices[i] && nvml.utilization &&
		    nvml.utilization(devices[i], &utilization) == 0) {
			uint64_t here = WAN_MIN(utilization.gpu, 100u) * 100u;
			busiest = busiest == RUN_GPU_UNKNOWN ? here : WAN_MAX(busiest, here);
		}
	}
	read_sensors(devices, count);
	wan_store_relaxed(&used_bytes, known ? used : UINT64_MAX);
	wan_store_relaxed(&percent, busiest);
	wan_store_release(&read_ns, wan_now_ns());
}

static void look_first(void **devices, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct memory memory;
		if (!devices[i] || nvml.memory(devices[i], &memory) != 0)
			continue;
		first.used_bytes += memory.used;
		first.largest_bytes = WAN_MAX(first.largest_bytes, memory.total);
		if (first.at_ns == 0 && nvml.name &&
		    nvml.name(devices[i], first.model, sizeof(first.model)) != 0)
			first.model[0] = '\0';
		first.at_ns = wan_now_ns();
	}
	first.model[sizeof(first.model) - 1] = '\0';
	if (first.at_ns)
		wan_store_release(&first_told, 1);
}

bool run_gpu_first_look(struct run_gpu_look *ret_look)
{
	if (!wan_load_acquire(&first_told)) /* pairs with the release above */
		return false;
	*ret_look = first;
	return true;
}

static void *watch(void *unused)
{
	static void *devices[DEVICES_MOST];
	unsigned count = 0;
	if (!load() || nvml.count(&count) != 0)
		return NULL;
	count = WAN_MIN(count, (unsigned)DEVICES_MOST);
	for (unsigned i = 0; i < count; i++)
		if (nvml.device(i, &devices[i]) != 0)
			devices[i] = NULL;
	look_first(devices, count);
	const struct timespec pause = {.tv_nsec = PERIOD_MS * 1000000};
	for (;; nanosleep(&pause, NULL))
		read_all(devices, count);
	return NULL;
}

void run_gpu_start(void)
{
	pthread_t thread;
	if (run_gpu_is_present() && wan_thread_start(&thread, "wanprof-gpu", watch, NULL) == 0)
		pthread_detach(thread); /* ends with the process: nothing waits for the library */
}

void run_gpu_read(uint64_t *ret_used_bytes, uint64_t *ret_percent)
{
	uint64_t at = wan_load_acquire(&read_ns); /* pairs with the release above */
	bool fresh = at && wan_now_ns() - at < FRESH_NS;
	*ret_used_bytes = fresh ? wan_load_relaxed(&used_bytes) : UINT64_MAX;
	*ret_percent = fresh ? wan_load_relaxed(&percent) : RUN_GPU_UNKNOWN;
}

void run_gpu_sensors(uint64_t *ret_celsius, uint64_t *ret_mw, uint64_t *ret_slowed)
{
	uint64_t at = wan_load_acquire(&read_ns); /* pairs with the release above */
	bool fresh = at && wan_now_ns() - at < FRESH_NS;
	*ret_celsius = fresh ? wan_load_relaxed(&heat_celsius) : RUN_GPU_UNKNOWN;
	*ret_mw = fresh ? wan_load_relaxed(&power_mw) : UINT32_MAX;
	*ret_slowed = fresh ? wan_load_relaxed(&slowed_by) : UINT32_MAX;
}
