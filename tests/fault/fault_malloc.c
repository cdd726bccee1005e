/* SPDX-License-Identifier: MIT */
#include "fault_malloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static atomic_uint_least64_t calls, injected, fail_at; /* fail_at 0: nothing is armed */
static atomic_int_least64_t blocks;
static atomic_bool fail_forever;

#ifndef SANITIZED
/* glibc's allocator under the names it keeps for those who replace it. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

static bool fails(void)
{
	uint64_t at = atomic_load(&fail_at);
	if (!at)
		return false;
	uint64_t number = atomic_fetch_add(&calls, 1) + 1;
	if (number < at || (number > at && !atomic_load(&fail_forever)))
		return false;
	atomic_fetch_add(&injected, 1);
	errno = ENOMEM;
	return true;
}

static void *counted(void *block)
{
	if (block)
		atomic_fetch_add(&blocks, 1);
	return block;
}

void *malloc(size_t bytes)
{
	return fails() ? NULL : counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
	return fails() ? NULL : counted(__libc_calloc(count, bytes));
}

void *realloc(void *block, size_t bytes)
{
	if (fails())
		return NULL;
	void *moved = __libc_realloc(block, bytes);
	if (!block)
		return counted(moved);
	if (!bytes && !moved) /* glibc frees then */
		atomic_fetch_sub(&blocks, 1);
	return moved;
}

void *memalign(size_t alignment, size_t bytes)
{
	return fails() ? NULL : counted(__libc_memalign(alignment, bytes));
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
	void *block = memalign(alignment, bytes);
	if (!block)
		return ENOMEM;
	*ret_block = block;
	return 0;
}

void free(void *block)
{
	if (block)
		atomic_fetch_sub(&blocks, 1);
	__libc_free(block);
}
#endif

bool wan_fault_malloc_available(void)
{
#ifdef SANITIZED
	return false;
#else
	return true;
#endif
}

void wan_fault_malloc_arm(uint64_t nth, bool forever)
{
	atomic_store(&calls, 0);
	atomic_store(&injected, 0);
	atomic_store(&fail_forever, forever);
	atomic_store(&fail_at, nth);
}

uint64_t wan_fault_malloc_disarm(void)
{
	atomic_store(&fail_at, 0);
	return atomic_load(&injected);
}

int64_t wan_fault_malloc_blocks(void)
{
	return atomic_load(&blocks);
}

int wan_fault_malloc_sweep(void (*scenario)(void *context), void *context)
{
	int total = 0;
	scenario(context); /* what is made once is made now */
	int64_t before = wan_fault_malloc_blocks();
	for (int forever = 0; forever < 2; forever++) {
		uint64_t nth = 1;
		do {
			wan_fault_malloc_arm(nth, forever);
			scenario(context);
			if (wan_fault_malloc_disarm() == 0)
				break;
			total++;
			if (wan_fault_malloc_blocks() != before) {
				printf("# leak: allocation %llu failed%s: %lld blocks more than "
				       "before\n",
				       (unsigned long long)nth, forever ? ", for ever" : "",
				       (long long)(wan_fault_malloc_blocks() - before));
				return -1;
			}
		} while (++nth < 100000);
	}
	return total;
}
