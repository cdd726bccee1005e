/* SPDX-License-Identifier: MIT */
/*
 * bench-faults KIND [FILE]: a guest with steps of 0.2 s meets a fault after the sixth, and is
 * watched from outside; prints "STATE CAUSE SECONDS LATE", late after the deadline of 1.5 steps +
 * 1 s. FILE: what the kinds disk, loading and thrashing write or map. faults.py makes the groups.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "job.h"
#include "stall.h"
#include "tracker_words.h"
#include "wan/recording.h"

enum { STEPS = 6, BLOCK = 1 << 20 };
static const double STEP_S = 0.2;

static void pause_s(double seconds)
{
	struct timespec pause = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
	while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
		;
}

static void give_up(const char *what)
{
	perror(what);
	_exit(3);
}

/* Two threads take two locks in opposite order. */
static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static void *lock_the_other_way(void *unused)
{
	pthread_mutex_lock(&locks[1]);
	pause_s(0.05);
	pthread_mutex_lock(&locks[0]);
	return unused;
}

static void deadlock(const char *file)
{
	pthread_t thread;
	(void)file;
	pthread_mutex_lock(&locks[0]);
	if (pthread_create(&thread, NULL, lock_the_other_way, NULL) != 0)
		give_up("pthread_create");
	pause_s(0.02);
	pthread_mutex_lock(&locks[1]);
}

static void compute(const char *file)
{
	volatile double sum = 0;
	(void)file;
	for (uint64_t end = wan_now_ns() + 20000000000u; wan_now_ns() < end;)
		for (int i = 0; i < 10000; i++)
			sum += i * 0.5;
}

static void *block(void)
{
	void *at = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		give_up("mmap");
	memset(at, 7, BLOCK);
	return at;
}

/* Past the page cache, in a group whose disk is throttled. */
static void write_slowly(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_DIRECT | O_SYNC | O_CLOEXEC, 0600);
	void *bytes = block();
	if (fd < 0)
		give_up(file);
	for (int i = 0; i < 1000; i++) /* small, so that a kill does not wait long */
		if (pwrite(fd, bytes, BLOCK / 16, (off_t)(i % 16) * BLOCK / 16) < 0)
			give_up("pwrite");
}

static void load(const char *file)
{
	int fd = open(file, O_RDONLY | O_DIRECT | O_CLOEXEC);
	void *bytes = block();
	if (fd < 0)
		give_up(file);
	for (uint64_t end = wan_now_ns() + 20000000000u; wan_now_ns() < end;)
		if (read(fd, bytes, BLOCK) <= 0 && lseek(fd, 0, SEEK_SET) < 0)
			give_up("read");
}

/* A file that is larger than the group's memory, again and again. */
static void thrash(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	off_t bytes = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	if (bytes <= 0)
		give_up(file);
	posix_fadvise(fd, 0, 0,
		      POSIX_FADV_DONTNEED); /* what is cached is charged to another group */
	const char *at = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		give_up("mmap");
	volatile char sum = 0;
	for (;;)
		for (off_t page = 0; page < bytes; page += 4096)
			sum += at[page];
}

static void fill_memory(const char *file)
{
	(void)file;
	for (;;) {
		volatile char *at = block();
		at[0] = 1;
	}
}

static void wait_for_device(const char *file)
{
	(void)file;
	/* Bound as in a program that was linked with it. */
	void *found = dlvsym(RTLD_DEFAULT, "cudaDeviceSynchronize", "libcudart.so.13");
	int (*synchronize)(void);
	memcpy(&synchronize, &found, sizeof(found));
	if (!found)
		give_up("no CUDA runtime is preloaded");
	setenv("WAN_FAKE_CUDA_WAIT_MS", "20000", 1);
	synchronize();
}

static void wait_for_pipe(const char *file)
{
	int ends[2];
	char byte;
	(void)file;
	if (pipe(ends) != 0 || read(ends[0], &byte, 1) < 0)
		give_up("pipe");
}

static void stop(const char *file)
{
	(void)file;
	raise(SIGSTOP);
}

static void die(const char *file)
{
	(void)file;
	raise(SIGKILL);
}

static const struct {
	const char *name;
	void (*run)(const char *file);
} kinds[] = {
	{"stopped", stop},
	{"lock", deadlock},
	{"disk", write_slowly},
	{"thrashing", thrash},
	{"gpu_wait", wait_for_device},
	{"killed_for_memory", fill_memory},
	{"gone", die},
	{"waiting", wait_for_pipe},
	{"computing", compute},
	{"loading", load},
};

static void live(uint64_t *words, size_t kind, const char *file)
{
	struct wan_tracker_scale scale = {wan_clock_ns_per_tick(),
					  wan_latency_shift(wan_clock_ns_per_tick())};
	for (unsigned step = 1; step <= STEPS; step++) {
		pause_s(STEP_S);
		wan_tracker_step(words, NULL, &scale, step, wan_ticks());
	}
	kinds[kind].run(file);
	pause_s(30);
}

static uint64_t *shared_words(const char *fd_text)
{
	int fd = fd_text ? atoi(fd_text) : memfd_create("words", 0);
	if (!fd_text && (fd < 0 || ftruncate(fd, 4096) != 0))
		give_up("memfd");
	if (!fd_text) {
		char text[16];
		snprintf(text, sizeof(text), "%d", fd);
		setenv("FAULT_WORDS", text, 1);
	}
	uint64_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (words == MAP_FAILED)
		give_up("mmap");
	return words;
}

static pid_t start(char **arguments)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	const char *preload = getenv("FAULT_PRELOAD");
	if (preload)
		setenv("LD_PRELOAD", preload, 1);
	execv("/proc/self/exe", arguments);
	give_up("exec");
	return -1;
}

static void add_recording(struct wan_evidence *evidence, pid_t pid)
{
	struct wan_recording *recording;
	if (!getenv("FAULT_PRELOAD") || wan_recording_attach((uint32_t)pid, &recording, NULL) != 0)
		return;
	for (size_t i = 0; i < wan_recording_process_count(recording); i++) {
		const struct wan_process *process = wan_recording_process(recording, i);
		if (process->header.pid == (uint32_t)pid)
			wan_evidence_add_recording(evidence, process, (uint32_t)pid);
	}
	wan_recording_close(recording);
}

/* How long a notice must last before it counts. */
static uint64_t notice_ns(void)
{
	const char *seconds = getenv("FAULT_NOTICE_S");
	return (uint64_t)((seconds ? atof(seconds) : 6) * 1e9);
}

/* Until it is called stalled, or a notice has lasted. */
static void watch(const uint64_t *words, pid_t pid)
{
	struct wan_evidence_reader reader;
	struct wan_evidence evidence;
	struct wan_stall_watch watch = {0};
	struct wan_stall stall = {0}, first = {0};
	struct wan_job job;
	double allowed_s = 0;
	if (wan_evidence_open(&reader, (uint32_t)pid, (uint32_t)pid) != 0)
		give_up("evidence");
	for (int look = 0; look < 200; look++) {
		pause_s(0.1);
		wan_job_read(&job, words, wan_clock_ns_per_tick(), wan_ticks());
		bool wanted = wan_stall_wants_evidence(&watch, &job, NULL);
		if (wanted) {
			wan_evidence_take(&reader, &evidence);
			add_recording(&evidence, pid);
		}
		wan_stall_step(&watch, &job, NULL, wanted ? &evidence : NULL, wan_now_ns(), &stall);
		if (stall.state >= WAN_STALL_LONG_STEP && !first.silent_ns)
			first = stall;
		allowed_s = 1.5 * stall.typical_ns * 1e-9 + 1;
		if (stall.state == WAN_STALL_STALLED ||
		    (first.silent_ns && stall.silent_ns > first.silent_ns + notice_ns()))
			break;
	}
	wan_evidence_close(&reader);
	printf("%s %s %.2f cpu %.0f mb/s %.1f refaults/s %.0f state %c where %s\n",
	       stall.state == WAN_STALL_STALLED     ? "stalled"
	       : stall.state == WAN_STALL_LONG_STEP ? "long_step"
						    : "none",
	       wan_cause_name(stall.cause), (double)stall.silent_ns * 1e-9 - allowed_s,
	       stall.cpu_percent, stall.megabytes_per_s, stall.refaults_per_s,
	       watch.latest.thread_state ? watch.latest.thread_state : '-',
	       stall.where[0] ? stall.where : "-");
}

int main(int count, char **arguments)
{
	size_t kind = 0;
	while (kind < sizeof(kinds) / sizeof(kinds[0]) && count > 1 &&
	       strcmp(kinds[kind].name, arguments[1]) != 0)
		kind++;
	if (count < 2 || kind == sizeof(kinds) / sizeof(kinds[0])) {
		fprintf(stderr, "usage: bench-faults KIND [FILE]\n");
		return 64;
	}
	const char *file = count > 2 ? arguments[2] : "";
	const char *inherited = getenv("FAULT_WORDS");
	uint64_t *words = shared_words(inherited);
	if (inherited) {
		live(words, kind, file);
		return 0;
	}
	words[WAN_TRACKER_TOTAL] = 40;
	words[WAN_TRACKER_BEGIN] = words[WAN_TRACKER_UPDATED] = wan_ticks();
	words[WAN_TRACKER_STATE] = WAN_TRACKER_ACTIVE;
	pid_t pid = start(arguments);
	if (pid < 0)
		give_up("fork");
	watch(words, pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
