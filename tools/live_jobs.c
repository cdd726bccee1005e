/* SPDX-License-Identifier: MIT */
/*
 * How fast a job goes, what is left of it, and whether it is stuck: from its words, from earlier
 * recordings of the same job, and, when it is late, from what the kernel says of its process.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "eta.h"
#include "live.h"
#include "macros.h"
#include "priors.h"
#include "str.h"

#define PAST_GAP_NS 400000000ull
#define RATE_NS     4000000000ull /* jobs of quick steps are judged by this much of their past */
#define SLOW_NS     500000000ull  /* steps of this and more one by one */
/* Looking for earlier recordings may take 50 ms: not for jobs that are over at once. */
#define PRIOR_AGE_NS   1000000000ull
#define PRIOR_EVERY_NS 5000000000ull

static struct live_job *job_of(const struct live *live, const struct wan_tracker_row *row)
{
	for (size_t i = 0; i < live->job_count; i++) {
		struct live_job *job = live->jobs[i];
		if (job->pid == row->process->header.pid && job->begin_ns == row->begin_ns &&
		    strcmp(job->name, row->name) == 0)
			return job;
	}
	return NULL;
}

static struct live_job *make_job(struct live *live, const struct wan_tracker_row *row)
{
	if (wan_array_reserve(&live->jobs, &live->job_capacity, live->job_count + 1,
			      sizeof(live->jobs[0])))
		return NULL;
	struct live_job *job = wan_calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->pid = row->process->header.pid;
	job->begin_ns = row->begin_ns;
	wan_str_copy(job->name, sizeof(job->name), row->name);
	live->jobs[live->job_count++] = job;
	return job;
}

static void free_job(struct live_job *job)
{
	wan_evidence_close(&job->reader);
	wan_free(job->prior);
	wan_free(job);
}

static void forget_gone(struct live *live)
{
	size_t kept = 0;
	for (size_t i = 0; i < live->job_count; i++) {
		if (live->jobs[i]->here)
			live->jobs[kept++] = live->jobs[i];
		else
			free_job(live->jobs[i]);
	}
	live->job_count = kept;
}

void live_forget_jobs(struct live *live)
{
	for (size_t i = 0; i < live->job_count; i++)
		free_job(live->jobs[i]);
	wan_free(live->jobs);
	live->jobs = NULL;
	live->job_count = live->job_capacity = 0;
}

/* --- rate --- */

static void remember(struct live_job *job, const struct wan_tracker_row *row)
{
	unsigned last = (job->next + LIVE_PAST - 1) % LIVE_PAST;
	if (!row->updates || (job->count && row->updated_ns < job->at[last].time_ns + PAST_GAP_NS))
		return;
	job->at[job->next].time_ns = row->updated_ns;
	job->at[job->next].done = row->done;
	job->next = (job->next + 1) % LIVE_PAST;
	job->count = WAN_MIN(job->count + 1, (unsigned)LIVE_PAST);
}

/* Since the latest update that lies long enough before the last one. */
static double recent_rate(const struct live_job *job, const struct wan_tracker_row *row)
{
	for (unsigned i = 1; i <= job->count; i++) {
		unsigned at = (job->next + LIVE_PAST - i) % LIVE_PAST;
		uint64_t span_ns = wan_elapsed(job->at[at].time_ns, row->updated_ns);
		if (span_ns < RATE_NS && i < job->count)
			continue;
		if (span_ns < PAST_GAP_NS || row->done < job->at[at].done)
			break;
		return (double)(row->done - job->at[at].done) * 1e9 / (double)span_ns;
	}
	return -1;
}

static double rate_of(const struct live_job *job, const struct wan_tracker_row *row,
		      const struct wan_job *read, double step_ns)
{
	uint64_t past_ns = wan_elapsed(row->begin_ns, row->updated_ns);
	if (!row->updates || !past_ns)
		return -1;
	if (step_ns >= SLOW_NS)
		return wan_job_units_per_update(read) * 1e9 / step_ns;
	double rate = row->active && job ? recent_rate(job, row) : -1;
	if (rate >= 0)
		return rate;
	return (double)wan_elapsed(read->initial, row->done) * 1e9 / (double)past_ns;
}

/* --- what is left, and silence --- */

static void read_words(struct wan_job *read, const struct wan_tracker_row *row)
{
	const struct wan_process *process = row->process;
	double ticks = (double)wan_elapsed(process->start_ns, row->seen_ns) / process->ns_per_tick;
	uint64_t now_ticks = process->start_ticks + (ticks < 0x1p62 ? (uint64_t)ticks : 0);
	wan_job_read(read, row->block->words, process->ns_per_tick, now_ticks);
	if (row->phase[0] && !read->phase)
		read->name_hash = wan_job_name_hash(row->phase);
}

/* Once a job, and not for all of them at the same time. */
static void ask_prior(struct live *live, struct live_job *job, const struct wan_tracker_row *row,
		      uint64_t now_ns)
{
	struct wan_prior found;
	if (job->asked_prior || wan_elapsed(row->begin_ns, row->seen_ns) < PRIOR_AGE_NS ||
	    (live->asked_priors_ns && now_ns - live->asked_priors_ns < PRIOR_EVERY_NS))
		return;
	job->asked_prior = true;
	live->asked_priors_ns = now_ns;
	if (wan_priors_for(NULL, row->process, row->block, &found) != 0)
		return;
	job->prior = wan_calloc(1, sizeof(found));
	if (job->prior)
		*job->prior = found;
}

static void judge_silence(struct live_job *job, const struct wan_tracker_row *row,
			  const struct wan_job *read, uint64_t now_ns)
{
	struct wan_evidence evidence;
	struct wan_stall stall;
	bool look = wan_stall_wants_evidence(&job->watch, read, job->prior);
	if (look && !job->reader.open)
		look = wan_evidence_open(&job->reader, row->process->header.pid, row->thread) == 0;
	if (look) {
		wan_evidence_thread(&job->reader, row->thread);
		wan_evidence_take(&job->reader, &evidence);
		wan_evidence_add_recording(&evidence, row->process, row->thread);
	}
	wan_stall_step(&job->watch, read, job->prior, look ? &evidence : NULL, now_ns, &stall);
	job->verdict.stalled = stall.state == WAN_STALL_STALLED;
	job->verdict.late = stall.state == WAN_STALL_LONG_STEP;
	/* Of what does not get on, nobody knows when it ends. */
	job->verdict.eta_known &= !job->verdict.stalled;
	if (job->verdict.stalled || job->verdict.late)
		wan_stall_message(&stall, read, job->verdict.text, sizeof(job->verdict.text));
}

static void judge(const struct live_job *job, const struct wan_tracker_row *row,
		  const struct wan_job *read, struct live_verdict *ret_verdict)
{
	struct wan_eta eta = {.left_ns = UINT64_MAX, .low_ns = UINT64_MAX, .high_ns = UINT64_MAX};
	wan_eta_job(read, job ? job->prior : NULL, &eta);
	*ret_verdict = (struct live_verdict){
		.quiet_ns = wan_elapsed(row->updated_ns, row->seen_ns),
		.eta_known = row->active && eta.low_ns != UINT64_MAX && eta.high_ns != UINT64_MAX,
		.eta_low_ns = eta.low_ns,
		.eta_high_ns = eta.high_ns,
		.rate = rate_of(job, row, read, eta.step_ns),
	};
}

/* Earlier runs of the program: how long it went on after this bar, its outermost one. What is told
 * by the program itself has phases for that. */
static uint64_t after_ns(const struct live_job *job, const struct wan_tracker_row *row,
			 const struct wan_job *read)
{
	const struct wan_prior *prior = job->prior;
	bool same = prior && !prior->scaled && prior->total == read->total;
	if (!same || row->source != WAN_TRACKER_OF_BAR || row->level || !(prior->after_ns >= 1e9) ||
	    prior->after_ns > 0x1p62)
		return 0;
	return (uint64_t)prior->after_ns;
}

int live_judge_all(struct live *live, uint64_t now_ns)
{
	struct wan_job read;
	for (size_t i = 0; i < live->job_count; i++)
		live->jobs[i]->here = false;
	for (size_t i = 0; i < live->trackers.count; i++) {
		const struct wan_tracker_row *row = &live->trackers.items[i];
		struct live_job *job = job_of(live, row);
		if (!job)
			job = make_job(live, row);
		if (!job)
			return -ENOMEM;
		job->here = true;
		remember(job, row);
		if (row->active)
			ask_prior(live, job, row, now_ns);
		read_words(&read, row);
		judge(job, row, &read, &job->verdict);
		job->verdict.after_ns = after_ns(job, row, &read);
		if (row->active)
			judge_silence(job, row, &read, now_ns);
	}
	forget_gone(live);
	return 0;
}

const struct live_verdict *live_verdict(const struct live *live, const struct wan_tracker_row *row)
{
	static struct live_verdict of_ended;
	const struct live_job *job = job_of(live, row);
	if (job)
		return &job->verdict;
	struct wan_job read;
	read_words(&read, row);
	judge(NULL, row, &read, &of_ended);
	return &of_ended;
}
