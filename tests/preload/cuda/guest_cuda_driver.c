/* SPDX-License-Identifier: MIT */
/*
 * guest_cuda_driver WHAT [COUNT]: a program as one with the runtime linked statically: opens the
 * driver late, asks it for one function by dlsym() and for all others by that one.
 *   asked      asks for everything at version 12000, with its own streams when COUNT is odd
 *   old        asks at version 3000, where names meant other functions
 *   direct     takes the exported functions by dlsym()
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int (*get)(const char *name, void **function, int version, uint64_t flags, int *found);
static void *driver;

static void *ask(const char *name, int version, uint64_t flags)
{
	void *function = NULL;
	int error = get(name, &function, version, flags, NULL);
	if (error)
		printf("%s: %d\n", name, error);
	return function;
}

struct functions {
	int (*alloc)(uint64_t *to, size_t bytes);
	int (*free)(uint64_t at);
	int (*create)(uint64_t *handle, size_t bytes, const void *properties, uint64_t flags);
	int (*release)(uint64_t handle);
	int (*to_device)(uint64_t to, const void *from, size_t bytes, void *stream);
	int (*launch)(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
		      unsigned by, unsigned bz, unsigned shared_bytes, void *stream,
		      void **arguments, void **extra);
	int (*synchronize)(void *stream);
	int (*retain)(void **context, int device);
	int (*set_current)(void *context);
};

static void use(const struct functions *f, unsigned count)
{
	uint64_t at = 0, handle = 0;
	void *context = NULL;
	char host[100];
	int error = f->retain(&context, 1) | f->set_current(context);
	printf("alloc %d\n", f->alloc(&at, 1 << 20));
	printf("create %d\n", f->create(&handle, 1 << 21, NULL, 0));
	printf("copy %d\n", f->to_device(at, host, sizeof(host), NULL));
	for (unsigned i = 0; i < count; i++)
		error |= f->launch(&at, 1, 2, 3, 4, 5, 6, 7, NULL, NULL, NULL);
	printf("launch %d\n", error);
	printf("synchronize %d\n", f->synchronize(NULL));
	printf("release %d\n", f->release(handle));
	printf("free %d\n", f->free(at));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	driver = dlopen("libcuda.so.1", RTLD_NOW);
	if (!driver) {
		printf("no driver\n");
		return 0;
	}
	*(void **)&get = dlsym(driver, "cuGetProcAddress_v2");
	if (strcmp(what, "direct") == 0) {
		const struct functions f = {
			dlsym(driver, "cuMemAlloc_v2"),
			dlsym(driver, "cuMemFree_v2"),
			dlsym(driver, "cuMemCreate"),
			dlsym(driver, "cuMemRelease"),
			dlsym(driver, "cuMemcpyHtoDAsync_v2"),
			dlsym(driver, "cuLaunchKernel"),
			dlsym(driver, "cuStreamSynchronize"),
			dlsym(driver, "cuDevicePrimaryCtxRetain"),
			dlsym(driver, "cuCtxSetCurrent"),
		};
		use(&f, count);
		return 0;
	}
	int version = strcmp(what, "old") == 0 ? 3000 : 12000;
	uint64_t flags = count % 2 ? 2 : 0;
	if (strcmp(what, "asked") == 0) /* as the runtime does */
		*(void **)&get = ask("cuGetProcAddress", version, flags);
	const struct functions f = {
		ask("cuMemAlloc", 12000, flags),
		ask("cuMemFree", 12000, flags),
		ask("cuMemCreate", version, flags),
		ask("cuMemRelease", version, flags),
		ask("cuMemcpyHtoDAsync", version, flags),
		ask("cuLaunchKernel", version, flags),
		ask("cuStreamSynchronize", version, flags),
		ask("cuDevicePrimaryCtxRetain", version, flags),
		ask("cuCtxSetCurrent", version, flags),
	};
	use(&f, count);
	return 0;
}
