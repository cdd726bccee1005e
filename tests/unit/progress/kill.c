/* SPDX-License-Identifier: MIT */
/*
 * SIGKILL against a job that tells its steps: what was told is in the file, and each word of it is
 * whole. 50 rounds; all 1000 with WAN_TEST_TIER=full.
 */
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "progress.h"
#include "reader.h"
#include "tracker_words.h"
#include "writer.h"

static struct wan_recorder *recorder;

static uint64_t *counters(void *context, const char *name)
{
	return wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, name);
}

static uint32_t *latencies(void *context, uint64_t *words, uint32_t shift)
{
	return wan_recorder_latencies(recorder, words, shift);
}

/* *told: the latest update that has returned. */
static void tell_steps(const char *path, volatile uint64_t *told)
{
	static struct wan_config config;
	struct wan_progress_options options = {
		.struct_size = sizeof(options), .counters = counters, .latencies = latencies};
	struct wan_progress *progress;
	struct wan_tracker *tracker;
	wan_config_defaults(&config);
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, path, &recorder) < 0 ||
	    wan_progress_create(&options, &progress) < 0 ||
	    wan_progress_begin(progress, "sampling", 0, "step", &tracker) < 0)
		_exit(1);
	wan_progress_phase(tracker, WAN_PHASE_GENERATION);
	for (uint64_t step = 1;; step++) {
		wan_progress_update(tracker, step);
		*told = step;
	}
}

struct totals {
	uint64_t lost, torn, steps;
};

/* A kill falls between any two stores: each word may be one update ahead of another. */
static void look(const char *path, uint64_t told, struct totals *totals)
{
	struct wan_recording *recording;
	struct wan_error error = {0};
	if (wan_recording_open(path, &recording, &error) < 0) {
		totals->lost++;
		return;
	}
	const struct wan_process *process = wan_recording_process(recording, 0);
	const struct wan_process_counters *found = NULL;
	for (size_t i = 0; i < process->counters_count; i++)
		if (process->counters[i].kind == WAN_COUNTERS_TRACKER)
			found = &process->counters[i];
	totals->torn += process->damage_count;
	uint64_t done = found ? found->words[WAN_TRACKER_DONE] : 0;
	uint64_t updates = found ? found->words[WAN_TRACKER_UPDATES] : 0, counted = 0;
	for (unsigned i = 0; found && found->latencies && i < WAN_RECORD_LATENCY_BUCKETS; i++)
		counted += found->latencies[i];
	totals->lost += !found || done < told || updates < told || counted < told;
	totals->torn += done > told + 1 || updates > told + 1 || counted > told + 1 ||
			(found && (strcmp(found->name, "sampling") != 0 ||
				   found->words[WAN_TRACKER_PHASE] != WAN_PHASE_GENERATION));
	totals->steps += told;
	wan_recording_close(recording);
}

TEST(no_told_step_is_lost_or_torn_by_a_kill)
{
	const char *tier = getenv("WAN_TEST_TIER");
	unsigned rounds = tier && strcmp(tier, "quick") != 0 ? 1000 : 50, seed = 7;
	char path[64];
	struct totals totals = {0};
	snprintf(path, sizeof(path), "progress-kill-%d.wprof", getpid());
	volatile uint64_t *told =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(told != MAP_FAILED);
	for (unsigned round = 0; round < rounds; round++) {
		*told = 0;
		unlink(path);
		pid_t child = fork();
		REQUIRE(child >= 0);
		if (child == 0)
			tell_steps(path, told);
		for (int i = 0; i < 50000 && !*told; i++)
			usleep(100);
		usleep((unsigned)rand_r(&seed) % 2000);
		kill(child, SIGKILL);
		int status = 0;
		waitpid(child, &status, 0);
		CHECK(WIFSIGNALED(status));
		look(path, *told, &totals);
	}
	unlink(path);
	munmap((void *)told, 4096);
	printf("# %u kills, %llu steps told\n", rounds, (unsigned long long)totals.steps);
	CHECK_EQ(totals.lost, 0);
	CHECK_EQ(totals.torn, 0);
}

TAP_MAIN
