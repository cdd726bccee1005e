/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <string.h>

#include "atomics.h"
#include "clock.h"
#include "macros.h"
#include "recorder.h"

/* Of a CUDA block, as in schema.def. */
enum { WORD_KNOWN_DONE = 17 };

static bool is_wait(struct wan_recorder *recorder, uint32_t name)
{
	static const char wait[] = WAN_DEVICE_WAIT;
	uint64_t used = wan_load_relaxed(&recorder->header->strings_used);
	if (!name || ((uint64_t)name - 1) * 4 + sizeof(struct wan_record_string) > used)
		return false;
	const char *first = recorder->map + WAN_RECORD_STRINGS_AT;
	const struct wan_record_string *string = (const void *)(first + ((size_t)name - 1) * 4);
	return wan_load_acquire(&string->bytes) >= sizeof(wait) - 1 &&
	       memcmp(string->text, wait, sizeof(wait) - 1) == 0;
}

/* As a reader in another process would: the sequence tells whether it was left and entered again
 * meanwhile, and then it is none that lasts. */
static __attribute__((no_sanitize("thread"))) uint64_t wait_ns(
	struct wan_recorder *recorder, const struct wan_record_inflight *entry, uint32_t thread,
	uint64_t now_ticks)
{
	uint32_t sequence = wan_load_acquire(&entry->sequence);
	uint64_t start_ticks = wan_load_relaxed(&entry->start_ticks);
	uint32_t name = wan_load_relaxed(&entry->name), of = wan_load_relaxed(&entry->thread);
	wan_fence_acquire();
	if (!sequence || !start_ticks || (thread && of != thread) ||
	    wan_load_relaxed(&entry->sequence) != sequence || !is_wait(recorder, name))
		return 0;
	double ns_per_tick = (double)recorder->ns_per_tick_32 / 4294967296.0;
	double ns = (double)wan_elapsed(start_ticks, now_ticks) * ns_per_tick;
	return ns < 0x1p62 ? (uint64_t)ns : 0;
}

static void look_at_waits(struct wan_recorder *recorder, uint32_t thread, uint64_t *longest_ns)
{
	uint64_t now_ticks = wan_ticks();
	uint32_t lanes = WAN_MIN(wan_load_relaxed(&recorder->lane_count), WAN_RECORD_LANES);
	for (uint32_t i = 0; i < lanes; i++) {
		const struct wan_record_lane *shared = wan_load_relaxed(&recorder->lanes[i].shared);
		for (unsigned j = 0; shared && j < WAN_RECORD_INFLIGHT; j++) {
			uint64_t ns = wait_ns(recorder, &shared->inflight[j], thread, now_ticks);
			*longest_ns = WAN_MAX(*longest_ns, ns);
		}
	}
}

void wan_recorder_look_at_device(struct wan_recorder *recorder, uint32_t thread,
				 struct wan_device_look *ret_look)
{
	*ret_look = (struct wan_device_look){0};
	if (!recorder || wan_load_acquire(&recorder->state) != WAN_RECORDER_READY)
		return;
	const char *blocks = recorder->map + WAN_RECORD_COUNTERS_AT;
	for (unsigned i = 0; i < WAN_RECORD_COUNTERS; i++) {
		const struct wan_record_counters *block =
			(const struct wan_record_counters *)blocks + i;
		if (wan_load_acquire(&block->kind) != WAN_COUNTERS_CUDA)
			continue;
		ret_look->known = true;
		ret_look->known_done += wan_load_relaxed(&block->words[WORD_KNOWN_DONE]);
	}
	if (ret_look->known)
		look_at_waits(recorder, thread, &ret_look->wait_ns);
}
