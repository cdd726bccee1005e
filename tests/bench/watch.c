/* SPDX-License-Identifier: MIT */
/*
 * What being watched costs a job: updates without a pause, against the same with 100 readers that
 * glance at its recording ten times a second from another processor, and with those readers stopped
 * in the middle. Rounds alternate; told is the mean of the paired ratios with its 95 % interval.
 *The job's time is its thread's CPU time, so that readers who want the same processor do not count.
 *
 *	bench-watch [FOLDER]        the recording is made there; default: the working folder
 */
#include "figures.h"

#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "glance.h"
#include "progress.h"
#include "writer.h"

enum { READERS = 100, PAIRS = 120, COUNT = 1500000, CHUNKS = 10 };

static struct wan_progress *progress;
static struct wan_recorder *recorder;
static struct wan_tracker *tracker;
static char path[4096];

/* Shared with the readers. */
static struct shared {
	volatile int looking;
	volatile uint64_t looks, look_ns;
} * shared;

static uint64_t *counters(void *context, const char *name)
{
	return wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, name);
}

static uint32_t *latencies(void *context, uint64_t *words, uint32_t shift)
{
	return wan_recorder_latencies(recorder, words, shift);
}

static bool open_all(const char *folder)
{
	static struct wan_config config;
	wan_config_defaults(&config);
	snprintf(path, sizeof(path), "%s/bench-watch.wprof", folder);
	remove(path);
	if (wan_recorder_create(&config, WAN_ROLE_LINKED, path, &recorder) < 0)
		return false;
	struct wan_progress_options options = {
		.struct_size = sizeof(options), .counters = counters, .latencies = latencies};
	return wan_progress_create(&options, &progress) == 0 &&
	       wan_progress_begin(progress, "job", 0, "step", &tracker) == 0;
}

/* All readers in one process: 100 open recordings, each looked at ten times a second. */
static void read_for_ever(void)
{
	static struct wan_glance glances[READERS];
	const struct timespec between = {.tv_nsec = 100000000 / READERS};
	figures_stay_on(pthread_self(), 1);
	for (unsigned i = 0; i < READERS; i++)
		if (wan_glance_open(path, &glances[i]) != 0)
			_exit(1);
	for (unsigned i = 0;; i = (i + 1) % READERS) {
		if (shared->looking) {
			uint64_t begin_ns = wan_now_ns();
			wan_glance_look(&glances[i]);
			shared->look_ns += wan_now_ns() - begin_ns;
			shared->looks++;
		}
		nanosleep(&between, NULL);
	}
}

static double updates_ns(unsigned count)
{
	uint64_t begin_ns = wan_thread_cpu_ns();
	for (unsigned i = 0; i < count; i++)
		wan_progress_update(tracker, i);
	return (double)(wan_thread_cpu_ns() - begin_ns) / count;
}

/* One pair: each part of it in small chunks that alternate, so that the machine's moods hit both.
 */
static double ratio(void (*change)(bool on))
{
	double with = 0, without = 0;
	for (unsigned i = 0; i < CHUNKS; i++) {
		bool first = i & 1;
		change(first);
		*(first ? &with : &without) += updates_ns(COUNT / CHUNKS);
		change(!first);
		*(first ? &without : &with) += updates_ns(COUNT / CHUNKS);
	}
	return with / without;
}

static pid_t reader;

static void nothing(bool on)
{
}

static void look(bool on)
{
	shared->looking = on;
}

/* Stopped wherever they are, as by a terminal that is halted. */
static void stop(bool on)
{
	shared->looking = true;
	kill(reader, on ? SIGSTOP : SIGCONT);
}

static void tell(const char *name, const char *predicted, void (*change)(bool on), bool judged)
{
	static double ratios[PAIRS];
	double sum = 0, squares = 0;
	char text[96];
	for (unsigned i = 0; i < PAIRS; i++)
		ratios[i] = ratio(change);
	/* A tenth at each end is weather. */
	unsigned first = PAIRS / 10, end = PAIRS - PAIRS / 10, kept = end - first;
	figures_percentile(ratios, PAIRS, 0.5);
	for (unsigned i = first; i < end; i++)
		sum += ratios[i], squares += ratios[i] * ratios[i];
	double mean = sum / kept, variance = squares / kept - mean * mean;
	/* of a trimmed mean: what was cut off counts in its spread, too */
	double half = 1.96 * sqrt(variance > 0 ? variance / kept : 0) / 0.8;
	snprintf(text, sizeof(text), "%+.3f %% (95 %%: %+.3f to %+.3f)", 100 * (mean - 1),
		 100 * (mean - half - 1), 100 * (mean + half - 1));
	figures_line(name, predicted, judged ? "below 0.1 %" : "-",
		     judged ? WANT_AT_MOST : WANT_NOTHING, 0.1, 100 * (mean - 1), text);
}

int main(int argc, char **argv)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || !open_all(argc > 1 ? argv[1] : ".")) {
		fprintf(stderr, "the recording cannot be made\n");
		return 1;
	}
	for (unsigned i = 0; i < 1000; i++)
		wan_progress_update(tracker, i);
	reader = fork();
	if (reader == 0)
		read_for_ever();
	figures_stay_on(pthread_self(), 0);
	updates_ns(COUNT);
	figures_head();
	tell("the same twice: what can be told apart", "0 %", nothing, false);
	tell("slow-down by 100 readers at 10 Hz", "0.02 %", look, true);
	tell("slow-down by readers that are stopped", "0 %", stop, true);
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	printf("a glance took %.1f us\n",
	       shared->looks ? (double)shared->look_ns / (double)shared->looks / 1000 : 0);
	remove(path);
	return 0;
}
