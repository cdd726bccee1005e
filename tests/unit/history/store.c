/* SPDX-License-Identifier: MIT */
/* What history and baselines keep on the disk, with every call failed in turn. */
#include "baseline.h"
#include "fault.h"
#include "history_collect.h"
#include "history_job.h"
#include "history_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "alloc.h"
#include "str.h"
#include "tap.h"

static char home[PATH_MAX];

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	return remove(path);
}

static void clear(void)
{
	if (home[0])
		nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *fresh(void)
{
	static char path[PATH_MAX];
	static unsigned count;
	if (!home[0]) {
		/* in memory where it can be: hundreds of fsyncs are not what is tested */
		strcpy(home, access("/dev/shm", W_OK) == 0 ? "/dev/shm/wan-history-XXXXXX"
							   : "/tmp/wan-history-XXXXXX");
		if (!CHECK(mkdtemp(home) != NULL))
			exit(1);
		atexit(clear);
	}
	snprintf(path, sizeof(path), "%.200s/%u", home, count++);
	mkdir(path, 0700);
	return path;
}

static const char *write_file(const char *folder, const char *name, const char *text)
{
	static char path[PATH_MAX];
	snprintf(path, sizeof(path), "%.3000s/%s", folder, name);
	FILE *file = fopen(path, "we");
	if (CHECK(file != NULL)) {
		fputs(text, file);
		fclose(file);
	}
	return path;
}

TEST(an_entry_is_found_again_among_many)
{
	struct history_index index;
	char path[64];
	REQUIRE_EQ(history_index_open(&index, fresh()), 0);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/%u.wprof", i * 7919 % 1000);
		struct history_entry *entry = history_index_put(&index, path);
		REQUIRE(entry != NULL);
		entry->bytes = i * 7919 % 1000;
		entry->changed = true;
	}
	CHECK_EQ(index.count, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/%u.wprof", i);
		struct history_entry *entry = history_index_find(&index, path);
		REQUIRE(entry != NULL);
		CHECK_EQ(entry->bytes, i);
		CHECK(history_index_put(&index, path) == entry);
	}
	CHECK(history_index_find(&index, "/none") == NULL);
	history_index_close(&index);
}

TEST(what_was_saved_is_there_when_it_is_opened_again)
{
	struct history_index index;
	const char *folder = fresh();
	if (!history_index_possible())
		SKIP("this build has no SQLite");
	REQUIRE_EQ(history_index_open(&index, folder), 0);
	CHECK_STR(index.remark, "");
	struct history_entry *entry = history_index_put(&index, "/a");
	REQUIRE(entry != NULL);
	entry->line = wan_strdup("run a total=1");
	entry->bytes = UINT64_MAX;
	entry->changed_ns = 5;
	entry->changed = true;
	CHECK(history_index_save(&index));
	history_index_close(&index);
	REQUIRE_EQ(history_index_open(&index, folder), 0);
	entry = history_index_find(&index, "/a");
	REQUIRE(entry != NULL);
	CHECK_STR(entry->line, "run a total=1");
	CHECK(entry->bytes == UINT64_MAX);
	CHECK_EQ(entry->changed_ns, 5);
	history_index_close(&index);
}

TEST(a_journal_is_emptied_only_when_its_runs_are_kept)
{
	struct history_index index = {0};
	const char *folder = fresh();
	CHECK_EQ(history_journal_take(folder, &index), -1);
	CHECK_EQ(history_journal_append(folder, 7, 8, "run a total=1 file=/x/a.wprof"), 0);
	CHECK_EQ(history_journal_append(folder, 9, 10, "damaged \" line"), 0);
	CHECK_EQ(history_journal_append(folder, 1, 2, "run b total=1 file=/x/b.wprof"), 0);
	for (int taken = 0; taken < 2; taken++) {
		int fd = history_journal_take(folder, &index);
		REQUIRE(fd >= 0);
		CHECK_EQ(index.count, 2);
		struct history_entry *entry = history_index_find(&index, "/x/a.wprof");
		REQUIRE(entry != NULL);
		CHECK_EQ(entry->bytes, 7);
		CHECK_EQ(entry->changed_ns, 8);
		CHECK(entry->changed);
		history_journal_finish(fd, taken);
		history_index_close(&index);
	}
	CHECK_EQ(history_journal_take(folder, &index), -1);
	CHECK_EQ(index.count, 0);
}

TEST(half_a_line_in_the_journal_costs_no_other_run)
{
	struct history_index index = {0};
	const char *folder = fresh();
	write_file(folder, "journal.txt", "12 34 run a total=1 fi"); /* its writer was killed */
	CHECK_EQ(history_journal_append(folder, 7, 8, "run b total=1 file=/x/b.wprof"), 0);
	CHECK_EQ(history_journal_append(folder, 7, 8, "run c total=1 file=/x/c.wprof"), 0);
	history_journal_finish(history_journal_take(folder, &index), true);
	CHECK_EQ(index.count, 2);
	CHECK(history_index_find(&index, "/x/b.wprof") != NULL);
	history_index_close(&index);
}

TEST(a_journal_that_somebody_writes_is_read_and_left_as_it_is)
{
	struct history_index index = {0};
	const char *folder = fresh();
	CHECK_EQ(history_journal_append(folder, 7, 8, "run b total=1 file=/x/b.wprof"), 0);
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%.3000s/journal.txt", folder);
	int writer = open(path, O_WRONLY | O_CLOEXEC);
	REQUIRE(writer >= 0 && flock(writer, LOCK_EX) == 0);
	int fd = history_journal_take(folder, &index);
	CHECK_EQ(fd, -1);
	CHECK_EQ(index.count, 1);
	history_journal_finish(fd, true);
	history_index_close(&index);
	close(writer);
	fd = history_journal_take(folder, &index);
	CHECK(fd >= 0);
	CHECK_EQ(index.count, 1);
	history_journal_finish(fd, true);
	history_index_close(&index);
}

static void journal_scenario(void *context)
{
	struct history_index index = {0};
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%.3000s/journal.txt", (const char *)context);
	unlink(path); /* the same calls every time */
	history_journal_append(context, 7, 8, "run a total=1 file=/x/a.wprof");
	history_journal_finish(history_journal_take(context, &index), true);
	CHECK(index.count <= 1);
	history_index_close(&index);
}

TEST(a_journal_bears_any_failure)
{
	CHECK(wan_fault_sweep(journal_scenario, (void *)fresh()) > 0);
}

TEST(names_of_baselines_are_safe_as_file_names)
{
	static const char *const good[] = {"main", "v1.2", "2026-11-21", "a_b", "x"};
	static const char *const bad[] = {"",    ".",   "..",      ".hidden",  "-x",  "a/b", "../a",
					  "a b", "a\n", "\x1b[2J", "\xc3\xa4", "a:b", "a*"};
	char name[BASELINE_NAME_MOST + 2];
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(baseline_name_is_safe(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!baseline_name_is_safe(bad[i]));
	memset(name, 'a', sizeof(name));
	name[BASELINE_NAME_MOST] = '\0';
	CHECK(baseline_name_is_safe(name));
	name[BASELINE_NAME_MOST] = 'a';
	name[BASELINE_NAME_MOST + 1] = '\0';
	CHECK(!baseline_name_is_safe(name));
	CHECK_STR(baseline_tier(NULL), "unknown");
	CHECK_STR(baseline_tier("../x"), "unknown");
	CHECK_STR(baseline_tier("budget"), "budget");
}

static struct baseline_files found;

static size_t count_of(const char *folder, const char *tier, enum baseline_part part)
{
	int rc = baseline_find(&found, folder, "main", tier, part, NULL);
	return rc || strcmp(found.tier, tier) != 0 ? 0 : found.count;
}

TEST(the_first_is_the_reference_and_later_ones_wait)
{
	struct wan_error error = {0};
	enum baseline_part part;
	const char *folder = fresh();
	char one[PATH_MAX];
	strcpy(one, write_file(folder, "a.wprof", "first"));
	const char *two[] = {one, one};
	REQUIRE_EQ(baseline_save(folder, "main", "budget", two, 1, false, &part, &error), 0);
	CHECK_EQ(part, BASELINE_REFERENCE);
	REQUIRE_EQ(baseline_save(folder, "main", "budget", two, 2, false, &part, &error), 0);
	CHECK_EQ(part, BASELINE_CANDIDATE);
	CHECK_EQ(baseline_save(folder, "main", "budget", two, 2, false, &part, &error), -EEXIST);
	REQUIRE_EQ(baseline_save(folder, "main", "budget", two, 2, true, &part, &error), 0);
	CHECK_EQ(count_of(folder, "budget", BASELINE_REFERENCE), 1);
	CHECK_EQ(count_of(folder, "budget", BASELINE_CANDIDATE), 2);
	REQUIRE_EQ(baseline_promote(folder, "main", "budget", &error), 0);
	CHECK_EQ(count_of(folder, "budget", BASELINE_REFERENCE), 2);
	CHECK_EQ(count_of(folder, "budget", BASELINE_CANDIDATE), 0);
	CHECK_EQ(count_of(folder, "budget", BASELINE_PREVIOUS), 1);
	CHECK_EQ(baseline_promote(folder, "main", "budget", &error), -ENOENT);
	/* another tier has another baseline; who asks for it learns which one there is */
	CHECK_EQ(count_of(folder, "high-end", BASELINE_REFERENCE), 0);
	REQUIRE_EQ(baseline_find(&found, folder, "main", "high-end", BASELINE_REFERENCE, NULL), 0);
	CHECK_STR(found.tier, "budget");
	REQUIRE_EQ(baseline_save(folder, "main", "high-end", two, 1, false, &part, &error), 0);
	CHECK_EQ(part, BASELINE_REFERENCE);
	CHECK_EQ(baseline_remove(folder, "main", "budget", &error), 0);
	CHECK_EQ(count_of(folder, "high-end", BASELINE_REFERENCE), 1);
	CHECK_EQ(baseline_remove(folder, "main", NULL, &error), 0);
	CHECK_EQ(baseline_remove(folder, "main", NULL, &error), -ENOENT);
	CHECK_EQ(baseline_find(&found, folder, "main", NULL, BASELINE_REFERENCE, &error), -ENOENT);
}

static char *in_main(const char *folder, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, PATH_MAX, "%.3000s/baselines/budget/main/%s", folder, name);
	return path;
}

TEST(a_promotion_that_was_killed_is_ended_by_the_next)
{
	struct wan_error error = {0};
	enum baseline_part part;
	const char *folder = fresh();
	char one[PATH_MAX];
	strcpy(one, write_file(folder, "a.wprof", "first"));
	const char *three[] = {one, one, one};
	for (size_t count = 1; count <= 3; count++) {
		REQUIRE_EQ(
			baseline_save(folder, "main", "budget", three, count, false, &part, &error),
			0);
		if (count == 2)
			REQUIRE_EQ(baseline_promote(folder, "main", "budget", &error), 0);
	}
	/* after the exchange: the old reference is where the candidate was */
	REQUIRE_EQ(rename(in_main(folder, "reference"), in_main(folder, "x")), 0);
	REQUIRE_EQ(rename(in_main(folder, "candidate"), in_main(folder, "reference")), 0);
	REQUIRE_EQ(rename(in_main(folder, "x"), in_main(folder, "candidate")), 0);
	write_file(in_main(folder, "reference"), ".promoted", "");
	REQUIRE_EQ(baseline_promote(folder, "main", "budget", &error), 0);
	CHECK_EQ(count_of(folder, "budget", BASELINE_REFERENCE), 3);
	CHECK_EQ(count_of(folder, "budget", BASELINE_PREVIOUS), 2);
	CHECK_EQ(count_of(folder, "budget", BASELINE_CANDIDATE), 0);
	/* only the mark is left: a new candidate is none of the old ones */
	write_file(in_main(folder, "reference"), ".promoted", "");
	REQUIRE_EQ(baseline_save(folder, "main", "budget", three, 1, false, &part, &error), 0);
	REQUIRE_EQ(baseline_promote(folder, "main", "budget", &error), 0);
	CHECK_EQ(count_of(folder, "budget", BASELINE_REFERENCE), 1);
	CHECK_EQ(count_of(folder, "budget", BASELINE_PREVIOUS), 3);
	CHECK_EQ(baseline_remove(folder, "main", NULL, &error), 0);
}

TEST(what_a_killed_save_left_is_swept_away)
{
	struct wan_error error = {0};
	enum baseline_part part;
	const char *folder = fresh();
	char one[PATH_MAX], left[64];
	pid_t gone = fork();
	if (!gone)
		_exit(0);
	REQUIRE(gone > 0 && waitpid(gone, NULL, 0) == gone);
	strcpy(one, write_file(folder, "a.wprof", "first"));
	const char *two[] = {one, one};
	REQUIRE_EQ(baseline_save(folder, "main", "budget", two, 1, false, &part, &error), 0);
	snprintf(left, sizeof(left), ".part-%ld", (long)gone);
	REQUIRE_EQ(mkdir(in_main(folder, left), 0700), 0);
	write_file(in_main(folder, left), "1.wprof", "half");
	REQUIRE_EQ(mkdir(in_main(folder, ".part-1"), 0700), 0); /* at work yet */
	REQUIRE_EQ(baseline_save(folder, "main", "budget", two, 2, false, &part, &error), 0);
	CHECK(access(in_main(folder, left), F_OK) != 0);
	CHECK_EQ(rmdir(in_main(folder, ".part-1")), 0);
	CHECK_EQ(baseline_remove(folder, "main", NULL, &error), 0);
}

/* Whatever fails: there are all files of a part, or none. */
static void baseline_scenario(void *context)
{
	struct wan_error error = {0};
	enum baseline_part part;
	char one[PATH_MAX];
	snprintf(one, sizeof(one), "%.3000s/baselines", (const char *)context);
	nftw(one, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* the same calls every time */
	snprintf(one, sizeof(one), "%.3000s/a.wprof", (const char *)context);
	const char *two[] = {one, one};
	baseline_save(context, "main", "budget", two, 2, true, &part, &error);
	for (unsigned i = 0; i < BASELINE_PARTS; i++) {
		size_t count = count_of(context, "budget", (enum baseline_part)i);
		CHECK(count == 0 || count == 2);
	}
}

TEST(a_baseline_is_written_whole_or_not_at_all)
{
	const char *folder = fresh();
	char kept[PATH_MAX];
	strcpy(kept, folder);
	write_file(folder, "a.wprof", "some bytes of a recording");
	CHECK(wan_fault_sweep(baseline_scenario, kept) > 0);
}
TAP_MAIN
