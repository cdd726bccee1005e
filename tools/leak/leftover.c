/* SPDX-License-Identifier: MIT */
/* What whole runs of a command leave behind: a process gives its memory back, these do not. */
#include "leak.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "macros.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

enum { DEPTH_MAX = 16, PATH_BYTES = 4096 };

static double field(const char *text, const char *name)
{
	uint64_t value;
	return wan_procfs_field(text, name, &value) < 0 ? NAN : (double)value * WAN_KIB;
}

/* Everything in use but files; shared memory counts, since nobody can drop it. */
static void read_machine(const char *root, struct leak_leftover *left)
{
	char path[PATH_BYTES], text[8192];
	wan_str_format(path, sizeof(path), "%s/proc/meminfo", root);
	if (wan_procfs_read(path, text, sizeof(text)) < 0)
		return;
	left->shared_bytes = field(text, "Shmem:");
	left->system_bytes = field(text, "MemTotal:") - field(text, "MemFree:") -
			     field(text, "Buffers:") - field(text, "Cached:") -
			     field(text, "SReclaimable:") + left->shared_bytes;
}

static void add_folder(const char *path, unsigned depth, struct leak_leftover *left)
{
	DIR *folder = depth < DEPTH_MAX ? opendir(path) : NULL;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char inside[PATH_BYTES];
		struct stat status;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		wan_str_format(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		if (lstat(inside, &status) != 0)
			continue;
		left->files++;
		left->file_bytes += (double)status.st_blocks * 512;
		if (S_ISDIR(status.st_mode))
			add_folder(inside, depth + 1, left);
	}
	if (folder)
		closedir(folder);
}

/* Our children: `wanprof leak` adopts what the command leaves. */
static void read_processes(struct leak_leftover *left)
{
	char path[64], text[8192], *next = text;
	wan_str_format(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	left->process_bytes = 0;
	if (wan_procfs_read(path, text, sizeof(text)) < 0)
		return;
	for (;;) {
		uint64_t bytes;
		char *end;
		long pid = strtol(next, &end, 10);
		if (end == next)
			return;
		next = end;
		if (wan_procfs_rss_bytes((int)pid, &bytes) < 0 || !bytes)
			continue;
		left->processes++;
		left->process_bytes += (double)bytes;
	}
}

void leak_leftover_read(const char *root, const char *temporary, struct leak_leftover *ret_left)
{
	struct leak_leftover left = {.system_bytes = NAN, .shared_bytes = NAN};
	read_machine(root, &left);
	if (temporary)
		add_folder(temporary, 0, &left);
	read_processes(&left);
	*ret_left = left;
}

static double value_of(const struct leak_leftover *left, unsigned which)
{
	const double values[] = {left->process_bytes, left->file_bytes, left->shared_bytes,
				 left->system_bytes};
	return values[which];
}

void leak_leftover_judge(const struct leak_leftover *readings, size_t count,
			 const struct leak_options *options, struct leak_report *report)
{
	static const char *const names[] = {"processes", "files", "shared", "system"};
	const struct leak_leftover *last = &readings[count - 1];
	struct wan_leak_rules rules = options->rules;
	report->from = LEAK_FROM_RUNS;
	report->verdict = WAN_LEAK_NONE;
	report->kind = NULL;
	report->pid = 0;
	report->seen = count - 1;
	report->books = 0;
	report->keeper_count = 0;
	report->series_count = WAN_COUNT_OF(names);
	count = WAN_MIN(count, (size_t)WAN_LEAK_READINGS_MAX);
	for (unsigned k = 0; k < WAN_COUNT_OF(names); k++) {
		struct leak_series *series = &report->series[k];
		*series = (struct leak_series){.name = names[k], .known = true, .count = count};
		for (size_t i = 0; i < count; i++) {
			series->readings[i] =
				(struct wan_leak_reading){(double)i, value_of(&readings[i], k)};
			series->known &= isfinite(series->readings[i].bytes);
		}
		if (!series->known)
			continue;
		wan_leak_judge_readings(series->readings, count, &rules, &series->judgement);
		enum wan_leak_verdict verdict = series->judgement.verdict;
		/* The machine is not ours alone: its memory accuses only beyond the limit, and what
		 * cannot be said of it leaves the others' verdict alone. */
		bool machine = k >= 2;
		if (machine && (verdict == WAN_LEAK_INCONCLUSIVE ||
				series->judgement.growth_bytes <= rules.limit_bytes))
			verdict = count > rules.iterations ? WAN_LEAK_NONE : verdict;
		if (verdict == WAN_LEAK_FOUND && !report->kind)
			report->kind = names[k];
		if (verdict == WAN_LEAK_FOUND || report->verdict == WAN_LEAK_NONE)
			report->verdict = report->kind ? WAN_LEAK_FOUND : verdict;
	}
	if (last->processes || last->files)
		wan_str_format(report->note, sizeof(report->note),
			       "left behind: %u process%s, %u file%s in TMPDIR", last->processes,
			       last->processes == 1 ? "" : "es", last->files,
			       last->files == 1 ? "" : "s");
	if (report->failed && report->verdict == WAN_LEAK_NONE)
		report->verdict = WAN_LEAK_INCONCLUSIVE;
}
