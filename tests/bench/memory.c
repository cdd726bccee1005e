/* SPDX-License-Identifier: MIT */
/*
 * What it costs to look at memory, and how soon a step that is crossed gives memory back.
 *
 *	bench-memory [seconds]
 *
 * Needs root and a v1 memory controller for the figures in groups: it makes one of its own below
 * /sys/fs/cgroup/memory, six deep, and removes it.
 */
#include <errno.h>
#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomics.h"
#include "figures.h"
#include "look.h"
#include "macros.h"
#include "memory.h"
#include "memory_crowd.h"
#include "pool.h"
#include "sys.h"
#include "wan/cache.h"
#include "wan/image.h"
#include "wan/runtime.h"

#define GROUPS "/sys/fs/cgroup/memory"

enum { DEPTH = 6, LOOKS = 2001 };

static char group[256], home[4096];
static bool in_group;

static int write_text(const char *folder, const char *name, const char *text)
{
	char path[4400];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (!file)
		return -errno;
	int written = fputs(text, file);
	return fclose(file) == 0 && written >= 0 ? 0 : -EIO;
}

static int set_limit(const char *folder, uint64_t bytes)
{
	char text[32];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	return write_text(folder, "memory.limit_in_bytes", text);
}

static void leave_groups(void)
{
	char folder[300];
	if (!in_group)
		return;
	write_text(home, "cgroup.procs", "0");
	for (int deep = DEPTH; deep >= 0; deep--) {
		snprintf(folder, sizeof(folder), "%s", group);
		for (int i = 0; i < deep; i++)
			strcat(folder, "/d");
		rmdir(folder);
	}
	in_group = false;
}

static void stopped(int number)
{
	leave_groups();
	_exit(128 + number);
}

/* The group of now, to go back to. */
static bool find_home(void)
{
	char line[4000];
	FILE *file = fopen("/proc/self/cgroup", "r");
	while (file && fgets(line, sizeof(line), file)) {
		char *path = strstr(line, ":memory:");
		if (!path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		snprintf(home, sizeof(home), "%s%s", GROUPS, path + strlen(":memory:"));
		fclose(file);
		return true;
	}
	if (file)
		fclose(file);
	return false;
}

/* Into a group of our own, levels deep below its top, each with a limit. */
static bool enter_groups(int levels, uint64_t limit_bytes)
{
	char folder[300];
	if (geteuid() != 0 || !find_home()) {
		printf("# groups: skipped, needs root and a v1 memory controller\n");
		return false;
	}
	snprintf(group, sizeof(group), GROUPS "/wan-bench-memory-%d", (int)getpid());
	snprintf(folder, sizeof(folder), "%s", group);
	for (int i = 0; i <= levels; i++) {
		if (i)
			strcat(folder, "/d");
		if (mkdir(folder, 0755) < 0 || set_limit(folder, limit_bytes) < 0) {
			printf("# groups: skipped, %s cannot be made: %s\n", folder,
			       strerror(errno));
			return false;
		}
	}
	in_group = true;
	signal(SIGINT, stopped);
	signal(SIGTERM, stopped);
	return write_text(folder, "cgroup.procs", "0") == 0;
}

/* --- looking --- */

static double look_us(struct wan_memory_sources *sources, bool light)
{
	static double us[LOOKS];
	struct wan_look look;
	struct wan_look_verdict verdict;
	for (int i = 0; i < LOOKS; i++) {
		uint64_t began_ns = wan_now_ns();
		struct wan_look_request request = {
			.now_ns = began_ns, .light = light, .line_pct = 73, .rss_bytes = 1};
		wan_look_read(sources, &request, &look);
		wan_look_judge(&look, 73, &verdict);
		us[i] = (double)(wan_now_ns() - began_ns) / 1000;
	}
	return figures_percentile(us, LOOKS, 0.5);
}

static void bench_looks(void)
{
	struct wan_real_sources real;
	struct wan_memory_sources sources;
	char text[64];
	if (!enter_groups(0, 1024 * WAN_MIB) || wan_real_sources_open(&real, NULL, &sources) < 0) {
		leave_groups();
		return;
	}
	const double steps_pct[] = {75, 85, 95}, lowest_pct[] = {0, 0, 0};
	int fds[8];
	sources.watch(sources.context, steps_pct, fds, 8);
	double one = look_us(&sources, false), light = look_us(&sources, true);
	sources.watch(sources.context, lowest_pct, fds, 8); /* as if usage were above one */
	double whole = look_us(&sources, false);
	wan_real_sources_close(&real);
	leave_groups();
	if (!enter_groups(DEPTH - 1, 1024 * WAN_MIB) ||
	    wan_real_sources_open(&real, NULL, &sources) < 0) {
		leave_groups();
		return;
	}
	double six = look_us(&sources, false);
	wan_real_sources_close(&real);
	leave_groups();
	snprintf(text, sizeof(text), "%.1f us", one);
	figures_line("look at host and tightest level", "12 us", "<= 12 us", WANT_AT_MOST, 12, one,
		     text);
	snprintf(text, sizeof(text), "%.1f us", whole);
	figures_line("the same, usage above a step", "13 us", "-", WANT_NOTHING, 0, whole, text);
	one = whole;
	snprintf(text, sizeof(text), "%.2f us", (six - one) / (DEPTH - 1));
	figures_line("each further level", "1 us", "<= 8 us", WANT_AT_MOST, 8,
		     (six - one) / (DEPTH - 1), text);
	snprintf(text, sizeof(text), "%.2f us", light);
	figures_line("light look, by who reserves", "1 us", "-", WANT_NOTHING, 0, light, text);
}

/* --- the watcher --- */

static struct wan_runtime *start_runtime(bool no_thread)
{
	struct wan_runtime_options options;
	struct wan_runtime *runtime;
	const struct wan_setting off = {"record.path", "off"};
	wan_runtime_options_init(&options);
	options.settings = &off;
	options.setting_count = 1;
	options.ignore_files = options.ignore_environment = true;
	options.no_thread = no_thread;
	return wan_runtime_create(&options, &runtime, NULL) == 0 ? runtime : NULL;
}

/* Processor time of the thread of that name, in ns. */
static uint64_t thread_ns(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	uint64_t ns = 0;
	for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
		char path[300], text[64] = "";
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		FILE *file = fopen(path, "r");
		if (!file)
			continue;
		bool found = fgets(text, sizeof(text), file) && strncmp(text, name, 11) == 0;
		fclose(file);
		snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", entry->d_name);
		file = found ? fopen(path, "r") : NULL;
		unsigned long long ran = 0;
		if (file && fscanf(file, "%llu", &ran) == 1)
			ns += ran;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return ns;
}

static double watcher_percent(unsigned seconds)
{
	struct wan_runtime *runtime = start_runtime(false);
	if (!runtime)
		return -1;
	usleep(300000); /* its first looks */
	uint64_t before_ns = thread_ns("wanrt-watch"), began_ns = wan_now_ns();
	sleep(seconds);
	double percent = 100.0 * (double)(thread_ns("wanrt-watch") - before_ns) /
			 (double)(wan_now_ns() - began_ns);
	wan_runtime_unref(runtime);
	return percent;
}

static void bench_watcher(unsigned seconds)
{
	char text[64];
	if (!enter_groups(0, 64 * WAN_MIB))
		return;
	/* 60 % of the group: not calm, so it looks every 100 ms. */
	size_t bytes = 50 * WAN_MIB;
	void *held = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	double watching = watcher_percent(seconds);
	munmap(held, bytes);
	set_limit(group, 1024 * WAN_MIB);
	double calm = watcher_percent(seconds);
	leave_groups();
	snprintf(text, sizeof(text), "%.3f %% of a core", watching);
	figures_line("watcher, ten looks a second", "0.1 %", "<= 0.15 %", WANT_AT_MOST, 0.15,
		     watching, text);
	snprintf(text, sizeof(text), "%.3f %% of a core", calm);
	figures_line("watcher, calm, events armed", "0.01 %", "<= 0.02 %", WANT_AT_MOST, 0.02, calm,
		     text);
}

/* --- from the reserve that crosses a step to memory that is back --- */

static uint64_t first_back_ns, first_bytes, back_bytes, last_back_ns;

static void note_back(size_t bytes)
{
	last_back_ns = wan_now_ns();
	if (!back_bytes && bytes >= 65536) {
		first_back_ns = last_back_ns;
		first_bytes = bytes;
	}
	back_bytes += bytes;
}

static int spy_munmap(void *at, size_t bytes)
{
	int result = wan_sys_real.munmap(at, bytes);
	note_back(bytes);
	return result;
}

static int spy_madvise(void *at, size_t bytes, int advice)
{
	int result = wan_sys_real.madvise(at, bytes, advice);
	if (advice == MADV_DONTNEED)
		note_back(bytes);
	return result;
}

static void free_buffer(void *data)
{
	wan_image_unref(data);
}

/* Pictures of 1080p. */
static bool fill(struct wan_runtime *runtime, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct wan_image *image;
		struct wan_image_view view;
		if (wan_image_create(WAN_PIXEL_RGB8, 1920, 1080, &image) < 0)
			return false;
		wan_image_view(image, &view);
		memset((void *)(uintptr_t)view.pixels, 1, view.pixels_bytes);
		struct wan_value value = {
			.data = image, .bytes = view.pixels_bytes, .destroy = free_buffer};
		struct wan_key key = {.words = {i + 1, 1}};
		if (wan_cache_put(wan_runtime_cache(runtime), key, &value) < 0)
			return false;
	}
	return true;
}

/* Somebody else in our group: when told, takes a MB a millisecond, most_mb of them, until it is
 * killed. */
static pid_t start_other(int *ret_tell, unsigned most_mb)
{
	int tell[2];
	if (pipe(tell) < 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		char byte;
		close(tell[1]);
		(void)!read(tell[0], &byte, 1);
		for (unsigned taken = 0;; taken++, usleep(1000)) {
			if (taken >= most_mb ||
			    mmap(NULL, WAN_MIB, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
				pause();
		}
	}
	close(tell[0]);
	*ret_tell = tell[1];
	return child;
}

/* One crossing of a step, seen by a thread that reserves all the time: no watcher runs. The first
 * is the warning, whose pages are all idle or the oldest of the cache. */
static bool cross_once(double *ret_first_us, double *ret_rest_gb_s)
{
	int tell = -1;
	pid_t other = start_other(&tell, 256); /* before there are pages that a fork would share */
	struct wan_runtime *runtime = start_runtime(true);
	struct wan_sys spy = wan_sys_real;
	spy.munmap = spy_munmap;
	spy.madvise = spy_madvise;
	bool filled = other > 0 && runtime && fill(runtime, 36);
	uint64_t began_ns = 0, end_ns = wan_now_ns() + 3000000000u;
	back_bytes = 0;
	wan_sys = &spy;
	(void)!write(tell, "", 1);
	while (filled && !back_bytes && began_ns < end_ns) {
		began_ns = wan_now_ns();
		if (wan_memory_reserve(wan_runtime_memory(runtime), 2 * WAN_MIB, NULL) == 0)
			wan_memory_unreserve(wan_runtime_memory(runtime), 2 * WAN_MIB);
		usleep(200);
	}
	wan_sys = &wan_sys_real;
	close(tell);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	wan_runtime_unref(runtime);
	*ret_first_us = (double)(first_back_ns - began_ns) / 1000;
	*ret_rest_gb_s = (double)(back_bytes - first_bytes) /
			 (double)WAN_MAX(last_back_ns - first_back_ns, 1u);
	return back_bytes > 65536;
}

static void bench_crossing(void)
{
	enum { ROUNDS = 15 };
	double first_us[ROUNDS], gb_s[ROUNDS];
	char text[64];
	if (!enter_groups(0, 512 * WAN_MIB))
		return;
	unsigned count = 0;
	while (count < ROUNDS && cross_once(&first_us[count], &gb_s[count]))
		count++;
	leave_groups();
	if (count < ROUNDS) {
		printf("# crossing: nothing was given back\n");
		return;
	}
	double first = figures_percentile(first_us, count, 0.5);
	snprintf(text, sizeof(text), "%.0f us (most %.0f)", first, first_us[count - 1]);
	figures_line("crossing reserve to the first 64 KiB back", "40 us", "<= 50 us", WANT_AT_MOST,
		     50, first, text);
	double rate = figures_percentile(gb_s, count, 0.5);
	snprintf(text, sizeof(text), "%.1f GB/s", rate);
	figures_line("the rest", "8 GB/s", ">= 8 GB/s", WANT_AT_LEAST, 8, rate, text);
}

/* --- the same by eight threads on one processor --- */

static bool cross_in_crowd(double *ret_us)
{
	int tell = -1;
	wan_pool_trim(0); /* what a fork would share would count twice once it is written to */
	pid_t other = start_other(&tell, 32);
	struct wan_runtime *runtime = start_runtime(true);
	struct wan_sys spy = wan_sys_real;
	spy.munmap = spy_first_munmap;
	spy.madvise = spy_first_madvise;
	bool filled = other > 0 && runtime && fill(runtime, 12);
	wan_store_relaxed(&crossed, 0);
	crowd_end_ns = wan_now_ns() + 3000000000u;
	wan_sys = &spy;
	(void)!write(tell, "", 1);
	if (filled)
		crowd(runtime);
	wan_sys = &wan_sys_real;
	close(tell);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	wan_runtime_unref(runtime);
	*ret_us = (double)wan_load_acquire(&first_cpu_ns) / 1000;
	return filled && wan_load_acquire(&crossed);
}

static void bench_crowd(void)
{
	enum { ROUNDS = 100 };
	double us[ROUNDS];
	char text[64];
	if (!enter_groups(0, 128 * WAN_MIB))
		return;
	unsigned count = 0;
	while (count < ROUNDS && cross_in_crowd(&us[count]))
		count++;
	leave_groups();
	if (count < ROUNDS) {
		printf("# crossing in a crowd: nothing was given back\n");
		return;
	}
	double median = figures_percentile(us, ROUNDS, 0.5);
	double p99 = figures_percentile(us, ROUNDS, 0.99);
	snprintf(text, sizeof(text), "%.0f us CPU (median %.0f)", p99, median);
	figures_line("the first 64 KiB, 8 threads on one CPU: 99 %", "100 us", "<= 1000 us",
		     WANT_AT_MOST, 1000, p99, text);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
	atexit(leave_groups);
	figures_head();
	bench_looks();
	bench_crossing();
	bench_crowd();
	bench_watcher(seconds);
	return 0;
}
