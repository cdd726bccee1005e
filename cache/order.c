/* SPDX-License-Identifier: MIT */
#include "order.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"
#include "order_sort.h"
#include "ticker.h"

enum {
	BATCH_MIN = 64,
	BATCH_MAX = 2048, /* a scan fills half: with 100 000 entries one eviction in 1000 scans */
	RANK_SHIFT = 62,
	KIND_BITS = 3,
};
#define ALL UINT64_MAX /* as a bound: nothing is outside the batch */

static struct wan_order_item item_of(const struct wan_order *order, uint32_t slot, uint64_t key)
{
	return (struct wan_order_item){key, slot, order->tags[slot] >> KIND_BITS};
}

/* Does the item still speak of the entry that the slot has now? */
static bool is_current(const struct wan_order *order, const struct wan_order_item *item)
{
	return order->born[item->slot] != WAN_ORDER_GONE &&
	       order->tags[item->slot] >> KIND_BITS == item->birth;
}

void wan_order_init(struct wan_order *order)
{
	*order = (struct wan_order){.batches = {{.bound = ALL}, {.bound = ALL}}};
}

void wan_order_finish(struct wan_order *order)
{
	wan_free(order->born);
	wan_free(order->tags);
	wan_free(order->noted);
	wan_policy_destroy(order->policy);
	for (unsigned i = 0; i < WAN_COUNT_OF(order->batches); i++)
		wan_free(order->batches[i].items);
	wan_order_init(order);
}

static int reserve_batches(struct wan_order *order, uint32_t count)
{
	if (count <= order->batch_capacity)
		return 0;
	for (unsigned i = 0; i < WAN_COUNT_OF(order->batches); i++) {
		struct wan_order_item *items =
			wan_realloc_array(order->batches[i].items, count, sizeof(*items));
		if (!items)
			return -ENOMEM;
		order->batches[i].items = items;
	}
	order->batch_capacity = count;
	return 0;
}

static int reserve_policy(struct wan_order *order, uint32_t count)
{
	if (!order->policy)
		return 0;
	uint32_t *noted = wan_realloc_array(order->noted, count, sizeof(*noted));
	if (!noted)
		return -ENOMEM;
	order->noted = noted;
	memset(noted + order->capacity, 0, (count - order->capacity) * sizeof(*noted));
	return wan_policy_reserve(order->policy, count);
}

int wan_order_reserve(struct wan_order *order, uint32_t count)
{
	if (count <= order->capacity)
		return 0;
	size_t capacity = WAN_MAX((size_t)order->capacity * 2, (size_t)BATCH_MIN);
	while (capacity < count)
		capacity *= 2;
	uint64_t *born = wan_realloc_array(order->born, capacity, sizeof(*born));
	if (!born)
		return -ENOMEM;
	order->born = born;
	uint32_t *tags = wan_realloc_array(order->tags, capacity, sizeof(*tags));
	if (!tags)
		return -ENOMEM;
	order->tags = tags;
	if (reserve_policy(order, (uint32_t)capacity) < 0)
		return -ENOMEM;
	if (reserve_batches(order, (uint32_t)WAN_CLAMP(capacity, BATCH_MIN, BATCH_MAX)) < 0)
		return -ENOMEM;
	for (size_t i = order->capacity; i < capacity; i++)
		order->born[i] = WAN_ORDER_GONE;
	order->capacity = (uint32_t)capacity;
	return 0;
}

void wan_order_reset(struct wan_order *order)
{
	if (order->policy)
		return;
	struct wan_record *records = order->records;
	wan_order_finish(order);
	order->records = records;
}

size_t wan_order_bytes(const struct wan_order *order)
{
	uint64_t policy_bytes = order->policy ? wan_policy_bytes(order->policy) +
							order->capacity * sizeof(*order->noted)
					      : 0;
	return policy_bytes + order->capacity * (sizeof(*order->born) + sizeof(*order->tags)) +
	       WAN_COUNT_OF(order->batches) * order->batch_capacity *
		       sizeof(*order->batches[0].items);
}

uint64_t wan_order_last_use(const struct wan_order *order, uint32_t slot)
{
	uint64_t last = order->born[slot];
	for (const struct wan_record *record = order->records; record; record = record->next) {
		if (slot >= record->stamp_count)
			continue;
		uint64_t stamp = wan_load_relaxed(&record->stamps[slot]);
		if (stamp > last)
			last = stamp;
	}
	return last;
}

/* A SCAN entry that was used after its insertion is an ordinary one. */
uint64_t wan_order_key(const struct wan_order *order, uint32_t slot)
{
	uint64_t last = wan_order_last_use(order, slot);
	uint64_t rank = 1;
	if (order->tags[slot] & WAN_ORDER_PIN)
		rank = 2;
	else if (order->tags[slot] & WAN_ORDER_SCAN && last == order->born[slot])
		rank = 0;
	return rank << RANK_SHIFT | last;
}

/* Where a key belongs from position first on. */
static uint32_t place_of(const struct wan_order_batch *batch, uint32_t first, uint64_t key)
{
	uint32_t low = first, high = batch->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (batch->items[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert_item(struct wan_order_batch *batch, uint32_t first, struct wan_order_item item)
{
	uint32_t at = place_of(batch, first, item.key);
	memmove(&batch->items[at + 1], &batch->items[at],
		(batch->count - at) * sizeof(*batch->items));
	batch->items[at] = item;
	batch->count++;
}

static void remove_item(struct wan_order_batch *batch, uint32_t at)
{
	batch->count--;
	memmove(&batch->items[at], &batch->items[at + 1],
		(batch->count - at) * sizeof(*batch->items));
}

/* Throws out what is gone; when that is little, also the newer half. */
static void compact(const struct wan_order *order, struct wan_order_batch *batch)
{
	uint32_t kept = 0;
	for (uint32_t i = batch->head; i < batch->count; i++) {
		if (is_current(order, &batch->items[i]))
			batch->items[kept++] = batch->items[i];
	}
	batch->head = batch->cursor = 0;
	batch->count = kept;
	if (kept > order->batch_capacity / 2) {
		batch->count = order->batch_capacity / 2;
		batch->bound = batch->items[batch->count].key;
	}
}

static void offer(const struct wan_order *order, struct wan_order_batch *batch, uint32_t slot,
		  uint64_t key)
{
	if (key >= batch->bound)
		return;
	if (batch->count == order->batch_capacity)
		compact(order, batch);
	if (key < batch->bound)
		insert_item(batch, batch->head, item_of(order, slot, key));
}

static uint32_t kind_of(const struct wan_policy_entry *entry)
{
	return (entry->counted ? WAN_ORDER_COUNTED : 0) |
	       (entry->flags & WAN_CACHE_SCAN ? WAN_ORDER_SCAN : 0) |
	       (entry->flags & WAN_CACHE_PIN ? WAN_ORDER_PIN : 0);
}

void wan_order_insert(struct wan_order *order, uint32_t slot, uint64_t stamp,
		      const struct wan_policy_entry *entry)
{
	uint32_t kind = kind_of(entry);
	order->born[slot] = stamp;
	order->tags[slot] = order->births++ << KIND_BITS | kind;
	if (order->policy) {
		wan_policy_inserted(order->policy, slot, entry);
		return;
	}
	uint64_t key = wan_order_key(order, slot);
	offer(order, &order->batches[0], slot, key);
	if (kind & WAN_ORDER_COUNTED)
		offer(order, &order->batches[1], slot, key);
}

void wan_order_use(struct wan_order *order, uint32_t slot, uint64_t stamp)
{
	order->tags[slot] &= ~(uint32_t)WAN_ORDER_SCAN;
	if (stamp > order->born[slot])
		order->born[slot] = stamp;
	if (order->policy)
		wan_policy_used(order->policy, slot);
}

void wan_order_remove(struct wan_order *order, uint32_t slot, bool evicted)
{
	order->born[slot] = WAN_ORDER_GONE;
	if (order->policy)
		wan_policy_removed(order->policy, slot, evicted);
}

void wan_order_missed(struct wan_order *order, struct wan_key key)
{
	if (order->policy)
		wan_policy_missed(order->policy, key);
}

/* Several threads may have noted the same entry: it counts once. */
static void tell_use(struct wan_order *order, uint32_t slot)
{
	if (slot >= order->capacity || order->born[slot] == WAN_ORDER_GONE ||
	    order->noted[slot] == order->drains)
		return;
	order->noted[slot] = order->drains;
	wan_policy_used(order->policy, slot);
}

void wan_order_drain(struct wan_order *order)
{
	if (!order->policy)
		return;
	order->drains++;
	for (struct wan_record *record = order->records; record; record = record->next) {
		if (!record->notes)
			continue;
		uint32_t end = wan_load_acquire(&record->notes->written);
		uint32_t at = record->notes->read;
		for (; at != end; at++)
			tell_use(order, wan_load_relaxed(&record->notes->slots[at % WAN_NOTES]));
		wan_store_release(&record->notes->read, at); /* room for the thread's next ones */
	}
}

/* The smallest keys of all slots, at most half the capacity of them. The buffer is cut down to them
 * each time it is full, so that a scan costs the same in whatever order the keys come. */
static void fill(struct wan_order *order, struct wan_order_batch *batch, uint32_t want,
		 wan_order_skip skip, void *context)
{
	uint32_t must = batch == &order->batches[1] ? WAN_ORDER_COUNTED : 0;
	uint32_t count = 0;
	uint64_t bound = ALL;
	for (uint32_t slot = 0; slot < order->capacity; slot++) {
		if (order->born[slot] == WAN_ORDER_GONE || (order->tags[slot] & must) != must)
			continue;
		uint64_t key = wan_order_key(order, slot);
		if (key >= bound || (skip && skip(context, slot)))
			continue;
		if (count == order->batch_capacity) {
			bound = wan_order_select(batch->items, count, want);
			count = want;
			if (key >= bound)
				continue;
		}
		batch->items[count++] = item_of(order, slot, key);
	}
	if (count > want && bound != ALL) {
		bound = wan_order_select(batch->items, count, want);
		count = want;
	}
	wan_order_sort(batch->items, count);
	batch->head = batch->cursor = 0;
	batch->count = count;
	batch->bound = bound;
}

static uint32_t wanted(const struct wan_order *order, uint32_t extra)
{
	uint32_t most = order->batch_capacity * 3 / 4;
	return WAN_MIN(order->batch_capacity / 2 + WAN_MIN(extra, most), most);
}

void wan_order_begin(struct wan_order *order, bool counted, uint32_t extra)
{
	if (order->policy) {
		wan_policy_begin(order->policy, counted);
		return;
	}
	struct wan_order_batch *batch = &order->batches[counted];
	batch->cursor = batch->head;
	if (batch->head == batch->count && batch->bound != ALL)
		fill(order, batch, wanted(order, extra), NULL, NULL);
}

/* The next item, brought up to date; false: it was no candidate, or not the next one. */
static bool settled(struct wan_order *order, struct wan_order_batch *batch, uint32_t *patience)
{
	const struct wan_order_item *item = &batch->items[batch->cursor];
	uint32_t slot = item->slot;
	if (!is_current(order, item)) {
		remove_item(batch, batch->cursor);
		return false;
	}
	uint64_t key = wan_order_key(order, slot);
	/* Threads that use everything all the time would keep us busy for ever. */
	if (key == item->key || *patience == 0)
		return true;
	--*patience;
	remove_item(batch, batch->cursor);
	if (key < batch->bound)
		insert_item(batch, batch->cursor, item_of(order, slot, key));
	return false;
}

uint32_t wan_order_next(struct wan_order *order, bool counted, wan_order_skip skip, void *context)
{
	if (order->policy)
		return wan_policy_next(order->policy);
	struct wan_order_batch *batch = &order->batches[counted];
	uint32_t patience = 2 * batch->count + BATCH_MIN;
	for (;;) {
		if (batch->cursor == batch->count) {
			if (batch->bound == ALL)
				return WAN_ORDER_NONE;
			bool first = batch->head == batch->count;
			fill(order, batch, wanted(order, 0), first ? NULL : skip, context);
			batch->partial |= !first;
			if (batch->count == 0)
				return WAN_ORDER_NONE;
		}
		if (settled(order, batch, &patience))
			return batch->items[batch->cursor++].slot;
	}
}

uint64_t wan_order_chosen_by(const struct wan_order *order, bool counted)
{
	const struct wan_order_batch *batch = &order->batches[counted];
	return order->policy ? 0 : batch->items[batch->cursor - 1].key & WAN_STAMP_MAX;
}

/* Those behind the cursor that are given once more are known to the caller. */
static void again(const struct wan_order *order, struct wan_order_batch *batch, uint32_t slot)
{
	for (uint32_t i = batch->head; i < batch->cursor; i++) {
		if (batch->items[i].slot != slot || !is_current(order, &batch->items[i]))
			continue;
		remove_item(batch, i);
		batch->cursor--;
		uint64_t key = wan_order_key(order, slot);
		if (key >= batch->bound)
			return;
		uint32_t at = place_of(batch, i, key);
		insert_item(batch, i, item_of(order, slot, key));
		batch->cursor = WAN_MIN(batch->cursor, at);
		return;
	}
}

void wan_order_again(struct wan_order *order, uint32_t slot)
{
	for (unsigned i = 0; !order->policy && i < WAN_COUNT_OF(order->batches); i++)
		again(order, &order->batches[i], slot);
}

void wan_order_end(struct wan_order *order, bool counted)
{
	if (order->policy)
		return;
	struct wan_order_batch *batch = &order->batches[counted];
	uint32_t kept = batch->cursor;
	for (uint32_t i = batch->cursor; i-- > batch->head;) {
		if (is_current(order, &batch->items[i]))
			batch->items[--kept] = batch->items[i];
	}
	batch->head = batch->cursor = kept;
	if (batch->partial) {
		batch->head = batch->cursor = batch->count = 0;
		batch->bound = 0;
		batch->partial = false;
	}
}
