/* SPDX-License-Identifier: MIT */
/*
 * guest_nvtx: what the headers of NVTX 3 compile into a program, as far as ranges go: asks the
 * library named by NVTX_INJECTION64_PATH to fill tables of functions, and calls through them.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

int cudaMalloc(void **to, size_t bytes);
int cudaFree(void *at);

typedef void (*function)(void);
static function core[16], core2[16];
static function *core_table[16], *core2_table[16];

struct attributes {
	uint16_t version, bytes;
	uint32_t category;
	int32_t color_type;
	uint32_t color;
	int32_t payload_type, reserved;
	uint64_t payload;
	int32_t message_type;
	const void *message;
};

static int module_functions(int module, function ***table, unsigned *count)
{
	*table = module == 1 ? core_table : core2_table;
	*count = 16;
	return module == 1 || module == 5;
}

static const struct {
	size_t bytes;
	int (*functions)(int module, function ***table, unsigned *count);
} callbacks = {sizeof(callbacks), module_functions};

static const void *export_table(uint32_t id)
{
	return id == 1 ? &callbacks : NULL;
}

static int push(const char *name)
{
	return core[9] ? ((int (*)(const char *))core[9])(name) : -2;
}

static int pop(void)
{
	return core[11] ? ((int (*)(void))core[11])() : -2;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
}

static void *ends_elsewhere(void *id)
{
	((void (*)(uint64_t))core[7])((uint64_t)(uintptr_t)id);
	return NULL;
}

static void registered(void)
{
	void *domain = ((void *(*)(const char *))core2[12])("library");
	struct attributes attributes = {3, sizeof(attributes), 0, 0, 0, 0, 0, 0, 3, NULL};
	attributes.message = ((void *(*)(void *, const char *))core2[10])(domain, "kernel");
	((int (*)(void *, const struct attributes *))core2[4])(domain, &attributes);
	((int (*)(void *))core2[5])(domain);
	attributes.message_type = 2;
	attributes.message = L"wide";
	((int (*)(void *, const struct attributes *))core2[4])(domain, &attributes);
	((int (*)(void *))core2[5])(domain);
}

int main(void)
{
	const char *path = getenv("NVTX_INJECTION64_PATH");
	void *library = path ? dlopen(path, RTLD_LAZY) : NULL;
	int (*start)(const void *(*)(uint32_t)) =
		library ? (int (*)(const void *(*)(uint32_t)))dlsym(library,
								    "InitializeInjectionNvtx2")
			: NULL;
	void *first = NULL, *second = NULL;
	for (unsigned i = 0; i < 16; i++) {
		core_table[i] = &core[i];
		core2_table[i] = &core2[i];
	}
	int injected = start && start(export_table);
	if (!injected) {
		puts("done");
		return 0;
	}
	cudaMalloc(&first, 1 << 20); /* before: not the range's */
	push("step");
	cudaMalloc(&second, 3 << 20);
	push("inner");
	cudaFree(second);
	pop();
	pause_ms(3);
	pop();
	for (unsigned i = 0; i < 3000; i++) {
		char name[64];
		snprintf(name, sizeof(name), "tile %u", i);
		push(name);
		pop();
	}
	for (unsigned i = 0; i < 100; i++)
		push("deep");
	for (unsigned i = 0; i < 101; i++)
		pop();
	registered();
	pthread_t thread;
	uint64_t id = ((uint64_t(*)(const char *))core[5])("crossing");
	pthread_create(&thread, NULL, ends_elsewhere, (void *)(uintptr_t)id);
	pthread_join(thread, NULL);
	ends_elsewhere((void *)(uintptr_t)id); /* twice: nothing */
	((void (*)(const char *))core[2])("mark");
	cudaFree(first);
	puts("done");
	return 0;
}
