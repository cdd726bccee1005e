/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sys.h"

static size_t bytes_of(unsigned order)
{
	return sizeof(uintptr_t) << order;
}

static unsigned order_of(const struct wan_table *table)
{
	return table->cells & WAN_TABLE_LOW;
}

static uintptr_t *cells_of(const struct wan_table *table)
{
	return (uintptr_t *)(table->cells & ~WAN_TABLE_LOW);
}

static int map(struct wan_table *table, unsigned order)
{
	if (order > WAN_TABLE_ORDER_MAX)
		return -ENOMEM;
	if (table->sizes[order])
		return 0;
	void *cells = wan_sys->mmap(NULL, bytes_of(order), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cells == MAP_FAILED)
		return -ENOMEM;
	table->sizes[order] = cells;
	return 0;
}

int wan_table_init(struct wan_table *table, const uint64_t seeds[2])
{
	*table = (struct wan_table){.seeds = {seeds[0], seeds[1]}};
	int rc = map(table, WAN_TABLE_ORDER_MIN);
	if (rc == 0)
		table->cells = (uintptr_t)table->sizes[WAN_TABLE_ORDER_MIN] | WAN_TABLE_ORDER_MIN;
	return rc;
}

void wan_table_finish(struct wan_table *table)
{
	for (unsigned order = 0; order <= WAN_TABLE_ORDER_MAX; order++) {
		if (table->sizes[order])
			wan_sys->munmap(table->sizes[order], bytes_of(order));
	}
	*table = (struct wan_table){0};
}

size_t wan_table_bytes(const struct wan_table *table)
{
	return bytes_of(order_of(table));
}

/* Readers may still walk the old cells: they stay mapped, and zeros are all they will find. */
static void give_up(struct wan_table *table, unsigned order)
{
	uintptr_t *cells = table->sizes[order];
	if (wan_sys->madvise(cells, bytes_of(order), MADV_DONTNEED) == 0)
		return;
	for (size_t i = 0; i < (size_t)1 << order; i++)
		wan_store_relaxed(&cells[i], 0);
}

static void insert(const struct wan_table *table, uintptr_t *cells, unsigned order,
		   struct wan_cache_entry *entry)
{
	uint64_t hash = wan_table_hash(table, entry->key);
	size_t mask = ((size_t)1 << order) - 1, at = (size_t)(hash >> 6) & mask;
	while (wan_load_relaxed(&cells[at]))
		at = (at + 1) & mask;
	/* release: a reader that finds the entry finds its memory initialised */
	wan_store_release(&cells[at], (uintptr_t)entry | (hash & WAN_TABLE_LOW));
}

/* Moves all cells to the table of another size, which is mapped and empty. */
static void use(struct wan_table *table, unsigned order)
{
	unsigned before = order_of(table);
	const uintptr_t *old = cells_of(table);
	uintptr_t *fresh = table->sizes[order];
	for (size_t i = 0; i < (size_t)1 << before; i++) {
		if (old[i])
			insert(table, fresh, order,
			       (struct wan_cache_entry *)(old[i] & ~WAN_TABLE_LOW));
	}
	wan_store_release(&table->cells, (uintptr_t)fresh | order);
	give_up(table, before);
}

int wan_table_reserve(struct wan_table *table)
{
	unsigned order = order_of(table);
	if ((table->count + 1) * 2 <= (size_t)1 << order)
		return 0;
	if (map(table, order + 1) == 0) {
		use(table, order + 1);
		return 0;
	}
	/* Without memory it fills further than is good for speed. */
	return table->count + 1 <= ((size_t)1 << order) / 8 * 7 ? 0 : -ENOMEM;
}

void wan_table_insert(struct wan_table *table, struct wan_cache_entry *entry)
{
	insert(table, cells_of(table), order_of(table), entry);
	table->count++;
}

/* Takes out cell at, and moves those behind it that would no longer be found. */
static void remove_cell(const struct wan_table *table, size_t at)
{
	uintptr_t *cells = cells_of(table);
	size_t mask = ((size_t)1 << order_of(table)) - 1;
	for (size_t next = (at + 1) & mask; cells[next]; next = (next + 1) & mask) {
		const struct wan_cache_entry *entry =
			(const struct wan_cache_entry *)(cells[next] & ~WAN_TABLE_LOW);
		size_t home = (size_t)(wan_table_hash(table, entry->key) >> 6) & mask;
		if (((next - home) & mask) < ((next - at) & mask))
			continue; /* it lives between at and here */
		wan_store_relaxed(&cells[at], cells[next]);
		at = next;
	}
	wan_store_relaxed(&cells[at], 0);
}

void wan_table_remove(struct wan_table *table, struct wan_cache_entry *entry)
{
	const uintptr_t *cells = cells_of(table);
	size_t mask = ((size_t)1 << order_of(table)) - 1;
	size_t at = (size_t)(wan_table_hash(table, entry->key) >> 6) & mask;
	while ((cells[at] & ~WAN_TABLE_LOW) != (uintptr_t)entry)
		at = (at + 1) & mask;
	remove_cell(table, at);
	table->count--;

	unsigned order = order_of(table), smaller = order - 1;
	if (order == WAN_TABLE_ORDER_MIN || table->count * 16 > (size_t)1 << order)
		return;
	if (map(table, smaller) == 0)
		use(table, smaller);
}
