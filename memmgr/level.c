/* SPDX-License-Identifier: MIT */
#include "level.h"

double wan_level_percent(uint64_t need_bytes, uint64_t limit_bytes)
{
	/* Multiplied first: 75 of 100 is then 75.0 and not a rounding below it. */
	return limit_bytes ? (double)need_bytes * 100.0 / (double)limit_bytes : 0;
}

double wan_level_entry(const struct wan_level_rules *rules, enum wan_memory_level level)
{
	switch (level) {
	case WAN_MEMORY_WARNING:
		return rules->warning_pct;
	case WAN_MEMORY_CRITICAL:
		return rules->critical_pct;
	case WAN_MEMORY_EMERGENCY:
		return rules->emergency_pct;
	case WAN_MEMORY_NORMAL:
		break;
	}
	return 0;
}

enum wan_memory_level wan_level_of(const struct wan_level_rules *rules, double percent)
{
	if (percent >= rules->emergency_pct)
		return WAN_MEMORY_EMERGENCY;
	if (percent >= rules->critical_pct)
		return WAN_MEMORY_CRITICAL;
	if (percent >= rules->warning_pct)
		return WAN_MEMORY_WARNING;
	return WAN_MEMORY_NORMAL;
}

struct wan_level_state wan_level_step(const struct wan_level_rules *rules,
				      struct wan_level_state state, double percent, uint64_t now_ns)
{
	enum wan_memory_level reached = wan_level_of(rules, percent);
	if (reached > state.level)
		return (struct wan_level_state){.level = reached, .entered_ns = now_ns};
	if (state.level == WAN_MEMORY_NORMAL)
		return state;
	if (now_ns < state.entered_ns) {
		state.entered_ns = now_ns;
		return state;
	}
	if (now_ns - state.entered_ns < rules->leave_hold_ns)
		return state;

	enum wan_memory_level level = state.level;
	while (level > reached && percent <= wan_level_entry(rules, level) - rules->leave_points)
		level--;
	if (level == state.level)
		return state;
	return (struct wan_level_state){.level = level, .entered_ns = now_ns};
}

const char *wan_level_name(enum wan_memory_level level)
{
	static const char *const names[] = {"normal", "warning", "critical", "emergency"};
	return (unsigned)level < 4 ? names[level] : "unknown";
}
