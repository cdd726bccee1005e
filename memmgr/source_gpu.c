/* SPDX-License-Identifier: MIT */
/*
 * cudaMemGetInfo() creates a context where there is none (hundreds of MB of device memory), so only
 * devices are asked that the program itself has named, and only in a runtime it has itself loaded.
 */
#include "source.h"

#include <errno.h>
#include <unistd.h>

#include "dyn_cuda.h"
#include "dyn_nvml.h"
#include "macros.h"

int wan_source_gpu_current(void)
{
	const struct wan_cuda *cuda = wan_cuda(true);
	int device;
	if (!cuda || !cuda->get_device)
		return -ENODEV;
	if (cuda->get_device(&device) != 0 || device < 0 || device >= WAN_GPU_DEVICES_MAX)
		return -EIO;
	return device;
}

/* Reads one device and leaves the calling thread's current device as it was. */
static int read_device(const struct wan_cuda *cuda, int device, uint64_t *ret_used,
		       uint64_t *ret_total)
{
	int before;
	size_t free_bytes = 0, total_bytes = 0;
	if (cuda->get_device(&before) != 0)
		return -EIO;
	if (before != device && cuda->set_device(device) != 0)
		return -EIO;
	int status = cuda->mem_get_info(&free_bytes, &total_bytes);
	if (before != device)
		cuda->set_device(before);
	if (status != 0 || !total_bytes || free_bytes > total_bytes)
		return -EIO;
	*ret_used = total_bytes - free_bytes;
	*ret_total = total_bytes;
	return 0;
}

int wan_source_gpu_read(uint64_t device_mask, uint64_t *ret_used_bytes, uint64_t *ret_total_bytes)
{
	const struct wan_cuda *cuda = wan_cuda(true);
	if (!cuda || !cuda->get_device || !cuda->set_device || !cuda->mem_get_info)
		return -ENODEV;
	int status = -ENODEV;
	double fullest = -1;
	for (int device = 0; device < WAN_GPU_DEVICES_MAX; device++) {
		uint64_t used, total;
		if (!(device_mask >> device & 1))
			continue;
		int failed = read_device(cuda, device, &used, &total);
		if (failed) {
			status = status == 0 ? 0 : failed;
			continue;
		}
		if ((double)used / (double)total > fullest) {
			fullest = (double)used / (double)total;
			*ret_used_bytes = used;
			*ret_total_bytes = total;
		}
		status = 0;
	}
	return status;
}

static uint64_t own_bytes(const struct wan_nvml *nvml, void *device)
{
	enum { PROCESSES = 64 };
	struct wan_nvml_process processes[PROCESSES];
	unsigned count = PROCESSES;
	if (!nvml->processes || nvml->processes(device, &count, processes) != 0)
		return UINT64_MAX;
	/* Process numbers are those of the host: in a container of its own numbers we are not
	 * found. */
	for (unsigned i = 0; i < WAN_MIN(count, (unsigned)PROCESSES); i++)
		if (processes[i].pid == (unsigned)getpid())
			return processes[i].used_bytes;
	return UINT64_MAX;
}

void wan_source_gpu_more(int device, uint64_t *ret_own_bytes, double *ret_utilization_percent)
{
	const struct wan_cuda *cuda = wan_cuda(true);
	const struct wan_nvml *nvml = cuda && cuda->device_bus_id ? wan_nvml() : NULL;
	char bus_id[32];
	void *handle;
	struct wan_nvml_utilization utilization;
	if (!nvml || cuda->device_bus_id(bus_id, sizeof(bus_id), device) != 0 ||
	    nvml->device_by_bus(bus_id, &handle) != 0)
		return;
	*ret_own_bytes = own_bytes(nvml, handle);
	/* Not supported in a MIG slice: unknown then. */
	if (nvml->utilization && nvml->utilization(handle, &utilization) == 0)
		*ret_utilization_percent = utilization.gpu;
}
