/* SPDX-License-Identifier: MIT */
#include "baseline_verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "history_collect.h"
#include "history_report.h"
#include "json_writer.h"
#include "machine.h"
#include "run_facts.h"
#include "str.h"
#include "verdict_files.h"
#include "wanprof.h"

int baseline_failed(int rc, const struct wan_error *error)
{
	wanprof_say_error(error);
	switch (rc) {
	case -EBADMSG:
	case -ENOTSUP:
	case -EFBIG:
		return WANPROF_DAMAGED;
	case -ENOENT:
	case -ENODATA:
	case -EISDIR:
		return WANPROF_NO_INPUT;
	case -ENOMEM:
		return WANPROF_NO_MEMORY;
	default:
		return WANPROF_NO_OUTPUT;
	}
}

int baseline_unread(int rc, const struct wan_error *error)
{
	wanprof_say_error(error);
	return verdict_exit_status(rc);
}

struct lookup {
	const char *name, *tier;
	size_t count;
};

static void look(void *context, const char *tier, const char *name, const size_t *counts)
{
	struct lookup *lookup = context;
	if (strcmp(name, lookup->name) != 0 || !(counts[0] + counts[1] + counts[2]))
		return;
	lookup->tier = tier;
	lookup->count++;
}

const char *baseline_meant_tier(const struct baseline_request *request)
{
	struct lookup lookup = {.name = request->name};
	struct machine machine;
	if (request->tier)
		return request->tier;
	baseline_each(NULL, look, &lookup);
	if (lookup.count <= 1)
		return lookup.tier;
	machine_look(&(struct machine_request){.gpus = machine_gpus_real}, &machine);
	return machine.memory_bytes ? machine_tier_name(machine_tier_of(&machine)) : NULL;
}

/* --- save --- */

/* The latest runs of the job that can be compared with. */
static int choose_files(struct baseline_request *request, struct history_runs *runs)
{
	struct wan_error error = {0};
	struct history_told told;
	const char *tier = NULL;
	int rc = history_collect(&(struct history_request){0}, runs, &told, &error);
	if (rc)
		return baseline_failed(rc, &error);
	for (size_t i = runs->count; i-- > 0 && request->file_count < request->last;) {
		const struct history_run *run = &runs->items[i];
		if (strcmp(run->job, request->job) != 0 || run->succeeded <= 0 || run->gone ||
		    !run->file || access(run->file, R_OK) != 0)
			continue;
		if (request->file_count && !wan_str_equal(tier, run->tier))
			continue; /* the latest one says which tier is meant */
		tier = run->tier;
		request->files[request->file_count++] = run->file;
	}
	if (request->file_count)
		return 0;
	wanprof_say("%s: no completed run of this job has a recording in the default folder; "
		    "record one with `wanprof run --job %s -- CMD`",
		    request->job, request->job);
	return WANPROF_NO_INPUT;
}

/* A baseline of failed or half-read runs would make every comparison wrong. */
static int check_file(const char *path, const char **tier, bool first)
{
	struct run_facts facts;
	struct wan_error error = {0};
	int status = 0;
	int rc = run_facts_load(&facts, path, &error);
	if (rc)
		return baseline_unread(rc, &error);
	const char *here = baseline_tier(facts.machine.tier);
	if (facts.damaged || !run_facts_succeeded(&facts)) {
		wanprof_say("%s: %s; a baseline is made of runs that completed", path,
			    facts.damaged                           ? "is damaged"
			    : wan_str_equal(facts.state, "running") ? "still runs"
			    : wan_str_equal(facts.state, "unknown") ? "nobody saw how it ended"
								    : "failed");
		status = WANPROF_DAMAGED;
	} else if (!first && here != *tier) {
		wanprof_say("%s: of tier %s, the files before it of tier %s; save them apart", path,
			    here, *tier);
		status = WANPROF_USAGE;
	}
	*tier = here;
	run_facts_finish(&facts);
	return status;
}

int baseline_verb_save(struct baseline_request *request)
{
	struct history_runs runs = {0};
	struct wan_error error = {0};
	const char *tier = NULL;
	enum baseline_part part = BASELINE_REFERENCE;
	int status = 0;
	if (request->job && request->file_count)
		return wanprof_usage_error(&wanprof_verb_baseline,
					   "save: either files or --job, not both");
	if (request->job)
		status = choose_files(request, &runs);
	else if (!request->file_count)
		status = wanprof_usage_error(&wanprof_verb_baseline,
					     "save: which runs? name files, or --job NAME");
	for (size_t i = 0; i < request->file_count && !status; i++)
		status = check_file(request->files[i], &tier, i == 0);
	int rc = status ? 0
			: baseline_save(NULL, request->name, tier, request->files,
					request->file_count, request->force, &part, &error);
	if (rc)
		status = baseline_failed(rc, &error);
	else if (!status)
		wanprof_say("%s: %zu run%s kept as the %s of tier %s%s", request->name,
			    request->file_count, request->file_count == 1 ? "" : "s",
			    baseline_part_name(part), tier,
			    part == BASELINE_CANDIDATE
				    ? "; `wanprof baseline promote` makes it the reference"
				    : "");
	history_runs_finish(&runs);
	return status;
}

/* --- list, show --- */

static void print_one(void *context, const char *tier, const char *name, const size_t *counts)
{
	printf("%-24s %-10s %9zu %9zu %9zu\n", name, tier, counts[0], counts[1], counts[2]);
	++*(size_t *)context;
}

static void print_one_json(void *context, const char *tier, const char *name, const size_t *counts)
{
	struct wan_json *json = context;
	wan_json_object_begin(json);
	wan_json_key_string(json, "name", name);
	wan_json_key_string(json, "tier", tier);
	for (unsigned part = 0; part < BASELINE_PARTS; part++)
		wan_json_key_u64(json, baseline_part_name(part), counts[part]);
	wan_json_object_end(json);
}

static int flushed(int failed)
{
	if (!failed && !fflush(stdout) && !ferror(stdout))
		return WANPROF_OK;
	wanprof_say("standard output: could not be written (disk full?)");
	return WANPROF_NO_OUTPUT;
}

int baseline_verb_list(struct baseline_request *request)
{
	struct wan_json json;
	int fd = STDOUT_FILENO;
	size_t count = 0;
	if (!request->json) {
		printf("%-24s %-10s %9s %9s %9s\n", "name", "tier", "reference", "candidate",
		       "previous");
		baseline_each(NULL, print_one, &count);
		if (!count)
			wanprof_say("no baselines yet: wanprof baseline save NAME FILE...");
		return flushed(0);
	}
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanrt-baseline");
	wan_json_key_i64(&json, "schema_version", 1);
	wan_json_key(&json, "baselines");
	wan_json_array_begin(&json);
	baseline_each(NULL, print_one_json, &json);
	wan_json_array_end(&json);
	wan_json_object_end(&json);
	wan_json_line_end(&json);
	return flushed(wan_json_finish(&json));
}

static void show_part(const struct baseline_request *request, const char *tier,
		      enum baseline_part part)
{
	static struct baseline_files files; /* 256 KiB of paths */
	struct history_runs runs = {0};
	struct history_jobs jobs;
	char path[PATH_MAX];
	if (baseline_find(&files, NULL, request->name, tier, part, NULL) ||
	    (tier && strcmp(files.tier, tier) != 0))
		return;
	printf("%s of %s on tier %s\n", baseline_part_name(part), request->name, files.tier);
	for (size_t i = 0; i < files.count; i++) {
		struct run_facts facts;
		struct wan_error error = {0};
		struct history_run run;
		wan_str_printable(path, sizeof(path), files.paths[i]);
		printf("  %s\n", path);
		if (run_facts_load(&facts, files.paths[i], &error)) {
			wanprof_say_error(&error);
			continue;
		}
		if (history_run_of(&run, &facts, files.paths[i]) == 0)
			history_runs_add(&runs, &run);
		run_facts_finish(&facts);
	}
	history_runs_sort(&runs);
	if (history_jobs_init(&jobs, &runs) == 0) {
		history_print(stdout, &jobs, &runs, false, false);
		history_jobs_finish(&jobs);
	}
	history_runs_finish(&runs);
}

int baseline_verb_show(struct baseline_request *request)
{
	static struct baseline_files files;
	struct wan_error error = {0};
	const char *tier = baseline_meant_tier(request);
	int rc = -ENOENT;
	for (unsigned part = 0; part < BASELINE_PARTS && rc; part++)
		rc = baseline_find(&files, NULL, request->name, tier, (enum baseline_part)part,
				   part == BASELINE_REFERENCE ? &error : NULL);
	if (rc)
		return baseline_failed(rc, &error);
	for (unsigned part = 0; part < BASELINE_PARTS; part++)
		show_part(request, tier, (enum baseline_part)part);
	return flushed(0);
}

/* --- promote, remove --- */

int baseline_verb_promote(struct baseline_request *request)
{
	struct wan_error error = {0};
	const char *tier = baseline_tier(baseline_meant_tier(request));
	int rc = baseline_promote(NULL, request->name, tier, &error);
	if (rc)
		return baseline_failed(rc, &error);
	wanprof_say("%s: the candidate is the reference of tier %s now", request->name, tier);
	return WANPROF_OK;
}

int baseline_verb_remove(struct baseline_request *request)
{
	struct wan_error error = {0};
	int rc = baseline_remove(NULL, request->name, request->tier, &error);
	return rc ? baseline_failed(rc, &error) : WANPROF_OK;
}
