/* SPDX-License-Identifier: MIT */
/* What people add: lists of runs from elsewhere, and verdicts on what came out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "cleanup.h"
#include "history_collect.h"
#include "log.h"
#include "place.h"
#include "str.h"
#include "sys.h"
#include "wanprof.h"

#define VERDICTS     "verdicts.txt"
#define VERDICT_MOST 1000u
#define LISTS_MOST   1000u

static int make_folder(const char *path)
{
	return wan_sys->mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int history_state_folder(char *to, size_t bytes)
{
	char folder[PATH_MAX];
	int rc = wan_place_default_folder(folder, sizeof(folder));
	if (rc)
		return rc;
	/* every folder on the way */
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (access(folder, F_OK) != 0)
			make_folder(folder);
		*slash = '/';
	}
	make_folder(folder);
	if (wan_str_format(to, bytes, "%s/history", folder) + 1 >= bytes)
		return -ENAMETOOLONG;
	return make_folder(to);
}

/* A file of bounded size as text, to be wan_free()d. */
static int read_text(const char *path, char **ret_text, size_t *ret_bytes)
{
	struct stat status;
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0 || wan_sys->fstat(fd, &status) != 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (status.st_size > HISTORY_FILE_MOST)
		return -EFBIG;
	size_t room = S_ISREG(status.st_mode) ? (size_t)status.st_size : HISTORY_FILE_MOST;
	char *text = wan_malloc(room + 1);
	ssize_t got = text ? wan_read_full(fd, text, room) : -ENOMEM;
	if (got < 0) {
		wan_free(text);
		return (int)got;
	}
	text[got] = '\0';
	*ret_text = text;
	*ret_bytes = (size_t)got;
	return 0;
}

static int read_list(const char *path, const char *name, struct history_runs *runs,
		     struct wan_error *reterr_error)
{
	char *text = NULL, key[NAME_MAX + 32];
	size_t bytes, before = runs->count;
	int rc = read_text(path, &text, &bytes);
	if (rc)
		return wan_error_set(reterr_error, rc, path, "", "cannot be read: %s",
				     strerror(-rc));
	rc = history_parse_list(runs, path, text, bytes, reterr_error);
	wan_free(text);
	for (size_t i = before; !rc && i < runs->count; i++) {
		wan_str_format(key, sizeof(key), "%s#%zu", name, i - before + 1);
		rc = runs->items[i].key ? 0 : history_set_text(&runs->items[i].key, key);
		if (!rc && !runs->items[i].file)
			rc = history_set_text(&runs->items[i].file, path);
	}
	return rc;
}

static bool is_list(const char *name)
{
	size_t bytes = strlen(name);
	return name[0] != '.' && bytes > 5 && strcmp(name + bytes - 5, ".runs") == 0;
}

static int wanted(const struct dirent *entry)
{
	return is_list(entry->d_name);
}

/* A list that is damaged now was sound when it was imported: said, and the others count. */
int history_read_lists(const char *state, struct history_runs *runs, struct history_told *told)
{
	char path[PATH_MAX + NAME_MAX + 8];
	struct dirent **names;
	int count = scandir(state, &names, wanted, alphasort), rc = 0;
	for (int i = 0; i < count; i++) {
		struct wan_error error = {0};
		wan_str_format(path, sizeof(path), "%s/%s", state, names[i]->d_name);
		if (rc != -ENOMEM && told->lists < LISTS_MOST) {
			rc = read_list(path, names[i]->d_name, runs, &error);
			told->lists++;
		}
		if (rc && rc != -ENOMEM)
			wan_str_format(told->trouble, sizeof(told->trouble), "%s: %s", error.object,
				       error.reason);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return rc == -ENOMEM ? rc : 0;
}

int history_import(const char *path, bool force, size_t *ret_runs, struct wan_error *reterr_error)
{
	static struct wanprof_output output;
	char state[PATH_MAX], to[PATH_MAX + NAME_MAX + 16], name[128], *text = NULL;
	struct history_runs runs = {0};
	size_t bytes, used = 0;
	int rc = read_text(path, &text, &bytes);
	if (rc)
		return wan_error_set(reterr_error, rc, path, "", "cannot be read: %s",
				     strerror(-rc));
	rc = history_parse_list(&runs, path, text, bytes, reterr_error);
	*ret_runs = runs.count;
	history_runs_finish(&runs);
	/* the name of the file, as far as it is safe as one */
	const char *base = strrchr(path, '/');
	for (base = base ? base + 1 : path; *base && used + 1 < sizeof(name) - 8; base++)
		if (strchr("._-", *base) ? used > 0
					 : (*base >= '0' && *base <= '9') ||
						   ((*base | 32) >= 'a' && (*base | 32) <= 'z'))
			name[used++] = *base;
	name[used] = '\0';
	if (!rc && (rc = history_state_folder(state, sizeof(state))))
		rc = wan_error_set(reterr_error, rc, "the state folder", "set XDG_STATE_HOME",
				   "cannot be made: %s", strerror(-rc));
	if (!rc) {
		wan_str_format(to, sizeof(to), "%s/%s%s", state, used ? name : "list",
			       is_list(name) ? "" : ".runs");
		rc = wanprof_output_open(&output, to, force, reterr_error);
	}
	if (!rc) {
		fchmod(output.fd, 0600); /* names of jobs are the owner's business */
		rc = wan_write_full(output.fd, text, bytes);
		if (rc) {
			wanprof_output_abandon(&output);
			wan_error_set(reterr_error, rc, to, "", "cannot be written: %s",
				      strerror(-rc));
		} else {
			rc = wanprof_output_commit(&output, reterr_error);
		}
	}
	wan_free(text);
	return rc;
}

/* --- verdicts: KEY, a tab, the text; the last line of a key counts --- */

int history_keep_verdict(const char *key, const char *text, struct wan_error *reterr_error)
{
	char state[PATH_MAX] = "", path[PATH_MAX + 32], line[VERDICT_MOST + 600],
	     shown[VERDICT_MOST];
	int rc = history_state_folder(state, sizeof(state));
	wan_str_printable(shown, sizeof(shown), text); /* and so on one line */
	size_t bytes = wan_str_format(line, sizeof(line), "%.500s\t%s\n", key, shown);
	wan_str_format(path, sizeof(path), "%s/" VERDICTS, state);
	wan_cleanup(wan_fd_closep) int fd =
		rc ? -1
		   : wan_sys->open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
				   0600);
	if (!rc)
		rc = fd < 0 ? -errno : wan_write_full(fd, line, bytes);
	return rc ? wan_error_set(reterr_error, rc, path, "", "cannot be written: %s",
				  strerror(-rc))
		  : 0;
}

int history_read_verdicts(const char *state, struct history_runs *runs)
{
	char path[PATH_MAX + 32], *text = NULL, *save = NULL;
	size_t bytes;
	wan_str_format(path, sizeof(path), "%s/" VERDICTS, state);
	int rc = read_text(path, &text, &bytes);
	if (rc)
		return rc == -ENOMEM ? rc : 0;
	for (char *line = strtok_r(text, "\n", &save); line && !rc;
	     line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');
		if (!tab)
			continue;
		*tab = '\0';
		for (size_t i = 0; i < runs->count && !rc; i++)
			if (runs->items[i].key && strcmp(runs->items[i].key, line) == 0)
				rc = history_set_text(&runs->items[i].verdict, tab + 1);
	}
	wan_free(text);
	return rc;
}
