/* SPDX-License-Identifier: MIT */
/* Compiled, never linked into anything: stops the build when a CUDA header on this machine declares
 * a function of our table otherwise than the table does. */
#include <cuda_runtime_api.h>

#define WAN_CUDA_ERROR cudaError_t
#include "dyn_cuda.h"

_Static_assert(sizeof(cudaError_t) == sizeof(int), "the table passes errors as int");
_Static_assert(cudaSuccess == 0, "callers compare with 0");

extern const struct wan_cuda wan_cuda_prototypes;
const struct wan_cuda wan_cuda_prototypes = {
	.get_device_count = cudaGetDeviceCount,
	.get_device = cudaGetDevice,
	.set_device = cudaSetDevice,
	.mem_get_info = cudaMemGetInfo,
	.device_bus_id = cudaDeviceGetPCIBusId,
	.runtime_get_version = cudaRuntimeGetVersion,
	.get_error_string = cudaGetErrorString,
	.host_register = cudaHostRegister,
	.host_unregister = cudaHostUnregister,
};
