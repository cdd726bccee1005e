/* SPDX-License-Identifier: MIT */
#include "identity_table.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#include "alloc.h"
#include "hash.h"
#include "macros.h"

#define WATCHES_PER_PATH 2 /* its own file, and a share of the folders */

static uint32_t bucket_of(const struct wan_identity_table *table, uint64_t hash)
{
	return (uint32_t)(hash & table->bucket_mask);
}

static uint64_t mixed(uint64_t a, uint64_t b)
{
	uint64_t words[2] = {a, b};
	return wan_mix32(words, 2, 0);
}

static void clear(struct wan_identity_table *table)
{
	uint32_t buckets = table->bucket_mask + 1;
	memset(table->path_buckets, 0xff, buckets * sizeof(uint32_t));
	memset(table->file_buckets, 0xff, buckets * sizeof(uint32_t));
	memset(table->watch_buckets, 0xff, buckets * sizeof(uint32_t));
	for (uint32_t i = 0; i < table->path_max; i++) {
		uint32_t next = i + 1 < table->path_max ? i + 1 : WAN_NONE;
		table->paths[i] = (struct wan_known_path){.chain = next, .file = WAN_NONE};
		table->files[i] = (struct wan_known_file){.chain = next, .watch = WAN_NONE};
	}
	for (uint32_t i = 0; i < table->watch_max; i++) {
		struct wan_known_watch *watch = &table->watches[i];
		uint64_t events = watch->events;
		*watch = (struct wan_known_watch){
			.wd = -1,
			.chain = i + 1 < table->watch_max ? i + 1 : WAN_NONE,
			.file = WAN_NONE,
			.events = events + 1,
		};
	}
	table->free_path = table->free_file = table->free_watch = 0;
	table->path_count = table->watch_count = 0;
	table->epoch++;
	wan_hot_forget(&table->hot);
}

int wan_identity_table_init(struct wan_identity_table *table, uint32_t path_max,
			    void (*unwatch)(void *context, int wd), void *context)
{
	uint32_t buckets = 64;
	while (buckets < path_max * WATCHES_PER_PATH)
		buckets *= 2;
	*table = (struct wan_identity_table){
		.path_max = path_max,
		.watch_max = path_max * WATCHES_PER_PATH + WAN_PATH_STEPS_MAX,
		.bucket_mask = buckets - 1,
		.unwatch = unwatch,
		.context = context,
	};
	table->paths = wan_calloc(path_max, sizeof(*table->paths));
	table->files = wan_calloc(path_max, sizeof(*table->files));
	table->watches = wan_calloc(table->watch_max, sizeof(*table->watches));
	table->path_buckets = wan_calloc(buckets, 3 * sizeof(uint32_t));
	int hot = wan_hot_init(&table->hot, buckets / 2);
	if (!table->paths || !table->files || !table->watches || !table->path_buckets || hot < 0) {
		wan_identity_table_finish(table);
		return -ENOMEM;
	}
	table->file_buckets = table->path_buckets + buckets;
	table->watch_buckets = table->file_buckets + buckets;
	clear(table);
	return 0;
}

static void free_all_keys(struct wan_identity_table *table)
{
	for (uint32_t i = 0; table->files && i < table->path_max; i++) {
		wan_free(table->files[i].keys);
		table->files[i].keys = NULL;
	}
}

void wan_identity_table_finish(struct wan_identity_table *table)
{
	free_all_keys(table);
	wan_free(table->paths);
	wan_free(table->files);
	wan_free(table->watches);
	wan_free(table->path_buckets);
	wan_hot_finish(&table->hot);
	*table = (struct wan_identity_table){0};
}

void wan_identity_table_reset(struct wan_identity_table *table, bool free_keys)
{
	if (free_keys)
		free_all_keys(table);
	clear(table);
}

/* --- watches --- */

static uint32_t watch_find(const struct wan_identity_table *table, int wd)
{
	uint32_t at = table->watch_buckets[bucket_of(table, mixed((uint64_t)wd, 0))];
	while (at != WAN_NONE && table->watches[at].wd != wd)
		at = table->watches[at].chain;
	return at;
}

/* Out of its bucket: the kernel knows the number no more. */
static void watch_forget(struct wan_identity_table *table, struct wan_known_watch *watch)
{
	uint32_t *link = &table->watch_buckets[bucket_of(table, mixed((uint64_t)watch->wd, 0))];
	while (&table->watches[*link] != watch)
		link = &table->watches[*link].chain;
	*link = watch->chain;
	watch->wd = -1;
	watch->events++;
	table->forgotten++;
	wan_hot_forget(&table->hot);
	if (watch->file != WAN_NONE)
		table->files[watch->file].watch = WAN_NONE;
	watch->file = WAN_NONE;
}

uint32_t wan_watch_for(struct wan_identity_table *table, int wd, bool *ret_new)
{
	uint32_t at = watch_find(table, wd);
	*ret_new = at == WAN_NONE;
	if (at == WAN_NONE) {
		while (table->free_watch == WAN_NONE && table->path_count > 0)
			wan_path_drop_least_used(table);
		at = table->free_watch;
		if (at == WAN_NONE)
			return at;
		struct wan_known_watch *watch = &table->watches[at];
		table->free_watch = watch->chain;
		table->watch_count++;
		watch->taken = true;
		watch->wd = wd;
		watch->file = WAN_NONE;
		watch->names = 0;
		watch->events++;
		uint32_t bucket = bucket_of(table, mixed((uint64_t)wd, 0));
		watch->chain = table->watch_buckets[bucket];
		table->watch_buckets[bucket] = at;
	}
	table->watches[at].refs++;
	return at;
}

void wan_watch_unref(struct wan_identity_table *table, uint32_t at)
{
	struct wan_known_watch *watch = &table->watches[at];
	if (--watch->refs > 0)
		return;
	if (watch->wd >= 0) {
		table->unwatch(table->context, watch->wd);
		watch_forget(table, watch);
	}
	watch->taken = false;
	watch->chain = table->free_watch;
	table->free_watch = at;
	table->watch_count--;
}

uint64_t wan_watch_events(const struct wan_identity_table *table, const uint16_t *steps,
			  uint32_t count)
{
	uint64_t events = table->epoch;
	for (uint32_t i = 0; i < count; i++)
		events += table->watches[steps[i]].events;
	return events;
}

/* --- paths --- */

struct wan_known_path *wan_path_find(struct wan_identity_table *table, struct wan_key name)
{
	uint32_t at = table->path_buckets[bucket_of(table, name.words[0])];
	while (at != WAN_NONE) {
		struct wan_known_path *path = &table->paths[at];
		if (path->name.words[0] == name.words[0] && path->name.words[1] == name.words[1]) {
			path->used = ++table->uses;
			return path;
		}
		at = path->chain;
	}
	return NULL;
}

void wan_path_drop(struct wan_identity_table *table, struct wan_known_path *path)
{
	uint32_t at = (uint32_t)(path - table->paths);
	uint32_t *link = &table->path_buckets[bucket_of(table, path->name.words[0])];
	while (*link != at)
		link = &table->paths[*link].chain;
	*link = path->chain;
	wan_hot_forget(&table->hot);
	wan_path_set_steps(table, path, NULL, 0);
	wan_path_set_file(table, path, WAN_NONE);
	*path = (struct wan_known_path){.chain = table->free_path, .file = WAN_NONE};
	table->free_path = at;
	table->path_count--;
}

void wan_path_drop_least_used(struct wan_identity_table *table)
{
	struct wan_known_path *least = NULL;
	for (uint32_t i = 0; i < table->path_max; i++) {
		struct wan_known_path *path = &table->paths[i];
		if (path->taken && (!least || path->used < least->used))
			least = path;
	}
	if (least)
		wan_path_drop(table, least);
}

struct wan_known_path *wan_path_take(struct wan_identity_table *table, struct wan_key name)
{
	if (table->free_path == WAN_NONE)
		wan_path_drop_least_used(table);
	uint32_t at = table->free_path, bucket = bucket_of(table, name.words[0]);
	struct wan_known_path *path = &table->paths[at];
	table->free_path = path->chain;
	*path = (struct wan_known_path){.name = name,
					.used = ++table->uses,
					.chain = table->path_buckets[bucket],
					.file = WAN_NONE,
					.taken = true};
	table->path_buckets[bucket] = at;
	table->path_count++;
	return path;
}

bool wan_path_is_current(const struct wan_identity_table *table, const struct wan_known_path *path)
{
	return wan_watch_events(table, path->steps, path->step_count) == path->events;
}

void wan_path_set_steps(struct wan_identity_table *table, struct wan_known_path *path,
			const uint16_t *steps, uint32_t count)
{
	uint16_t old[WAN_PATH_STEPS_MAX];
	uint32_t old_count = path->step_count;
	memcpy(old, path->steps, sizeof(old));
	if (count > 0)
		memcpy(path->steps, steps, count * sizeof(*steps));
	path->step_count = (uint16_t)count;
	for (uint32_t i = 0; i < old_count; i++)
		wan_watch_unref(table, old[i]);
}

void wan_path_set_file(struct wan_identity_table *table, struct wan_known_path *path, uint32_t file)
{
	if (path->file != WAN_NONE)
		table->files[path->file].paths--;
	path->file = file;
	if (file != WAN_NONE)
		table->files[file].paths++;
}

/* --- files --- */

static uint32_t file_bucket(const struct wan_identity_table *table, uint64_t device, uint64_t inode)
{
	return bucket_of(table, mixed(device, inode));
}

static void file_drop(struct wan_identity_table *table, uint32_t at)
{
	struct wan_known_file *file = &table->files[at];
	uint32_t *link = &table->file_buckets[file_bucket(table, file->words[0], file->words[1])];
	while (*link != at)
		link = &table->files[*link].chain;
	*link = file->chain;
	if (file->watch != WAN_NONE)
		table->watches[file->watch].file = WAN_NONE;
	wan_free(file->keys); /* its values age out */
	*file = (struct wan_known_file){.chain = table->free_file, .watch = WAN_NONE};
	table->free_file = at;
}

static void file_drop_least_used(struct wan_identity_table *table)
{
	uint32_t least = WAN_NONE;
	for (uint32_t i = 0; i < table->path_max; i++) {
		const struct wan_known_file *file = &table->files[i];
		if (file->taken && file->paths == 0 &&
		    (least == WAN_NONE || file->used < table->files[least].used))
			least = i;
	}
	if (least != WAN_NONE)
		file_drop(table, least);
}

uint32_t wan_file_for(struct wan_identity_table *table, uint64_t device, uint64_t inode)
{
	uint32_t bucket = file_bucket(table, device, inode);
	uint32_t at = table->file_buckets[bucket];
	while (at != WAN_NONE &&
	       (table->files[at].words[0] != device || table->files[at].words[1] != inode))
		at = table->files[at].chain;
	if (at == WAN_NONE) {
		if (table->free_file == WAN_NONE)
			file_drop_least_used(table);
		if (table->free_file == WAN_NONE) { /* each is led to by a path */
			wan_path_drop_least_used(table);
			file_drop_least_used(table);
		}
		at = table->free_file;
		if (at == WAN_NONE)
			return at;
		struct wan_known_file *file = &table->files[at];
		table->free_file = file->chain;
		*file = (struct wan_known_file){.words = {device, inode},
						.chain = table->file_buckets[bucket],
						.watch = WAN_NONE,
						.taken = true};
		table->file_buckets[bucket] = at;
	}
	table->files[at].used = ++table->uses;
	return at;
}

/* --- events --- */

uint64_t wan_name_bit(const char *name)
{
	return (uint64_t)1 << (wan_hash64(name, strlen(name), 0) & 63);
}

void wan_identity_doubt(struct wan_identity_table *table)
{
	table->epoch++;
	wan_hot_forget(&table->hot);
	for (uint32_t i = 0; i < table->path_max; i++)
		table->files[i].modified |= table->files[i].taken && !table->files[i].settled;
}

void wan_identity_watches_lost(struct wan_identity_table *table)
{
	for (uint32_t i = 0; i < table->watch_max; i++)
		if (table->watches[i].taken && table->watches[i].wd >= 0)
			watch_forget(table, &table->watches[i]);
	wan_identity_doubt(table);
}

static void file_event(struct wan_identity_table *table, struct wan_known_watch *watch,
		       uint32_t mask, struct wan_file_keys **gone)
{
	struct wan_known_file *file = &table->files[watch->file];
	if (mask & (IN_MODIFY | IN_CLOSE_WRITE))
		file->modified = true;
	if ((mask & (IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF)) && file->keys) {
		file->keys->next = *gone;
		*gone = file->keys;
		file->keys = NULL;
	}
}

void wan_identity_apply(struct wan_identity_table *table, const struct inotify_event *event,
			struct wan_file_keys **gone)
{
	if (event->mask & IN_Q_OVERFLOW) {
		wan_identity_doubt(table);
		return;
	}
	uint32_t at = watch_find(table, event->wd);
	if (at == WAN_NONE)
		return; /* removed by us while events of it were queued */
	struct wan_known_watch *watch = &table->watches[at];
	if (event->len > 0) { /* something in a folder */
		bool moved = event->mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO);
		if (moved && (watch->names & wan_name_bit(event->name)))
			watch->events++;
		return;
	}
	watch->events++;
	if (watch->file != WAN_NONE)
		file_event(table, watch, event->mask, gone);
	if (event->mask & IN_IGNORED)
		watch_forget(table, watch);
}
