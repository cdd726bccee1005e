/* SPDX-License-Identifier: MIT */
/* Allocation through the table of sys.h. All return NULL on failure; sizes are overflow-checked. */
#ifndef WAN_BASE_ALLOC_H
#define WAN_BASE_ALLOC_H

#include <stddef.h>

void *wan_malloc(size_t bytes);
void *wan_calloc(size_t count, size_t bytes);
void *wan_realloc_array(void *block, size_t count, size_t bytes);
char *wan_strdup(const char *text);
void wan_free(void *block);

/* Grow *array (elements of element_bytes, *capacity allocated) so that it holds at least want
 * elements, doubling. Returns 0, -ENOMEM (array untouched). */
int wan_array_reserve(void *array_pointer, size_t *capacity, size_t want, size_t element_bytes);

#endif
