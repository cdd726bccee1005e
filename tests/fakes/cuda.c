/* SPDX-License-Identifier: MIT */
/*
 * A CUDA driver without a GPU, as far as it is hooked: every function answers WAN_FAKE_CUDA_ERROR
 * (default 0); allocations give host memory. cuGetProcAddress() finds by base name, version and
 * stream variant, as the real one does.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

int wan_fake_cuda_driver_answer(void);
int wan_fake_cuda_driver_answer(void)
{
	const char *error = getenv("WAN_FAKE_CUDA_ERROR");
	return error ? atoi(error) : 0;
}

EXPORT int cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags,
			       int *found);
EXPORT int cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t flags,
			       int *found)
{
	static const char *const plain[] = {"_v2", ""}, *const own[] = {"_v2_ptsz", "_v2_ptds",
									"_ptsz", "_ptds"};
	char full[128];
	*function = NULL;
	void *self = dlopen(NULL, RTLD_LAZY);
	Dl_info here;
	if (dladdr((void *)cuGetProcAddress_v2, &here))
		self = dlopen(here.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	for (unsigned i = 0; flags & 2 && i < 4 && !*function; i++) {
		snprintf(full, sizeof(full), "%s%s", name, own[i]);
		*function = dlsym(self, full);
	}
	for (unsigned i = version < 3020; i < 2 && !*function; i++) {
		snprintf(full, sizeof(full), "%s%s", name, plain[i]);
		*function = dlsym(self, full);
	}
	if (found)
		*found = *function ? 0 : 1;
	return *function ? 0 : 500;
}

EXPORT int cuGetProcAddress(const char *name, void **function, int version, uint64_t flags);
EXPORT int cuGetProcAddress(const char *name, void **function, int version, uint64_t flags)
{
	return cuGetProcAddress_v2(name, function, version, flags, NULL);
}

EXPORT int cuMemAlloc_v2(uint64_t *to, size_t bytes);
EXPORT int cuMemAlloc_v2(uint64_t *to, size_t bytes)
{
	int error = wan_fake_cuda_driver_answer();
	if (!error)
		*to = (uintptr_t)malloc(bytes);
	return error;
}

EXPORT int cuMemFree_v2(uint64_t at);
EXPORT int cuMemFree_v2(uint64_t at)
{
	free((void *)(uintptr_t)at);
	return wan_fake_cuda_driver_answer();
}

EXPORT int cuMemCreate(uint64_t *handle, size_t bytes, const void *properties, uint64_t flags);
EXPORT int cuMemCreate(uint64_t *handle, size_t bytes, const void *properties, uint64_t flags)
{
	static atomic_ullong last;
	(void)bytes;
	(void)properties;
	(void)flags;
	*handle = ++last;
	return wan_fake_cuda_driver_answer();
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device);
EXPORT int cuDevicePrimaryCtxRetain(void **context, int device)
{
	static char contexts[16];
	*context = &contexts[device & 15];
	return wan_fake_cuda_driver_answer();
}
