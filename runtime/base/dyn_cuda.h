/* SPDX-License-Identifier: MIT */
/* The CUDA runtime functions we use; checked at build time against cuda_runtime_api.h if present.
 */
#ifndef WAN_BASE_DYN_CUDA_H
#define WAN_BASE_DYN_CUDA_H

#include <stdbool.h>
#include <stddef.h>

struct wan_cuda {
	int (*get_device_count)(int *count);
	int (*get_device)(int *device);
	int (*set_device)(int device);
	int (*mem_get_info)(size_t *free_bytes, size_t *total_bytes);
	int (*runtime_get_version)(int *version);
	const char *(*get_error_string)(int error);
};

/* The table, or NULL when there is no usable CUDA runtime. With only_if_loaded no library is
 * brought in (a guest must not get its first CUDA call from us). Any thread; cached. */
const struct wan_cuda *wan_cuda(bool only_if_loaded);

#endif
