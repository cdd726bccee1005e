/* SPDX-License-Identifier: MIT */
/* The functions of NVIDIA's management library that we use: what the CUDA runtime does not tell. */
#ifndef WAN_BASE_DYN_NVML_H
#define WAN_BASE_DYN_NVML_H

#include <stdbool.h>
#include <stdint.h>

struct wan_nvml_utilization {
	unsigned gpu, memory; /* percent of the last sample period */
};
/* nvmlProcessInfo_t of the second and third version. */
struct wan_nvml_process {
	unsigned pid;
	unsigned long long used_bytes; /* all ones: not available */
	unsigned gpu_instance, compute_instance;
};

struct wan_nvml_memory {
	unsigned long long total, free, used;
};

/* All return 0 (NVML_SUCCESS) or a number of enum nvmlReturn_t. */
struct wan_nvml {
	int (*init)(void);
	int (*device_by_bus)(const char *bus_id, void **ret_device);
	int (*utilization)(void *device, struct wan_nvml_utilization *ret); /* optional */
	int (*processes)(void *device, unsigned *count, struct wan_nvml_process *processes); /* " */
	int (*device_count)(unsigned *count);                                                /* " */
	int (*device_by_index)(unsigned index, void **ret_device);                           /* " */
	int (*name)(void *device, char *to, unsigned bytes);                                 /* " */
	int (*memory)(void *device, struct wan_nvml_memory *ret);                            /* " */
	int (*driver)(char *to, unsigned bytes);                                             /* " */
};

/* The table, initialised; NULL: there is no usable library, or it refuses. WAN_NVML names a
 * stand-in. Creates no context on any device. Any thread; cached. */
const struct wan_nvml *wan_nvml(void);

#endif
