/* SPDX-License-Identifier: MIT */
/* Stages as a program uses them: files that change, limits, what is kept and what is charged. */
#include <sys/wait.h>

#include "atomics.h"
#include "cache_check.h"
#include "files.h"
#include "instance.h"
#include "load.h"
#include "pool.h"
#include "sys.h"

enum { WIDTH = 320, HEIGHT = 256 };

static struct wan_runtime *make_runtime(const char *key, const char *value)
{
	const struct wan_setting settings[] = {{"record.path", "off"}, {key, value}};
	struct wan_runtime_options options;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = key ? 2 : 1;
	options.ignore_files = options.ignore_environment = options.no_thread = true;
	struct wan_runtime *runtime = NULL;
	struct wan_error error = {0};
	if (wan_runtime_create(&options, &runtime, &error) < 0) {
		printf("# %s: %s\n", error.object, error.reason);
		abort();
	}
	return runtime;
}

/* A picture of one grey. */
static void write_picture(const char *path, uint8_t grey, uint32_t width, uint32_t height,
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

static const char *picture(uint8_t grey)
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
static int load(struct wan_runtime *runtime, const char *path, bool *ret_hit)
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

static struct wan_cache_stats cache_stats(struct wan_runtime *runtime)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(runtime->cache, &stats);
	return stats;
}

static uint64_t operations(struct wan_runtime *runtime)
{
	struct wan_runtime_summary summary = {.struct_size = sizeof(summary)};
	wan_runtime_summary(runtime, &summary);
	return summary.operations;
}

/* --- a file that is rewritten in the middle of being read --- */

static const char
	*disturbed; /* rewritten at the second pread: it was looked at, and is not decoded yet */
static unsigned reads;
static struct wan_sys disturbing;

static bool is_time(void)
{
	return disturbed && ++reads == 2;
}

static ssize_t disturb(int fd, void *to, size_t bytes, off_t offset)
{
	if (is_time())
		write_picture(disturbed, 20, WIDTH, HEIGHT, WAN_FORMAT_PNG);
	return wan_sys_real.pread(fd, to, bytes, offset);
}

/* The same bytes again, so that the picture stays whole. */
static ssize_t disturb_in_place(int fd, void *to, size_t bytes, off_t offset)
{
	if (is_time()) {
		char byte;
		int out = open(disturbed, O_RDWR);
		if (out < 0 || pread(out, &byte, 1, 0) != 1 || pwrite(out, &byte, 1, 0) != 1)
			abort();
		close(out);
	}
	return wan_sys_real.pread(fd, to, bytes, offset);
}

static int load_disturbed(struct wan_runtime *runtime, const char *path,
			  ssize_t (*read_at)(int fd, void *to, size_t bytes, off_t offset))
{
	disturbing = wan_sys_real;
	disturbing.pread = read_at;
	wan_sys = &disturbing;
	disturbed = path;
	reads = 0;
	int grey = load(runtime, path, NULL);
	disturbed = NULL;
	wan_sys = &wan_sys_real;
	CHECK(reads >= 2);
	return grey;
}

static void check_disturbed(const char *mode)
{
	struct wan_runtime *runtime = make_runtime("cache.identity", mode);
	const char *path = picture(10);
	bool hit = true;
	int grey = load_disturbed(runtime, path, disturb);
	CHECK(grey == 10 || grey == 20); /* as the file was opened before or after */
	CHECK_EQ(cache_stats(runtime).entries, 0);
	CHECK_EQ(cache_stats(runtime).passed_through, 1);
	CHECK_EQ(load(runtime, path, &hit), 20);
	CHECK(!hit);
	CHECK_EQ(load(runtime, path, &hit), 20);
	CHECK(hit);

	path = in_folder("other.png");
	write_picture(path, 30, WIDTH, HEIGHT, WAN_FORMAT_PNG);
	CHECK_EQ(load_disturbed(runtime, path, disturb_in_place), 30);
	CHECK_EQ(cache_stats(runtime).entries, 1);
	CHECK_EQ(cache_stats(runtime).passed_through, 2);
	CHECK_EQ(load(runtime, path, &hit), 30);
	CHECK(!hit);
	CHECK_EQ(cache_stats(runtime).entries, 2);
	wan_runtime_unref(runtime);
}

TEST(what_changes_while_it_is_decoded_is_handed_out_and_not_kept)
{
	check_disturbed("inotify");
	check_disturbed("strict");
	check_disturbed("stat");
}

TEST(values_of_a_changed_file_leave_at_once_and_pinned_ones_stay_charged)
{
	struct wan_runtime *runtime = make_runtime("cache.identity", "inotify");
	const char *path = picture(10);
	struct wan_pin *held = NULL, *pin = NULL;
	REQUIRE_EQ(wan_load(runtime, path, NULL, &held, NULL, NULL), 0);
	REQUIRE_EQ(wan_thumbnail(runtime, path, 64, 64, &pin, NULL, NULL), 0);
	wan_pin_release(pin);
	CHECK_EQ(cache_stats(runtime).entries, 2);
	write_file(path, 0, 1); /* in place: no picture any more */
	CHECK(wan_load(runtime, path, NULL, &pin, NULL, NULL) < 0);
	struct wan_cache_stats stats = cache_stats(runtime);
	CHECK_EQ(stats.entries, 0);
	CHECK_EQ(stats.evictions, 0);
	CHECK(stats.pinned_bytes >= WIDTH * HEIGHT * 3);
	CHECK_EQ(stats.used_bytes, stats.pinned_bytes);
	CHECK_EQ(first_byte(held), 10);
	wan_pin_release(held);
	CHECK_EQ(cache_stats(runtime).used_bytes, 0);
	wan_runtime_unref(runtime);
}

TEST(an_image_is_charged_with_the_pages_it_holds)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	struct wan_pool_stats before, after;
	wan_pool_trim(0);
	wan_pool_stats(&before);
	const char *path = picture(10);
	wan_pool_trim(0);
	struct wan_pin *pin = NULL;
	REQUIRE_EQ(wan_load(runtime, path, NULL, &pin, NULL, NULL), 0);
	wan_pool_stats(&after);
	uint64_t mapped = after.in_use_bytes - before.in_use_bytes;
	CHECK_EQ(mapped, wan_pool_class_bytes(WIDTH * HEIGHT * 3));
	CHECK(mapped % 4096 == 0);
	uint64_t used = cache_stats(runtime).used_bytes;
	CHECK(used >= mapped + WAN_CACHE_ENTRY_BYTES);
	CHECK(used <= mapped + 1024);
	CHECK_EQ(wan_cache_check(runtime->cache), NULL);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

TEST(equal_files_share_their_values_by_content)
{
	struct wan_runtime *runtime = make_runtime("cache.key", "content");
	const char *path = picture(10);
	shell("cp picture.png copy.png");
	bool hit = true;
	CHECK_EQ(load(runtime, path, &hit), 10);
	CHECK(!hit);
	CHECK_EQ(load(runtime, in_folder("copy.png"), &hit), 10);
	CHECK(hit);
	shell("touch copy.png");
	CHECK_EQ(load(runtime, in_folder("copy.png"), &hit), 10);
	CHECK(hit);
	write_picture(in_folder("copy.png"), 11, WIDTH, HEIGHT, WAN_FORMAT_PNG);
	CHECK_EQ(load(runtime, in_folder("copy.png"), &hit), 11);
	CHECK(!hit);
	CHECK_EQ(load(runtime, path, &hit), 10); /* its values did not leave with the other's */
	CHECK(hit);
	wan_runtime_unref(runtime);
}

TEST(many_seeds_with_one_start_image_do_the_work_once)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	const char *path = picture(10);
	for (int seed = 0; seed < 20; seed++) {
		struct wan_pin *pin = NULL;
		bool hit = false;
		struct wan_verdict verdict;
		REQUIRE_EQ(wan_validate(runtime, path, NULL, &verdict, NULL, NULL), 0);
		REQUIRE_EQ(wan_tensor(runtime, path, 64, 48, WAN_FIT_COVER, WAN_FILTER_LANCZOS,
				      &pin, &hit, NULL),
			   0);
		CHECK_EQ(hit, seed > 0);
		wan_pin_release(pin);
	}
	CHECK_EQ(operations(runtime), 4); /* decode, validation, fit, normalise */
	wan_runtime_unref(runtime);
}

static void check_pixels(const struct wan_pin *pin, uint32_t width, uint32_t height, uint8_t grey)
{
	struct wan_image_view view;
	wan_image_view(wan_pin_image(pin), &view);
	CHECK_EQ(view.width_px, width);
	CHECK_EQ(view.height_px, height);
	CHECK_EQ(view.format, WAN_PIXEL_RGB8);
	const uint8_t *at = view.pixels;
	unsigned differ = 0;
	for (size_t i = 0; i < (size_t)width * height * 3; i++)
		differ += at[i] != grey;
	CHECK_EQ(differ, 0);
}

TEST(a_large_jpeg_is_not_decoded_for_its_thumbnail)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	const char *path = in_folder("large.jpg");
	write_picture(path, 100, 4000, 3000, WAN_FORMAT_JPEG);
	struct wan_pin *pin = NULL;
	bool hit = true;
	REQUIRE_EQ(wan_thumbnail(runtime, path, 150, 150, &pin, &hit, NULL), 0);
	CHECK(!hit);
	check_pixels(pin, 150, 113, 100);
	wan_pin_release(pin);
	struct wan_cache_stats stats = cache_stats(runtime);
	CHECK_EQ(stats.entries, 1);
	CHECK(stats.used_bytes < 150 * 113 * 3 * 2);
	CHECK_EQ(operations(runtime), 1);
	/* what is decoded already serves: no second look at the file */
	CHECK_EQ(load(runtime, path, NULL), 100);
	REQUIRE_EQ(wan_thumbnail(runtime, path, 256, 256, &pin, NULL, NULL), 0);
	check_pixels(pin, 256, 192, 100);
	wan_pin_release(pin);
	CHECK_EQ(operations(runtime), 3);
	REQUIRE_EQ(wan_thumbnail(runtime, path, 150, 150, &pin, &hit, NULL), 0);
	CHECK(hit);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

static uint64_t resident_bytes(struct wan_runtime *runtime)
{
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_tick(runtime->memory);
	wan_memory_state(runtime->memory, &state);
	return state.process_rss_bytes;
}

/* Admission goes up to two points under the warning level of the cap. */
static struct wan_runtime *make_tight_runtime(uint64_t left_bytes)
{
	struct wan_runtime *probe = make_runtime(NULL, NULL);
	char cap[32];
	snprintf(cap, sizeof(cap), "%llu",
		 (unsigned long long)((double)(resident_bytes(probe) + left_bytes) / 0.73));
	wan_runtime_unref(probe);
	return make_runtime("memory.process_cap", cap);
}

TEST(a_source_that_does_not_fit_in_memory_is_resized_row_by_row)
{
	const char *path = in_folder("large.jpg");
	write_picture(path, 100, 4000, 3000, WAN_FORMAT_JPEG);
	wan_pool_trim(0);
	struct wan_runtime *runtime = make_tight_runtime(12 * WAN_MIB);
	struct wan_pin *pin = NULL;
	struct wan_error error = {0};
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, &error), -ENOMEM);
	CHECK(strstr(error.reason, "process") != NULL); /* which level refused */
	error.code = 0;
	REQUIRE_EQ(wan_fit(runtime, path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &pin, NULL,
			   &error),
		   0);
	CHECK_EQ(error.code, 0);
	check_pixels(pin, 832, 480, 100);
	wan_pin_release(pin);
	/* the rows of a tensor that large have no room either: said, not tried */
	CHECK_EQ(wan_tensor(runtime, path, 4000, 3000, WAN_FIT_STRETCH, WAN_FILTER_LANCZOS, &pin,
			    NULL, &error),
		 -ENOMEM);
	CHECK(error.reason[0] != '\0');
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(runtime->memory, &state);
	CHECK_EQ(state.reserved_bytes, 0);
	wan_runtime_unref(runtime);
}

TEST(a_source_larger_than_the_ceiling_is_resized_row_by_row)
{
	struct wan_runtime *runtime = make_runtime("cache.limit", "8M");
	const char *path = in_folder("large.png");
	write_picture(path, 100, 2400, 1500, WAN_FORMAT_PNG);
	struct wan_pin *pin = NULL;
	REQUIRE_EQ(wan_fit(runtime, path, 640, 400, WAN_FIT_STRETCH, WAN_FILTER_BICUBIC, &pin, NULL,
			   NULL),
		   0);
	check_pixels(pin, 640, 400, 100);
	wan_pin_release(pin);
	REQUIRE_EQ(wan_thumbnail(runtime, path, 600, 600, &pin, NULL, NULL), 0);
	check_pixels(pin, 600, 375, 100);
	wan_pin_release(pin);
	CHECK_EQ(operations(runtime), 2);
	CHECK_EQ(cache_stats(runtime).passed_through, 0);
	wan_runtime_unref(runtime);
}

TEST(limits_of_the_configuration_hold_with_options_too)
{
	struct wan_runtime *runtime = make_runtime("image.max_pixels", "1000");
	const char *path = picture(10);
	struct wan_pin *pin = NULL;
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	CHECK_EQ(wan_load(runtime, path, &options, &pin, NULL, NULL), -EFBIG);
	options.max_pixels = 1000000;
	REQUIRE_EQ(wan_load(runtime, path, &options, &pin, NULL, NULL), 0);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

TEST(a_key_of_ones_own_follows_the_file)
{
	struct wan_runtime *runtime = make_runtime("cache.identity", "inotify");
	const char *path = picture(10);
	struct wan_key keys[3];
	for (int i = 0; i < 3; i++) {
		struct wan_key_builder builder;
		wan_key_begin(&builder, "mine");
		REQUIRE_EQ(wan_runtime_key_add_file(runtime, &builder, path), 0);
		keys[i] = wan_key_end(&builder);
		if (i == 1)
			write_file(path, 0, 1);
	}
	CHECK(same(keys[0], keys[1]));
	CHECK(!same(keys[1], keys[2]));
	struct wan_key_builder builder, before;
	wan_key_begin(&builder, "mine");
	before = builder;
	CHECK_EQ(wan_runtime_key_add_file(runtime, &builder, "/no/such/file"), -ENOENT);
	CHECK_EQ(wan_runtime_key_add_file(runtime, &builder, NULL), -EINVAL);
	CHECK_MEM(&builder, &before, sizeof(builder));
	wan_runtime_unref(runtime);
}

TEST(the_summary_tells_how_soon_a_change_is_noticed)
{
	static const char *const modes[] = {"auto", "inotify", "stat", "strict"};
	const char *path = picture(10);
	for (unsigned i = 0; i < 4; i++) {
		struct wan_runtime *runtime = make_runtime("cache.identity", modes[i]);
		load(runtime, path, NULL);
		struct wan_runtime_summary summary = {.struct_size = sizeof(summary)};
		wan_runtime_summary(runtime, &summary);
		CHECK_EQ(summary.identity.mode, i);
		CHECK_EQ(summary.identity.bound_ns, i == WAN_IDENTITY_STAT ? 100000000 : 0);
		CHECK(summary.identity.stats > 0);
		wan_runtime_unref(runtime);
	}
}

static struct wan_runtime *shared;
static uint32_t stop; /* atomic */

static void *load_always(void *unused)
{
	struct wan_pin *pin = NULL;
	while (!wan_load_relaxed(&stop))
		if (wan_load(shared, in_folder("picture.png"), NULL, &pin, NULL, NULL) == 0)
			wan_pin_release(pin);
	return NULL;
}

TEST(a_picture_that_is_replaced_all_the_time_is_never_stale_afterwards)
{
	shared = make_runtime(NULL, NULL);
	pthread_t threads[2];
	picture(0);
	stop = 0;
	for (int i = 0; i < 2; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, load_always, NULL), 0);
	unsigned stale = 0;
	for (int grey = 1; grey <= 60; grey++)
		stale += load(shared, picture((uint8_t)grey), NULL) != grey;
	wan_store_relaxed(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(stale, 0);
	CHECK_EQ(wan_cache_check(shared->cache), NULL);
	wan_runtime_unref(shared);
}

int main(int argc, char **argv)
{
	return files_main(argc, argv);
}
