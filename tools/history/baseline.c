/* SPDX-License-Identifier: MIT */
#include "baseline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "cleanup.h"
#include "log.h"
#include "macros.h"
#include "place.h"
#include "str.h"
#include "sys.h"

#define COPY_BYTES 65536u

static const char *const tiers[BASELINE_TIERS] = {"high-end", "mid-range", "budget", "minimal",
						  "unknown"};

const char *baseline_part_name(enum baseline_part part)
{
	static const char *const names[] = {"reference", "candidate", "previous"};
	return names[part];
}

const char *baseline_tier(const char *tier)
{
	for (size_t i = 0; tier && i < BASELINE_TIERS; i++)
		if (strcmp(tier, tiers[i]) == 0)
			return tiers[i];
	return tiers[BASELINE_TIERS - 1];
}

bool baseline_name_is_safe(const char *name)
{
	size_t bytes = strlen(name);
	if (!bytes || bytes > BASELINE_NAME_MOST || name[0] == '.' || name[0] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
	       bytes;
}

static int refuse_name(struct wan_error *reterr_error, const char *name)
{
	return wan_error_set(reterr_error, -EINVAL, name, "as in: main, v1.2, 2026-11-21",
			     "is no name for a baseline: letters, digits, '.', '_' and '-', at "
			     "most %d",
			     BASELINE_NAME_MOST);
}

/* base/TIER/NAME/PART; NULL ends it earlier. False: too long. */
static bool join(char *to, const char *folder, const char *tier, const char *name, const char *part)
{
	char base[PATH_MAX];
	if (folder)
		wan_str_copy(base, sizeof(base), folder);
	else if (wan_place_default_folder(base, sizeof(base)))
		return false;
	size_t used = wan_str_format(to, PATH_MAX, "%s/baselines", base);
	const char *const parts[] = {tier, name, part};
	for (unsigned i = 0; i < 3 && parts[i]; i++)
		used += wan_str_format(to + used, PATH_MAX - used, "/%s", parts[i]);
	return used + 64 < PATH_MAX;
}

static int no_place(struct wan_error *reterr_error)
{
	return wan_error_set(reterr_error, -ENOENT, "the state folder",
			     "set HOME or XDG_STATE_HOME", "is not known");
}

static int is_kept(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

/* In the order of their numbers. */
static int by_number(const struct dirent **left, const struct dirent **right)
{
	unsigned long a = strtoul((*left)->d_name, NULL, 10);
	unsigned long b = strtoul((*right)->d_name, NULL, 10);
	return a < b ? -1 : a > b;
}

static size_t list(const char *path, struct baseline_files *files)
{
	struct dirent **names;
	int count = scandir(path, &names, is_kept, by_number);
	size_t kept = 0;
	for (int i = 0; i < count; i++) {
		if (kept < BASELINE_FILES_MAX) {
			if (files)
				wan_str_format(files->paths[kept], PATH_MAX, "%s/%s", path,
					       names[i]->d_name);
			kept++;
		}
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return kept;
}

int baseline_find(struct baseline_files *ret_files, const char *folder, const char *name,
		  const char *tier, enum baseline_part part, struct wan_error *reterr_error)
{
	char path[PATH_MAX];
	if (!baseline_name_is_safe(name))
		return refuse_name(reterr_error, name);
	/* the tier that was asked for first */
	for (size_t i = 0; i <= BASELINE_TIERS; i++) {
		const char *here = i ? tiers[i - 1] : baseline_tier(tier);
		if (!i && !tier)
			continue;
		if (!join(path, folder, here, name, baseline_part_name(part)))
			return no_place(reterr_error);
		ret_files->count = list(path, ret_files);
		ret_files->tier = here;
		if (ret_files->count)
			return 0;
	}
	return wan_error_set(reterr_error, -ENOENT, name,
			     "`wanprof baseline list` names them, `wanprof baseline save` makes "
			     "one",
			     "there is no %s baseline of this name", baseline_part_name(part));
}

/* --- writing --- */

static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int failed = wan_sys->mkdir(path, 0700) != 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (failed && failed != -EROFS && failed != -EACCES)
			return failed;
	}
	return wan_sys->mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	rmdir(path);
}

/* What a save that was killed left behind; home has nothing else that begins with a dot. */
static void sweep(const char *home)
{
	char path[PATH_MAX + 256];
	DIR *folder = opendir(home);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		const char *pid = strrchr(entry->d_name, '-');
		bool ours =
			wan_str_starts(entry->d_name, ".part-") || strstr(entry->d_name, ".old-");
		long number = pid ? strtol(pid + 1, NULL, 10) : 0;
		if (!ours || number <= 0 || kill((pid_t)number, 0) == 0 || errno != ESRCH)
			continue;
		wan_str_format(path, sizeof(path), "%s/%s", home, entry->d_name);
		remove_folder(path);
	}
	if (folder)
		closedir(folder);
}

static int copy_file(const char *from, const char *to)
{
	struct stat status;
	wan_cleanup(wan_freep) char *block = wan_malloc(COPY_BYTES);
	wan_cleanup(wan_fd_closep) int in = wan_sys->open(from, O_RDONLY | O_CLOEXEC, 0);
	if (!block)
		return -ENOMEM;
	if (in < 0 || wan_sys->fstat(in, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EISDIR;
	wan_cleanup(wan_fd_closep) int out =
		wan_sys->open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	ssize_t got;
	int rc = 0;
	while (!rc && (got = wan_read_full(in, block, COPY_BYTES)) != 0)
		rc = got < 0 ? (int)got : wan_write_full(out, block, (size_t)got);
	if (!rc && wan_sys->fsync(out) != 0)
		rc = -errno;
	return rc;
}

static int copy_all(const char *to, const char *const *files, size_t count,
		    struct wan_error *reterr_error)
{
	char path[PATH_MAX + 32];
	for (size_t i = 0; i < count; i++) {
		size_t bytes = strlen(files[i]);
		bool json = bytes > 5 && strcmp(files[i] + bytes - 5, ".json") == 0;
		wan_str_format(path, sizeof(path), "%s/%zu.%s", to, i + 1, json ? "json" : "wprof");
		int rc = copy_file(files[i], path);
		if (rc)
			return wan_error_set(
				reterr_error, rc, files[i], rc == -ENOSPC ? "free some space" : "",
				"cannot be copied into the baseline: %s", strerror(-rc));
	}
	return 0;
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* temporary becomes place; what was at place goes. */
static int move_into_place(const char *temporary, const char *place)
{
	char old[PATH_MAX + 32];
	if (!there(place))
		return wan_sys->rename(temporary, place) == 0 ? 0 : -errno;
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, place, RENAME_EXCHANGE) == 0) {
		remove_folder(temporary);
		return 0;
	}
	/* a file system without exchange: for a moment there is none, then the new one */
	wan_str_format(old, sizeof(old), "%s.old-%ld", place, (long)getpid());
	if (wan_sys->rename(place, old) != 0)
		return -errno;
	int rc = wan_sys->rename(temporary, place) == 0 ? 0 : -errno;
	if (rc)
		wan_sys->rename(old, place);
	else
		remove_folder(old);
	return rc;
}

/*
 * The exchange of candidate and reference is one step, putting the old reference away another. A
 * mark in the folder that becomes the reference tells a promotion that was killed between them:
 * the candidate is the old reference then, and a second promotion must not bring it back.
 */
#define MARK ".promoted"

static bool is_marked(const char *folder)
{
	char path[PATH_MAX + 16];
	wan_str_format(path, sizeof(path), "%s/" MARK, folder);
	return there(path);
}

static void set_mark(const char *folder, bool on)
{
	char path[PATH_MAX + 16];
	wan_str_format(path, sizeof(path), "%s/" MARK, folder);
	if (!on)
		wan_sys->unlink(path);
	wan_cleanup(wan_fd_closep) int fd =
		on ? wan_sys->open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
}

struct parts {
	char home[PATH_MAX], reference[PATH_MAX], candidate[PATH_MAX], previous[PATH_MAX];
};

static bool parts_of(struct parts *parts, const char *folder, const char *tier, const char *name)
{
	return join(parts->home, folder, tier, name, NULL) &&
	       join(parts->reference, folder, tier, name, "reference") &&
	       join(parts->candidate, folder, tier, name, "candidate") &&
	       join(parts->previous, folder, tier, name, "previous");
}

/* from becomes the previous one. Nothing half-deleted is ever called candidate or previous. */
static int put_away(const struct parts *parts, const char *from)
{
	char old[PATH_MAX + 64];
	wan_str_format(old, sizeof(old), "%s/.part-%ld", parts->home, (long)getpid());
	remove_folder(old);
	if (wan_sys->rename(parts->previous, old) != 0 && errno != ENOENT)
		return -errno;
	int rc = wan_sys->rename(from, parts->previous) == 0 ? 0 : -errno;
	remove_folder(old);
	return rc;
}

/* True: a promotion that was begun earlier is done now. */
static bool finish_promotion(const struct parts *parts)
{
	if (!is_marked(parts->reference))
		return false;
	bool done = there(parts->candidate) && put_away(parts, parts->candidate) == 0;
	set_mark(parts->reference, false);
	return done;
}

int baseline_save(const char *folder, const char *name, const char *tier, const char *const *files,
		  size_t count, bool force, enum baseline_part *ret_part,
		  struct wan_error *reterr_error)
{
	struct parts parts;
	char temporary[PATH_MAX + 64];
	char *home = parts.home;
	if (!baseline_name_is_safe(name))
		return refuse_name(reterr_error, name);
	if (!parts_of(&parts, folder, baseline_tier(tier), name))
		return no_place(reterr_error);
	finish_promotion(&parts);
	*ret_part = there(parts.reference) ? BASELINE_CANDIDATE : BASELINE_REFERENCE;
	const char *place = *ret_part == BASELINE_CANDIDATE ? parts.candidate : parts.reference;
	if (there(place) && !force)
		return wan_error_set(reterr_error, -EEXIST, name,
				     "promote it, or replace it with --force",
				     "has a candidate already");
	wan_str_format(temporary, sizeof(temporary), "%s/.part-%ld", home, (long)getpid());
	remove_folder(temporary);
	sweep(home);
	int rc = make_folders(home);
	if (!rc)
		rc = wan_sys->mkdir(temporary, 0700) == 0 ? 0 : -errno;
	if (rc)
		return wan_error_set(reterr_error, rc, home,
				     "set XDG_STATE_HOME to a folder that can be written",
				     "cannot be written: %s", strerror(-rc));
	rc = copy_all(temporary, files, count, reterr_error);
	if (!rc && (rc = move_into_place(temporary, place)))
		wan_error_set(reterr_error, rc, place, "", "cannot be put in place: %s",
			      strerror(-rc));
	if (rc) {
		remove_folder(temporary);
		rmdir(home); /* when nothing is in it */
	}
	return rc;
}

int baseline_promote(const char *folder, const char *name, const char *tier,
		     struct wan_error *reterr_error)
{
	struct parts parts;
	int rc;
	if (!baseline_name_is_safe(name))
		return refuse_name(reterr_error, name);
	if (!parts_of(&parts, folder, baseline_tier(tier), name))
		return no_place(reterr_error);
	if (finish_promotion(&parts))
		return 0;
	if (!there(parts.candidate))
		return wan_error_set(reterr_error, -ENOENT, name,
				     "save one: wanprof baseline save NAME FILE...",
				     "has no candidate on tier %s", baseline_tier(tier));
	bool first = !there(parts.reference);
	if (!first)
		set_mark(parts.candidate, true);
	if (first)
		rc = wan_sys->rename(parts.candidate, parts.reference) == 0 ? 0 : -errno;
	else if (renameat2(AT_FDCWD, parts.candidate, AT_FDCWD, parts.reference, RENAME_EXCHANGE) ==
		 0)
		rc = put_away(&parts, parts.candidate); /* it holds the old reference now */
	else if (errno == EINVAL || errno == ENOSYS)
		rc = (rc = put_away(&parts, parts.reference))
			     ? rc
			     : (wan_sys->rename(parts.candidate, parts.reference) == 0 ? 0
										       : -errno);
	else
		rc = -errno;
	if (!rc)
		set_mark(parts.reference, false);
	return rc ? wan_error_set(reterr_error, rc, parts.reference, "", "cannot be replaced: %s",
				  strerror(-rc))
		  : 0;
}

int baseline_remove(const char *folder, const char *name, const char *tier,
		    struct wan_error *reterr_error)
{
	char home[PATH_MAX], path[PATH_MAX];
	size_t removed = 0;
	if (!baseline_name_is_safe(name))
		return refuse_name(reterr_error, name);
	for (size_t i = 0; i < BASELINE_TIERS; i++) {
		if (tier && strcmp(baseline_tier(tier), tiers[i]) != 0)
			continue;
		if (!join(home, folder, tiers[i], name, NULL))
			return no_place(reterr_error);
		if (!there(home))
			continue;
		for (unsigned part = 0; part < BASELINE_PARTS; part++)
			if (join(path, folder, tiers[i], name, baseline_part_name(part)))
				remove_folder(path);
		sweep(home);
		if (rmdir(home) != 0)
			return wan_error_set(reterr_error, -errno, home, "remove it by hand",
					     "cannot be removed: %s", strerror(errno));
		removed++;
	}
	return removed ? 0
		       : wan_error_set(reterr_error, -ENOENT, name,
				       "`wanprof baseline list` names them",
				       "there is no baseline of this name");
}

static int is_name(const struct dirent *entry)
{
	return baseline_name_is_safe(entry->d_name);
}

int baseline_each(const char *folder,
		  void (*visit)(void *context, const char *tier, const char *name,
				const size_t *counts),
		  void *context)
{
	char path[PATH_MAX];
	struct dirent **names;
	for (size_t i = 0; i < BASELINE_TIERS; i++) {
		int count = join(path, folder, tiers[i], NULL, NULL)
				    ? scandir(path, &names, is_name, alphasort)
				    : -1;
		for (int j = 0; j < count; j++) {
			size_t counts[BASELINE_PARTS] = {0};
			for (unsigned part = 0; part < BASELINE_PARTS; part++)
				if (join(path, folder, tiers[i], names[j]->d_name,
					 baseline_part_name(part)))
					counts[part] = list(path, NULL);
			visit(context, tiers[i], names[j]->d_name, counts);
			free(names[j]);
		}
		if (count >= 0)
			free(names);
	}
	return 0;
}
