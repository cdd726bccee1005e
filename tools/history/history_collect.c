/* SPDX-License-Identifier: MIT */
#include "history_collect.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "history_job.h"
#include "history_index.h"
#include "history_journal.h"
#include "log.h"
#include "place.h"
#include "run_facts.h"
#include "str.h"
#include "sys.h"

#define FILES_MOST 100000u

struct walk {
	struct history_index index;
	struct history_told *told;
};

static uint64_t changed_ns(const struct stat *file)
{
	return (uint64_t)file->st_mtim.tv_sec * 1000000000u + (uint64_t)file->st_mtim.tv_nsec;
}

/* Reads a recording into the entry. 0, 1 (it still runs), or why it cannot be read. */
static int read_file(struct history_entry *entry, struct wan_error *reterr_error)
{
	struct run_facts facts;
	struct history_run run;
	char *line = NULL;
	int rc = run_facts_load(&facts, entry->path, reterr_error);
	if (rc)
		return rc;
	rc = history_run_of(&run, &facts, entry->path);
	run_facts_finish(&facts);
	if (rc == 0) {
		line = history_format_line(&run, false);
		rc = line ? 0 : -ENOMEM;
		history_run_finish(&run);
	}
	if (rc == 0) {
		wan_free(entry->line);
		entry->line = line;
	}
	return rc;
}

/* named: by the user, who must learn why it cannot be read. */
static int look_at(struct walk *walk, const char *path, bool named, struct wan_error *reterr_error)
{
	struct stat file;
	char full[PATH_MAX];
	if (!realpath(path, full) || wan_sys->stat(full, &file) != 0)
		return named ? wan_error_set(reterr_error, -errno, path, "check the name", "%s",
					     strerror(errno))
			     : 0;
	/* A pipe that lies in a folder would be waited for. */
	if (!named && !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode))
		return 0;
	struct history_entry *entry = history_index_put(&walk->index, full);
	if (!entry)
		return -ENOMEM;
	if (entry->seen)
		return 0;
	entry->seen = true;
	walk->told->recordings++;
	if (entry->bytes == (uint64_t)file.st_size && entry->changed_ns == changed_ns(&file) &&
	    (entry->line || !named)) {
		walk->told->known++;
		return 0;
	}
	int rc = read_file(entry, reterr_error);
	walk->told->read += rc == 0;
	walk->told->running += rc == 1;
	if (rc == -ENOMEM)
		return rc;
	if (rc == 1) /* it will be another file when it has ended */
		return 0;
	if (rc < 0) {
		walk->told->unreadable++;
		wan_free(entry->line);
		entry->line = NULL;
		if (named)
			return rc;
	}
	entry->bytes = (uint64_t)file.st_size;
	entry->changed_ns = changed_ns(&file);
	entry->changed = true;
	return 0;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t bytes = strlen(name), tail = strlen(suffix);
	return bytes > tail && strcmp(name + bytes - tail, suffix) == 0;
}

/* FILE.d/ is what a recorder left that was killed, or has not packed yet. */
static bool wanted(const char *name, bool with_json)
{
	return name[0] != '.' && (ends_with(name, ".wprof") || ends_with(name, ".wprof.d") ||
				  (with_json && ends_with(name, ".json")));
}

static int look_into(struct walk *walk, const char *folder, bool with_json)
{
	char path[PATH_MAX];
	DIR *directory = opendir(folder);
	int rc = 0;
	size_t count = 0;
	for (struct dirent *entry; directory && !rc && (entry = readdir(directory));) {
		if (!wanted(entry->d_name, with_json) || ++count > FILES_MOST)
			continue;
		wan_str_format(path, sizeof(path), "%s/%s", folder, entry->d_name);
		rc = look_at(walk, path, false, NULL);
	}
	if (directory)
		closedir(directory);
	return rc;
}

static int look_at_named(struct walk *walk, const char *path, struct wan_error *reterr_error)
{
	struct stat status;
	size_t before = walk->told->recordings;
	if (wan_sys->stat(path, &status) != 0 || !S_ISDIR(status.st_mode) ||
	    ends_with(path, ".wprof.d"))
		return look_at(walk, path, true, reterr_error);
	int rc = look_into(walk, path, true);
	if (!rc && walk->told->recordings == before)
		rc = wan_error_set(reterr_error, -ENODATA, path,
				   "name a folder that has recordings (*.wprof)",
				   "no recordings in it");
	return rc;
}

/* Entries of files that were not met: elsewhere, changed, or gone. */
static int look_at_others(struct walk *walk)
{
	struct stat file;
	size_t count = walk->index.count;
	for (size_t i = 0; i < count; i++) {
		struct history_entry *entry = &walk->index.entries[i];
		char *path = entry->seen || !entry->line ? NULL : wan_strdup(entry->path);
		if (!path)
			continue;
		bool there = wan_sys->stat(path, &file) == 0;
		int rc = there ? look_at(walk, path, false, NULL) : 0;
		wan_free(path);
		if (rc)
			return rc;
	}
	return 0;
}

static int take_lines(struct walk *walk, struct history_runs *runs)
{
	char reason[160];
	for (size_t i = 0; i < walk->index.count; i++) {
		const struct history_entry *entry = &walk->index.entries[i];
		size_t before = runs->count;
		if (!entry->line)
			continue;
		int rc = history_parse_line(runs, entry->line, reason, sizeof(reason));
		if (rc == -ENOMEM)
			return rc;
		if (rc || runs->count == before)
			continue; /* a line of a damaged index */
		struct history_run *run = &runs->items[before];
		run->gone = !entry->seen;
		if (!run->file && history_set_text(&run->file, entry->path))
			return -ENOMEM;
		walk->told->gone += run->gone;
	}
	return 0;
}

static int by_key(const void *left, const void *right)
{
	const struct history_run *a = left, *b = right;
	int order = strcmp(a->key ? a->key : "", b->key ? b->key : "");
	if (order)
		return order;
	if (a->gone != b->gone)
		return a->gone - b->gone;
	if (a->total_s != b->total_s)
		return a->total_s > b->total_s ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Copies of a recording, and the processes of a run recorded one by one, are one run. */
static void drop_copies(struct history_runs *runs, struct history_told *told)
{
	size_t kept = 0;
	if (!runs->count)
		return;
	qsort(runs->items, runs->count, sizeof(*runs->items), by_key);
	for (size_t i = 0; i < runs->count; i++) {
		struct history_run *run = &runs->items[i];
		bool copy = kept && run->key && runs->items[kept - 1].key &&
			    strcmp(run->key, runs->items[kept - 1].key) == 0;
		if (copy) {
			told->gone -= run->gone;
			history_run_finish(run);
		} else {
			runs->items[kept++] = *run;
		}
	}
	runs->count = kept;
}

static int walk_all(struct walk *walk, const struct history_request *request, const char *folder,
		    struct wan_error *reterr_error)
{
	int rc = look_into(walk, folder, false);
	for (size_t i = 0; !rc && i < request->path_count; i++)
		rc = look_at_named(walk, request->paths[i], reterr_error);
	return rc ? rc : look_at_others(walk);
}

int history_collect(const struct history_request *request, struct history_runs *runs,
		    struct history_told *told, struct wan_error *reterr_error)
{
	char folder[PATH_MAX] = "", state[PATH_MAX + 16] = "";
	struct walk walk = {.told = told};
	*told = (struct history_told){0};
	if (request->folder)
		wan_str_copy(folder, sizeof(folder), request->folder);
	else if (wan_place_default_folder(folder, sizeof(folder)))
		folder[0] = '\0';
	if (request->state)
		wan_str_copy(state, sizeof(state), request->state);
	else if (history_state_folder(state, sizeof(state)) && folder[0])
		wan_str_format(state, sizeof(state), "%s/history", folder);
	int rc = history_index_open(&walk.index, state);
	int journal = rc ? -1 : history_journal_take(state, &walk.index);
	for (size_t i = 0; request->rebuild && i < walk.index.count; i++)
		walk.index.entries[i].changed_ns = 0;
	if (!rc)
		rc = walk_all(&walk, request, folder, reterr_error);
	bool saved = rc != -ENOMEM && history_index_save(&walk.index);
	history_journal_finish(journal, saved);
	wan_str_copy(told->remark, sizeof(told->remark), walk.index.remark);
	if (!rc)
		rc = take_lines(&walk, runs);
	history_index_close(&walk.index);
	if (!rc) {
		drop_copies(runs, told);
		rc = history_read_lists(state, runs, told);
	}
	if (!rc)
		rc = history_read_verdicts(state, runs);
	if (!rc)
		history_runs_sort(runs);
	else
		history_runs_finish(runs);
	if (rc == -ENOMEM)
		wan_error_set(reterr_error, rc, "", "", "out of memory");
	return rc;
}

void history_remember(const char *path)
{
	char state[PATH_MAX], full[PATH_MAX];
	struct stat file;
	struct history_entry entry = {.path = full};
	if (!realpath(path, full) || wan_sys->stat(full, &file) != 0 ||
	    history_state_folder(state, sizeof(state)))
		return;
	if (read_file(&entry, NULL) == 0)
		history_journal_append(state, (uint64_t)file.st_size, changed_ns(&file),
				       entry.line);
	wan_free(entry.line);
}
