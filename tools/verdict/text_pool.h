/* SPDX-License-Identifier: MIT */
/* Texts kept once each: a run has 65 536 operations and ten names. */
#ifndef WAN_TOOLS_TEXT_POOL_H
#define WAN_TOOLS_TEXT_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct text_pool {
	char **texts; /* open addressing, NULL: free */
	size_t count, capacity;
	bool failed; /* memory ran out once: what was kept since is NULL */
};

/* A copy that lives until finish; NULL for NULL, "" and when memory is out. */
const char *text_pool_keep(struct text_pool *pool, const char *text);
void text_pool_finish(struct text_pool *pool);

#endif
