/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <errno.h>
#include <sys/mman.h>

#include "alloc.h"
#include "atomics.h"
#include "macros.h"
#include "sys.h"

/* Free slots beyond which an empty page is given back. */
#define ROOM_MIN   (3 * (uint64_t)WAN_SLOTS_IN_PAGE)
#define PAGE_BYTES (WAN_SLOTS_IN_PAGE * sizeof(struct wan_cache_entry))

/* The leak checker of a program that links us looks for pointers in what malloc() gave alone, and
 * would call each cached value a leak. There only where such a checker is
 * (sanitizer/lsan_interface.h). */
extern void __lsan_register_root_region(const void *from, size_t bytes) __attribute__((weak));
extern void __lsan_unregister_root_region(const void *from, size_t bytes) __attribute__((weak));

void wan_slots_init(struct wan_slots *slots)
{
	*slots = (struct wan_slots){.roomy = WAN_SLOTS_NONE};
}

void wan_slots_finish(struct wan_slots *slots)
{
	for (unsigned i = 0; i < WAN_SLOT_SEGMENTS; i++) {
		if (!slots->segments[i])
			continue;
		if (__lsan_unregister_root_region)
			__lsan_unregister_root_region(slots->segments[i], PAGE_BYTES << i);
		wan_sys->munmap(slots->segments[i], PAGE_BYTES << i);
	}
	wan_free(slots->pages);
	wan_slots_init(slots);
}

static void link_roomy(struct wan_slots *slots, uint32_t number)
{
	struct wan_slot_page *page = &slots->pages[number];
	page->previous = WAN_SLOTS_NONE;
	page->next = slots->roomy;
	if (page->next != WAN_SLOTS_NONE)
		slots->pages[page->next].previous = number;
	slots->roomy = number;
}

static void unlink_roomy(struct wan_slots *slots, uint32_t number)
{
	const struct wan_slot_page *page = &slots->pages[number];
	if (page->previous != WAN_SLOTS_NONE)
		slots->pages[page->previous].next = page->next;
	else
		slots->roomy = page->next;
	if (page->next != WAN_SLOTS_NONE)
		slots->pages[page->next].previous = page->previous;
}

/* One more page number at the end, with its segment mapped. */
static int extend(struct wan_slots *slots)
{
	uint32_t number = (uint32_t)slots->page_count;
	uint32_t segment = 31 - (uint32_t)__builtin_clz(number + 1);
	if (segment >= WAN_SLOT_SEGMENTS)
		return -ENOMEM;
	int rc = wan_array_reserve(&slots->pages, &slots->page_capacity, slots->page_count + 1,
				   sizeof(*slots->pages));
	if (rc < 0)
		return rc;
	if (!slots->segments[segment]) {
		void *mapped = wan_sys->mmap(NULL, PAGE_BYTES << segment, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (mapped == MAP_FAILED)
			return -ENOMEM;
		slots->segments[segment] = mapped;
		if (__lsan_register_root_region)
			__lsan_register_root_region(mapped, PAGE_BYTES << segment);
	}
	slots->pages[slots->page_count++] = (struct wan_slot_page){.generation = 1};
	return 0;
}

static int add_page(struct wan_slots *slots)
{
	uint32_t number = slots->vacant;
	while (number < slots->page_count && slots->pages[number].present)
		number++;
	slots->vacant = number;
	if (number == slots->page_count && extend(slots) < 0)
		return -ENOMEM;

	struct wan_slot_page *page = &slots->pages[number];
	struct wan_cache_entry *entries = wan_slots_page(slots, number);
	page->present = true;
	page->free = NULL;
	for (uint32_t i = WAN_SLOTS_IN_PAGE; i-- > 0;) {
		entries[i].slot = number * WAN_SLOTS_IN_PAGE + i;
		entries[i].generation = page->generation;
		entries[i].chain = page->free;
		page->free = &entries[i];
	}
	slots->present++;
	link_roomy(slots, number);
	return 0;
}

static void remove_page(struct wan_slots *slots, uint32_t number)
{
	struct wan_slot_page *page = &slots->pages[number];
	struct wan_cache_entry *entries = wan_slots_page(slots, number);
	for (size_t i = 0; i < WAN_SLOTS_IN_PAGE; i++)
		page->generation = WAN_MAX(page->generation, entries[i].generation);
	page->present = false;
	slots->present--;
	slots->vacant = WAN_MIN(slots->vacant, number);
	unlink_roomy(slots, number);
	/* When the kernel refuses, the memory stays as it is: free slots all the same. */
	(void)wan_sys->madvise(entries, PAGE_BYTES, MADV_DONTNEED);
}

struct wan_cache_entry *wan_slots_take(struct wan_slots *slots)
{
	if (slots->roomy == WAN_SLOTS_NONE && add_page(slots) < 0)
		return NULL;
	uint32_t number = slots->roomy;
	struct wan_slot_page *page = &slots->pages[number];
	struct wan_cache_entry *entry = page->free;
	page->free = entry->chain;
	page->used++;
	if (!page->free)
		unlink_roomy(slots, number);
	slots->used++;
	entry->pins = 0;
	entry->pinned_at = 0;
	entry->chain = NULL;
	wan_store_relaxed(&entry->state, WAN_ENTRY_TAKEN);
	return entry;
}

void wan_slots_give(struct wan_slots *slots, struct wan_cache_entry *entry)
{
	uint32_t number = entry->slot / WAN_SLOTS_IN_PAGE;
	struct wan_slot_page *page = &slots->pages[number];
	assert(entry->state != WAN_ENTRY_FREE && page->used > 0);
	wan_store_relaxed(&entry->state, WAN_ENTRY_FREE);
	entry->generation++;
	if (!page->free)
		link_roomy(slots, number);
	entry->chain = page->free;
	page->free = entry;
	page->used--;
	slots->used--;
	/* Some room stays, or a full cache would call the kernel on each eviction. */
	if (page->used == 0 && slots->present * WAN_SLOTS_IN_PAGE >= slots->used + ROOM_MIN)
		remove_page(slots, number);
}

struct wan_cache_entry *wan_slots_find(const struct wan_slots *slots, uint64_t slot,
				       uint64_t generation)
{
	if (slot / WAN_SLOTS_IN_PAGE >= slots->page_count ||
	    !slots->pages[slot / WAN_SLOTS_IN_PAGE].present)
		return NULL;
	struct wan_cache_entry *entry = wan_slots_at(slots, (uint32_t)slot);
	return entry->generation == generation ? entry : NULL;
}

uint32_t wan_slots_top(const struct wan_slots *slots)
{
	return (uint32_t)slots->page_count * WAN_SLOTS_IN_PAGE;
}
