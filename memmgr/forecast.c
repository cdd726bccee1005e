/* SPDX-License-Identifier: MIT */
/* Where need is going, and giving memory before a step is reached when it would be too late then.
 */
#include <math.h>
#include <string.h>

#include "atomics.h"
#include "macros.h"
#include "plan.h"
#include "state.h"
#include "str.h"

static const uint64_t EARLY_EVERY_NS = 250000000;
static const uint64_t PAUSE_NS = 100000000; /* between looks while anything grows */
static const double REACTIONS = 4;          /* a step nearer than so many reactions is acted for */

void wan_memory_follow_locked(struct wan_memory *memory, const struct wan_look *look,
			      const struct wan_look_verdict *verdict)
{
	uint64_t pause_ns = memory->looked_ns ? look->time_ns - memory->looked_ns : 0;
	uint64_t known_ns = memory->look_pause_ns;
	/* A pause that was widened because all was calm says nothing of how soon we react now. */
	if (wan_load_relaxed(&memory->watched) && wan_load_relaxed(&memory->calm_ns))
		pause_ns = WAN_MIN(pause_ns, PAUSE_NS);
	memory->looked_ns = look->time_ns;
	memory->look_pause_ns = WAN_MAX(pause_ns, known_ns - known_ns / 8);
	if (verdict->deciding < 0)
		return;
	const struct wan_level_reading *level = &look->levels[verdict->deciding];
	if (!wan_str_equal(level->name, memory->trend_level)) {
		memory->level_trend.count = memory->others_trend.count = 0;
		wan_str_copy(memory->trend_level, sizeof(memory->trend_level), level->name);
	}
	wan_trend_add(&memory->level_trend, look->time_ns, level->need_bytes);
	wan_trend_add(&memory->others_trend, look->time_ns,
		      level->need_bytes - WAN_MIN(level->need_bytes, look->rss_bytes));
}

static double in_sight(double seconds)
{
	return isinf(seconds) ? -1 : seconds;
}

static void forecast_locked(struct wan_memory *memory, struct wan_memory_forecast *ret)
	WAN_REQUIRES(&memory->lock)
{
	double limit = (double)memory->deciding_limit_bytes;
	uint64_t need = memory->deciding_need_bytes;
	enum wan_memory_level reached =
		wan_level_of(&memory->rules, wan_level_percent(need, memory->deciding_limit_bytes));
	enum wan_memory_level next = WAN_MIN(reached + 1, WAN_MEMORY_EMERGENCY);
	double slope = wan_trend_recent_slope(&memory->level_trend);
	uint64_t entry = (uint64_t)(limit * wan_level_entry(&memory->rules, next) / 100);
	uint64_t reaction_ns = wan_load_relaxed(&memory->reaction_ns) + memory->look_pause_ns;
	wan_str_copy(ret->deciding, sizeof(ret->deciding), memory->trend_level);
	ret->next = next;
	ret->bytes_per_s = slope;
	ret->seconds = in_sight(wan_trend_seconds_to(slope, need, entry));
	ret->seconds_to_limit =
		in_sight(wan_trend_seconds_to(slope, need, memory->deciding_limit_bytes));
	ret->reaction_s = (double)reaction_ns * 1e-9;
	/* Our own growth ends at the line of admission, below the lowest step. */
	double others = WAN_MIN(slope, wan_trend_recent_slope(&memory->others_trend));
	double nearest = wan_trend_seconds_to(others, need, entry);
	ret->early = nearest > 0 && nearest < REACTIONS * ret->reaction_s;
}

void wan_memory_forecast(struct wan_memory *memory, struct wan_memory_forecast *forecast)
{
	size_t bytes = forecast ? forecast->struct_size : 0;
	if (!memory || bytes < sizeof(bytes))
		return;
	struct wan_memory_forecast now = {.struct_size = bytes};
	wan_mutex_lock(&memory->lock);
	forecast_locked(memory, &now);
	wan_mutex_unlock(&memory->lock);
	memcpy(forecast, &now, WAN_MIN(bytes, sizeof(now)));
}

void wan_memory_act_early(struct wan_memory *memory, uint64_t now_ns)
{
	struct wan_memory_forecast forecast = {0};
	struct wan_memory_action action = {.what = "early", .time_ns = now_ns};
	wan_mutex_lock(&memory->lock);
	forecast_locked(memory, &forecast);
	double need = (double)memory->deciding_need_bytes;
	double entry = (double)memory->deciding_limit_bytes *
		       wan_level_entry(&memory->rules, forecast.next) / 100;
	/* What two reactions bring is given at once; if the growth goes on, more is by then. All
	 * four of them emptied the cache for a burst that ended before it reached the step. */
	double later = need + forecast.bytes_per_s * (REACTIONS / 2) * forecast.reaction_s;
	/* A level that holds on until need has fallen was acted for when it was entered. */
	bool entered = memory->level.level >= forecast.next;
	bool due = forecast.early && !entered && !memory->classic && later > entry &&
		   (!memory->early_ns || now_ns - memory->early_ns >= EARLY_EVERY_NS);
	if (due)
		memory->early_ns = now_ns;
	action.level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	if (!due)
		return;
	action.asked_bytes = (uint64_t)(later - entry);
	/* Before a warning only what costs nothing: the growth may end as it began. */
	bool rebuild = forecast.next >= WAN_MEMORY_CRITICAL &&
		       action.asked_bytes <= wan_memory_could_give(memory);
	if (memory->limits.compress && forecast.next <= WAN_MEMORY_CRITICAL)
		memory->limits.compress(memory->limits.context, action.asked_bytes);
	action.freed_bytes = wan_memory_reclaim(memory, forecast.next, action.asked_bytes,
						rebuild ? INT32_MAX : WAN_RECLAIM_REBUILD - 1);
	if (!action.freed_bytes) /* nothing that could go: it would be said four times a second */
		return;
	wan_str_format(action.reason, sizeof(action.reason),
		       "early: %s reaches %g %% in %.2f s at %.0f MB/s", forecast.deciding,
		       wan_level_entry(&memory->rules, forecast.next), forecast.seconds,
		       forecast.bytes_per_s / (double)WAN_MIB);
	wan_memory_record(memory, &action);
}
