/* SPDX-License-Identifier: MIT */
/* The ranking against a plain array that is searched from end to end. */
#include "ranking.h"

#include "tap.h"

enum { IDS = 300 };

static struct plain {
	bool in, counted;
	uint64_t rank;
	uint32_t stamp;
} plain[IDS];

static uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static bool plain_before(uint32_t a, uint32_t b)
{
	if (plain[a].rank != plain[b].rank)
		return plain[a].rank < plain[b].rank;
	return plain[a].stamp < plain[b].stamp;
}

static uint32_t plain_next(bool counted_only, const bool given[IDS])
{
	uint32_t first = WAN_RANKING_NONE;
	for (uint32_t id = 0; id < IDS; id++) {
		if (plain[id].in && !given[id] && (plain[id].counted || !counted_only) &&
		    (first == WAN_RANKING_NONE || plain_before(id, first)))
			first = id;
	}
	return first;
}

static void check_walk(struct wan_ranking *ranking, bool counted_only)
{
	bool given[IDS] = {false};
	uint32_t expected;
	CHECK_EQ(wan_ranking_first(ranking, counted_only), plain_next(counted_only, given));
	wan_ranking_begin(ranking, counted_only);
	do {
		expected = plain_next(counted_only, given);
		if (!CHECK_EQ(wan_ranking_next(ranking), expected))
			return;
		if (expected != WAN_RANKING_NONE)
			given[expected] = true;
	} while (expected != WAN_RANKING_NONE);
}

TEST(walks_give_the_order_of_a_plain_search_after_any_changes)
{
	struct wan_ranking ranking = {0};
	uint64_t state = 5;
	REQUIRE_EQ(wan_ranking_reserve(&ranking, IDS / 2), 0);
	REQUIRE_EQ(wan_ranking_reserve(&ranking, IDS), 0);
	for (uint32_t step = 1; step < 4000; step++) {
		uint32_t id = random_next(&state) % IDS;
		if (random_next(&state) % 4 == 0) {
			wan_ranking_remove(&ranking, id);
			plain[id].in = false;
		} else {
			plain[id] = (struct plain){true, random_next(&state) % 2,
						   random_next(&state) % 50, step};
			wan_ranking_put(&ranking, id, plain[id].counted, plain[id].rank, step);
		}
		CHECK_EQ(wan_ranking_has(&ranking, id), plain[id].in);
		if (step % 100 == 0) {
			check_walk(&ranking, false);
			check_walk(&ranking, true);
		}
	}
	wan_ranking_finish(&ranking);
}

TEST(stamps_are_compared_as_they_wrap)
{
	struct wan_ranking ranking = {0};
	REQUIRE_EQ(wan_ranking_reserve(&ranking, 2), 0);
	wan_ranking_put(&ranking, 0, true, 1, 5);
	wan_ranking_put(&ranking, 1, true, 1, UINT32_MAX - 5);
	CHECK_EQ(wan_ranking_first(&ranking, false), 1);
	wan_ranking_finish(&ranking);
}

TAP_MAIN
