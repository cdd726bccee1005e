/* SPDX-License-Identifier: MIT */
#include "counters.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct {
	uint32_t kind;
	unsigned index;
	const char *name;
} table[] = {
#define WAN_WORD(kind, index, name, unit) {WAN_COUNTERS_##kind, index, name},
#define WAN_EVENT(kind, index, name, unit)
#include "schema.def"
#undef WAN_WORD
#undef WAN_EVENT
};

static uint64_t word(uint32_t kind, const uint64_t *words, const char *name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].kind == kind && strcmp(table[i].name, name) == 0)
			return words[table[i].index];
	assert(!"a word that is not in schema.def");
	return 0;
}

void wan_counters_sum(const struct wan_view *view, uint32_t kind, struct wan_counter_sum *ret_sum)
{
	*ret_sum = (struct wan_counter_sum){.kind = kind};
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->counters_count; j++) {
			const struct wan_process_counters *block = &process->counters[j];
			if (block->kind != kind)
				continue;
			ret_sum->blocks++;
			for (size_t k = 0; k < 63; k++)
				ret_sum->words[k] += block->words[k];
		}
	}
}

uint64_t wan_counters_word(const struct wan_counter_sum *sum, const char *name)
{
	return word(sum->kind, sum->words, name);
}

uint64_t wan_counters_block_word(const struct wan_process_counters *block, const char *name)
{
	return word(block->kind, block->words, name);
}

/* The words of wan_cold_reason_text(): a reader has recordings, not a cache. */
static const char *cold_reason_text(uint64_t reason)
{
	static const char *const texts[] = {
#define WAN_COLD_REASON(name, text) text,
#include "cold_reasons.def"
#undef WAN_COLD_REASON
	};
	return reason < sizeof(texts) / sizeof(*texts) ? texts[reason] : "unknown";
}

const char *wan_counters_cold_reason(const struct wan_view *view)
{
	uint64_t most = 0, reason = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->counters_count; j++) {
			const struct wan_process_counters *block = &process->counters[j];
			if (block->kind != WAN_COUNTERS_CACHE)
				continue;
			uint64_t requests = wan_counters_block_word(block, "total_requests");
			if (requests < most)
				continue;
			most = requests;
			reason = wan_counters_block_word(block, "cold_reason");
		}
	}
	return cold_reason_text(reason);
}
