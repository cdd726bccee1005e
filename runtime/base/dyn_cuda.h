/* SPDX-License-Identifier: MIT */
/* The CUDA runtime functions we use; checked at build time against cuda_runtime_api.h if present.
 */
#ifndef WAN_BASE_DYN_CUDA_H
#define WAN_BASE_DYN_CUDA_H

#include <stdbool.h>
#include <stddef.h>

/* cudaError_t, an enumeration of int's size; dyn_cuda_check.c puts the real type here. */
#ifndef WAN_CUDA_ERROR
#define WAN_CUDA_ERROR int
#endif

struct wan_cuda {
	WAN_CUDA_ERROR (*get_device_count)(int *count);
	WAN_CUDA_ERROR (*get_device)(int *device);
	WAN_CUDA_ERROR (*set_device)(int device);
	WAN_CUDA_ERROR (*mem_get_info)(size_t *free_bytes, size_t *total_bytes);
	WAN_CUDA_ERROR (*device_bus_id)(char *to, int bytes, int device); /* optional */
	WAN_CUDA_ERROR (*runtime_get_version)(int *version);   /* optional: may be NULL */
	const char *(*get_error_string)(WAN_CUDA_ERROR error); /* optional: may be NULL */
	/* Page-locked memory; both or none. */
	WAN_CUDA_ERROR (*host_register)(void *at, size_t bytes, unsigned flags); /* optional */
	WAN_CUDA_ERROR (*host_unregister)(void *at);                             /* optional */
};

/* The table, or NULL when there is no usable CUDA runtime. With only_if_loaded no library is
 * brought in (a guest must not get its first CUDA call from us). WAN_CUDART names a stand-in for
 * the library. Makes no CUDA call itself. Any thread; cached. */
const struct wan_cuda *wan_cuda(bool only_if_loaded);

/* Whether a framework is in this process that keeps freed device memory for itself. Any thread. */
bool wan_cuda_framework_caches(void);

#endif
