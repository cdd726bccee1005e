/* SPDX-License-Identifier: MIT */
/*
 * What a runtime without entries costs its program: threads, resident memory, and the share of a
 * core that its background thread takes, without sampling, with samples that relax when all is calm
 * and with ten a second.
 *
 *	bench-background [SECONDS]     of each measurement; default 6
 */
#include "figures.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "procfs.h"
#include "wan/wan.h"

struct cost {
	double percent, resident_kb, start_ms;
	unsigned threads;
};

/* CPU of all threads but the calling one, in ns. */
static uint64_t others_cpu_ns(unsigned *ret_threads)
{
	uint64_t sum = 0;
	DIR *folder = opendir("/proc/self/task");
	*ret_threads = 0;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char path[300], text[128];
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", entry->d_name);
		if (wan_procfs_read(path, text, sizeof(text)) > 0)
			sum += strtoull(text, NULL, 10);
		++*ret_threads;
	}
	if (folder)
		closedir(folder);
	return sum;
}

/* Of what can be written: heap, stacks, the recording. Code is shared with all that use it. */
static double resident_kb(void)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512], access[8];
	bool counts = false;
	double sum = 0, kb;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*x-%*x %7s", access) == 1)
			counts = access[1] == 'w';
		else if (counts && sscanf(line, "Rss: %lf", &kb) == 1)
			sum += kb;
	}
	if (file)
		fclose(file);
	return sum;
}

/* interval: of samples; NULL: no sampling. */
static void measure(const char *interval, unsigned seconds, struct cost *ret_cost)
{
	const struct wan_setting settings[] = {{"progress.interval", interval ? interval : "1s"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime;
	struct wan_tracker *tracker;
	unsigned threads;
	resident_kb(); /* stdio and the C library have what they keep */
	double before = resident_kb();
	uint64_t begin_ns = wan_now_ns();
	wan_runtime_options_init(&options);
	options.ignore_files = true;
	options.settings = settings;
	options.setting_count = 1;
	if (wan_runtime_create(&options, &runtime, NULL) < 0)
		_exit(1);
	ret_cost->start_ms = (double)(wan_now_ns() - begin_ns) * 1e-6;
	struct wan_progress *progress = wan_runtime_progress(runtime);
	if (interval && (wan_progress_start(progress, 0) < 0 ||
			 wan_progress_begin(progress, "job", 100, "step", &tracker) < 0))
		_exit(1);
	sleep(3); /* what is calm has widened its intervals */
	uint64_t cpu_ns = others_cpu_ns(&threads), from_ns = wan_now_ns();
	sleep(seconds);
	cpu_ns = others_cpu_ns(&ret_cost->threads) - cpu_ns;
	ret_cost->percent = (double)cpu_ns * 100 / (double)(wan_now_ns() - from_ns);
	ret_cost->resident_kb = resident_kb() - before;
	wan_runtime_unref(runtime);
}

static struct cost cost_of(const char *interval, unsigned seconds)
{
	struct cost *cost = mmap(NULL, sizeof(*cost), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fork() == 0) { /* each in a process of its own */
		measure(interval, seconds, cost);
		_exit(0);
	}
	wait(NULL);
	return *cost;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 6;
	char text[64];
	setenv("WAN_RECORD_PATH", "bench-background.wprof", 1);
	const struct cost bare = cost_of(NULL, seconds);
	const struct cost calm = cost_of("1s", seconds);
	const struct cost busy = cost_of("100ms", seconds);
	unlink("bench-background.wprof");
	figures_head();
	snprintf(text, sizeof(text), "%u", busy.threads);
	figures_line("threads, sampling", "1", "1", WANT_AT_MOST, 1, busy.threads, text);
	snprintf(text, sizeof(text), "%.0f KiB", bare.resident_kb);
	figures_line("resident memory of a runtime, written", "700 KiB", "1 MiB", WANT_AT_MOST,
		     1024, bare.resident_kb, text);
	snprintf(text, sizeof(text), "%.0f KiB", busy.resident_kb - bare.resident_kb);
	figures_line("  more with a monitor and a job", "60 KiB", "512 KiB", WANT_AT_MOST, 512,
		     busy.resident_kb - bare.resident_kb, text);
	snprintf(text, sizeof(text), "%.4f %%", bare.percent);
	figures_line("share of a core, no sampling", "0.01 %", "0.1 %", WANT_AT_MOST, 0.1,
		     bare.percent, text);
	snprintf(text, sizeof(text), "%.4f %%", calm.percent);
	figures_line("  sampling, calm", "0.015 %", "0.02 %", WANT_AT_MOST, 0.02, calm.percent,
		     text);
	snprintf(text, sizeof(text), "%.4f %%", busy.percent);
	figures_line("  sampling at 10 Hz", "0.05 %", "0.15 %", WANT_AT_MOST, 0.15, busy.percent,
		     text);
	return 0;
}
