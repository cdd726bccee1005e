/* SPDX-License-Identifier: MIT */
/* Recordings are made as bytes: the words of a simulated generation in a file that says who it is.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"
#include "clock.h"
#include "priors.h"
#include "sys.h"
#include "wan_job.h"

static char folder[] = "/tmp/wanrt-priors-XXXXXX";

static void put_string(char *bytes, uint64_t *used, const char *text, uint32_t *ret_id)
{
	uint16_t length = (uint16_t)strlen(text);
	char *at = bytes + WAN_RECORD_STRINGS_AT + *used;
	memcpy(at, &length, sizeof(length));
	memcpy(at + 2, text, length);
	*ret_id = (uint32_t)(*used / 4 + 1);
	*used += (2u + length + 3u) / 4 * 4;
}

static uint64_t ends_after_ns; /* what the process does after its job; 0: nobody saw its end */

/* A finished generation of that command; the file is as old as age says. */
static void record(const char *name, const char *command, const char *cpu, double work,
		   unsigned steps, uint64_t seed, int age_s)
{
	static char bytes[WAN_RECORD_INITIAL];
	static struct job job;
	static struct job_life life;
	struct job_plan plan = {JOB_PHASES, steps, work, false, false};
	struct wan_record_header header = {
		.magic = WAN_RECORD_MAGIC,
		.version = WAN_RECORD_VERSION,
		.endian = WAN_RECORD_ENDIAN,
		.header_bytes = WAN_RECORD_ANCHORS_AT,
		.record_bytes = sizeof(struct wan_record_operation),
		.pid = 1 + (uint32_t)seed,
		.state = WAN_RUN_EXITED,
		.used_bytes = sizeof(bytes),
		.ns_per_tick = 1,
	};
	struct wan_record_counters block = {.kind = WAN_COUNTERS_TRACKER};
	struct wan_record_anchor anchor = {JOB_BEGIN_NS, JOB_BEGIN_NS, JOB_BEGIN_NS, 0};
	job_make(&job, &plan, seed);
	job_live(&life, &job);
	job_advance(&life, &job, job.end_s);
	memset(bytes, 0, sizeof(bytes));
	put_string(bytes, &header.strings_used, "video", &block.name);
	memcpy(block.words, life.words, sizeof(block.words));
	memcpy(bytes + WAN_RECORD_COUNTERS_AT, &block, sizeof(block));
	anchor.seal = wan_record_anchor_seal(&anchor, 1);
	memcpy(bytes + WAN_RECORD_ANCHORS_AT, &anchor, sizeof(anchor));
	snprintf(header.program, sizeof(header.program), "/usr/bin/python3.11");
	snprintf(header.command, sizeof(header.command), "%s", command);
	snprintf(header.cpu, sizeof(header.cpu), "%s", cpu);
	if (ends_after_ns)
		header.end_realtime_ns = life.words[WAN_TRACKER_UPDATED] + ends_after_ns;
	header.check = wan_record_header_check(&header);
	memcpy(bytes, &header, sizeof(header));

	char path[300];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (!file || fwrite(bytes, sizeof(bytes), 1, file) != 1 || fclose(file) != 0)
		abort();
	struct timespec times[2] = {{2000000000 - age_s, 0}, {2000000000 - age_s, 0}};
	if (utimensat(AT_FDCWD, path, times, 0) != 0)
		abort();
}

/* Time passes by work alone: a machine that lets us wait does not shorten the search. */
static int work_time(clockid_t clock, struct timespec *ret_now)
{
	return clock_gettime(clock == CLOCK_MONOTONIC ? CLOCK_THREAD_CPUTIME_ID : clock, ret_now);
}

static int find(const char *in, const struct wan_prior_key *key, struct wan_prior *ret_prior)
{
	struct wan_sys calm = *wan_sys;
	const struct wan_sys *before = wan_sys;
	calm.clock_gettime = work_time;
	wan_sys = &calm;
	int rc = wan_priors_find(in, key, ret_prior);
	wan_sys = before;
	return rc;
}

static void begin(void)
{
	strcpy(strrchr(folder, '-') + 1, "XXXXXX");
	if (!mkdtemp(folder))
		abort();
}

static void finish(void)
{
	char command[300];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		abort();
}

#define SMALL                                                                                      \
	"python3\x1fgenerate.py\x1f--size\x1f"                                                     \
	"832*480"
#define LARGE                                                                                      \
	"python3\x1fgenerate.py\x1f--size\x1f"                                                     \
	"1280*720"

static struct wan_prior_key key_of(const char *command, uint64_t total)
{
	return (struct wan_prior_key){.program = "/usr/bin/python3.11",
				      .command = command,
				      .job = "video",
				      .machine = "cpu",
				      .total = total,
				      .work = wan_prior_work(command)};
}

TEST(earlier_runs_of_the_same_job_and_size_are_found)
{
	struct wan_prior prior;
	begin();
	record("python3-1-1.wprof", SMALL, "cpu", 1, 40, 1, 100);
	record("python3-2-1.wprof", SMALL, "cpu", 1, 40, 2, 90);
	record("python3-3-1.wprof",
	       "python3\x1fother.py\x1f--size\x1f"
	       "832*480",
	       "cpu", 5, 40, 3, 80);
	record("python3-4-1.wprof", SMALL, "another cpu", 3, 40, 4, 70);
	record("python3-5-1.wprof", LARGE, "cpu", 2.3, 40, 5, 60);
	struct wan_prior_key key = key_of(SMALL, 40);
	REQUIRE(find(folder, &key, &prior) == 0);
	CHECK_EQ(prior.jobs, 2);
	CHECK(!prior.scaled);
	CHECK_NEAR(prior.typical_ns, 9e9, 0.5e9);
	key = key_of(LARGE, 40);
	REQUIRE(find(folder, &key, &prior) == 0);
	CHECK_EQ(prior.jobs, 1);
	CHECK_NEAR(prior.typical_ns, 20.7e9, 1.2e9);
	key = key_of(SMALL, 20); /* fewer steps: scaled */
	REQUIRE(find(folder, &key, &prior) == 0);
	CHECK(prior.scaled);
	CHECK_EQ(prior.total, 20);
	key.job = "audio";
	CHECK_EQ(find(folder, &key, &prior), -ENOENT);
	finish();
}

TEST(what_a_program_does_after_its_job_is_known_where_its_end_is)
{
	struct wan_prior prior;
	begin();
	struct wan_prior_key key = key_of(SMALL, 40);
	record("python3-1-1.wprof", SMALL, "cpu", 1, 40, 1, 100);
	REQUIRE(wan_priors_find(folder, &key, &prior) == 0);
	CHECK(prior.after_ns < 0);
	ends_after_ns = 8000000000;
	record("python3-2-1.wprof", SMALL, "cpu", 1, 40, 2, 90);
	REQUIRE(wan_priors_find(folder, &key, &prior) == 0);
	CHECK_EQ(prior.jobs, 2);
	CHECK_NEAR(prior.after_ns, 8e9, 1e6);
	ends_after_ns = 4000000000;
	record("python3-3-1.wprof", SMALL, "cpu", 1, 40, 3, 80);
	REQUIRE(wan_priors_find(folder, &key, &prior) == 0);
	CHECK_NEAR(prior.after_ns, 6e9, 1e6);
	key = key_of(SMALL, 20); /* of another size nobody knows */
	REQUIRE(wan_priors_find(folder, &key, &prior) == 0);
	CHECK(prior.after_ns < 0);
	ends_after_ns = 0;
	finish();
}

TEST(the_newest_of_thousands_are_enough)
{
	struct wan_prior prior;
	begin();
	for (unsigned i = 0; i < 3000; i++) {
		char path[300];
		snprintf(path, sizeof(path), "%s/zero-%u-1.wprof", folder, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		struct timespec old[2] = {{1000, 0}, {1000, 0}};
		if (fd < 0 || futimens(fd, old) != 0 || close(fd) != 0)
			abort();
	}
	record("python3-1-1.wprof", SMALL, "cpu", 1, 40, 1, 100);
	struct wan_prior_key key = key_of(SMALL, 40);
	CHECK_EQ(find(folder, &key, &prior), 0);
	finish();
}

TEST(damaged_cut_and_foreign_files_are_passed_over)
{
	struct wan_prior prior = {.jobs = 77};
	uint64_t seed = 11;
	char path[300], bytes[70000];
	begin();
	struct wan_prior_key key = key_of(SMALL, 40);
	CHECK_EQ(find("/nonexistent", &key, &prior), -ENOENT);
	CHECK_EQ(find(folder, &key, &prior), -ENOENT);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "hurt-%u-1.wprof", i);
		record(path, SMALL, "cpu", 1, 40, i + 1, 10);
		snprintf(path, sizeof(path), "%s/hurt-%u-1.wprof", folder, i);
		FILE *file = fopen(path, "r+");
		if (!file)
			abort();
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char)(job_random(&seed) * 256);
		fseek(file, i % 2 ? 2048 : 0, SEEK_SET);
		if (fwrite(bytes, sizeof(bytes), 1, file) != 1 || fclose(file) != 0)
			abort();
		if (i % 4 == 3 && truncate(path, 3000) != 0)
			abort();
	}
	snprintf(path, sizeof(path), "%s/fifo-1-1.wprof", folder);
	if (mkfifo(path, 0600) != 0)
		abort();
	CHECK_EQ(find(folder, &key, &prior), -ENOENT);
	CHECK_EQ(prior.jobs, 77);
	record("python3-1-1.wprof", SMALL, "cpu", 1, 40, 1, 100);
	CHECK_EQ(find(folder, &key, &prior), 0);
	finish();
}

TAP_MAIN
