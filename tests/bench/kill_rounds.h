/* SPDX-License-Identifier: MIT */
/*
 * SIGKILL against a recording writer, many times. A child (forked, not exec'd, so that a round
 * costs about 2 ms) records operations whose every field follows from their number, and publishes
 * after each append how many it has done. The parent kills it at a random moment and reads the
 * file: no record may be torn, none lost, none counted twice.
 */
#ifndef WAN_TESTS_KILL_ROUNDS_H
#define WAN_TESTS_KILL_ROUNDS_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "reader.h"
#include "writer.h"

#define KILL_THREADS 3

struct kill_page {
	uint64_t done[KILL_THREADS][8]; /* a cache line each */
};

struct kill_totals {
	uint64_t rounds, records, wrapped, before_start, in_flight;
	uint64_t torn, lost, twice, wrong;
};

struct kill_plan {
	unsigned threads;
	uint64_t capacity;
};

static const struct kill_plan kill_plans[] = {
	{.threads = 1, .capacity = 8192},
	{.threads = 1, .capacity = 256},
	{.threads = 1, .capacity = 1000},
	{.threads = KILL_THREADS, .capacity = 256},
	{.threads = KILL_THREADS, .capacity = 4000},
};

struct kill_writer {
	struct wan_recorder *recorder;
	volatile uint64_t *done;
	unsigned number;
};

/* More than any counter counts in a us: the CPU time that is told stays below the span. */
#define KILL_TICKS_IN_US 16000

static void kill_fill(struct wan_record_operation *operation, uint64_t i, unsigned thread)
{
	operation->width_px = 1;
	operation->height_px = (uint32_t)i;
	operation->cpu_us = (uint32_t)i * 3;
	operation->span_ticks = (uint64_t)operation->cpu_us * KILL_TICKS_IN_US + 1;
	operation->file_bytes = (uint32_t)i ^ 0x5555;
	operation->memory_kib = (int32_t)i;
	operation->peak_kib = (uint32_t)i + 7;
	operation->thread = thread;
	operation->channels = (uint8_t)i;
	operation->bit_depth = (uint8_t)(i >> 8);
}

static bool kill_fits(const struct wan_recording_operation *operation)
{
	uint32_t i = operation->height_px;
	return operation->width_px == 1 && operation->cpu_ns == (uint64_t)(i * 3) * 1000 &&
	       operation->file_bytes == (i ^ 0x5555) &&
	       operation->memory_bytes == (int64_t)i * 1024 &&
	       operation->peak_bytes == ((uint64_t)i + 7) * 1024 &&
	       operation->channels == (uint8_t)i && operation->bit_depth == (uint8_t)(i >> 8);
}

static void *kill_write(void *argument)
{
	struct kill_writer *writer = argument;
	char name[24];
	snprintf(name, sizeof(name), "thread-%u", writer->number);
	struct wan_lane *lane = wan_lane_get(writer->recorder);
	struct wan_record_operation operation = {
		.inside = UINT16_MAX,
		.name = wan_recorder_string(writer->recorder, name),
		.kind_status = WAN_RECORD_OPERATION << 4,
		.library = WAN_LIBRARY_LIBPNG,
	};
	for (uint64_t i = 0;; i++) {
		struct wan_record_inflight *slot = wan_lane_enter(lane);
		slot->height_px = (uint32_t)i;
		slot->name = operation.name;
		uint64_t start = wan_ticks();
		wan_store_relaxed(&slot->start_ticks, start);
		kill_fill(&operation, i, writer->number);
		operation.start_ticks = start;
		wan_lane_leave(lane, slot);
		wan_lane_append(lane, &operation);
		*writer->done = i + 1;
	}
	return NULL;
}

static void kill_child(const char *path, const struct kill_plan *plan, struct kill_page *page)
{
	static struct wan_config config;
	struct kill_writer writers[KILL_THREADS];
	struct wan_recorder *recorder;
	pthread_t thread;
	if (nice(10) < 0) /* the one who kills must not wait for the one who writes */
		errno = 0;
	wan_config_defaults(&config);
	config.record_capacity = plan->capacity;
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, path, &recorder) != 0)
		_exit(1);
	for (unsigned i = 0; i < plan->threads; i++)
		writers[i] = (struct kill_writer){recorder, page->done[i], i};
	for (unsigned i = 1; i < plan->threads; i++)
		pthread_create(&thread, NULL, kill_write, &writers[i]);
	kill_write(&writers[0]);
}

static bool kill_complain(struct kill_totals *totals, uint64_t *counter, const char *what,
			  unsigned thread, uint64_t seen, uint64_t wanted)
{
	if (++*counter <= 3)
		printf("# round %llu thread %u: %s: %llu, published %llu\n",
		       (unsigned long long)totals->rounds, thread, what, (unsigned long long)seen,
		       (unsigned long long)wanted);
	return false;
}

/* One thread's part of what was read. */
static void kill_check_thread(const struct wan_process *process, const struct kill_plan *plan,
			      unsigned thread, uint64_t done, struct kill_totals *totals)
{
	char name[24];
	uint64_t count = 0, sum = 0, kept = 0, newest = 0, oldest = UINT64_MAX;
	snprintf(name, sizeof(name), "thread-%u", thread);
	for (size_t i = 0; i < process->aggregate_count; i++)
		if (strcmp(process->aggregates[i].name, name) == 0) {
			count += process->aggregates[i].count;
			sum += process->aggregates[i].pixels;
		}
	if (count < done)
		kill_complain(totals, &totals->lost, "counted", thread, count, done);
	if (count > done + 1)
		kill_complain(totals, &totals->twice, "counted", thread, count, done);
	if (sum != count * (count - 1) / 2 && count)
		kill_complain(totals, &totals->wrong, "sum of numbers", thread, sum, count);
	for (size_t i = 0; i < process->operation_count; i++) {
		const struct wan_recording_operation *operation = &process->operations[i];
		if (operation->thread != thread)
			continue;
		if (!kill_fits(operation))
			kill_complain(totals, &totals->torn, "record", thread, operation->height_px,
				      done);
		if (operation->height_px + plan->capacity >= count) {
			kept++;
			newest = operation->height_px > newest ? operation->height_px : newest;
			oldest = operation->height_px < oldest ? operation->height_px : oldest;
		}
	}
	/* Several threads share the capacity, so only a single one is promised all of it. */
	uint64_t promised = count < plan->capacity ? count : plan->capacity;
	if (plan->threads == 1 && kept != promised)
		kill_complain(totals, &totals->lost, "records kept", thread, kept, promised);
	if (kept && newest + 1 != count && plan->threads == 1)
		kill_complain(totals, &totals->lost, "newest record", thread, newest, count);
	totals->records += count;
	totals->wrapped += process->skipped > 0 && thread == 0;
}

static void kill_check(const char *path, const struct kill_plan *plan, const struct kill_page *page,
		       struct kill_totals *totals)
{
	struct wan_recording *recording;
	struct wan_error error = {0};
	if (wan_recording_open(path, &recording, &error) != 0) {
		/* Killed before the header was complete: then nothing may have been published. */
		totals->before_start++;
		for (unsigned i = 0; i < plan->threads; i++)
			if (page->done[i][0])
				kill_complain(totals, &totals->lost, error.reason, i, 0,
					      page->done[i][0]);
		return;
	}
	const struct wan_process *process = wan_recording_process(recording, 0);
	for (size_t i = 0; i < process->damage_count; i++)
		if (++totals->torn <= 3)
			printf("# round %llu: damage at %llu: %s\n",
			       (unsigned long long)totals->rounds,
			       (unsigned long long)process->damage[i].offset,
			       process->damage[i].reason);
	if (process->state != WAN_RUN_UNKNOWN || process->inflight_count > plan->threads)
		kill_complain(totals, &totals->wrong, "state or in flight", 0, process->state,
			      process->inflight_count);
	totals->in_flight += process->inflight_count;
	for (unsigned i = 0; i < plan->threads; i++)
		kill_check_thread(process, plan, i, page->done[i][0], totals);
	wan_recording_close(recording);
}

static bool kill_round(const char *path, uint64_t round, struct kill_page *page, unsigned *seed,
		       struct kill_totals *totals)
{
	const struct kill_plan *plan =
		&kill_plans[round % (sizeof(kill_plans) / sizeof(kill_plans[0]))];
	memset(page, 0, sizeof(*page));
	unlink(path);
	pid_t child = fork();
	if (child < 0)
		return false;
	if (child == 0)
		kill_child(path, plan, page);
	/* One round in eight may hit the making of the file itself. */
	if (round % 8) {
		uint64_t begin = wan_now_ns();
		while (!*(volatile uint64_t *)page->done[0] && wan_now_ns() - begin < 5000000000u)
			usleep(20);
	}
	unsigned wait_us = (unsigned)rand_r(seed) % 400;
	usleep(wait_us);
	kill(child, SIGKILL);
	int status;
	waitpid(child, &status, 0);
	totals->rounds++;
	if (!WIFSIGNALED(status)) {
		kill_complain(totals, &totals->wrong, "child ended by itself", 0, (uint64_t)status,
			      0);
		return false;
	}
	kill_check(path, plan, page, totals);
	return true;
}

static bool kill_rounds(const char *path, uint64_t rounds, unsigned seed,
			struct kill_totals *totals)
{
	struct kill_page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	bool done = true;
	for (uint64_t i = 0; i < rounds && done; i++)
		done = kill_round(path, i, page, &seed, totals);
	munmap(page, sizeof(*page));
	unlink(path);
	return done;
}

#endif
