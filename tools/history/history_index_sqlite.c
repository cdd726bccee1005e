/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "history_index_file.h"
#include "sqlite_late.h"
#include "str.h"
#include "sys.h"

#define APPLICATION 0x57414e48 /* "WANH" */
#define VERSION     1
#define ROWS_MOST   1000000u

#define SCHEMA                                                                                     \
	"PRAGMA application_id = 1463897672; PRAGMA user_version = 1;"                             \
	"CREATE TABLE recording (path TEXT PRIMARY KEY, bytes INTEGER, changed_ns INTEGER,"        \
	" line TEXT) WITHOUT ROWID;"

_Static_assert(APPLICATION == 1463897672, "as in the schema");

static const struct sqlite_late *sqlite; /* from the first opening on */

bool history_index_in_build(void)
{
	return true;
}

bool history_index_possible(void)
{
	return sqlite_late() != NULL;
}

__attribute__((format(printf, 2, 3))) static void remark(struct history_index *index,
							 const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(index->remark, sizeof(index->remark), format, arguments);
	va_end(arguments);
}

/* The number that a statement of one value gives; -1: it gives none. */
static int64_t number(sqlite3 *database, const char *text, int *ret_rc)
{
	sqlite3_stmt *statement = NULL;
	int64_t value = -1;
	*ret_rc = sqlite->prepare_v2(database, text, -1, &statement, NULL);
	if (*ret_rc == SQLITE_OK) {
		*ret_rc = sqlite->step(statement);
		if (*ret_rc == SQLITE_ROW) {
			value = sqlite->column_int64(statement, 0);
			*ret_rc = SQLITE_OK;
		}
	}
	sqlite->finalize(statement);
	return value;
}

static char *column(sqlite3_stmt *statement, int at)
{
	const char *text = (const char *)sqlite->column_text(statement, at);
	return text ? wan_strdup(text) : NULL;
}

/* As many rows as can be read, also of a damaged file. */
static int load(struct history_index *index, sqlite3 *database)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite->prepare_v2(database, "SELECT path, bytes, changed_ns, line FROM recording",
				    -1, &statement, NULL);
	while (rc == SQLITE_OK && (rc = sqlite->step(statement)) == SQLITE_ROW) {
		struct history_entry entry = {
			.path = column(statement, 0),
			.bytes = (uint64_t)sqlite->column_int64(statement, 1),
			.changed_ns = (uint64_t)sqlite->column_int64(statement, 2),
			.line = column(statement, 3),
		};
		rc = SQLITE_OK;
		if (!entry.path || index->count == ROWS_MOST ||
		    wan_array_reserve(&index->entries, &index->capacity, index->count + 1,
				      sizeof(*index->entries))) {
			wan_free(entry.path);
			wan_free(entry.line);
			if (entry.path)
				break;
			continue;
		}
		index->entries[index->count++] = entry;
	}
	sqlite->finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

enum fitness { FITS, EMPTY, FOREIGN, NEWER, DAMAGED, UNREADABLE };

static enum fitness of_code(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return DAMAGED;
	case SQLITE_ERROR: /* a table or column that is not there */
		return FOREIGN;
	default:
		return UNREADABLE; /* locked, no memory, no permission, disk error */
	}
}

static enum fitness examine(struct history_index *index, sqlite3 *database, int *ret_rc)
{
	int64_t tables = number(database, "SELECT count(*) FROM sqlite_master", ret_rc);
	if (*ret_rc)
		return of_code(*ret_rc);
	int64_t application = number(database, "PRAGMA application_id", ret_rc);
	int64_t version = number(database, "PRAGMA user_version", ret_rc);
	if (!tables && !application)
		return EMPTY;
	if (application != APPLICATION)
		return FOREIGN;
	if (version > VERSION)
		return NEWER;
	*ret_rc = load(index, database);
	return *ret_rc ? of_code(*ret_rc) : FITS;
}

/* Puts an unusable file aside, so that nothing in it is lost. */
static bool put_aside(const char *path, char *to, size_t bytes, const char *why)
{
	char journal[PATH_MAX + 32];
	wan_str_format(to, bytes, "%s.%s-%llu", path, why,
		       (unsigned long long)(wan_realtime_ns() / 1000000000u));
	wan_str_format(journal, sizeof(journal), "%s-journal", path);
	wan_sys->unlink(journal); /* it would be played into the new file */
	return wan_sys->rename(path, to) == 0;
}

static sqlite3 *open_file(const char *path, bool write, int *ret_rc)
{
	sqlite3 *database = NULL;
	int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	*ret_rc = sqlite->open_v2(path, &database, flags | SQLITE_OPEN_NOFOLLOW, NULL);
	if (*ret_rc) {
		sqlite->close(database);
		return NULL;
	}
	sqlite->busy_timeout(database, HISTORY_INDEX_WAIT_MS);
	return database;
}

static void make(struct history_index *index, sqlite3 *database)
{
	if (sqlite->exec(database, "BEGIN IMMEDIATE;" SCHEMA "COMMIT;", NULL, NULL, NULL)) {
		remark(index, "the index could not be made: %s; works without",
		       sqlite->errmsg(database));
		sqlite->close(database);
		return;
	}
	index->database = database;
}

static void start_anew(struct history_index *index, const char *path, enum fitness fitness)
{
	static const char *const words[] = {
		[FOREIGN] = "foreign", [NEWER] = "newer", [DAMAGED] = "damaged"};
	static const char *const reasons[] = {[FOREIGN] = "is of another program",
					      [NEWER] = "was made by a newer wanprof",
					      [DAMAGED] = "is damaged"};
	char aside[PATH_MAX + 64];
	int rc;
	index->salvaged = index->count;
	if (!put_aside(path, aside, sizeof(aside), words[fitness])) {
		remark(index, "the index %s %s and cannot be put aside; works without", path,
		       reasons[fitness]);
		return;
	}
	remark(index,
	       "the index %s; made anew from the recordings, %zu runs could be read out of it (it "
	       "is kept as %s)",
	       reasons[fitness], index->salvaged, aside);
	for (size_t i = 0; i < index->count; i++)
		index->entries[i].changed = true; /* into the new one */
	sqlite3 *fresh = open_file(path, true, &rc);
	if (fresh)
		make(index, fresh);
}

/* Reads of a folder that cannot be written work without journal and locks. */
static void open_for_reading(struct history_index *index, const char *path, const char *why)
{
	int rc;
	sqlite3 *database = open_file(path, false, &rc);
	if (database && examine(index, database, &rc) == FITS)
		remark(index, "the index cannot be written (%s): what is new is read each time",
		       why);
	else
		remark(index, "the index cannot be used (%s): recordings are read each time", why);
	sqlite->close(database);
}

int history_file_open(struct history_index *index, const char *folder)
{
	char path[PATH_MAX];
	int rc;
	sqlite = sqlite_late();
	if (!sqlite) {
		remark(index,
		       "there is no SQLite (libsqlite3.so.0): recordings are read each time; "
		       "install libsqlite3-0 (Fedora: sqlite-libs, Arch: sqlite)");
		return 0;
	}
	if (wan_str_format(path, sizeof(path), "%s/history.sqlite", folder) + 1 >= sizeof(path))
		return 0;
	mode_t mask = umask(0077); /* names of jobs and files are the owner's business */
	sqlite3 *database = open_file(path, true, &rc);
	umask(mask);
	if (!database || sqlite->db_readonly(database, "main") == 1) {
		sqlite->close(database);
		open_for_reading(index, path, database ? "read-only" : sqlite->errstr(rc));
		return 0;
	}
	enum fitness fitness = examine(index, database, &rc);
	if (fitness == FITS) {
		index->database = database;
	} else if (fitness == EMPTY) {
		make(index, database);
	} else if (fitness == UNREADABLE) {
		remark(index, "the index cannot be used (%s): recordings are read each time",
		       sqlite->errmsg(database));
		sqlite->close(database);
	} else {
		sqlite->close(database);
		start_anew(index, path, fitness);
	}
	return 0;
}

static int save_one(sqlite3_stmt *statement, const struct history_entry *entry)
{
	sqlite->reset(statement);
	sqlite->bind_text(statement, 1, entry->path, -1, SQLITE_STATIC);
	sqlite->bind_int64(statement, 2, (sqlite3_int64)entry->bytes);
	sqlite->bind_int64(statement, 3, (sqlite3_int64)entry->changed_ns);
	if (entry->line)
		sqlite->bind_text(statement, 4, entry->line, -1, SQLITE_STATIC);
	else
		sqlite->bind_null(statement, 4);
	return sqlite->step(statement);
}

bool history_file_save(struct history_index *index)
{
	sqlite3 *database = index->database;
	sqlite3_stmt *statement = NULL;
	int rc = sqlite->exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite->prepare_v2(database,
					"INSERT OR REPLACE INTO recording VALUES (?, ?, ?, ?)", -1,
					&statement, NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < index->count; i++)
		if (index->entries[i].changed &&
		    save_one(statement, &index->entries[i]) != SQLITE_DONE)
			rc = sqlite->errcode(database);
	sqlite->finalize(statement);
	if (rc == SQLITE_OK)
		rc = sqlite->exec(database, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return true;
	remark(index, "the index was not written (%s): what is new is read again next time",
	       sqlite->errstr(rc));
	sqlite->exec(database, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

void history_file_close(struct history_index *index)
{
	if (index->database)
		sqlite->close(index->database);
	index->database = NULL;
}
