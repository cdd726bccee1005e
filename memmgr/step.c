/* SPDX-License-Identifier: MIT */
/* From a look to what is done about it: by the tick of a watcher, and by whoever reserves. */
#include "atomics.h"
#include "gpu.h"
#include "log.h"
#include "macros.h"
#include "plan.h"
#include "state.h"
#include "str.h"
#include "thread.h"

static const uint64_t PRESSURE_EVERY_NS = 5000000000, CALM_PAUSE_NS = 1000000000;

/* The default rules act once per entry, and again only while need rises. */
static bool due_locked(struct wan_memory *memory, uint64_t now_ns) WAN_REQUIRES(&memory->lock)
{
	const struct wan_memory_stay *stay = &memory->stay;
	return !stay->actions || wan_plan_due_again(stay->need_bytes, memory->deciding_need_bytes,
						    memory->deciding_limit_bytes,
						    now_ns - stay->acted_ns, memory->classic);
}

static void decide_locked(struct wan_memory *memory, const struct wan_look *look,
			  const struct wan_look_verdict *verdict,
			  struct wan_memory_decision *decision) WAN_REQUIRES(&memory->lock)
{
	uint64_t now_ns = look->time_ns;
	enum wan_memory_level before = memory->level.level;
	memory->level = wan_level_step(&memory->rules, memory->level, verdict->percent, now_ns);
	enum wan_memory_level level = memory->level.level;
	memory->state.level = decision->level = level;
	struct wan_memory_stay *stay = &memory->stay;
	uint64_t need = memory->deciding_need_bytes, limit = memory->deciding_limit_bytes;
	if (level != before) /* a fall asks for nothing, it only begins a stay */
		*stay = (struct wan_memory_stay){level < before, now_ns, need, false};
	decision->recover = level == WAN_MEMORY_NORMAL && !memory->classic &&
			    verdict->percent < memory->rules.warning_pct - WAN_LEAVE_POINTS;
	bool reached = level && wan_level_of(&memory->rules, verdict->percent) >= level;
	if (!reached || !due_locked(memory, now_ns))
		return;
	decision->act = true;
	decision->repeated = stay->actions > 0;
	decision->fragmented = stay->fragmented;
	decision->need_bytes = need;
	decision->rss_bytes = look->rss_bytes;
	wan_str_copy(decision->deciding, sizeof(decision->deciding), memory->state.deciding);
	*stay = (struct wan_memory_stay){stay->actions + 1, now_ns, need, false};
	double entry = wan_level_entry(&memory->rules, level);
	decision->excess_bytes = wan_plan_excess_bytes(need, limit, entry - WAN_LEAVE_POINTS);
	wan_str_format(decision->reason, sizeof(decision->reason),
		       "%s: %s at %.1f %% (limit %g %%)", wan_level_name(level),
		       memory->state.deciding, verdict->percent, entry);
}

/* Slow to fall: the worst of late counts when time is short. */
static void note_reaction(struct wan_memory *memory, uint64_t began_ns)
{
	uint64_t took_ns = memory->now_ns() - began_ns;
	uint64_t known_ns = wan_load_relaxed(&memory->reaction_ns);
	wan_store_relaxed(&memory->reaction_ns, WAN_MAX(took_ns, known_ns - known_ns / 8));
}

/* Whether a reserving thread need not go on: nothing was reached that is not dealt with. */
static bool nothing_due(struct wan_memory *memory, const struct wan_look *look,
			const struct wan_look_verdict *verdict)
{
	enum wan_memory_level reached = wan_level_of(&memory->rules, verdict->percent);
	if (reached == WAN_MEMORY_NORMAL)
		return true;
	wan_mutex_lock(&memory->lock);
	enum wan_memory_level level = memory->level.level;
	bool due = reached > level || (reached == level && due_locked(memory, look->time_ns));
	wan_mutex_unlock(&memory->lock);
	return !due;
}

bool wan_memory_step(struct wan_memory *memory, const struct wan_look *look,
		     const struct wan_look_verdict *verdict, bool ticking)
{
	if (!ticking && nothing_due(memory, look, verdict))
		return false;
	uint32_t nobody = 0;
	/* Somebody acts already and will look again; or this is a reclaimer that reserves. */
	if (!ticking && !wan_cas_acq_rel(&memory->acting, &nobody, wan_thread_id()))
		return false;
	struct wan_memory_decision decision = {.ticking = ticking};
	wan_mutex_lock(&memory->lock);
	decide_locked(memory, look, verdict, &decision);
	wan_mutex_unlock(&memory->lock);
	if (decision.act) {
		wan_memory_act(memory, &decision);
		note_reaction(memory, look->time_ns);
	}
	if (ticking && decision.recover)
		wan_memory_recover(memory, look->time_ns);
	if (!ticking)
		wan_store_release(&memory->acting, 0); /* pairs with the compare-and-swaps */
	return decision.act;
}

/* What cannot be read on this machine: each thing is recorded once. */
static void tell_troubles(struct wan_memory *memory)
{
	const struct wan_memory_sources *sources = &memory->sources;
	struct wan_memory_action action = {.what = "degraded", .time_ns = memory->now_ns()};
	while (sources->trouble &&
	       sources->trouble(sources->context, action.reason, sizeof(action.reason))) {
		wan_log(WAN_LOG_WARNING, "memory: %s", action.reason);
		if (memory->on_action)
			memory->on_action(memory->context, &action);
	}
}

/* Every few seconds; a figure for people, nothing is decided by it. */
static void read_pressure(struct wan_memory *memory, uint64_t now_ns)
{
	const struct wan_memory_sources *sources = &memory->sources;
	double some_pct = -1;
	wan_mutex_lock(&memory->lock);
	bool due = !memory->pressure_ns || now_ns - memory->pressure_ns >= PRESSURE_EVERY_NS;
	if (due)
		memory->pressure_ns = now_ns;
	wan_mutex_unlock(&memory->lock);
	if (!due)
		return;
	if (!sources->pressure || sources->pressure(sources->context, &some_pct) < 0)
		some_pct = -1;
	wan_mutex_lock(&memory->lock);
	memory->state.stalled_percent = some_pct;
	wan_mutex_unlock(&memory->lock);
}

uint32_t wan_memory_watch(struct wan_memory *memory, int *fds, uint32_t capacity)
{
	const struct wan_memory_sources *sources = &memory->sources;
	const double steps_pct[] = {memory->rules.warning_pct, memory->rules.critical_pct,
				    memory->rules.emergency_pct};
	uint32_t count =
		sources->watch ? sources->watch(sources->context, steps_pct, fds, capacity) : 0;
	wan_store_relaxed(&memory->watched, count);
	return count;
}

void wan_memory_woken(struct wan_memory *memory)
{
	if (memory->sources.woken)
		memory->sources.woken(memory->sources.context);
}

uint64_t wan_memory_pause_ns(struct wan_memory *memory, uint64_t interval_ns)
{
	uint64_t calm_ns = wan_load_relaxed(&memory->calm_ns);
	if (!wan_load_relaxed(&memory->watched) || calm_ns <= interval_ns)
		return interval_ns;
	return WAN_MAX(interval_ns, WAN_MIN(calm_ns, CALM_PAUSE_NS));
}

enum wan_memory_level wan_memory_tick(struct wan_memory *memory)
{
	if (!memory)
		return WAN_MEMORY_NORMAL;
	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_forget_after_fork(memory);
	uint32_t nobody = 0;
	bool mine = wan_cas_acq_rel(&memory->acting, &nobody, wan_thread_id());
	if (mine && memory->sources.repair)
		memory->sources.repair(memory->sources.context, memory->now_ns());
	wan_memory_look(memory, &look, &verdict);

	wan_mutex_lock(&memory->lock);
	memory->ticks++;
	if (look.total_bytes)
		wan_trend_add(&memory->trend, look.time_ns,
			      look.total_bytes - look.available_bytes);
	wan_memory_follow_locked(memory, &look, &verdict);
	enum wan_memory_level level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	if (!mine) /* who acts now will look again */
		return level;

	tell_troubles(memory);
	read_pressure(memory, look.time_ns);
	if (!wan_memory_step(memory, &look, &verdict, true))
		wan_memory_act_early(memory, look.time_ns);
	bool normal = verdict.percent < memory->rules.warning_pct;
	wan_store_relaxed(&memory->calm_ns,
			  normal ? wan_look_calm_ns(&look, memory->rules.warning_pct) : 0);
	if (wan_swap_acq_rel(&memory->callbacks_due, 0))
		wan_memory_call_emergency(memory);
	wan_gpu_tick(memory, look.time_ns);
	wan_memory_publish(memory);
	wan_mutex_lock(&memory->lock);
	level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	wan_store_release(&memory->acting, 0); /* pairs with the next compare-and-swap */
	return level;
}
