/* SPDX-License-Identifier: MIT */
#include "run_facts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "hash.h"
#include "run_facts_build.h"
#include "statistics.h"
#include "str.h"
#include "wan/profile.h"

bool run_facts_succeeded(const struct run_facts *facts)
{
	return facts->state && strcmp(facts->state, "exited") == 0 && facts->exit_status == 0;
}

void run_facts_finish(struct run_facts *facts)
{
	wan_free(facts->operations);
	wan_free(facts->kinds);
	wan_free(facts->phases);
	wan_free(facts->findings);
	if (facts->texts)
		text_pool_finish(facts->texts);
	wan_free(facts->texts);
	*facts = (struct run_facts){0};
}

int facts_build_begin(struct facts_build *build)
{
	*build = (struct facts_build){
		.facts = {.texts = wan_calloc(1, sizeof(struct text_pool)),
			  .estimate_s = NAN,
			  .exit_status = -1,
			  .signal = -1,
			  .cold = -1,
			  .machine = {.memory_mb = NAN, .memory_limit_mb = NAN, .vram_mb = NAN},
			  .before = {false, NAN, NAN, NAN, NAN, NULL},
			  .read_mb = NAN,
			  .rss_peak_mb = NAN,
			  .rss_average_mb = NAN,
			  .gpu_peak_mb = NAN,
			  .cpu_average_percent = NAN,
			  .system_peak_percent = NAN,
			  .sensors = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN},
			  .cache_hit_rate = NAN},
	};
	return build->facts.texts ? 0 : -ENOMEM;
}

void facts_build_abandon(struct facts_build *build)
{
	run_facts_finish(&build->facts);
	wan_free(build->kind_slots);
	build->kind_slots = NULL;
}

const char *facts_text(struct facts_build *build, const char *text)
{
	return text_pool_keep(build->facts.texts, text);
}

/* Room for one more in an array of the facts; false: memory is out, or was before. */
static bool room(struct facts_build *build, void *array, size_t *capacity, size_t count,
		 size_t bytes)
{
	if (!build->error)
		build->error = wan_array_reserve(array, capacity, count + 1, bytes);
	return !build->error;
}

void facts_add_operation(struct facts_build *build, const struct run_operation *operation)
{
	struct run_facts *facts = &build->facts;
	if (!room(build, &facts->operations, &build->operation_capacity, facts->operation_count,
		  sizeof(*operation)))
		return;
	struct run_operation *added = &facts->operations[facts->operation_count++];
	*added = *operation;
	added->name = facts_text(build, operation->name);
	added->library = facts_text(build, operation->library);
	added->file = facts_text(build, operation->file);
}

/* Texts are kept once: equal ones have equal addresses. A file may name a million kinds, so they
 * are not searched one by one. */
static size_t *kind_slot(const struct facts_build *build, const char *name, const char *library)
{
	const char *key[2] = {name, library};
	size_t mask = build->kind_slot_count - 1;
	size_t place = (size_t)wan_hash64(key, sizeof(key), 0) & mask;
	for (;; place = (place + 1) & mask) {
		size_t *slot = &build->kind_slots[place];
		if (!*slot)
			return slot;
		const struct run_kind *kind = &build->facts.kinds[*slot - 1];
		if (kind->name == name && kind->library == library)
			return slot;
	}
}

static bool more_slots(struct facts_build *build)
{
	size_t count = build->kind_slot_count ? 2 * build->kind_slot_count : 64;
	size_t *slots = wan_calloc(count, sizeof(*slots));
	if (!slots) {
		build->error = build->error ? build->error : -ENOMEM;
		return false;
	}
	wan_free(build->kind_slots);
	build->kind_slots = slots;
	build->kind_slot_count = count;
	for (size_t i = 0; i < build->facts.kind_count; i++)
		*kind_slot(build, build->facts.kinds[i].name, build->facts.kinds[i].library) =
			i + 1;
	return true;
}

static struct run_kind *kind_of(struct facts_build *build, const char *name, const char *library)
{
	struct run_facts *facts = &build->facts;
	name = facts_text(build, name);
	library = facts_text(build, library);
	if (2 * facts->kind_count >= build->kind_slot_count && !more_slots(build))
		return NULL;
	size_t *slot = kind_slot(build, name, library);
	if (*slot)
		return &facts->kinds[*slot - 1];
	if (!room(build, &facts->kinds, &build->kind_capacity, facts->kind_count,
		  sizeof(facts->kinds[0])))
		return NULL;
	facts->kinds[facts->kind_count] = (struct run_kind){
		.name = name,
		.library = library,
		.median_ms = NAN,
		.p95_ms = NAN,
		.peak_mb = NAN,
	};
	*slot = ++facts->kind_count;
	return &facts->kinds[*slot - 1];
}

void facts_add_row(struct facts_build *build, const struct facts_row *row)
{
	struct run_kind *kind = kind_of(build, row->name, row->library);
	if (!kind)
		return;
	kind->count += row->count;
	kind->failed += row->failed ? row->count : 0;
	kind->total_ms += row->total_ms;
	kind->max_ms = fmax(kind->max_ms, row->max_ms);
	kind->cpu_ms += row->cpu_ms; /* one that is not known makes the sum so */
	kind->peak_mb = fmax(kind->peak_mb, row->peak_mb);
}

void facts_add_phase(struct facts_build *build, const struct run_phase *phase)
{
	struct run_facts *facts = &build->facts;
	if (!room(build, &facts->phases, &build->phase_capacity, facts->phase_count,
		  sizeof(*phase)))
		return;
	facts->phases[facts->phase_count] = *phase;
	facts->phases[facts->phase_count++].name = facts_text(build, phase->name);
}

void facts_add_finding(struct facts_build *build, const struct run_finding *finding)
{
	struct run_facts *facts = &build->facts;
	if (!room(build, &facts->findings, &build->finding_capacity, facts->finding_count,
		  sizeof(*finding)))
		return;
	struct run_finding *added = &facts->findings[facts->finding_count++];
	*added = *finding;
	added->id = facts_text(build, finding->id);
	added->severity = facts_text(build, finding->severity);
	added->title = facts_text(build, finding->title);
	added->operation = facts_text(build, finding->operation);
	added->unit = facts_text(build, finding->unit);
}

const char *facts_program_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path;
}

static int longest_first(const void *left, const void *right)
{
	const struct run_kind *a = left, *b = right;
	if (a->total_ms != b->total_ms)
		return a->total_ms < b->total_ms ? 1 : -1;
	int order = strcmp(a->name ? a->name : "", b->name ? b->name : "");
	return order ? order : strcmp(a->library ? a->library : "", b->library ? b->library : "");
}

static int by_start(const void *left, const void *right)
{
	const struct run_operation *a = left, *b = right;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return (a->thread > b->thread) - (a->thread < b->thread);
}

/* Times of the single operations of each kind; kinds whose operations are not all there have none.
 * One pass to count, one to lay them out side by side. 0, -ENOMEM. */
static int add_percentiles(struct facts_build *build)
{
	struct run_facts *facts = &build->facts;
	size_t kinds = facts->kind_count, operations = facts->operation_count;
	wan_cleanup(wan_freep) size_t *ends = wan_calloc(kinds + 1, sizeof(*ends));
	wan_cleanup(wan_freep) size_t *kind_at = wan_calloc(operations + 1, sizeof(*kind_at));
	wan_cleanup(wan_freep) double *times = wan_calloc(operations + 1, sizeof(*times));
	if (!ends || !kind_at || !times)
		return -ENOMEM;
	for (size_t i = 0; i < operations; i++) {
		const struct run_operation *operation = &facts->operations[i];
		size_t kind = build->kind_slots
				      ? *kind_slot(build, operation->name, operation->library)
				      : 0;
		kind_at[i] = kind ? kind - 1 : kinds; /* of no kind: behind the others */
		ends[kind_at[i]]++;
	}
	for (size_t kind = 0, begin = 0; kind <= kinds; kind++) {
		size_t count = ends[kind];
		ends[kind] = begin; /* grows to the end as they are laid out */
		begin += count;
	}
	for (size_t i = 0; i < operations; i++)
		times[ends[kind_at[i]]++] = facts->operations[i].time_ms;
	for (size_t kind = 0; kind < kinds; kind++) {
		size_t begin = kind ? ends[kind - 1] : 0, count = ends[kind] - begin;
		if (count != facts->kinds[kind].count)
			continue;
		facts->kinds[kind].median_ms = stat_percentile(times + begin, count, 0.5);
		facts->kinds[kind].p95_ms = stat_percentile(times + begin, count, 0.95);
	}
	return 0;
}

static void derive(struct run_facts *facts)
{
	bool sorted = true;
	double longest = -1;
	for (size_t i = 1; i < facts->operation_count && sorted; i++)
		sorted = facts->operations[i - 1].start_ns <= facts->operations[i].start_ns;
	if (!sorted)
		qsort(facts->operations, facts->operation_count, sizeof(facts->operations[0]),
		      by_start);
	if (facts->kind_count > 1)
		qsort(facts->kinds, facts->kind_count, sizeof(facts->kinds[0]), longest_first);
	for (size_t i = 0; i < facts->kind_count; i++) {
		struct run_kind *kind = &facts->kinds[i];
		kind->mean_ms = kind->count ? kind->total_ms / (double)kind->count : NAN;
		facts->failed_operations += kind->failed;
	}
	for (size_t i = 0; i < facts->phase_count; i++) {
		const struct run_phase *phase = &facts->phases[i];
		if (strcmp(phase->name ? phase->name : "", "model_loading") != 0 ||
		    phase->duration_ms <= longest)
			continue;
		longest = phase->duration_ms;
		facts->cold = phase->cold;
	}
	facts->dropped_operations = facts->total_operations > facts->operation_count
					    ? facts->total_operations - facts->operation_count
					    : 0;
}

int facts_build_end(struct facts_build *build, struct run_facts *ret_facts)
{
	if (!build->error)
		build->error = add_percentiles(build);
	if (!build->error)
		derive(&build->facts);
	if (!build->error && build->facts.texts->failed)
		build->error = -ENOMEM;
	if (build->error) {
		facts_build_abandon(build);
		return build->error;
	}
	*ret_facts = build->facts;
	wan_free(build->kind_slots);
	return 0;
}
