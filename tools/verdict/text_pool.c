/* SPDX-License-Identifier: MIT */
#include "text_pool.h"

#include <string.h>

#include "alloc.h"
#include "hash.h"

static size_t place_of(char *const *texts, size_t capacity, const char *text)
{
	size_t place = (size_t)wan_hash64(text, strlen(text), 0) & (capacity - 1);
	while (texts[place] && strcmp(texts[place], text) != 0)
		place = (place + 1) & (capacity - 1);
	return place;
}

static bool grow(struct text_pool *pool)
{
	size_t capacity = pool->capacity ? 2 * pool->capacity : 64;
	char **texts = wan_calloc(capacity, sizeof(*texts));
	if (!texts)
		return false;
	for (size_t i = 0; i < pool->capacity; i++)
		if (pool->texts[i])
			texts[place_of(texts, capacity, pool->texts[i])] = pool->texts[i];
	wan_free(pool->texts);
	pool->texts = texts;
	pool->capacity = capacity;
	return true;
}

const char *text_pool_keep(struct text_pool *pool, const char *text)
{
	if (!text || !text[0])
		return NULL;
	if (2 * pool->count >= pool->capacity && !grow(pool)) {
		pool->failed = true;
		return NULL;
	}
	char **place = &pool->texts[place_of(pool->texts, pool->capacity, text)];
	if (!*place) {
		*place = wan_strdup(text);
		pool->count += *place != NULL;
		pool->failed |= *place == NULL;
	}
	return *place;
}

void text_pool_finish(struct text_pool *pool)
{
	for (size_t i = 0; i < pool->capacity; i++)
		wan_free(pool->texts[i]);
	wan_free(pool->texts);
	*pool = (struct text_pool){0};
}
