/* SPDX-License-Identifier: MIT */
#include "history_runs.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"

void history_run_init(struct history_run *run)
{
	*run = (struct history_run){
		.succeeded = -1,
		.total_s = NAN,
		.estimate_s = NAN,
		.s_per_step = NAN,
		.output_mb = NAN,
		.read_mb = NAN,
		.span_s = NAN,
		.first_stamp_s = NAN,
	};
}

void history_run_finish(struct history_run *run)
{
	char *texts[] = {run->job,     run->key,  run->label,   run->file,
			 run->machine, run->tier, run->unclean, run->verdict};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		wan_free(texts[i]);
	for (size_t i = 0; i < run->phase_count; i++)
		wan_free(run->phases[i].name);
	wan_free(run->phases);
	*run = (struct history_run){0};
}

void history_runs_finish(struct history_runs *runs)
{
	for (size_t i = 0; i < runs->count; i++)
		history_run_finish(&runs->items[i]);
	for (size_t i = 0; i < runs->declared_count; i++)
		history_run_finish(&runs->declared[i]);
	wan_free(runs->items);
	wan_free(runs->declared);
	*runs = (struct history_runs){0};
}

int history_runs_add(struct history_runs *runs, struct history_run *run)
{
	int rc = wan_array_reserve(&runs->items, &runs->capacity, runs->count + 1,
				   sizeof(*runs->items));
	run->order = runs->count;
	if (rc)
		history_run_finish(run);
	else
		runs->items[runs->count++] = *run;
	return rc;
}

int history_set_text(char **to, const char *text)
{
	char *copy = text ? wan_strdup(text) : NULL;
	if (text && !copy)
		return -ENOMEM;
	wan_free(*to);
	*to = copy;
	return 0;
}

int history_add_phase(struct history_run *run, const char *name, double seconds, uint64_t steps)
{
	size_t capacity = run->phase_count;
	if (run->phase_count == HISTORY_PHASES_MAX)
		return -E2BIG;
	if (wan_array_reserve(&run->phases, &capacity, run->phase_count + 1, sizeof(*run->phases)))
		return -ENOMEM;
	struct history_phase *phase = &run->phases[run->phase_count];
	*phase = (struct history_phase){.seconds = seconds, .share = NAN, .steps = steps};
	if (history_set_text(&phase->name, name))
		return -ENOMEM;
	run->phase_count++;
	return 0;
}
