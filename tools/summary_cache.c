/* SPDX-License-Identifier: MIT */
#include "summary_cache.h"

#include "counters.h"
#include "str.h"
#include "units.h"

static void hits_line(char *to, const struct wan_counter_sum *cache)
{
	char used[32], limit[32], saved[32];
	uint64_t requests = wan_counters_word(cache, "total_requests");
	uint64_t hits = wan_counters_word(cache, "hits");
	wan_str_format(
		to, WAN_SUMMARY_CACHE_BYTES,
		"cache: %llu of %llu requests were hits (%.0f %%), which saved %s; "
		"%s of %s in use, %llu evicted",
		(unsigned long long)hits, (unsigned long long)requests,
		100.0 * (double)hits / (double)requests,
		wan_format_duration(saved, sizeof(saved), wan_counters_word(cache, "time_saved")),
		wan_format_bytes(used, sizeof(used), wan_counters_word(cache, "memory_usage")),
		wan_format_bytes(limit, sizeof(limit), wan_counters_word(cache, "limit")),
		(unsigned long long)wan_counters_word(cache, "evictions"));
}

static void cold_line(char *to, const struct wan_view *view, const struct wan_counter_sum *cache)
{
	char bytes[32], raw[32], saved[32];
	uint64_t cold = wan_counters_word(cache, "cold");
	uint64_t made = wan_counters_word(cache, "cold_made");
	if (!made) {
		wan_str_format(to, WAN_SUMMARY_CACHE_BYTES, "cold tier: 0 values compressed: %s",
			       wan_counters_cold_reason(view));
		return;
	}
	size_t used = wan_str_format(
		to, WAN_SUMMARY_CACHE_BYTES,
		"cold tier: %llu values were compressed, %llu hits on them saved %s",
		(unsigned long long)made, (unsigned long long)wan_counters_word(cache, "cold_hits"),
		wan_format_duration(saved, sizeof(saved), wan_counters_word(cache, "cold_saved")));
	if (cold)
		wan_str_format(
			to + used, WAN_SUMMARY_CACHE_BYTES - used, "; %llu kept, %s for %s (%.1fx)",
			(unsigned long long)wan_counters_word(cache, "cold_entries"),
			wan_format_bytes(bytes, sizeof(bytes), cold),
			wan_format_bytes(raw, sizeof(raw), wan_counters_word(cache, "cold_raw")),
			(double)wan_counters_word(cache, "cold_raw") / (double)cold);
}

unsigned wan_summary_cache(const struct wan_view *view,
			   char lines[WAN_SUMMARY_CACHE_LINES][WAN_SUMMARY_CACHE_BYTES])
{
	struct wan_counter_sum cache;
	wan_counters_sum(view, WAN_COUNTERS_CACHE, &cache);
	if (!cache.blocks || !wan_counters_word(&cache, "total_requests"))
		return 0;
	hits_line(lines[0], &cache);
	cold_line(lines[1], view, &cache);
	return 2;
}
