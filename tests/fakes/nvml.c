/* SPDX-License-Identifier: MIT */
/*
 * NVIDIA's management library without a GPU, for tests that name it (WAN_NVML). Environment, read
 * at each call: WAN_FAKE_NVML_DEVICES (default 1), WAN_FAKE_NVML_TOTAL and WAN_FAKE_NVML_USED in
 * bytes of each device (24 GiB, 1 GiB), WAN_FAKE_NVML_UTILIZATION (percent of device 0, 10 less of
 * each further one; default 50), WAN_FAKE_NVML_ERROR (every call returns it), WAN_FAKE_NVML_PID
 * (of the one process on each device, with WAN_FAKE_NVML_USED bytes; 0: none),
 * WAN_FAKE_NVML_DELAY_MS (starting takes so long), WAN_FAKE_NVML_NAME (of each device),
 * WAN_FAKE_NVML_CELSIUS (60), WAN_FAKE_NVML_MILLIWATTS (100000), WAN_FAKE_NVML_SLOWED (reasons; 0).
 */
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, INSUFFICIENT_SIZE = 7 };

static unsigned long long setting(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static int answer(void)
{
	return (int)setting("WAN_FAKE_NVML_ERROR", SUCCESS);
}

static unsigned count_devices(void)
{
	return (unsigned)setting("WAN_FAKE_NVML_DEVICES", 1);
}

static char devices[16];

EXPORT int nvmlInit_v2(void)
{
	unsigned long long ms = setting("WAN_FAKE_NVML_DELAY_MS", 0);
	struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
	return answer();
}

EXPORT int nvmlShutdown(void)
{
	return answer();
}

EXPORT int nvmlDeviceGetCount_v2(unsigned *count)
{
	*count = count_devices();
	return answer();
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
	if (index >= count_devices() || index >= sizeof(devices))
		return INVALID_ARGUMENT;
	*device = &devices[index];
	return answer();
}

/* "0000:01:00.0": the second number is the device, from 1 on. */
EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, void **device)
{
	const char *colon = bus_id;
	while (*colon && *colon != ':')
		colon++;
	unsigned long bus = *colon ? strtoul(colon + 1, NULL, 16) : 1;
	*device = &devices[(bus ? bus - 1 : 0) % sizeof(devices)];
	return answer();
}

static int tell(const char *text, char *to, unsigned bytes)
{
	unsigned i = 0;
	if (bytes == 0)
		return INSUFFICIENT_SIZE;
	for (; text[i] && i + 1 < bytes; i++)
		to[i] = text[i];
	to[i] = '\0';
	return answer();
}

EXPORT int nvmlDeviceGetName(void *device, char *to, unsigned bytes)
{
	const char *name = getenv("WAN_FAKE_NVML_NAME");
	(void)device;
	return tell(name ? name : "Stand-in GPU", to, bytes);
}

EXPORT int nvmlSystemGetDriverVersion(char *to, unsigned bytes)
{
	return tell("550.54.14", to, bytes);
}

struct memory {
	unsigned long long total, free, used;
};

EXPORT int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory)
{
	(void)device;
	memory->total = setting("WAN_FAKE_NVML_TOTAL", 24ull << 30);
	memory->used = setting("WAN_FAKE_NVML_USED", 1ull << 30);
	memory->free = memory->total - memory->used;
	return answer();
}

struct utilization {
	unsigned gpu, memory;
};

EXPORT int nvmlDeviceGetUtilizationRates(void *device, struct utilization *utilization)
{
	unsigned first = (unsigned)setting("WAN_FAKE_NVML_UTILIZATION", 50);
	unsigned less = 10 * (unsigned)((char *)device - devices);
	utilization->gpu = first > less ? first - less : 0;
	utilization->memory = utilization->gpu / 2;
	return answer();
}

struct process {
	unsigned pid;
	unsigned long long used_bytes;
	unsigned gpu_instance, compute_instance;
};

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count,
						   struct process *processes)
{
	(void)device;
	unsigned pid = (unsigned)setting("WAN_FAKE_NVML_PID", 0), room = *count;
	*count = pid != 0;
	if (pid && !room)
		return INSUFFICIENT_SIZE;
	if (pid)
		processes[0] = (struct process){pid, setting("WAN_FAKE_NVML_USED", 1ull << 30),
						0xffffffffu, 0xffffffffu};
	return answer();
}

EXPORT int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius)
{
	(void)device;
	*celsius = (unsigned)setting("WAN_FAKE_NVML_CELSIUS", 60);
	return sensor == 0 ? answer() : INVALID_ARGUMENT;
}

EXPORT int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts)
{
	(void)device;
	*milliwatts = (unsigned)setting("WAN_FAKE_NVML_MILLIWATTS", 100000);
	return answer();
}

EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *reasons)
{
	(void)device;
	*reasons = setting("WAN_FAKE_NVML_SLOWED", 0);
	return answer();
}
