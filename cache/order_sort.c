/* SPDX-License-Identifier: MIT */
#include "order_sort.h"

enum { SHORT = 12 };

static void swap(struct wan_order_item *a, struct wan_order_item *b)
{
	struct wan_order_item kept = *a;
	*a = *b;
	*b = kept;
}

/* Small ones before the returned place, large ones from it on; neither side is empty. */
static uint32_t partition(struct wan_order_item *items, uint32_t count)
{
	uint64_t a = items[0].key, b = items[count / 2].key, c = items[count - 1].key;
	uint64_t low = a < b ? a : b, high = a < b ? b : a;
	uint64_t pivot = c < low ? low : c > high ? high : c; /* the middle one of the three */
	uint32_t i = 0, j = count - 1;
	for (;;) {
		while (items[i].key < pivot)
			i++;
		while (items[j].key > pivot)
			j--;
		if (i >= j)
			break;
		swap(&items[i++], &items[j--]);
	}
	return i ? i : 1;
}

static void sort_short(struct wan_order_item *items, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct wan_order_item item = items[i];
		uint32_t j = i;
		for (; j > 0 && items[j - 1].key > item.key; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

void wan_order_sort(struct wan_order_item *items, uint32_t count)
{
	while (count > SHORT) {
		uint32_t left = partition(items, count);
		/* The shorter side by recursion: the stack stays small. */
		if (left < count - left) {
			wan_order_sort(items, left);
			items += left;
			count -= left;
		} else {
			wan_order_sort(items + left, count - left);
			count = left;
		}
	}
	sort_short(items, count);
}

uint64_t wan_order_select(struct wan_order_item *items, uint32_t count, uint32_t want)
{
	uint32_t first = 0, last = count;
	while (last - first > SHORT) {
		uint32_t left = first + partition(items + first, last - first);
		if (want < left)
			last = left;
		else
			first = left;
	}
	sort_short(items + first, last - first);
	return items[want].key;
}
