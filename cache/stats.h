/* SPDX-License-Identifier: MIT */
/*
 * Statistics as an array of words, mirrored into a recording when there is one. The private copy is
 * the truth: nothing is ever read back from the mirror, which another process may have written to.
 * Hits without the lock are counted in the record of their thread; they reach these words with the
 * thread's next step under the lock, with wan_cache_stats(), or with one of the next 64 steps of
 * others.
 */
#ifndef WAN_CACHE_STATS_H
#define WAN_CACHE_STATS_H

#include <stdint.h>

#include "atomics.h"
#include "budget.h"
#include "record.h"
#include "wan/cache.h"

/* Place of each word in the mirror. The order is part of the recording's format: append only. */
enum wan_cache_word {
	CACHE_WORD_LIMIT_BYTES,
	CACHE_WORD_USED_BYTES,
	CACHE_WORD_ENTRIES,
	CACHE_WORD_ENTRY_LIMIT,
	CACHE_WORD_REQUESTS,
	CACHE_WORD_HITS,
	CACHE_WORD_MISSES,
	CACHE_WORD_EVICTIONS,
	CACHE_WORD_EXPIRATIONS,
	CACHE_WORD_PUTS,
	CACHE_WORD_REFUSED_OVERSIZE,
	CACHE_WORD_PINNED_BYTES,
	CACHE_WORD_IN_FLIGHT_BYTES,
	CACHE_WORD_COLD_BYTES,
	CACHE_WORD_DEBT_BYTES,
	CACHE_WORD_TIME_SAVED_NS,
	CACHE_WORD_DERIVED_ENTRIES,
	CACHE_WORD_PASSED_THROUGH,
	CACHE_WORD_SHARED_WAITS,
	CACHE_WORD_WAIT_TIMEOUTS,
	CACHE_WORD_DEADLOCKS,
	CACHE_WORD_COLD_ENTRIES,
	CACHE_WORD_COLD_RAW_BYTES,
	CACHE_WORD_COLD_HITS,
	CACHE_WORD_COLD_MADE,
	CACHE_WORD_COLD_DROPPED,
	CACHE_WORD_COLD_SAVED_NS,
	CACHE_WORD_COLD_REASON,
	CACHE_WORDS
};
/* Words of the mirror; those after CACHE_WORDS stay as they are. */
enum { WAN_CACHE_MIRROR_WORDS = 64 };

struct wan_cache_counters {
	uint64_t words[CACHE_WORDS];
	uint64_t *mirror; /* NULL: none */
};

/* Writes the word everywhere when it changed. */
static inline void wan_counters_set(struct wan_cache_counters *counters, enum wan_cache_word word,
				    uint64_t value)
{
	if (counters->words[word] == value)
		return;
	counters->words[word] = value;
	if (counters->mirror)
		wan_store_relaxed(&counters->mirror[word], value);
}

static inline void wan_counters_add(struct wan_cache_counters *counters, enum wan_cache_word word,
				    uint64_t value)
{
	wan_counters_set(counters, word, counters->words[word] + value);
}

/* Zero, in the mirror too. */
void wan_counters_init(struct wan_cache_counters *counters, uint64_t *mirror);
/* Adds what a thread has counted in its record since the last time; NULL is allowed. */
void wan_counters_tell(struct wan_cache_counters *counters, struct wan_record *record);
void wan_counters_tell_all(struct wan_cache_counters *counters, struct wan_record *records);
/* All hits so far into the cache's counters and its words in the recording, unless its lock is
 * taken just now: for the end of a process. */
void wan_cache_tell(struct wan_cache *cache);
/* Brings the words that follow from the budget up to date. */
void wan_counters_follow(struct wan_cache_counters *counters, const struct wan_budget *budget);
/* Fills as much of *stats as its struct_size says. */
void wan_counters_report(const struct wan_cache_counters *counters, struct wan_cache_stats *stats);

#endif
