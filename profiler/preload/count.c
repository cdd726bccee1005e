/* SPDX-License-Identifier: MIT */
/*
 * libwanrt-count.so: hooks around the program's allocator that count the bytes of each thread, for
 * `wanprof run --alloc=count`. An object of its own, so that the library which hooks the codecs
 * never stands between a program and its allocator unless somebody asks for it.
 *
 * No lock, no allocation, no system call, no dlsym in a hook; thread-local storage is initial-exec,
 * there before a thread's first instruction and after its last destructor. The real functions are
 * looked up by the constructor, which the loader runs before all others (initfirst). What the
 * loader itself asks for before that comes from a small arena and is never given back: it cannot be
 * known yet whose free() it would go to.
 *
 * Counted is malloc_usable_size(), at both ends, so what is freed is what was allocated. A block
 * that realloc() moves is there twice for a moment, and counts so.
 *
 * A sanitizer's runtime is an allocator that must not be asked for sizes before it has started, nor
 * in the middle of that, and that looks at who calls it: in such a program calls are handed on by a
 * jump, and nothing is counted.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "atomics.h"
#include "heap.h"
#include "macros.h"

#define WAN_EXPORT __attribute__((visibility("default")))

enum {
	BOOT_BYTES = 1024 * 1024, /* zero pages: only what is used becomes memory */
	BOOT_ALIGN = 64,
};

static struct {
	void *(*malloc)(size_t bytes);
	void (*free)(void *block);
	void *(*calloc)(size_t count, size_t bytes);
	void *(*realloc)(void *block, size_t bytes);
	size_t (*usable)(void *block);
	void *(*memalign)(size_t alignment, size_t bytes);
	void *(*aligned_alloc)(size_t alignment, size_t bytes);
	int (*posix_memalign)(void **ret_block, size_t alignment, size_t bytes);
	void *(*valloc)(size_t bytes);
	void *(*pvalloc)(size_t bytes);
} real;

static enum { STARTING, COUNTING, PASSING } mode;
static bool complete;
static Dl_info allocator; /* behind the hooks */
static __thread struct wan_alloc_counters self __attribute__((tls_model("initial-exec")));

static char boot[BOOT_BYTES] __attribute__((aligned(4096)));
static size_t boot_used;

static inline bool is_boot(const void *block)
{
	return (uintptr_t)block - (uintptr_t)boot < sizeof(boot);
}

/* The size stands in front of the block. */
static __attribute__((noinline, cold)) void *boot_get(size_t alignment, size_t bytes)
{
	alignment = WAN_MAX(alignment, (size_t)BOOT_ALIGN);
	if (bytes < BOOT_BYTES && alignment < BOOT_BYTES) {
		size_t space = ((bytes + BOOT_ALIGN - 1) & ~(size_t)(BOOT_ALIGN - 1)) + alignment;
		size_t at = wan_add_relaxed(&boot_used, space);
		uintptr_t end = (uintptr_t)boot + at + space;
		if (at + space <= BOOT_BYTES) {
			uintptr_t block = (end - bytes) & ~(uintptr_t)(alignment - 1);
			((size_t *)block)[-1] = bytes;
			return (void *)block;
		}
	}
	errno = ENOMEM;
	return NULL;
}

static size_t boot_size(const void *block)
{
	return ((const size_t *)block)[-1];
}

static uint64_t calls; /* of all threads, in steps of CALLS_STEP */
enum { CALLS_STEP = 1024 };

static inline void add(size_t bytes)
{
	self.allocated += bytes;
	if (wan_unlikely((++self.calls & (CALLS_STEP - 1)) == 0))
		wan_add_relaxed(&calls, CALLS_STEP);
	int64_t level = (int64_t)(self.allocated - self.freed);
	if (level > self.high)
		self.high = level;
}

static inline void *counted(void *block)
{
	if (wan_likely(block != NULL))
		add(real.usable(block));
	return block;
}

WAN_EXPORT void *malloc(size_t bytes)
{
	if (wan_unlikely(mode != COUNTING))
		return mode == PASSING ? real.malloc(bytes) : boot_get(0, bytes);
	return counted(real.malloc(bytes));
}

WAN_EXPORT void free(void *block)
{
	if (wan_unlikely(!block || is_boot(block)))
		return;
	if (wan_likely(mode == COUNTING))
		self.freed += real.usable(block);
	real.free(block);
}

WAN_EXPORT void *calloc(size_t count, size_t bytes)
{
	size_t total;
	if (wan_likely(mode == COUNTING))
		return counted(real.calloc(count, bytes));
	if (mode == PASSING)
		return real.calloc(count, bytes);
	if (!__builtin_mul_overflow(count, bytes, &total))
		return boot_get(0, total); /* never used before: zeros */
	errno = ENOMEM;
	return NULL;
}

static __attribute__((noinline, cold)) void *realloc_boot(void *block, size_t bytes)
{
	void *fresh = malloc(bytes);
	if (fresh)
		memcpy(fresh, block, WAN_MIN(bytes, boot_size(block)));
	return fresh;
}

WAN_EXPORT void *realloc(void *block, size_t bytes)
{
	if (!block)
		return malloc(bytes);
	if (wan_unlikely(is_boot(block)))
		return realloc_boot(block, bytes);
	if (wan_unlikely(mode != COUNTING))
		return real.realloc(block, bytes);
	size_t before = real.usable(block);
	void *fresh = real.realloc(block, bytes);
	if (wan_likely(fresh != NULL)) {
		if (fresh == block)
			self.freed += before;
		add(real.usable(fresh));
		if (fresh != block)
			self.freed += before;
	} else if (bytes == 0) {
		self.freed += before; /* glibc's way to free */
	}
	return fresh;
}

WAN_EXPORT void *reallocarray(void *block, size_t count, size_t bytes)
{
	size_t total;
	if (!__builtin_mul_overflow(count, bytes, &total))
		return realloc(block, total);
	errno = ENOMEM;
	return NULL;
}

WAN_EXPORT size_t malloc_usable_size(void *block)
{
	if (wan_unlikely(!block))
		return 0;
	return wan_unlikely(is_boot(block)) ? boot_size(block) : real.usable(block);
}

WAN_EXPORT void *memalign(size_t alignment, size_t bytes)
{
	if (wan_unlikely(mode != COUNTING))
		return mode == PASSING ? real.memalign(alignment, bytes)
				       : boot_get(alignment, bytes);
	return counted(real.memalign(alignment, bytes));
}

WAN_EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
	if (wan_unlikely(mode != COUNTING))
		return mode == PASSING ? real.aligned_alloc(alignment, bytes)
				       : boot_get(alignment, bytes);
	return counted(real.aligned_alloc(alignment, bytes));
}

WAN_EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
	if (wan_unlikely(mode == PASSING))
		return real.posix_memalign(ret_block, alignment, bytes);
	if (wan_unlikely(mode == STARTING)) {
		void *block = boot_get(alignment, bytes);
		if (block)
			*ret_block = block;
		return block ? 0 : ENOMEM;
	}
	int error = real.posix_memalign(ret_block, alignment, bytes);
	if (wan_likely(error == 0))
		counted(*ret_block);
	return error;
}

WAN_EXPORT void *valloc(size_t bytes)
{
	if (mode == PASSING)
		return real.valloc(bytes);
	return mode == COUNTING ? counted(real.valloc(bytes)) : boot_get(4096, bytes);
}

WAN_EXPORT void *pvalloc(size_t bytes)
{
	if (mode == PASSING)
		return real.pvalloc(bytes);
	if (mode == STARTING)
		return boot_get(4096, (bytes + 4095) & ~(size_t)4095);
	return counted(real.pvalloc(bytes));
}

WAN_EXPORT struct wan_alloc_counters *wan_alloc_counters(void)
{
	return complete ? &self : NULL;
}

WAN_EXPORT uint64_t wan_alloc_calls(void)
{
	return wan_load_relaxed(&calls) + (self.calls & (CALLS_STEP - 1));
}

WAN_EXPORT void wan_alloc_price_turn(void)
{
	static void *block;
	if (!block)
		block = real.malloc(64);
	uint64_t before = self.calls;
	if (!block || is_boot(block))
		return;
	counted(block);
	self.freed += real.usable(block);
	self.calls = before;
}

/* An allocator that brings operator new is called by C++ without passing here, and what does not
 * pass here cannot be counted: then the memory of operations is unknown. Not asked by dlsym(): a
 * question that is answered with "no" allocates its message. */
void *_Znwm(size_t bytes) __attribute__((weak));
static bool brings_operator_new(void)
{
	Dl_info operator_new;
	return _Znwm && dladdr((void *)(uintptr_t)_Znwm, &operator_new) &&
	       allocator.dli_fbase == operator_new.dli_fbase;
}

WAN_EXPORT const char *wan_alloc_file(void)
{
	return allocator.dli_fname ? allocator.dli_fname : "";
}

/* The runtimes' entries, which they export whether they are a library or part of the program. */
void __asan_init(void) __attribute__((weak));
void __hwasan_init(void) __attribute__((weak));
void __lsan_init(void) __attribute__((weak));
void __msan_init(void) __attribute__((weak));
void __tsan_init(void) __attribute__((weak));

static bool sanitized(void)
{
	return __asan_init || __hwasan_init || __lsan_init || __msan_init || __tsan_init;
}

#define FIND(name, symbol)                                                                         \
	do {                                                                                       \
		void *found_ = dlsym(RTLD_NEXT, symbol);                                           \
		memcpy(&real.name, &found_, sizeof(found_));                                       \
	} while (0)

__attribute__((constructor)) static void start(void)
{
	int saved = errno;
	FIND(free, "free");
	FIND(calloc, "calloc");
	FIND(realloc, "realloc");
	FIND(usable, "malloc_usable_size");
	FIND(memalign, "memalign");
	FIND(aligned_alloc, "aligned_alloc");
	FIND(posix_memalign, "posix_memalign");
	FIND(valloc, "valloc");
	FIND(pvalloc, "pvalloc");
	FIND(malloc, "malloc");
	dladdr((void *)(uintptr_t)real.malloc, &allocator);
	complete = !sanitized() && !brings_operator_new();
	mode = sanitized() ? PASSING : COUNTING;
	errno = saved;
}
