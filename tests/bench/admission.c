/* SPDX-License-Identifier: MIT */
/*
 * What asking for memory costs: a reserve that reads nothing, beside one locked addition; threads
 * that ask at once; and an image that memory has no room for, refused, scaled, and read by rows.
 *
 *	bench-admission [FOLDER for one file, default /tmp]
 */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomics.h"
#include "figures.h"
#include "macros.h"
#include "memory.h"
#include "wan/runtime.h"

enum { ROUNDS = 31, PAIRS = 200000, IMAGES = 201 };

static uint64_t added __attribute__((aligned(64)));

static void add_bare(void *context, unsigned number, unsigned count)
{
	while (count--)
		__atomic_fetch_add(&added, 1, __ATOMIC_SEQ_CST);
}

static void reserve_pairs(void *context, unsigned number, unsigned count)
{
	while (count--)
		if (wan_memory_reserve(context, 1, NULL) == 0)
			wan_memory_unreserve(context, 1);
}

static void reserve_only(void *context, unsigned number, unsigned count)
{
	unsigned granted = 0;
	while (count--)
		granted += wan_memory_reserve(context, 1, NULL) == 0;
	added += granted;
}

static void unreserve_only(void *context, unsigned number, unsigned count)
{
	while (count--)
		wan_memory_unreserve(context, 1);
}

static void cost_of_asking(void)
{
	struct wan_memory_options options = {.struct_size = sizeof(options)};
	struct wan_memory *memory;
	char text[64];
	if (wan_memory_create(&options, &memory) < 0)
		exit(1);
	struct figures_loop loops[] = {
		{.run = add_bare, .threads = 1, .count = PAIRS},
		{.run = reserve_only, .context = memory, .threads = 1, .count = PAIRS},
		{.run = unreserve_only, .context = memory, .threads = 1, .count = PAIRS},
		{.run = reserve_pairs, .context = memory, .threads = 1, .count = PAIRS},
		{.run = add_bare, .threads = 16, .count = PAIRS / 16},
		{.run = reserve_pairs, .context = memory, .threads = 16, .count = PAIRS / 16},
	};
	figures_measure(loops, WAN_COUNT_OF(loops), ROUNDS);
	snprintf(text, sizeof(text), "%.1f ns, %.1f times a locked add", loops[1].ns,
		 figures_ratio(&loops[1], &loops[0], ROUNDS));
	figures_line("reserve, alone, no look due", "10 ns", "25 ns", WANT_AT_MOST, 25, loops[1].ns,
		     text);
	snprintf(text, sizeof(text), "%.1f ns, %.1f times", loops[3].ns,
		 figures_ratio(&loops[3], &loops[0], ROUNDS));
	figures_line("reserve and give back", "20 ns", "-", WANT_NOTHING, 0, loops[3].ns, text);
	/* The loop counts what each thread does; they share the processors there are. */
	double each = loops[5].ns / 16;
	snprintf(text, sizeof(text), "%.1f ns (locked add: %.1f)", each, loops[4].ns / 16);
	figures_line("16 threads: ns between two pairs", "40 ns", "150 ns", WANT_AT_MOST, 150, each,
		     text);
	wan_memory_destroy(memory);
}

/* In a child, so that what it takes is not ours. */
static bool make_image(const char *path, bool progressive)
{
	pid_t child = fork();
	if (child == 0) {
		struct wan_image *image;
		struct wan_encode_options options;
		if (wan_image_create(WAN_PIXEL_RGB8, 4000, 3000, &image) < 0)
			_exit(1);
		uint8_t *pixels = wan_image_pixels_mut(image);
		for (uint32_t i = 0; i < 4000u * 3000u * 3u; i++)
			pixels[i] = (uint8_t)((i / 36000 + i % 12000 / 16) & 255);
		wan_encode_options_init(&options);
		options.format = WAN_FORMAT_JPEG;
		options.jpeg_progressive = progressive;
		options.overwrite = true;
		_exit(wan_image_encode(image, path, &options, NULL) < 0);
	}
	int status = -1;
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static struct wan_runtime *runtime_of(const char *cap)
{
	const struct wan_setting settings[] = {
		{"memory.process_cap", cap}, {"record.path", "off"}, {"profile.enabled", "false"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime = NULL;
	struct wan_error error;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = WAN_COUNT_OF(settings);
	options.ignore_files = options.ignore_environment = true;
	if (wan_runtime_create(&options, &runtime, &error) < 0)
		printf("skipped: %s: %s\n", error.object, error.reason);
	return runtime;
}

static void no_room(const char *path, const char *kind)
{
	char text[96], name[64];
	/* A program has something of its own: alone, it would just fit. */
	static char own[16 * WAN_MIB];
	memset(own, 1, sizeof(own));
	struct wan_runtime *runtime = runtime_of("64M");
	if (!runtime)
		return;
	double times[IMAGES], most = 0;
	struct wan_error error = {0};
	struct wan_pin *pin;
	for (unsigned i = 0; i < IMAGES; i++) {
		error.code = 0;
		uint64_t begin = wan_now_ns();
		int r = wan_load(runtime, path, NULL, &pin, NULL, &error);
		times[i] = (double)(wan_now_ns() - begin) / 1000;
		if (r != -ENOMEM) {
			printf("a 12-megapixel image was not refused in 64 MB: %d\n", r);
			exit(1);
		}
	}
	double median = figures_percentile(times, IMAGES, 0.5);
	most = figures_percentile(times, IMAGES, 0.99);
	snprintf(text, sizeof(text), "%.1f us, 99 %%: %.1f us", median, most);
	snprintf(name, sizeof(name), "12 MP %s in 64 MB: refused", kind);
	figures_line(name, "15 us", "20 us", WANT_AT_MOST, 20, median, text);
	printf("  %s: %s; %s\n", "the refusal", error.reason, error.hint);

	struct wan_decode_options options;
	wan_decode_options_init(&options);
	options.accept_divisor = 8;
	uint64_t begin = wan_now_ns();
	int r = wan_load(runtime, path, &options, &pin, NULL, &error);
	if (r == 0) {
		struct wan_image_view view;
		wan_image_view(wan_pin_image(pin), &view);
		printf("  with accept_divisor: %ux%u in %.1f ms\n", view.width_px, view.height_px,
		       (double)(wan_now_ns() - begin) / 1e6);
		wan_pin_release(pin);
	} else {
		printf("  with accept_divisor: %s: %s\n", error.object, error.reason);
	}
	begin = wan_now_ns();
	r = wan_fit(runtime, path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &pin, NULL, &error);
	printf("  wan_fit() to 832x480: %s in %.1f ms\n", r == 0 ? "by rows" : error.reason,
	       (double)(wan_now_ns() - begin) / 1e6);
	if (r == 0)
		wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

int main(int argc, char **argv)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/wan-bench-admission.jpg", argc > 1 ? argv[1] : "/tmp");
	figures_head();
	cost_of_asking();
	for (int progressive = 0; progressive < 2; progressive++) {
		if (!make_image(path, progressive)) {
			printf("skipped: %s cannot be written\n", path);
			return 0;
		}
		no_room(path, progressive ? "progressive JPEG" : "JPEG");
	}
	unlink(path);
	return 0;
}
