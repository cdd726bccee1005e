/* SPDX-License-Identifier: MIT */
/* Another part of the program takes memory: cache and batch give way, and grow back when it ends.
 * The argument: for how many seconds to watch that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wan/wan.h>

#define MB 1048576u

static struct wan_runtime *runtime;
static struct wan_batch *batch;

static void show(const char *when)
{
	static const char *const levels[] = {"normal", "warning", "critical", "emergency"};
	struct wan_memory_state memory;
	struct wan_cache_stats cache;
	memory.struct_size = sizeof(memory);
	cache.struct_size = sizeof(cache);
	wan_memory_state(wan_runtime_memory(runtime), &memory);
	wan_cache_stats(wan_runtime_cache(runtime), &cache);
	printf("%-32s %5.1f %%  %-9s %4.0f MB of %4.0f MB %6u\n", when,
	       (double)memory.process_rss_bytes * 100 / (256.0 * MB), levels[memory.level],
	       (double)cache.used_bytes / MB, (double)cache.limit_bytes / MB,
	       wan_batch_next(batch));
	fflush(stdout);
}

static void drop(void *image)
{
	wan_image_unref((struct wan_image *)image);
}

/* One picture of 1920x1080. */
static int put(uint64_t number)
{
	struct wan_image *image;
	struct wan_image_view view;
	if (wan_image_create(WAN_PIXEL_RGB8, 1920, 1080, &image) < 0)
		return -1;
	wan_image_view(image, &view);
	memset(wan_image_pixels_mut(image), (int)number, view.pixels_bytes);
	struct wan_value value;
	memset(&value, 0, sizeof(value));
	value.data = image;
	value.bytes = view.pixels_bytes;
	value.destroy = drop;
	return wan_cache_put(wan_runtime_cache(runtime), wan_key_of(&number, sizeof(number)),
			     &value);
}

static uint64_t resident(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file && fscanf(file, "%*u %llu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A loop of work: a batch that fits, and a look at memory, ten times a second. */
static void work(double seconds)
{
	for (int i = 0; i < (int)(seconds * 10); i++) {
		wan_batch_report(batch, wan_batch_next(batch), false);
		wan_memory_tick(wan_runtime_memory(runtime));
		usleep(100000);
	}
}

int main(int argc, char **argv)
{
	const struct wan_setting settings[] = {{"memory.process_cap", "256M"},
					       {"cache.limit", "160M"}};
	struct wan_runtime_options options;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = 2;
	options.no_thread = true; /* this program looks itself */
	if (wan_runtime_create(&options, &runtime, NULL) < 0)
		return 1;
	struct wan_batch_options batching;
	wan_batch_options_init(&batching);
	batching.maximum = 32;
	if (wan_batch_create(wan_runtime_memory(runtime), &batching, &batch) < 0)
		return 1;
	for (uint64_t i = 0; i < 26; i++)
		if (put(i) < 0)
			return 1;
	wan_memory_tick(wan_runtime_memory(runtime));
	show("before");

	/* Something that asks nobody, up to 86 % of what the process may have. */
	uint64_t held = resident(), goal = (uint64_t)(0.861 * 256 * MB);
	size_t bytes = goal > held ? (size_t)(goal - held) : 0;
	char *taken = (char *)malloc(bytes + 1);
	if (!taken)
		return 1;
	for (size_t at = 0; at < bytes; at += 4096)
		((volatile char *)taken)[at] = 1;
	printf("%-32s %5.1f %%\n", "another part takes memory",
	       (double)resident() * 100 / (256.0 * MB));
	wan_memory_tick(wan_runtime_memory(runtime));
	show("one look later");
	free(taken);
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0, step = seconds / 4;
	for (double at = step; seconds > 0 && at <= seconds; at += step) {
		char when[48];
		snprintf(when, sizeof(when), "given back, %.0f s later", at);
		work(step);
		show(when);
	}
	wan_batch_destroy(batch);
	wan_runtime_unref(runtime);
	return 0;
}
