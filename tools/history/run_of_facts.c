/* SPDX-License-Identifier: MIT */
/* The line of history that a recording leaves. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "history_collect.h"
#include "macros.h"
#include "run_facts.h"
#include "str.h"

/* Times are compared between runs of the same hardware only. */
static int set_machine(struct history_run *run, const struct run_machine *machine)
{
	char text[400];
	size_t used = 0;
	if (!machine->cpu_model && !machine->cpus)
		return 0;
	used = wan_str_format(text, sizeof(text), "%s, %u CPUs",
			      machine->cpu_model ? machine->cpu_model : "unknown processor",
			      machine->cpus);
	double memory = fmin(machine->memory_mb, machine->memory_limit_mb);
	if (!isnan(memory))
		used += wan_str_format(text + used, sizeof(text) - used, ", %.0f GB",
				       memory / 1024);
	if (machine->gpu_model || !isnan(machine->vram_mb))
		used += wan_str_format(text + used, sizeof(text) - used, ", %s",
				       machine->gpu_model ? machine->gpu_model : "GPU");
	if (!isnan(machine->vram_mb))
		wan_str_format(text + used, sizeof(text) - used, " %.0f GB",
			       machine->vram_mb / 1024);
	return history_set_text(&run->machine, text);
}

static int set_ending(struct history_run *run, const struct run_facts *facts)
{
	char text[64];
	if (run_facts_succeeded(facts)) {
		run->succeeded = 1;
		return 0;
	}
	if (wan_str_equal(facts->state, "unknown") || !facts->state)
		return history_set_text(&run->verdict, "nobody saw how it ended");
	run->succeeded = 0;
	if (wan_str_equal(facts->state, "killed_for_memory"))
		wan_str_copy(text, sizeof(text), "killed for memory");
	else if (facts->signal > 0)
		wan_str_format(text, sizeof(text), "signal %d", facts->signal);
	else
		wan_str_format(text, sizeof(text), "exit %d", facts->exit_status);
	return history_set_text(&run->verdict, text);
}

/* What a batch made: pictures that were encoded. */
static uint64_t items_of(const struct run_facts *facts)
{
	uint64_t items = 0;
	for (size_t i = 0; i < facts->kind_count; i++) {
		const char *dot = facts->kinds[i].name ? strrchr(facts->kinds[i].name, '.') : NULL;
		if (dot && strcmp(dot, ".encode") == 0)
			items += facts->kinds[i].count - facts->kinds[i].failed;
	}
	return items;
}

static int add_phases(struct history_run *run, const struct run_facts *facts)
{
	int rc = 0;
	for (size_t i = 0; i < facts->phase_count && !rc; i++) {
		const struct run_phase *phase = &facts->phases[i];
		if (!(phase->duration_ms > 0))
			continue;
		run->steps = WAN_MAX(run->steps, phase->steps);
		rc = history_add_phase(run, phase->name ? phase->name : "unnamed",
				       phase->duration_ms / 1000, phase->steps);
	}
	return rc == -E2BIG ? 0 : rc;
}

int history_run_of(struct history_run *ret_run, const struct run_facts *facts, const char *path)
{
	struct history_run run;
	static const char nobody[] = "00000000000000000000000000000000";
	bool named = facts->run_id[0] && strcmp(facts->run_id, nobody) != 0;
	if (wan_str_equal(facts->state, "running"))
		return 1;
	history_run_init(&run);
	run.total_s = facts->duration_ms / 1000;
	run.estimate_s = facts->estimate_s;
	run.started_ns = facts->started_realtime_ns;
	run.read_mb = facts->read_mb;
	run.items = items_of(facts);
	int rc = history_set_text(&run.job, facts->job ? facts->job : "unnamed");
	if (!rc)
		rc = history_set_text(&run.key, named ? facts->run_id : path);
	if (!rc)
		rc = history_set_text(&run.file, path);
	if (!rc)
		rc = history_set_text(&run.tier, facts->machine.tier);
	if (!rc)
		rc = history_set_text(&run.unclean, facts->before.unclean);
	if (!rc)
		rc = set_machine(&run, &facts->machine);
	if (!rc)
		rc = set_ending(&run, facts);
	if (!rc)
		rc = add_phases(&run, facts);
	if (rc)
		history_run_finish(&run);
	else
		*ret_run = run;
	return rc;
}
