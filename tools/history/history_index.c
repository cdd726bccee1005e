/* SPDX-License-Identifier: MIT */
#include "history_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "history_index_file.h"

struct history_entry *history_index_find(struct history_index *index, const char *path)
{
	size_t low = 0, high = index->loaded;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(index->entries[middle].path, path);
		if (order == 0)
			return &index->entries[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* new ones stand behind the sorted ones */
	for (size_t i = index->loaded; i < index->count; i++)
		if (strcmp(index->entries[i].path, path) == 0)
			return &index->entries[i];
	return NULL;
}

static int by_path(const void *left, const void *right)
{
	const struct history_entry *a = left, *b = right;
	return strcmp(a->path, b->path);
}

struct history_entry *history_index_put(struct history_index *index, const char *path)
{
	struct history_entry *found = history_index_find(index, path);
	if (found)
		return found;
	/* Searching the new ones one by one must not become the work. */
	if (index->count - index->loaded > 256) {
		qsort(index->entries, index->count, sizeof(*index->entries), by_path);
		index->loaded = index->count;
	}
	char *copy = wan_strdup(path);
	if (!copy || wan_array_reserve(&index->entries, &index->capacity, index->count + 1,
				       sizeof(*index->entries))) {
		wan_free(copy);
		return NULL;
	}
	found = &index->entries[index->count++];
	*found = (struct history_entry){.path = copy};
	return found;
}

int history_index_open(struct history_index *index, const char *folder)
{
	*index = (struct history_index){0};
	int rc = history_file_open(index, folder);
	if (index->count)
		qsort(index->entries, index->count, sizeof(*index->entries), by_path);
	index->loaded = index->count;
	if (rc)
		history_index_close(index);
	return rc;
}

bool history_index_save(struct history_index *index)
{
	bool any = false;
	for (size_t i = 0; i < index->count; i++)
		any |= index->entries[i].changed;
	if (!any || !index->database)
		return index->database != NULL;
	return history_file_save(index);
}

void history_index_close(struct history_index *index)
{
	history_file_close(index);
	for (size_t i = 0; i < index->count; i++) {
		wan_free(index->entries[i].path);
		wan_free(index->entries[i].line);
	}
	wan_free(index->entries);
	index->entries = NULL;
	index->count = index->capacity = index->loaded = 0;
}
