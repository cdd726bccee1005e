/* SPDX-License-Identifier: MIT */
/* Ages, and what strict LRU would hold, against plain arrays. */
#include "history.h"

#include "tap.h"

enum { KEYS = 400, LIMIT = 10000, ENTRIES = 60 };

static struct wan_history history;
static uint32_t last[KEYS], record_of[KEYS]; /* last 0: never */
static bool in_lru[KEYS];

static uint64_t state;
static uint32_t random_next(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

static double bytes_of(uint32_t key)
{
	return 50 + key * 37 % 400;
}

static bool counted(uint32_t key)
{
	return key % 3 != 0;
}

static uint32_t step_of(uint32_t age)
{
	uint32_t step = 0;
	while (step + 1 < WAN_LEARN_AGES && wan_learn_age_begins(step + 1) <= age)
		step++;
	return step;
}

/* Both limits, the oldest first. */
static void plain_lru(uint32_t key)
{
	double bytes = 0;
	unsigned entries = 0;
	if (in_lru[key])
		return;
	in_lru[key] = true;
	for (uint32_t k = 0; k < KEYS; k++) {
		bytes += in_lru[k] ? bytes_of(k) : 0;
		entries += in_lru[k] && counted(k);
	}
	while (bytes > LIMIT || (counted(key) && entries > ENTRIES)) {
		uint32_t oldest = KEYS;
		for (uint32_t k = 0; k < KEYS; k++) {
			if (in_lru[k] && k != key && (bytes > LIMIT || counted(k)) &&
			    (oldest == KEYS || last[k] < last[oldest]))
				oldest = k;
		}
		in_lru[oldest] = false;
		bytes -= bytes_of(oldest);
		entries -= counted(oldest);
	}
}

static void access_key(uint32_t key)
{
	uint32_t record, forgotten;
	wan_history_tick(&history);
	while (wan_history_next_aged(&history) != WAN_SEEN_NONE)
		;
	if (last[key]) {
		record = wan_history_find(&history, key + 1);
		if (!CHECK_EQ(record, record_of[key]))
			return;
		wan_history_touch(&history, record);
	} else {
		record = record_of[key] = wan_history_add(&history, key + 1, &forgotten);
		history.records[record].bytes = bytes_of(key);
		history.records[record].counted = counted(key);
		CHECK_EQ(forgotten, WAN_SEEN_NONE);
	}
	last[key] = history.now;
	wan_history_lru_admit(&history, record, LIMIT, ENTRIES);
	plain_lru(key);
}

TEST(ages_and_strict_lru_agree_with_plain_ones)
{
	REQUIRE_EQ(wan_history_reserve(&history, KEYS / 2), 0);
	REQUIRE_EQ(wan_history_reserve(&history, KEYS), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t bound = i / 2000 % 2 ? KEYS : KEYS / 8;
		access_key(random_next() % bound);
		for (uint32_t key = 0; i % 50 == 0 && key < KEYS; key++) {
			if (!last[key])
				continue;
			const struct wan_seen *seen = &history.records[record_of[key]];
			uint32_t age = history.now - last[key];
			CHECK_EQ(seen->age, age ? step_of(age) : 0);
			CHECK_EQ(seen->in_lru, in_lru[key]);
		}
	}
	wan_history_finish(&history);
}

TEST(the_key_that_went_first_is_forgotten_first)
{
	struct wan_history small = {0};
	uint32_t records[4], forgotten;
	REQUIRE_EQ(wan_history_reserve(&small, 4), 0);
	for (uint32_t i = 0; i < 4; i++) {
		wan_history_tick(&small);
		records[i] = wan_history_add(&small, 100 + i, &forgotten);
		wan_history_cached(&small, records[i], i);
	}
	wan_history_gone(&small, records[2]);
	wan_history_gone(&small, records[0]);
	CHECK(wan_history_add(&small, 200, &forgotten) == records[2]);
	CHECK_EQ(forgotten, records[2]);
	CHECK_EQ(wan_history_find(&small, 102), WAN_SEEN_NONE);
	CHECK_EQ(wan_history_find(&small, 100), records[0]);
	wan_history_finish(&small);
}

TEST(the_mean_interval_leans_on_the_latest)
{
	struct wan_history small = {0};
	uint32_t forgotten;
	REQUIRE_EQ(wan_history_reserve(&small, 4), 0);
	uint32_t record = wan_history_add(&small, 1, &forgotten);
	small.now = 100;
	wan_history_touch(&small, record);
	CHECK_NEAR(small.records[record].interval, 100, 0.01);
	small.now = 110;
	wan_history_touch(&small, record);
	CHECK_NEAR(small.records[record].interval, 73, 0.01);
	wan_history_finish(&small);
}

TAP_MAIN
