/* SPDX-License-Identifier: MIT */
#include "price.h"

#include "clock.h"
#include "heap.h"
#include "operation.h"

enum {
	TURNS = 64,
	PER = 1024, /* prices are of so many */
};

extern __typeof__(wan_alloc_price_turn) wan_alloc_price_turn __attribute__((weak));
extern __typeof__(wan_alloc_calls) wan_alloc_calls __attribute__((weak));

/* Words of the block, by schema.def. */
enum { OWN, ROWS, TIMED_ROWS, ROW_COST, TIMED_ROW_COST, ALLOCATIONS, ALLOCATION_COST };

static uint64_t *words;

/* The least of three rounds: an interruption is not the price. */
static uint64_t price(void (*turn)(void))
{
	uint64_t least = UINT64_MAX;
	for (int round = 0; round < 3; round++) {
		uint64_t start = wan_ticks();
		for (int i = 0; i < TURNS; i++)
			turn();
		least = WAN_MIN(least, wan_ticks() - start);
	}
	return (uint64_t)((double)least * wan_clock_ns_per_tick() * PER / TURNS);
}

/* What the short way of a row hook adds to a call, an indirect one included. */
static __attribute__((noinline)) void short_row(void)
{
	static struct wan_object *volatile object = &wan_objects[0];
	struct wan_object *row = object;
	row->row_wait = 1;
	if (wan_object_find_near(&words) || wan_unlikely(row->frame) || --row->row_wait < 0)
		return;
	row->frame = WAN_FRAME_ROW;
	__asm__ volatile("" ::: "memory");
	row->frame = 0;
}

/* And a timed one: two looks at the clock and some sums. */
static __attribute__((noinline)) void timed_row(void)
{
	struct wan_object *volatile row = &wan_objects[0];
	uint64_t start = wan_ticks();
	row->entered_ticks = start;
	uint64_t now = wan_ticks();
	row->row_ticks += now - start;
	row->entered_ticks = 0;
}

void wan_price_start(struct wan_recorder *recorder)
{
	if (!words)
		words = wan_recorder_counters(recorder, WAN_COUNTERS_OVERHEAD, "hooks");
	if (!words)
		return;
	/* Slot 0 of the table belongs to NULL and is never an object: it serves as one here. */
	wan_store_relaxed(&words[ROW_COST], price(short_row));
	wan_store_relaxed(&words[TIMED_ROW_COST], price(timed_row));
	wan_objects[0].row_ticks = 0;
	if (wan_heap_source() == WAN_HEAP_COUNTED && wan_alloc_price_turn)
		wan_store_relaxed(&words[ALLOCATION_COST], price(wan_alloc_price_turn));
}

void wan_price_spent(uint64_t ticks)
{
	uint64_t *to = wan_load_relaxed(&words);
	if (to)
		wan_add_relaxed(&to[OWN], ticks);
}

void wan_price_rows(const struct wan_object *object)
{
	uint64_t *to = wan_load_relaxed(&words);
	if (!to)
		return;
	int32_t rest = (int32_t)object->row_gap - object->row_wait;
	uint64_t timed = object->row_block + object->row_begun;
	uint64_t calls = (uint64_t)object->row_calls + object->row_begun +
			 (object->row_begun && rest > 0 ? (uint64_t)rest : 0);
	wan_add_relaxed(&to[ROWS], calls > timed ? calls - timed : 0);
	wan_add_relaxed(&to[TIMED_ROWS], timed);
	if (wan_alloc_calls)
		wan_max_relaxed(&to[ALLOCATIONS], wan_alloc_calls());
}
