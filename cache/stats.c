/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <string.h>

#include "macros.h"

void wan_counters_init(struct wan_cache_counters *counters, uint64_t *mirror)
{
	*counters = (struct wan_cache_counters){.mirror = mirror};
	for (unsigned word = 0; mirror && word < CACHE_WORDS; word++)
		wan_store_relaxed(&mirror[word], 0);
}

void wan_counters_tell(struct wan_cache_counters *counters, struct wan_record *record)
{
	if (!record)
		return;
	uint64_t hits = wan_load_relaxed(&record->hits);
	uint64_t saved_ns = wan_load_relaxed(&record->saved_ns);
	wan_counters_add(counters, CACHE_WORD_REQUESTS, hits - record->told_hits);
	wan_counters_add(counters, CACHE_WORD_HITS, hits - record->told_hits);
	wan_counters_add(counters, CACHE_WORD_TIME_SAVED_NS, saved_ns - record->told_saved_ns);
	record->told_hits = hits;
	record->told_saved_ns = saved_ns;
}

void wan_counters_tell_all(struct wan_cache_counters *counters, struct wan_record *records)
{
	for (struct wan_record *record = records; record; record = record->next)
		wan_counters_tell(counters, record);
}

void wan_counters_follow(struct wan_cache_counters *counters, const struct wan_budget *budget)
{
	wan_counters_set(counters, CACHE_WORD_LIMIT_BYTES, budget->limit_bytes);
	wan_counters_set(counters, CACHE_WORD_ENTRY_LIMIT, budget->entry_limit);
	wan_counters_set(counters, CACHE_WORD_USED_BYTES, wan_budget_used(budget));
	wan_counters_set(counters, CACHE_WORD_ENTRIES, budget->entries);
	wan_counters_set(counters, CACHE_WORD_DERIVED_ENTRIES, budget->entries - budget->counted);
	wan_counters_set(counters, CACHE_WORD_PINNED_BYTES, budget->pinned_bytes);
	wan_counters_set(counters, CACHE_WORD_IN_FLIGHT_BYTES, budget->in_flight_bytes);
	wan_counters_set(counters, CACHE_WORD_DEBT_BYTES, wan_budget_debt(budget));
}

void wan_counters_report(const struct wan_cache_counters *counters, struct wan_cache_stats *stats)
{
	const uint64_t *words = counters->words;
	uint64_t requests = words[CACHE_WORD_REQUESTS];
	struct wan_cache_stats full = {
		.struct_size = stats->struct_size,
		.limit_bytes = words[CACHE_WORD_LIMIT_BYTES],
		.used_bytes = words[CACHE_WORD_USED_BYTES],
		.entries = words[CACHE_WORD_ENTRIES],
		.entry_limit = words[CACHE_WORD_ENTRY_LIMIT],
		.requests = requests,
		.hits = words[CACHE_WORD_HITS],
		.misses = words[CACHE_WORD_MISSES],
		.evictions = words[CACHE_WORD_EVICTIONS],
		.expirations = words[CACHE_WORD_EXPIRATIONS],
		.puts = words[CACHE_WORD_PUTS],
		.refused_oversize = words[CACHE_WORD_REFUSED_OVERSIZE],
		.pinned_bytes = words[CACHE_WORD_PINNED_BYTES],
		.in_flight_bytes = words[CACHE_WORD_IN_FLIGHT_BYTES],
		.cold_bytes = words[CACHE_WORD_COLD_BYTES],
		.debt_bytes = words[CACHE_WORD_DEBT_BYTES],
		.time_saved_ns = words[CACHE_WORD_TIME_SAVED_NS],
		.hit_rate = requests ? (double)words[CACHE_WORD_HITS] / (double)requests : 0,
		.derived_entries = words[CACHE_WORD_DERIVED_ENTRIES],
		.passed_through = words[CACHE_WORD_PASSED_THROUGH],
		.shared_waits = words[CACHE_WORD_SHARED_WAITS],
		.wait_timeouts = words[CACHE_WORD_WAIT_TIMEOUTS],
		.deadlocks = words[CACHE_WORD_DEADLOCKS],
		.cold_entries = words[CACHE_WORD_COLD_ENTRIES],
		.cold_raw_bytes = words[CACHE_WORD_COLD_RAW_BYTES],
		.cold_hits = words[CACHE_WORD_COLD_HITS],
		.cold_made = words[CACHE_WORD_COLD_MADE],
		.cold_dropped = words[CACHE_WORD_COLD_DROPPED],
		.cold_saved_ns = words[CACHE_WORD_COLD_SAVED_NS],
		.cold_reason = (enum wan_cold_reason)words[CACHE_WORD_COLD_REASON],
	};
	size_t told = stats->struct_size;
	memcpy(stats, &full, WAN_MIN(told, sizeof(full)));
	if (told > sizeof(full)) /* a program built against a later version: what we lack is 0 */
		memset((char *)stats + sizeof(full), 0, told - sizeof(full));
}
