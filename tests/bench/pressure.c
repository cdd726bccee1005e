/* SPDX-License-Identifier: MIT */
/*
 * Others' memory: a second process in the same group takes what the first one's cache must give.
 *
 *	bench-pressure grow   USAGE_FILE LIMIT_FILE LIMIT_MB    others grow past a step at once
 *	bench-pressure limit  USAGE_FILE LIMIT_FILE LIMIT_MB    the limit is lowered below a step
 *	bench-pressure steady USAGE_FILE LIMIT_FILE LIMIT_MB SECONDS   84 to 86 % all the time
 *
 * pressure.py puts it into a memory cgroup and prints the figures. The runtime has its defaults.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "macros.h"
#include "units.h"
#include "wan/wan.h"

#define MS       ((uint64_t)1000000)
#define IMAGE_MB 4

/* Shared with the other process: what it shall hold, and what it holds. */
struct other {
	uint64_t target_bytes, held_bytes; /* atomic */
};

static struct {
	struct other *other;
	pid_t child;
	int usage_fd;
	const char *limit_path;
	uint64_t limit_bytes;
	struct wan_runtime *runtime;
} bench;

static void pause_us(long us)
{
	nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

static void hold(struct other *other)
{
	enum { STEP = 1 << 20 };
	uint64_t held = 0;
	char *memory = mmap(NULL, (size_t)8 << 30, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (memory != MAP_FAILED) {
		uint64_t target = __atomic_load_n(&other->target_bytes, __ATOMIC_RELAXED);
		if (held + STEP <= target) {
			memset(memory + held, 1, STEP);
			held += STEP;
		} else if (held >= target + STEP) {
			held -= STEP;
			madvise(memory + held, STEP, MADV_DONTNEED);
		} else {
			pause_us(200);
		}
		__atomic_store_n(&other->held_bytes, held, __ATOMIC_RELAXED);
	}
}

static bool start_other(void)
{
	bench.other = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bench.other == MAP_FAILED)
		return false;
	bench.child = fork();
	if (bench.child == 0) {
		hold(bench.other);
		_exit(1);
	}
	return bench.child > 0;
}

static void stop_other(void)
{
	kill(bench.child, SIGKILL);
	waitpid(bench.child, NULL, 0);
}

static void let_other_hold(uint64_t bytes)
{
	__atomic_store_n(&bench.other->target_bytes, bytes, __ATOMIC_RELAXED);
}

static uint64_t usage(void)
{
	char text[32];
	ssize_t n = pread(bench.usage_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return strtoull(text, NULL, 10);
}

static uint64_t cache_used(void)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(wan_runtime_cache(bench.runtime), &stats);
	return stats.used_bytes;
}

static enum wan_memory_level level(void)
{
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(wan_runtime_memory(bench.runtime), &state);
	return state.level;
}

static void destroy_image(void *image)
{
	wan_image_unref(image);
}

/* Images of 4 MB that came from the pool, as decoded ones do. */
static void fill_cache(uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes / (IMAGE_MB * WAN_MIB); i++) {
		struct wan_image *image;
		if (wan_image_create(WAN_PIXEL_RGBA8, 1024, 1024 * IMAGE_MB / 4, &image) < 0)
			exit(1);
		memset(wan_image_pixels_mut(image), (int)i + 1, IMAGE_MB * WAN_MIB);
		struct wan_value value = {
			.data = image, .bytes = IMAGE_MB * WAN_MIB, .destroy = destroy_image};
		if (wan_cache_put(wan_runtime_cache(bench.runtime), wan_key_of(&i, sizeof(i)),
				  &value) < 0)
			wan_image_unref(image);
	}
}

struct seen {
	uint64_t known_ns; /* from 75 % being crossed to a level that says so */
	uint64_t first_ns; /* from 85 % to the first value dropped; both 0: not within a second */
	uint64_t evicted_bytes, returned_bytes;
};

/* Looks every 0.2 ms for a second; what was evicted must have left usage 50 ms after it began.
 * crossed: the limit was lowered, both steps at once; else others grow for a while. */
static struct seen watch(uint64_t used_before, bool crossed)
{
	struct seen seen = {0};
	uint64_t usage_before = 0, others_before = 0, start_ns = wan_now_ns();
	uint64_t warning_ns = crossed ? start_ns : 0, critical_ns = warning_ns, dropped_ns = 0;
	for (uint64_t now = start_ns; now - start_ns < 1000 * MS; now = wan_now_ns()) {
		uint64_t is = usage();
		if (!warning_ns && is >= bench.limit_bytes / 100 * 75)
			warning_ns = now;
		if (!critical_ns && is >= bench.limit_bytes / 100 * 85)
			critical_ns = now;
		if (warning_ns && !seen.known_ns && level() >= WAN_MEMORY_WARNING)
			seen.known_ns = now - warning_ns + 1;
		if (!dropped_ns && cache_used() < used_before) {
			dropped_ns = now;
			seen.first_ns = now > critical_ns ? now - critical_ns + 1 : 1;
		}
		if (!dropped_ns) {
			usage_before = is;
			others_before = __atomic_load_n(&bench.other->held_bytes, __ATOMIC_RELAXED);
		} else if (now > dropped_ns + 50 * MS) {
			break;
		}
		pause_us(200);
	}
	uint64_t others = __atomic_load_n(&bench.other->held_bytes, __ATOMIC_RELAXED);
	uint64_t expected = usage_before + others - others_before, now = usage();
	seen.evicted_bytes = used_before - cache_used();
	seen.returned_bytes = expected > now ? expected - now : 0;
	return seen;
}

static int print_seen(const struct seen *seen)
{
	printf("known_ms %.2f first_ms %.2f evicted %llu returned %llu\n",
	       seen->known_ns ? (double)seen->known_ns / 1e6 : -1.0,
	       seen->first_ns ? (double)seen->first_ns / 1e6 : -1.0,
	       (unsigned long long)seen->evicted_bytes, (unsigned long long)seen->returned_bytes);
	return 0;
}

static int grow(void)
{
	fill_cache(bench.limit_bytes / 100 * 50);
	pause_us(2000000); /* calm: the watcher may have widened its steps */
	uint64_t used = cache_used(), now = usage();
	let_other_hold(bench.limit_bytes / 100 * 89 - now);
	struct seen seen = watch(used, false);
	return print_seen(&seen);
}

static int lower_limit(void)
{
	fill_cache(bench.limit_bytes / 100 * 30);
	pause_us(2000000);
	uint64_t used = cache_used();
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)(usage() / 89 * 100));
	int fd = open(bench.limit_path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		return 1;
	struct seen seen = watch(used, true);
	return print_seen(&seen);
}

/* The other process holds the group between 84 and 86 %, whatever the cache gives. */
static int steady(double seconds)
{
	unsigned changes = 0, flushes = 0, at = 0;
	enum wan_memory_level last = WAN_MEMORY_NORMAL;
	let_other_hold(bench.limit_bytes / 100 * 53);
	pause_us(1500000);
	fill_cache(bench.limit_bytes / 100 * 30);
	uint64_t start_ns = wan_now_ns(), settled_ns = start_ns + 3000 * MS;
	for (uint64_t now = start_ns; now - start_ns < (uint64_t)(seconds * 1e9);
	     now = wan_now_ns(), at++) {
		uint64_t wave = at / 20 % 2 ? 8550 : 8450;
		uint64_t wanted = bench.limit_bytes / 10000 * wave, is = usage();
		uint64_t held = __atomic_load_n(&bench.other->held_bytes, __ATOMIC_RELAXED);
		let_other_hold(is < wanted ? held + (wanted - is)
					   : held - WAN_MIN(held, is - wanted));
		enum wan_memory_level is_level = level();
		if (now > settled_ns) {
			changes += is_level != last;
			flushes += cache_used() == 0;
		}
		last = is_level;
		pause_us(50000);
	}
	printf("changes %u flushes %u seconds %.0f cache %llu\n", changes, flushes, seconds,
	       (unsigned long long)cache_used());
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "started by pressure.py\n");
		return 64;
	}
	bench.usage_fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	bench.limit_path = argv[3];
	bench.limit_bytes = strtoull(argv[4], NULL, 10) * WAN_MIB;
	if (bench.usage_fd < 0 || !start_other()) /* before there are threads */
		return 1;
	bench.runtime = wan_runtime_default();
	int status = 64;
	if (!bench.runtime)
		status = 1;
	else if (strcmp(argv[1], "grow") == 0)
		status = grow();
	else if (strcmp(argv[1], "limit") == 0)
		status = lower_limit();
	else if (strcmp(argv[1], "steady") == 0 && argc == 6)
		status = steady(strtod(argv[5], NULL));
	stop_other();
	return status;
}
