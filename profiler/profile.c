/* SPDX-License-Identifier: MIT */
/* Start, stop, results: a profile is a stretch of the process's recording. */
#include "profile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "alloc.h"
#include "attach.h"
#include "cleanup.h"
#include "clock.h"
#include "environment.h"
#include "export.h"
#include "heap.h"
#include "log.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

/* Two thread CPU clock reads (0.8 us) are then at most 0.1 % of the operation. */
#define LARGE_NS   800000
#define PATH_BYTES 4096

/* Active from the beginning: what was recorded before is not ours, and a start is still allowed. */
static int begin_active(struct wan_profile *profile)
{
	int r = wan_profile_start(profile);
	wan_mutex_lock(&profile->lock);
	profile->started = false;
	wan_mutex_unlock(&profile->lock);
	return r;
}

int wan_profile_create(const struct wan_profile_options *options, struct wan_profile **ret_profile)
{
	if (!options || !options->config || !options->recorder || !ret_profile)
		return -EINVAL;
	struct wan_profile *profile = wan_calloc(1, sizeof(*profile));
	if (!profile)
		return -ENOMEM;
	wan_mutex_init(&profile->lock, WAN_RANK_PROFILE);
	profile->config = options->config;
	profile->recorder = options->recorder;
	profile->share = wan_record_share_find();
	profile->cpu = !options->no_cpu;
	double ns_per_tick = wan_clock_ns_per_tick();
	profile->large_ticks = profile->cpu
				       ? (uint64_t)(LARGE_NS / (ns_per_tick > 0 ? ns_per_tick : 1))
				       : UINT64_MAX;
	struct wan_record_header *header = wan_recorder_header(options->recorder);
	if (!header->allocator[0]) {
		header->allocator_active = wan_heap_source();
		wan_str_copy(header->allocator, sizeof(header->allocator), wan_heap_describe());
	}
	int r = wan_profile_set_categories(profile, options->config->profile_categories);
	if (!r && options->active)
		r = begin_active(profile);
	if (r < 0) {
		wan_profile_destroy(profile);
		return r;
	}
	*ret_profile = profile;
	return 0;
}

static void unref(struct wan_period *period)
{
	if (!period || wan_sub_acq_rel(&period->references, 1) != 1)
		return;
	wan_recording_close(period->baseline);
	wan_recording_close(period->final);
	unref(period->before);
	wan_free(period);
}

void wan_profile_destroy(struct wan_profile *profile)
{
	if (!profile)
		return;
	unref(profile->period);
	wan_categories_destroy(profile->categories);
	wan_mutex_finish(&profile->lock);
	wan_free(profile);
}

bool wan_profile_active(struct wan_profile *profile)
{
	return profile && wan_load_relaxed(&profile->active);
}

/* What is recorded by now, parsed. */
static int look(struct wan_profile *profile, struct wan_recording **ret_recording)
{
	void *copy = NULL;
	size_t bytes = 0;
	int rc = wan_recorder_snapshot(profile->recorder, &copy, &bytes);
	if (rc)
		return rc;
	rc = wan_recording_open_memory(copy, bytes, ret_recording, NULL);
	wan_free(copy);
	return rc;
}

/*
 * The start as an event among the operations: its time is converted from ticks by the same rule as
 * theirs, so that no operation falls on the wrong side of it.
 */
static void mark_start(struct wan_profile *profile, struct wan_period *period)
{
	struct wan_lane *lane = wan_lane_get(profile->recorder);
	period->since_ns = period->marker = wan_now_ns();
	if (!lane)
		return;
	struct wan_record_event event = {
		.ticks = wan_ticks(),
		.values = {period->marker},
		.name = wan_recorder_string(profile->recorder, WAN_PROFILE_MARKER),
		.kind_status = WAN_RECORD_ACTION << 4,
		.thread = lane->thread,
	};
	wan_lane_append(lane, &event);
}

static struct wan_period *swap_locked(struct wan_profile *profile, struct wan_period *period)
	WAN_REQUIRES(&profile->lock)
{
	struct wan_period *old = profile->period;
	profile->period = period;
	return old;
}

int wan_profile_start(struct wan_profile *profile)
{
	if (!profile)
		return -EINVAL;
	struct wan_period *fresh = wan_calloc(1, sizeof(*fresh)), *old = fresh;
	if (!fresh)
		return -ENOMEM;
	fresh->references = 1;
	wan_mutex_lock(&profile->lock);
	int rc = profile->started ? -EALREADY : look(profile, &fresh->baseline);
	if (!rc) {
		mark_start(profile, fresh);
		old = swap_locked(profile, fresh);
		profile->started = true;
		wan_store_relaxed(&profile->active, 1);
	}
	wan_mutex_unlock(&profile->lock);
	unref(old);
	return rc;
}

/* Readers may hold the running period, so the stopped one is a new one that takes its start over.
 */
int wan_profile_stop(struct wan_profile *profile)
{
	if (!profile)
		return -EINVAL;
	struct wan_period *stopped = wan_calloc(1, sizeof(*stopped)), *old = stopped;
	if (!stopped)
		return -ENOMEM;
	stopped->references = 1;
	wan_mutex_lock(&profile->lock);
	int rc = wan_load_relaxed(&profile->active) ? look(profile, &stopped->final) : -EALREADY;
	if (!rc) {
		wan_store_relaxed(&profile->active, 0);
		profile->started = false;
		old = swap_locked(profile, stopped);
		if (old) {
			stopped->since_ns = old->since_ns;
			stopped->marker = old->marker;
			stopped->before = old;
			old = NULL;
		}
	}
	wan_mutex_unlock(&profile->lock);
	unref(old);
	return rc;
}

static struct wan_period *current_period(struct wan_profile *profile)
{
	wan_mutex_lock(&profile->lock);
	struct wan_period *period = profile->period;
	if (period)
		wan_add_relaxed(&period->references, 1);
	wan_mutex_unlock(&profile->lock);
	return period;
}

static uint64_t start_of(const struct wan_period *period, const struct wan_process *process)
{
	for (size_t i = process->event_count; i-- > 0;) {
		const struct wan_process_event *event = &process->events[i];
		if (event->kind == WAN_RECORD_ACTION && event->values[0] == period->marker &&
		    event->name && strcmp(event->name, WAN_PROFILE_MARKER) == 0)
			return event->time_ns;
	}
	return period->since_ns; /* wrapped away: the clock has to do */
}

static const struct wan_recording *baseline_of(const struct wan_period *period)
{
	if (!period)
		return NULL;
	return period->before ? period->before->baseline : period->baseline;
}

static int analyse(struct wan_profile *profile, const struct wan_period *period,
		   const struct wan_recording *recording, struct wan_analysis *ret_analysis)
{
	struct wan_view view;
	if (wan_recording_process_count(recording) == 0)
		return -ENODATA;
	struct wan_view_source source = {
		.process = wan_recording_process(recording, 0),
		.until_ns = UINT64_MAX,
	};
	const struct wan_recording *baseline = baseline_of(period);
	if (baseline && wan_recording_process_count(baseline))
		source.baseline = wan_recording_process(baseline, 0);
	if (period && period->marker)
		source.since_ns = start_of(period, source.process);
	int rc = wan_view_init(&view, &source, 1, NULL);
	return rc ? rc : wan_analysis_init(ret_analysis, &view, profile->config);
}

/* Calls use with the analysis of what was recorded since the start; no lock is held. */
static int with_analysis(struct wan_profile *profile,
			 int (*use)(void *context, const struct wan_analysis *analysis),
			 void *context)
{
	struct wan_period *period = current_period(profile);
	struct wan_recording *now = NULL;
	struct wan_analysis analysis;
	bool stopped = period && period->final;
	int rc = stopped ? 0 : look(profile, &now);
	if (!rc)
		rc = analyse(profile, period, stopped ? period->final : now, &analysis);
	if (!rc) {
		rc = use(context, &analysis);
		wan_analysis_finish(&analysis);
	}
	wan_recording_close(now);
	unref(period);
	return rc;
}

static int fill_results(void *context, const struct wan_analysis *analysis)
{
	struct wan_profile_results *results = context;
	const struct wan_rows *rows = &analysis->rows;
	uint64_t total = rows->total_operations;
	results->total_operations = total;
	results->total_time_ms = (double)rows->total_inside_ns / 1e6;
	results->average_time_ms = total ? results->total_time_ms / (double)total : 0;
	results->peak_memory_mb =
		rows->memory_known ? (double)rows->peak_bytes / (double)WAN_MIB : -1;
	results->total_memory_mb =
		rows->memory_known ? (double)rows->total_memory_bytes / (double)WAN_MIB : -1;
	for (size_t i = 0; i < analysis->findings.count; i++) {
		const struct wan_finding *finding = &analysis->findings.items[i];
		bool bottleneck = finding->advice->kind == WAN_ADVICE_FINDING;
		uint32_t *count =
			bottleneck ? &results->bottleneck_count : &results->recommendation_count;
		char(*lines)[192] = bottleneck ? results->bottlenecks : results->recommendations;
		if (*count < 16)
			wan_str_copy(lines[(*count)++], sizeof(*lines), finding->text);
	}
	return 0;
}

int wan_profile_results(struct wan_profile *profile, struct wan_profile_results *results)
{
	if (!profile || !results || results->struct_size < sizeof(results->struct_size))
		return -EINVAL;
	size_t known = WAN_MIN(results->struct_size, sizeof(*results));
	size_t size = results->struct_size;
	struct wan_profile_results *full = wan_calloc(1, sizeof(*full));
	if (!full)
		return -ENOMEM;
	int rc = with_analysis(profile, fill_results, full);
	if (!rc) {
		memcpy(results, full, known);
		results->struct_size = size;
	}
	wan_free(full);
	return rc;
}

static int write_document(void *context, const struct wan_analysis *analysis)
{
	struct wan_environment environment;
	struct wan_export_options options = {.environment = &environment};
	struct wan_json json;
	wan_environment_read(&environment);
	wan_json_init(&json, wan_json_write_fd, context, true);
	struct wan_export export = {.json = &json, .analysis = analysis, .options = &options};
	wan_export_json(&export);
	return wan_json_finish(&json);
}

/* The temporary file gets its name; without overwrite an existing one is never replaced. */
static int give_name(const char *temporary, const char *path, bool overwrite)
{
	struct stat there;
	if (overwrite)
		return wan_sys->rename(temporary, path) ? -errno : 0;
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* a file system that cannot refuse by itself */
	if (wan_sys->stat(path, &there) == 0)
		return -EEXIST;
	return wan_sys->rename(temporary, path) ? -errno : 0;
}

static int write_file(struct wan_profile *profile, const char *path, bool overwrite)
{
	char temporary[PATH_BYTES];
	struct stat there;
	if (!overwrite && wan_sys->stat(path, &there) == 0)
		return -EEXIST;
	size_t used = wan_str_format(temporary, sizeof(temporary), "%s.%lu.tmp", path,
				     (unsigned long)getpid());
	if (used + 1 >= sizeof(temporary))
		return -ENAMETOOLONG;
	int fd = wan_sys->open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	int rc = with_analysis(profile, write_document, &fd);
	if (wan_sys->close(fd) != 0 && !rc)
		rc = -errno;
	if (!rc)
		rc = give_name(temporary, path, overwrite);
	if (rc)
		wan_sys->unlink(temporary);
	return rc;
}

int wan_profile_write_json(struct wan_profile *profile, const char *path, bool overwrite,
			   struct wan_error *reterr_error)
{
	if (!profile || !path || !path[0])
		return wan_error_set(reterr_error, -EINVAL, "wan_profile_write_json", "",
				     "an argument is missing");
	int standard = STDOUT_FILENO;
	int rc = strcmp(path, "-") == 0 ? with_analysis(profile, write_document, &standard)
					: write_file(profile, path, overwrite);
	if (rc == -EEXIST)
		return wan_error_set(reterr_error, rc, path, "choose another name or allow it",
				     "exists and shall not be overwritten");
	if (rc)
		return wan_error_set(reterr_error, rc, path, "", "cannot be written: %s",
				     wan_strerror(rc));
	return 0;
}
