/* SPDX-License-Identifier: MIT */
/*
 * Jobs that tell no step for too long: evidence is read only when a deadline is near, alerts are
 * raised once for each silence, and again when a long step turns into a stall.
 */
#include "alloc.h"
#include "atomics.h"
#include "macros.h"
#include "state.h"
#include "str.h"

enum { LOOKED_AT_MAX = 8 }; /* in one sample; further ones have their turn at the next */

/* A job that wants evidence, and what is told about it. */
struct silent {
	struct wan_tracker *tracker;
	uint64_t begun; /* ticks: which of the handle's jobs */
	uint32_t thread;
	struct wan_evidence evidence;
	struct wan_alert alert;
	bool tells;
};

static void fill_alert(struct silent *silent, const struct wan_job *job,
		       const struct wan_stall *stall, uint64_t now_ns)
{
	struct wan_alert *alert = &silent->alert;
	bool stalled = stall->state == WAN_STALL_STALLED;
	char message[sizeof(alert->message) - WAN_TRACKER_NAME_MAX];
	wan_alert_fill(alert, stalled ? WAN_ALERT_STALL : WAN_ALERT_LONG_STEP, NULL,
		       (double)stall->silent_ns * 1e-9,
		       stall->deadline_ns == UINT64_MAX ? 0 : (double)stall->deadline_ns * 1e-9);
	wan_stall_message(stall, job, message, sizeof(message));
	wan_str_copy(alert->tracker, sizeof(alert->tracker), silent->tracker->name);
	wan_str_format(alert->message, sizeof(alert->message), "%s: %s", silent->tracker->name,
		       message);
	wan_str_format(alert->evidence, sizeof(alert->evidence),
		       "%s; in %.1f s: CPU %.0f %%, %.1f MB/s, %.0f refaults/s%s%s",
		       wan_cause_name(stall->cause), stall->window_s, stall->cpu_percent,
		       stall->megabytes_per_s, stall->refaults_per_s,
		       stall->where[0] ? ", in " : "", stall->where);
	alert->time_ns = alert->last_ns = now_ns;
	alert->since_ns = now_ns - WAN_MIN(stall->silent_ns, now_ns);
	alert->baseline = stall->typical_ns > 0 ? stall->typical_ns * 1e-9 : -1;
	alert->phase = (enum wan_phase)job->phase;
	alert->step = job->done;
}

static void read_job(const struct wan_progress *progress, const struct wan_tracker *tracker,
		     struct wan_job *ret_job)
{
	wan_job_read(ret_job, wan_load_relaxed(&tracker->words), tracker->scale.ns_per_tick,
		     wan_progress_ticks(progress));
	if (ret_job->phase_name)
		ret_job->name_hash = wan_load_relaxed(&tracker->phase_hash);
}

/* One look. Returns when the next one is due. */
static uint64_t look_locked(struct wan_progress *progress, struct silent *silent,
			    const struct wan_evidence *evidence, uint64_t now_ns)
	WAN_REQUIRES(&progress->lock)
{
	struct wan_tracker *tracker = silent->tracker;
	struct wan_stall stall;
	struct wan_job job;
	read_job(progress, tracker, &job);
	wan_stall_step(&tracker->silence, &job, tracker->prior, evidence, now_ns, &stall);
	bool late = stall.state == WAN_STALL_LONG_STEP || stall.state == WAN_STALL_STALLED;
	if (late && stall.state > tracker->told) {
		fill_alert(silent, &job, &stall, now_ns);
		silent->tells = true;
	}
	if (late)
		tracker->told = stall.state;
	else if (stall.state != WAN_STALL_LOOKING)
		tracker->told = WAN_STALL_NOT_KNOWN;
	progress->stalled += stall.state == WAN_STALL_STALLED;
	return stall.look_in_ns;
}

static bool goes_on_locked(const struct wan_progress *progress, const struct silent *silent)
	WAN_REQUIRES(&progress->lock)
{
	for (struct wan_tracker *tracker = progress->active; tracker; tracker = tracker->next)
		if (tracker == silent->tracker)
			return wan_load_relaxed(&tracker->words[WAN_TRACKER_BEGIN]) ==
			       silent->begun;
	return false;
}

/* Looks at all that need no evidence; those that do are put down. */
static uint32_t look_at_all_locked(struct wan_progress *progress, struct silent *silent,
				   uint64_t now_ns, uint64_t *ret_look_in_ns)
	WAN_REQUIRES(&progress->lock)
{
	uint32_t count = 0;
	for (struct wan_tracker *tracker = progress->active; tracker; tracker = tracker->next) {
		struct wan_job job;
		read_job(progress, tracker, &job);
		struct silent one = {.tracker = tracker};
		if (wan_stall_wants_evidence(&tracker->silence, &job, tracker->prior)) {
			if (count == LOOKED_AT_MAX)
				continue;
			const uint64_t *words = wan_load_relaxed(&tracker->words);
			one.begun = wan_load_relaxed(&words[WAN_TRACKER_BEGIN]);
			one.thread = (uint32_t)wan_load_relaxed(&words[WAN_TRACKER_THREAD]);
			silent[count++] = one;
			continue;
		}
		uint64_t in_ns = look_locked(progress, &one, NULL, now_ns);
		*ret_look_in_ns = WAN_MIN(*ret_look_in_ns, in_ns);
	}
	return count;
}

static void read_evidence(struct wan_progress *progress, struct silent *silent, uint32_t count)
{
	struct wan_evidence_reader *reader = &progress->evidence;
	for (uint32_t i = 0; i < count; i++) {
		if (!reader->open && wan_evidence_open(reader, 0, silent[i].thread) < 0)
			return;
		wan_evidence_thread(reader, silent[i].thread);
		wan_evidence_take(reader, &silent[i].evidence);
		if (progress->options.look_at_device)
			progress->options.look_at_device(progress->options.context,
							 silent[i].thread, &silent[i].evidence);
	}
	if (!count) /* no descriptor is kept in calm times */
		wan_evidence_close(reader);
}

/* --- what earlier jobs took, for those whose own steps do not say when one is late --- */

/* Chosen and marked; the place, NULL: there is none. */
static struct wan_tracker *wants_prior_locked(struct wan_progress *progress, struct silent *one,
					      uint64_t *ret_total) WAN_REQUIRES(&progress->lock)
{
	static const uint64_t AGE_NS = 1000000000; /* of what is over at once nobody asks */
	for (struct wan_tracker *tracker = progress->active; tracker; tracker = tracker->next) {
		struct wan_job job;
		if (tracker->asked_prior)
			continue;
		read_job(progress, tracker, &job);
		bool done = job.total && job.done >= job.total && !job.phase && !job.phase_name;
		if (done || job.elapsed_ns < AGE_NS ||
		    wan_stall_deadline_ns(&job, NULL) != UINT64_MAX)
			continue;
		const uint64_t *words = wan_load_relaxed(&tracker->words);
		*one = (struct silent){.tracker = tracker,
				       .begun = wan_load_relaxed(&words[WAN_TRACKER_BEGIN])};
		*ret_total = job.total;
		tracker->asked_prior = true;
		return tracker;
	}
	return NULL;
}

/* One at a time, and not more often than a thousand times what it cost. */
static void learn_from_earlier(struct wan_progress *progress)
{
	static const uint64_t EVERY_NS = 5000000000, SHARE = 1000;
	const struct wan_progress_options *options = &progress->options;
	char name[WAN_TRACKER_NAME_MAX];
	struct wan_prior *prior;
	struct silent one;
	uint64_t total, now_ns = wan_now_ns();
	if (!options->prior || now_ns < progress->prior_due_ns)
		return;
	wan_mutex_lock(&progress->lock);
	bool wanted = wants_prior_locked(progress, &one, &total) != NULL;
	if (wanted)
		wan_str_copy(name, sizeof(name), one.tracker->name);
	wan_mutex_unlock(&progress->lock);
	if (!wanted || !(prior = wan_malloc(sizeof(*prior))))
		return;
	bool known = options->prior(options->context, name, total, prior) == 0;
	uint64_t cost_ns = wan_elapsed(now_ns, wan_now_ns());
	progress->prior_due_ns = now_ns + WAN_MAX(EVERY_NS, SHARE * cost_ns);
	wan_mutex_lock(&progress->lock);
	if (known && goes_on_locked(progress, &one)) {
		one.tracker->prior = prior;
		prior = NULL;
	}
	wan_mutex_unlock(&progress->lock);
	wan_free(prior);
}

uint64_t wan_progress_watch_silence(struct wan_progress *progress, uint64_t now_ns, bool post)
{
	struct silent silent[LOOKED_AT_MAX];
	uint64_t look_in_ns = UINT64_MAX;
	learn_from_earlier(progress);
	wan_mutex_lock(&progress->lock);
	progress->stalled = 0;
	uint32_t count = look_at_all_locked(progress, silent, now_ns, &look_in_ns);
	wan_mutex_unlock(&progress->lock);
	read_evidence(progress, silent, count);
	wan_mutex_lock(&progress->lock);
	for (uint32_t i = 0; i < count; i++) {
		const struct wan_evidence *evidence = &silent[i].evidence;
		if (!goes_on_locked(progress, &silent[i]))
			continue;
		uint64_t in_ns = look_locked(progress, &silent[i],
					     evidence->time_ns ? evidence : NULL, now_ns);
		look_in_ns = WAN_MIN(look_in_ns, in_ns);
	}
	wan_mutex_unlock(&progress->lock);
	for (uint32_t i = 0; i < count; i++)
		if (silent[i].tells)
			wan_progress_raise(progress, &silent[i].alert, post);
	return look_in_ns;
}
