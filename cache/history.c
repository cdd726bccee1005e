/* SPDX-License-Identifier: MIT */
/* Records of keys: table, list by time with its borders, and the list of the gone. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "history.h"

enum { LISTED = 1, GONE = 2 };

#define LATEST_SHARE 0.3f /* of the latest interval in the mean */

static struct wan_seen *at(const struct wan_history *history, uint32_t record)
{
	return &history->records[record];
}

static void rehash(struct wan_history *history)
{
	memset(history->table, 0xff, ((size_t)history->table_mask + 1) * sizeof(uint32_t));
	for (uint32_t i = history->oldest; i != WAN_SEEN_NONE; i = at(history, i)->newer) {
		uint32_t *bucket = &history->table[at(history, i)->hash & history->table_mask];
		at(history, i)->chain = *bucket;
		*bucket = i;
	}
}

static void begin_empty(struct wan_history *history)
{
	history->free = history->oldest = history->newest = WAN_SEEN_NONE;
	history->gone_oldest = history->gone_newest = WAN_SEEN_NONE;
	history->lru_edge = history->lru_counted_edge = WAN_SEEN_NONE;
	for (uint32_t age = 0; age < WAN_LEARN_AGES; age++) {
		history->borders[age] = WAN_SEEN_NONE;
		history->due[age] = wan_learn_age_begins(age);
	}
}

int wan_history_reserve(struct wan_history *history, uint32_t capacity)
{
	if (capacity <= history->capacity)
		return 0;
	uint32_t buckets = history->table_mask + 1;
	while (buckets < capacity)
		buckets *= 2;
	uint32_t *table = wan_malloc(buckets * sizeof(*table));
	if (!table)
		return -ENOMEM;
	struct wan_seen *records = wan_realloc_array(history->records, capacity, sizeof(*records));
	if (!records) {
		wan_free(table);
		return -ENOMEM;
	}
	if (!history->capacity)
		begin_empty(history);
	wan_free(history->table);
	history->table = table;
	history->table_mask = buckets - 1;
	history->records = records;
	for (uint32_t i = capacity; i-- > history->capacity;) {
		records[i] = (struct wan_seen){.chain = history->free};
		history->free = i;
	}
	history->capacity = capacity;
	rehash(history);
	return 0;
}

void wan_history_finish(struct wan_history *history)
{
	wan_free(history->records);
	wan_free(history->table);
}

uint32_t wan_history_find(const struct wan_history *history, uint64_t hash)
{
	uint32_t i = history->table[hash & history->table_mask];
	while (i != WAN_SEEN_NONE && at(history, i)->hash != hash)
		i = at(history, i)->chain;
	return i;
}

static void link_newest(struct wan_history *history, uint32_t record)
{
	struct wan_seen *entry = at(history, record);
	entry->last = history->now;
	entry->age = 0;
	entry->older = history->newest;
	entry->newer = WAN_SEEN_NONE;
	if (history->newest != WAN_SEEN_NONE)
		at(history, history->newest)->newer = record;
	else
		history->oldest = record;
	history->newest = record;
	entry->linked = LISTED;
}

/* The next newer one that LRU holds, for an edge that leaves its record. */
static uint32_t next_in_lru(const struct wan_history *history, uint32_t record, bool counted_only)
{
	do {
		record = at(history, record)->newer;
	} while (record != WAN_SEEN_NONE &&
		 !(at(history, record)->in_lru && (at(history, record)->counted || !counted_only)));
	return record;
}

void wan_history_lru_drop(struct wan_history *history, uint32_t record)
{
	struct wan_seen *entry = at(history, record);
	if (!entry->in_lru)
		return;
	if (history->lru_edge == record)
		history->lru_edge = next_in_lru(history, record, false);
	if (history->lru_counted_edge == record)
		history->lru_counted_edge = next_in_lru(history, record, true);
	entry->in_lru = false;
	history->lru_bytes -= entry->bytes;
	history->lru_counted -= entry->counted;
	if (history->lru_edge == WAN_SEEN_NONE)
		history->lru_bytes = 0; /* no rounding is carried along */
}

void wan_history_lru_admit(struct wan_history *history, uint32_t record, double limit_bytes,
			   uint64_t entry_limit)
{
	struct wan_seen *entry = at(history, record);
	if (entry->in_lru || entry->bytes > limit_bytes)
		return;
	while (history->lru_edge != WAN_SEEN_NONE &&
	       history->lru_bytes + entry->bytes > limit_bytes)
		wan_history_lru_drop(history, history->lru_edge);
	while (entry->counted && history->lru_counted_edge != WAN_SEEN_NONE &&
	       history->lru_counted >= entry_limit)
		wan_history_lru_drop(history, history->lru_counted_edge);
	entry->in_lru = true;
	history->lru_bytes += entry->bytes;
	history->lru_counted += entry->counted;
	if (history->lru_edge == WAN_SEEN_NONE)
		history->lru_edge = record;
	if (entry->counted && history->lru_counted_edge == WAN_SEEN_NONE)
		history->lru_counted_edge = record;
}

static void unlink_record(struct wan_history *history, uint32_t record)
{
	struct wan_seen *entry = at(history, record);
	for (uint32_t age = entry->age; age && history->borders[age] == record; age--)
		history->borders[age] = entry->older;
	if (entry->older != WAN_SEEN_NONE)
		at(history, entry->older)->newer = entry->newer;
	else
		history->oldest = entry->newer;
	if (entry->newer != WAN_SEEN_NONE)
		at(history, entry->newer)->older = entry->older;
	else
		history->newest = entry->older;
}

static void unlink_gone(struct wan_history *history, uint32_t record)
{
	struct wan_seen *entry = at(history, record);
	if (entry->linked != GONE)
		return;
	if (entry->gone_older != WAN_SEEN_NONE)
		at(history, entry->gone_older)->gone_newer = entry->gone_newer;
	else
		history->gone_oldest = entry->gone_newer;
	if (entry->gone_newer != WAN_SEEN_NONE)
		at(history, entry->gone_newer)->gone_older = entry->gone_older;
	else
		history->gone_newest = entry->gone_older;
	entry->linked = LISTED;
}

void wan_history_cached(struct wan_history *history, uint32_t record, uint32_t slot)
{
	unlink_gone(history, record);
	at(history, record)->slot = slot;
}

void wan_history_gone(struct wan_history *history, uint32_t record)
{
	struct wan_seen *entry = at(history, record);
	entry->slot = WAN_SEEN_NONE;
	entry->linked = GONE;
	entry->gone_older = history->gone_newest;
	entry->gone_newer = WAN_SEEN_NONE;
	if (history->gone_newest != WAN_SEEN_NONE)
		at(history, history->gone_newest)->gone_newer = record;
	else
		history->gone_oldest = record;
	history->gone_newest = record;
}

static uint32_t forget(struct wan_history *history)
{
	uint32_t record = history->gone_oldest;
	if (record == WAN_SEEN_NONE)
		return record;
	struct wan_seen *entry = at(history, record);
	uint32_t *link = &history->table[entry->hash & history->table_mask];
	while (*link != record)
		link = &at(history, *link)->chain;
	*link = entry->chain;
	wan_history_lru_drop(history, record);
	unlink_gone(history, record);
	unlink_record(history, record);
	*entry = (struct wan_seen){.chain = history->free};
	history->free = record;
	return record;
}

uint32_t wan_history_add(struct wan_history *history, uint64_t hash, uint32_t *ret_forgotten)
{
	*ret_forgotten = WAN_SEEN_NONE;
	if (history->free == WAN_SEEN_NONE)
		*ret_forgotten = forget(history);
	uint32_t record = history->free, *bucket = &history->table[hash & history->table_mask];
	struct wan_seen *entry = at(history, record);
	history->free = entry->chain;
	*entry =
		(struct wan_seen){.hash = hash, .chain = *bucket, .slot = WAN_SEEN_NONE, .uses = 1};
	*bucket = record;
	link_newest(history, record);
	return record;
}

void wan_history_touch(struct wan_history *history, uint32_t record)
{
	struct wan_seen *entry = at(history, record);
	float interval = (float)(history->now - entry->last);
	entry->interval += (interval - entry->interval) * (entry->uses > 1 ? LATEST_SHARE : 1);
	entry->uses += entry->uses < UINT8_MAX;
	entry->group = (uint8_t)wan_learn_group(entry->uses, entry->interval);
	if (history->lru_edge == record && entry->newer != WAN_SEEN_NONE) {
		uint32_t next = next_in_lru(history, record, false);
		history->lru_edge = next != WAN_SEEN_NONE ? next : record;
	}
	if (history->lru_counted_edge == record && entry->newer != WAN_SEEN_NONE) {
		uint32_t next = next_in_lru(history, record, true);
		history->lru_counted_edge = next != WAN_SEEN_NONE ? next : record;
	}
	uint8_t linked = entry->linked;
	unlink_record(history, record);
	link_newest(history, record);
	entry->linked = linked;
}

void wan_history_tick(struct wan_history *history)
{
	history->now++;
	history->step = WAN_LEARN_AGES - 1;
}

uint32_t wan_history_next_aged(struct wan_history *history)
{
	for (; history->step; history->step--) {
		uint32_t age = history->step;
		if ((int32_t)(history->due[age] - history->now) > 0)
			continue;
		uint32_t border = history->borders[age];
		uint32_t record =
			border != WAN_SEEN_NONE ? at(history, border)->newer : history->oldest;
		uint32_t begins = wan_learn_age_begins(age);
		if (record == WAN_SEEN_NONE) {
			history->due[age] = history->now + begins;
			continue;
		}
		history->due[age] = at(history, record)->last + begins;
		if ((int32_t)(history->due[age] - history->now) > 0)
			continue;
		history->borders[age] = record;
		at(history, record)->age = (uint8_t)age;
		return record;
	}
	return WAN_SEEN_NONE;
}
