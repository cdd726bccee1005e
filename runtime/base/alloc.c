/* SPDX-License-Identifier: MIT */
#include "alloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sys.h"

/* Nothing above half the address space can exist, and pointer differences inside it must fit. */
static bool too_large(size_t count, size_t bytes, size_t *ret_total)
{
	return __builtin_mul_overflow(count, bytes, ret_total) || *ret_total > PTRDIFF_MAX;
}

/* Zero bytes give a unique block: NULL means failure only. */
void *wan_malloc(size_t bytes)
{
	if (bytes > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return wan_sys->malloc(bytes ? bytes : 1);
}

void *wan_calloc(size_t count, size_t bytes)
{
	size_t total;
	if (too_large(count, bytes, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return total ? wan_sys->calloc(count, bytes) : wan_sys->calloc(1, 1);
}

void *wan_realloc_array(void *block, size_t count, size_t bytes)
{
	size_t total;
	if (too_large(count, bytes, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return wan_sys->realloc(block, total ? total : 1);
}

char *wan_strdup(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = wan_malloc(bytes);
	return copy ? memcpy(copy, text, bytes) : NULL;
}

void wan_free(void *block)
{
	wan_sys->free(block);
}

int wan_array_reserve(void *array_pointer, size_t *capacity, size_t want, size_t element_bytes)
{
	if (want <= *capacity)
		return 0;
	size_t count = *capacity > SIZE_MAX / 2 ? want : *capacity * 2;
	if (count < want)
		count = want;
	if (count < 8)
		count = 8;

	void *block; /* through memcpy: the caller's pointer has its own type */
	memcpy(&block, array_pointer, sizeof(block));
	block = wan_realloc_array(block, count, element_bytes);
	if (!block)
		return -ENOMEM;
	memcpy(array_pointer, &block, sizeof(block));
	*capacity = count;
	return 0;
}
