/* SPDX-License-Identifier: MIT */
#include "prior.h"

#include <math.h>

#include "clock.h"
#include "latency.h"
#include "macros.h"
#include "wan/progress.h"

static const double SLOW = 1.35; /* of the median: such a step did something else besides */

/* The middle of a bucket in units, see wan_latency_bucket(). */
static double bucket_middle(unsigned bucket)
{
	if (bucket < 128)
		return bucket + 0.5;
	unsigned octave = bucket / 64 - 1;
	return ldexp(bucket - octave * 64 + 0.5, (int)octave);
}

static double histogram_median(const uint32_t *counts, double unit_ns)
{
	uint64_t all = 0, below = 0;
	for (unsigned i = 0; i < WAN_RECORD_LATENCY_BUCKETS; i++)
		all += wan_load_relaxed(&counts[i]);
	for (unsigned i = 0; i < WAN_RECORD_LATENCY_BUCKETS; i++) {
		below += wan_load_relaxed(&counts[i]);
		if (2 * below > all)
			return bucket_middle(i) * unit_ns;
	}
	return 0;
}

/* Sum and number of the steps of the histogram that are not slow. */
static double usual_sum(const uint32_t *counts, double unit_ns, double typical_ns,
			double *ret_count)
{
	double sum = 0, count = 0;
	for (unsigned i = 0; i < WAN_RECORD_LATENCY_BUCKETS; i++) {
		double ns = bucket_middle(i) * unit_ns, seen = wan_load_relaxed(&counts[i]);
		if (ns > typical_ns * SLOW)
			break;
		sum += ns * seen;
		count += seen;
	}
	*ret_count = count;
	return sum;
}

static uint64_t ended_at(const uint64_t *words)
{
	uint64_t updated = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t completed =
		wan_load_relaxed(&words[WAN_TRACKER_PHASE_START + WAN_PHASE_COMPLETION]);
	return WAN_MAX(updated, completed);
}

static void add_stretch(struct wan_prior *prior, const struct wan_prior_stretch *stretch)
{
	if (prior->stretch_count < WAN_PRIOR_STRETCHES && stretch->ns < 0x1p62 &&
	    stretch->phase < WAN_TRACKER_PHASES)
		prior->stretches[prior->stretch_count++] = *stretch;
}

/* Each phase once, in the order in which they were left last, which is what their word "start" says
 * then; returns the start of the last one with steps. */
static uint64_t stretches_of_words(struct wan_prior *prior, const uint64_t *words,
				   double ns_per_tick)
{
	uint64_t starts[WAN_TRACKER_PHASES], last_start = 0;
	uint64_t begin = wan_load_relaxed(&words[WAN_TRACKER_BEGIN]);
	double told_ns = 0;
	for (unsigned phase = 0; phase < WAN_TRACKER_PHASES; phase++) {
		uint64_t start = wan_load_relaxed(&words[WAN_TRACKER_PHASE_START + phase]);
		struct wan_prior_stretch stretch = {
			.phase = phase,
			.ns = (double)wan_load_relaxed(&words[WAN_TRACKER_PHASE_NS + phase]),
			.steps = wan_tracker_phase_steps(words, phase),
		};
		told_ns += stretch.ns;
		if (!(stretch.ns > 0) && !stretch.steps)
			continue;
		uint32_t at = prior->stretch_count;
		add_stretch(prior, &stretch);
		for (; at && at < prior->stretch_count && starts[at - 1] > start; at--) {
			starts[at] = starts[at - 1];
			prior->stretches[at] = prior->stretches[at - 1];
		}
		starts[at] = WAN_MAX(start, begin);
		prior->stretches[at] = stretch;
	}
	for (uint32_t i = 0; i < prior->stretch_count; i++) {
		struct wan_prior_stretch *stretch = &prior->stretches[i];
		uint64_t ticks = (uint64_t)(stretch->ns / ns_per_tick);
		if (stretch->steps)
			last_start = WAN_MAX(wan_elapsed(ticks, starts[i]), begin);
		if (stretch->phase == WAN_PHASE_NONE && stretch->steps && !(stretch->ns > 0))
			stretch->ns = fmax(prior->total_ns - told_ns, 0); /* no phase was told */
	}
	return last_start;
}

static uint64_t stretches_of_events(struct wan_prior *prior, const struct wan_prior_event *events,
				    uint32_t count)
{
	uint64_t last_start = 0;
	for (uint32_t i = 0; i < count; i++) {
		add_stretch(prior,
			    &(struct wan_prior_stretch){.phase = events[i].phase,
							.name_hash = events[i].name_hash,
							.steps = events[i].steps,
							.ns = (double)events[i].duration_ns});
		if (events[i].steps)
			last_start = events[i].started_ticks;
	}
	return last_start;
}

static void read_tail(struct wan_prior *prior, const uint64_t *words, double ns_per_tick,
		      uint64_t since)
{
	uint64_t newer = 0, updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	uint64_t kept = WAN_MIN(updates, (uint64_t)WAN_TRACKER_RECENT);
	for (uint64_t age = 0; age < kept; age++) {
		uint64_t slot = (updates - age) % WAN_TRACKER_RECENT;
		uint64_t time = wan_load_relaxed(&words[WAN_TRACKER_LATEST + slot]);
		if (time < since || (age && time > newer))
			break;
		if (age)
			prior->tail_ns[prior->tail_count++] = (double)(newer - time) * ns_per_tick;
		newer = time;
	}
}

/* What is usual before the tail, and how much more than that the steps there took. */
static void read_steps(struct wan_prior *prior, const uint32_t *counts, double unit_ns)
{
	double tail[WAN_JOB_GAPS], count = 0, sum = 0;
	for (uint32_t i = 0; i < prior->tail_count; i++)
		tail[i] = prior->tail_ns[i];
	prior->typical_ns = wan_job_median(tail, prior->tail_count);
	if (counts) {
		double median = histogram_median(counts, unit_ns);
		prior->typical_ns = median > 0 ? median : prior->typical_ns;
		sum = usual_sum(counts, unit_ns, prior->typical_ns, &count);
	}
	prior->usual_ns = count > 0 ? sum / count : prior->typical_ns;
	for (uint32_t i = 0; i < prior->tail_count; i++) {
		bool usual = prior->tail_ns[i] <= prior->typical_ns * SLOW;
		sum -= usual ? prior->tail_ns[i] : 0;
		count -= usual;
	}
	if (count >= 3 && sum > 0)
		prior->usual_ns = sum / count;
	uint32_t last = UINT32_MAX;
	for (uint32_t i = 0; i < prior->stretch_count; i++)
		last = prior->stretches[i].steps ? i : last;
	if (last == UINT32_MAX)
		return;
	const struct wan_prior_stretch *stretch = &prior->stretches[last];
	double head_ns = stretch->ns, head = (double)stretch->steps - prior->tail_count;
	for (uint32_t i = 0; i < prior->tail_count; i++)
		head_ns -= prior->tail_ns[i];
	prior->excess_ns = fmax(head_ns - fmax(head, 0) * prior->usual_ns, 0);
	prior->slow_ns = prior->usual_ns + prior->excess_ns;
	for (uint32_t i = 0; i < prior->tail_count; i++)
		prior->slow_ns = fmax(prior->slow_ns, prior->tail_ns[i]);
}

bool wan_prior_of_tracker(struct wan_prior *ret_prior, const uint64_t *words, double ns_per_tick,
			  const uint32_t *counts, double unit_ns,
			  const struct wan_prior_event *events, uint32_t event_count)
{
	uint64_t total = wan_load_relaxed(&words[WAN_TRACKER_TOTAL]);
	uint64_t done = wan_load_relaxed(&words[WAN_TRACKER_DONE]);
	uint64_t begin = wan_load_relaxed(&words[WAN_TRACKER_BEGIN]), end = ended_at(words);
	bool ended = wan_load_relaxed(&words[WAN_TRACKER_STATE]) == WAN_TRACKER_ENDED;
	bool sound = ns_per_tick > 1e-4 && ns_per_tick < 1e4 && (!counts || unit_ns > 0);
	if (!ended || done < total || end <= begin || !sound)
		return false;
	struct wan_prior prior = {
		.jobs = 1,
		.total = total,
		.total_ns = (double)(end - begin) * ns_per_tick,
	};
	if (!(prior.total_ns < 0x1p62))
		return false;
	uint64_t since = event_count ? stretches_of_events(&prior, events, event_count)
				     : stretches_of_words(&prior, words, ns_per_tick);
	read_tail(&prior, words, ns_per_tick, since);
	read_steps(&prior, counts, unit_ns);
	prior.after_ns = -1;
	*ret_prior = prior;
	return true;
}

static bool alike(const struct wan_prior *one, const struct wan_prior *other)
{
	bool same = one->stretch_count == other->stretch_count && one->jobs && other->jobs;
	for (uint32_t i = 0; same && i < one->stretch_count; i++)
		same = one->stretches[i].phase == other->stretches[i].phase &&
		       one->stretches[i].name_hash == other->stretches[i].name_hash &&
		       one->stretches[i].steps == other->stretches[i].steps;
	return same;
}

void wan_prior_merge(struct wan_prior *prior, const struct wan_prior *earlier)
{
	if (!alike(prior, earlier))
		return;
	double share = 1.0 / (prior->jobs + 1);
	for (uint32_t i = 0; i < prior->stretch_count; i++) {
		struct wan_prior_stretch *stretch = &prior->stretches[i];
		double away = earlier->stretches[i].ns - stretch->ns;
		double before = stretch->spread_ns;
		stretch->ns += away * share;
		/* Of two values half of what lies between; then each adds its part. */
		stretch->spread_ns =
			prior->jobs == 1
				? fabs(away) * M_SQRT1_2
				: sqrt(before * before * (1 - share) + away * away * share);
	}
	prior->total_ns += (earlier->total_ns - prior->total_ns) * share;
	if (prior->after_ns < 0 || earlier->after_ns < 0)
		prior->after_ns = fmax(prior->after_ns, earlier->after_ns);
	else
		prior->after_ns += (earlier->after_ns - prior->after_ns) * share;
	prior->typical_ns += (earlier->typical_ns - prior->typical_ns) * share;
	prior->usual_ns += (earlier->usual_ns - prior->usual_ns) * share;
	prior->excess_ns += (earlier->excess_ns - prior->excess_ns) * share;
	prior->slow_ns = fmax(prior->slow_ns, earlier->slow_ns);
	uint32_t tail = WAN_MIN(prior->tail_count, earlier->tail_count);
	for (uint32_t i = 0; i < tail; i++)
		prior->tail_ns[i] += (earlier->tail_ns[i] - prior->tail_ns[i]) * share;
	prior->jobs++;
}

/* What comes after the steps works on the pictures: decoding, saving. What comes before does not.
 */
static bool grows(const struct wan_prior *prior, uint32_t place)
{
	for (uint32_t i = place; i < prior->stretch_count; i++)
		if (prior->stretches[i].steps)
			return false;
	return true;
}

void wan_prior_scale(struct wan_prior *prior, uint64_t total, double work)
{
	double each = work > 0 && prior->work > 0 ? work / prior->work : 1;
	double more = total && prior->total ? (double)total / (double)prior->total : 1;
	if (fabs(each - 1) < 1e-9 && fabs(more - 1) < 1e-9)
		return;
	prior->total_ns = 0;
	prior->after_ns = -1; /* what it depends on is not known */
	for (uint32_t i = 0; i < prior->stretch_count; i++) {
		struct wan_prior_stretch *stretch = &prior->stretches[i];
		double steps = (double)stretch->steps;
		double usual = fmin(steps * prior->typical_ns, stretch->ns);
		if (stretch->steps) {
			stretch->steps = (uint64_t)(steps * more + 0.5);
			stretch->ns += usual * (each * more - 1);
		} else if (grows(prior, i)) {
			stretch->ns *= each;
		}
		stretch->spread_ns = fmax(stretch->spread_ns, 0.1 * stretch->ns);
		prior->total_ns += stretch->ns;
	}
	if (fabs(more - 1) >= 1e-9) {
		/* Where the slow ones are among so many steps is not known. */
		for (uint32_t i = 0; i < prior->tail_count; i++)
			prior->excess_ns += fmax(prior->tail_ns[i] - prior->typical_ns * SLOW, 0);
		prior->tail_count = 0;
	}
	for (uint32_t i = 0; i < prior->tail_count; i++)
		prior->tail_ns[i] += prior->typical_ns * (each - 1);
	prior->slow_ns += prior->typical_ns * (each - 1);
	prior->usual_ns *= each;
	prior->typical_ns *= each;
	prior->total = total ? total : prior->total;
	prior->work = work > 0 ? work : prior->work;
	prior->scaled = true;
}

static bool matches(const struct wan_prior_stretch *stretch, const struct wan_job *job)
{
	return stretch->phase == job->phase &&
	       (!job->name_hash || !stretch->name_hash || stretch->name_hash == job->name_hash);
}

int wan_prior_place(const struct wan_prior *prior, const struct wan_job *job,
		    uint64_t *ret_steps_before)
{
	uint64_t before = 0;
	int place = -1;
	for (uint32_t i = 0; i < prior->stretch_count; i++) {
		if (matches(&prior->stretches[i], job) && (place < 0 || before <= job->updates)) {
			place = (int)i;
			*ret_steps_before = before;
		}
		before += prior->stretches[i].steps;
	}
	return place;
}
