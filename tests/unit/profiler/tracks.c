/* SPDX-License-Identifier: MIT */
/* Bars on one track nest, whatever the operations do. */
#include "tracks.h"

#include <stdlib.h>

#include "alloc.h"
#include "tap.h"

#define MOST 3000

static struct span {
	uint64_t start, end;
	uint32_t track;
} spans[MOST];
static unsigned ended, out_of_order, begun;
static uint64_t last_end[MOST];

static void on_end(void *context, struct wan_track *track, const struct wan_track_open *open)
{
	ended++;
	out_of_order += open->end_ns < last_end[track->number];
	last_end[track->number] = open->end_ns;
}

static void on_begin(void *context, struct wan_track *track)
{
	out_of_order += track->number != begun++;
}

static int by_start(const void *left, const void *right)
{
	const struct span *a = left, *b = right;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end > b->end ? -1 : a->end < b->end;
}

static unsigned crossings(unsigned count)
{
	unsigned bad = 0;
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < i; j++)
			bad += spans[i].track == spans[j].track && spans[i].start < spans[j].end &&
			       spans[j].start < spans[i].end &&
			       !(spans[i].start >= spans[j].start &&
				 spans[i].end <= spans[j].end) &&
			       !(spans[j].start >= spans[i].start && spans[j].end <= spans[i].end);
	return bad;
}

static void place_all(unsigned count, unsigned threads, bool tell)
{
	struct wan_tracks tracks = {.begun = on_begin, .ended = tell ? on_end : NULL};
	ended = out_of_order = begun = 0;
	memset(last_end, 0, sizeof(last_end));
	for (unsigned i = 0; i < count; i++) {
		struct wan_track *track =
			wan_tracks_place(&tracks, 1, i % threads, spans[i].start, spans[i].end, i);
		REQUIRE(track != NULL);
		CHECK_EQ(track->thread, i % threads);
		CHECK_EQ(track->open[track->depth - 1].item, i);
		spans[i].track = track->number;
	}
	wan_tracks_finish(&tracks);
	CHECK_EQ(crossings(count), 0);
	CHECK_EQ(out_of_order, 0);
	CHECK_EQ(ended, tell ? count : 0);
}

TEST(whatever_overlaps_is_on_different_tracks)
{
	srandom(1);
	for (unsigned round = 0; round < 20; round++) {
		unsigned count = 300, range = 50 + round * 40;
		for (unsigned i = 0; i < count; i++) {
			spans[i].start = (uint64_t)random() % range;
			spans[i].end = spans[i].start + (uint64_t)random() % range / 2;
		}
		qsort(spans, count, sizeof(*spans), by_start);
		place_all(count, 1 + round % 3, round % 2);
	}
}

TEST(what_nests_stays_on_one_track)
{
	for (unsigned i = 0; i < 100; i++)
		spans[i] = (struct span){i, 1000 - i, 0};
	place_all(100, 1, true);
	CHECK_EQ(begun, 1);
	for (unsigned i = 0; i < 100; i++)
		spans[i] = (struct span){i * 10, i * 10 + 10, 0};
	place_all(100, 1, true);
	CHECK_EQ(begun, 1);
}

TEST(hundreds_at_once_cost_neither_time_nor_validity)
{
	for (unsigned i = 0; i < MOST; i++)
		spans[i] = (struct span){i, MOST + i * 2, 0};
	place_all(MOST, 1, true);
	CHECK_EQ(begun, MOST);
}

TEST(operations_without_a_duration_are_fine)
{
	for (unsigned i = 0; i < 100; i++)
		spans[i] = (struct span){i / 10, i / 10, 0};
	place_all(100, 1, true);
	CHECK_EQ(begun, 1);
}

TEST(a_thousand_threads_have_a_track_each)
{
	struct wan_tracks tracks = {.begun = on_begin};
	begun = out_of_order = 0;
	for (uint32_t i = 0; i < 5000; i++)
		REQUIRE(wan_tracks_place(&tracks, i / 1000, i % 1000, i, i + 1, 0));
	for (uint32_t i = 0; i < 5000; i++)
		REQUIRE(wan_tracks_place(&tracks, i / 1000, i % 1000, 6000 + i, 7000 + i, 0));
	CHECK_EQ(begun, 5000);
	wan_tracks_finish(&tracks);
}

TAP_MAIN
