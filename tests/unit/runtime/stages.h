/* SPDX-License-Identifier: MIT */
/* A runtime of its own, pictures of one grey, and what a load says of them. */
#ifndef WAN_TESTS_RUNTIME_STAGES_H
#define WAN_TESTS_RUNTIME_STAGES_H

#include "atomics.h"
#include "cache_check.h"
#include "files.h"
#include "instance.h"
#include "load.h"
#include "pool.h"
#include "sys.h"

enum { WIDTH = 320, HEIGHT = 256 };

static inline struct wan_runtime *make_runtime_with(const char *key, const char *value,
						    const char *other, const char *other_value)
{
	const struct wan_setting settings[] = {
		{"record.path", "off"}, {key, value}, {other, other_value}};
	struct wan_runtime_options options;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = other ? 3 : key ? 2 : 1;
	options.ignore_files = options.ignore_environment = options.no_thread = true;
	struct wan_runtime *runtime = NULL;
	struct wan_error error = {0};
	if (wan_runtime_create(&options, &runtime, &error) < 0) {
		printf("# %s: %s\n", error.object, error.reason);
		abort();
	}
	return runtime;
}

static inline struct wan_runtime *make_runtime(const char *key, const char *value)
{
	return make_runtime_with(key, value, NULL, NULL);
}

/* A picture of one grey. */
static inline void write_picture(const char *path, uint8_t grey, uint32_t width, uint32_t height,
				 enum wan_file_format format)
{
	struct wan_image *image = NULL;
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = format;
	options.overwrite = true;
	options.png_level = 1;
	if (wan_image_create(WAN_PIXEL_RGB8, width, height, &image) < 0)
		abort();
	memset(wan_image_pixels_mut(image), grey, (size_t)width * height * 3);
	if (wan_image_encode(image, path, &options, NULL) < 0)
		abort();
	wan_image_unref(image);
}

static inline const char *picture(uint8_t grey)
{
	const char *path = in_folder("picture.png");
	write_picture(path, grey, WIDTH, HEIGHT, WAN_FORMAT_PNG);
	return path;
}

static uint8_t first_byte(const struct wan_pin *pin)
{
	struct wan_image_view view;
	wan_image_view(wan_pin_image(pin), &view);
	return *(const uint8_t *)view.pixels;
}

/* The grey that a load gives; -1: it failed. */
static inline int load(struct wan_runtime *runtime, const char *path, bool *ret_hit)
{
	struct wan_pin *pin = NULL;
	struct wan_error error = {0};
	if (wan_load(runtime, path, NULL, &pin, ret_hit, &error) < 0) {
		printf("# %s: %s\n", error.object, error.reason);
		return -1;
	}
	int grey = first_byte(pin);
	wan_pin_release(pin);
	return grey;
}

static inline struct wan_cache_stats cache_stats(struct wan_runtime *runtime)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(runtime->cache, &stats);
	return stats;
}

static inline uint64_t operations(struct wan_runtime *runtime)
{
	struct wan_runtime_summary summary = {.struct_size = sizeof(summary)};
	wan_runtime_summary(runtime, &summary);
	return summary.operations;
}

static inline uint64_t resident_bytes(struct wan_runtime *runtime)
{
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_tick(runtime->memory);
	wan_memory_state(runtime->memory, &state);
	return state.process_rss_bytes;
}

/* Admission goes up to two points under the warning level of the cap. */
static inline struct wan_runtime *make_tight_runtime(uint64_t left_bytes)
{
	struct wan_runtime *probe = make_runtime(NULL, NULL);
	char cap[32];
	snprintf(cap, sizeof(cap), "%llu",
		 (unsigned long long)((double)(resident_bytes(probe) + left_bytes) / 0.73));
	wan_runtime_unref(probe);
	return make_runtime("memory.process_cap", cap);
}

#endif
