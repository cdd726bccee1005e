/* SPDX-License-Identifier: MIT */
#include "phase.h"

#include "atomics.h"

static bool is_open(const uint64_t *words, enum wan_phase phase)
{
	return phase < WAN_PHASES &&
	       (phase != WAN_PHASE_NONE || wan_load_relaxed(&words[WAN_TRACKER_PHASE_TEXT]) != 0);
}

void wan_phase_settle(uint64_t *words, uint64_t now_ticks, double ns_per_tick)
{
	enum wan_phase phase = (enum wan_phase)wan_load_relaxed(&words[WAN_TRACKER_PHASE]);
	if ((unsigned)phase < WAN_PHASES)
		wan_tracker_bump(&words[WAN_TRACKER_PHASE_STEPS + phase],
				 wan_load_relaxed(&words[WAN_TRACKER_UPDATES]));
	if (!is_open(words, phase))
		return;
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_NS + phase],
			 wan_tracker_stretch_ns(words, phase, now_ticks, ns_per_tick));
	wan_store_relaxed(&words[WAN_TRACKER_PHASE_START + phase], now_ticks);
}

void wan_phase_enter(uint64_t *words, enum wan_phase phase, uint64_t text, uint64_t now_ticks,
		     double ns_per_tick)
{
	wan_phase_settle(words, now_ticks, ns_per_tick);
	wan_store_relaxed(&words[WAN_TRACKER_PHASE_TEXT], text);
	wan_tracker_open_phase(words, phase, now_ticks);
}

uint64_t wan_phase_total_ns(const uint64_t *words, enum wan_phase phase, uint64_t now_ticks,
			    double ns_per_tick)
{
	uint64_t total = wan_load_relaxed(&words[WAN_TRACKER_PHASE_NS + phase]);
	bool open = is_open(words, phase) &&
		    wan_load_relaxed(&words[WAN_TRACKER_PHASE]) == (uint64_t)phase &&
		    wan_load_relaxed(&words[WAN_TRACKER_STATE]) == WAN_TRACKER_ACTIVE;
	return open ? total + wan_tracker_stretch_ns(words, phase, now_ticks, ns_per_tick) : total;
}

const char *wan_phase_name(enum wan_phase phase)
{
	static const char *const names[WAN_PHASES] = {
		"none",       "initialization", "model_loading", "preprocessing",
		"generation", "postprocessing", "encoding",      "completion",
	};
	return (unsigned)phase < WAN_PHASES ? names[phase] : "unknown";
}
