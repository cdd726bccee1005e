/* SPDX-License-Identifier: MIT */
/* Stages as a program uses them: files that change, limits, what is kept and what is charged. */
#include <sys/wait.h>

#include "stages.h"
#include "sys.h"

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

static ssize_t disturb_by_a_larger_one(int fd, void *to, size_t bytes, off_t offset)
{
	if (disturbed && ++reads == 1)
		write_picture(disturbed, 40, WIDTH * 4, HEIGHT * 4, WAN_FORMAT_PNG);
	return wan_sys_real.pread(fd, to, bytes, offset);
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

TEST(a_file_that_has_grown_since_it_was_priced_is_priced_again)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	const char *path = picture(10);
	disturbing = wan_sys_real;
	disturbing.pread = disturb_by_a_larger_one;
	wan_sys = &disturbing;
	disturbed = path;
	reads = 0;
	struct wan_pin *pin = NULL;
	int r = wan_load(runtime, path, NULL, &pin, NULL, NULL);
	wan_sys = &wan_sys_real;
	disturbed = NULL;
	REQUIRE_EQ(r, 0);
	CHECK_EQ(first_byte(pin), 40);
	CHECK_EQ(operations(runtime), 2); /* the first one did not begin to decode */
	CHECK_EQ(cache_stats(runtime).entries, 0);
	CHECK_EQ(wan_cache_check(runtime->cache), NULL);
	wan_pin_release(pin);
	CHECK_EQ(cache_stats(runtime).used_bytes, 0);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(runtime->memory, &state);
	CHECK_EQ(state.reserved_bytes, 0);
	wan_runtime_unref(runtime);
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

TEST(the_settings_say_what_becomes_of_a_value_without_room)
{
	const char *path = in_folder("large.png");
	write_picture(path, 100, 1200, 900, WAN_FORMAT_PNG); /* 3 MB */
	struct wan_runtime *runtime = make_runtime("cache.limit", "2M");
	struct wan_pin *pin = NULL;
	REQUIRE_EQ(wan_load(runtime, path, NULL, &pin, NULL, NULL), 0);
	CHECK_EQ(cache_stats(runtime).passed_through, 1);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);

	runtime = make_runtime_with("cache.limit", "2M", "cache.full", "fail");
	struct wan_error error = {0};
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, &error), -EFBIG);
	CHECK(error.object[0] && error.reason[0]);
	CHECK_EQ(operations(runtime), 0); /* refused before it was decoded */
	wan_runtime_unref(runtime);

	static const char *const policies[] = {"lru", "auto", "gdsf", "s3fifo"};
	for (int i = 0; i < 4; i++) {
		runtime = make_runtime("cache.policy", policies[i]);
		CHECK_EQ(load(runtime, picture(10), NULL), 10);
		CHECK_EQ(load(runtime, in_folder("picture.png"), NULL), 10);
		CHECK_EQ(cache_stats(runtime).hits, 1);
		wan_runtime_unref(runtime);
	}
}

TEST(what_cannot_be_decoded_leaves_nothing_behind)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	const char *path = in_folder("broken.png");
	picture(10);
	shell("head -c 200 picture.png > broken.png");
	struct wan_pin *pin = NULL;
	for (int i = 0; i < 3; i++) { /* a failure is not kept */
		CHECK(wan_load(runtime, path, NULL, &pin, NULL, NULL) < 0);
		CHECK(wan_thumbnail(runtime, path, 32, 32, &pin, NULL, NULL) < 0);
		CHECK(wan_fit(runtime, path, 32, 32, WAN_FIT_COVER, WAN_FILTER_BOX, &pin, NULL,
			      NULL) < 0);
	}
	CHECK_EQ(cache_stats(runtime).used_bytes, 0);
	CHECK_EQ(cache_stats(runtime).entries, 0);
	shell("cp picture.png broken.png");
	CHECK_EQ(load(runtime, path, NULL), 10);
	wan_runtime_unref(runtime);
}

TEST(a_path_is_the_file_it_names)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	shell("mkdir -p one two");
	write_picture(in_folder("one/p.png"), 1, WIDTH, HEIGHT, WAN_FORMAT_PNG);
	write_picture(in_folder("two/p.png"), 2, WIDTH, HEIGHT, WAN_FORMAT_PNG);
	char before[4096];
	REQUIRE(getcwd(before, sizeof(before)) != NULL);
	bool hit = true;
	REQUIRE_EQ(chdir(in_folder("one")), 0);
	CHECK_EQ(load(runtime, "p.png", &hit), 1);
	REQUIRE_EQ(chdir(in_folder("two")), 0);
	CHECK_EQ(load(runtime, "p.png", &hit), 2);
	CHECK(!hit);
	CHECK_EQ(load(runtime, in_folder("one/p.png"), &hit), 1);
	CHECK(hit);
	const char *odd = in_folder("one/\xff\x80.png");
	REQUIRE_EQ(link(in_folder("one/p.png"), odd), 0);
	CHECK_EQ(load(runtime, odd, NULL), 1);
	CHECK_EQ(load(runtime, odd, &hit), 1);
	CHECK(hit);
	wan_runtime_unref(runtime);
	REQUIRE_EQ(chdir(before), 0);
}

/* In a child that is somebody else: root may read everything. 77: this is not root. */
static int read_without_permission(const char *path)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	if (setegid(65534) != 0 || seteuid(65534) != 0)
		return 77;
	bool hit = false;
	if (load(runtime, path, NULL) != 10 || load(runtime, path, &hit) != 10 || !hit)
		return 1;
	if (seteuid(0) != 0 || chmod(path, 0600) != 0 || seteuid(65534) != 0)
		return 77;
	struct wan_pin *pin = NULL;
	if (wan_load(runtime, path, NULL, &pin, NULL, NULL) != -EACCES)
		return 2;
	if (seteuid(0) != 0 || chmod(path, 0644) != 0 || seteuid(65534) != 0)
		return 77;
	return load(runtime, path, NULL) == 10 ? 0 : 3;
}

TEST(who_may_not_read_a_file_any_more_gets_no_picture)
{
	shell("chmod 755 .");
	const char *path = picture(10);
	chmod(path, 0644);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(read_without_permission(path));
	int status = -1;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		SKIP("must run as root to become somebody else");
	CHECK_EQ(status, 0);
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
