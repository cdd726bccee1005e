/* SPDX-License-Identifier: MIT */
/* A token seen before must never name other bytes: that would be a stale picture. */
#include <sys/mman.h>

#include "clock.h"
#include "files.h"
#include "identity_state.h"

static void check_rewrites(enum wan_identity_mode mode)
{
	set_up_way();
	struct wan_identity *identity = make(mode, false);
	uint64_t start_ns = wan_now_ns();
	CHECK_EQ(rewrite_often(identity, in_folder(path_text), 1000), 0);
	CHECK(decodes >= 1000);
	CHECK(decodes < 1100); /* and hardly anything is decoded twice */
	printf("# 1000 rewrites in %.2f s, %u decodes\n", (double)(wan_now_ns() - start_ns) / 1e9,
	       decodes);
	wan_identity_destroy(identity);
}

TEST(no_stale_token_in_1000_rewrites_when_watched)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	check_rewrites(WAN_IDENTITY_INOTIFY);
}

TEST(no_stale_token_in_1000_rewrites_when_strict)
{
	check_rewrites(WAN_IDENTITY_STRICT);
}

TEST(no_stale_token_in_rewrites_of_a_relative_path)
{
	set_up_way();
	char before[4096];
	REQUIRE(getcwd(before, sizeof(before)) != NULL && chdir(folder) == 0);
	struct wan_identity *identity = make(WAN_IDENTITY_AUTO, false);
	CHECK_EQ(rewrite_often(identity, path_text, 300), 0);
	CHECK_EQ(stats_of(identity).watched_paths, 0);
	wan_identity_destroy(identity);
	REQUIRE_EQ(chdir(before), 0);
}

TEST(what_is_written_through_a_mapping_shows_when_that_is_closed)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_INOTIFY, false);
	const char *path = in_folder(path_text);
	struct wan_key token = look(identity, path);
	for (uint32_t i = 1; i < 20; i++) {
		int fd = open(path, O_RDWR);
		uint32_t *mapped = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		REQUIRE(fd >= 0 && mapped != MAP_FAILED);
		close(fd);
		*mapped = i;
		munmap(mapped, 4);
		CHECK(!same(token, look(identity, path)));
		token = look(identity, path);
	}
	wan_identity_destroy(identity);
}

static struct wan_sight judge_words(struct wan_identity *identity, uint64_t changed_ns,
				    bool settled, const char *bytes, int *ret_code)
{
	struct wan_look seen = {.words = {1, 2, 3, 4, changed_ns}, .settled = settled};
	struct wan_sight sight = {0};
	struct wan_file_keys *gone = NULL;
	if (bytes) {
		seen.has_content = true;
		seen.content = wan_key_hash(WAN_DOMAIN_CONTENT, bytes, strlen(bytes));
	}
	wan_identity_lock(identity);
	*ret_code = wan_identity_judge_locked(identity, &seen, &sight, &gone);
	wan_identity_unlock(identity);
	return sight;
}

TEST(times_that_may_come_again_are_told_apart_by_the_bytes)
{
	/* as on a kernel whose times move in ticks: four writes within one */
	struct wan_identity *identity = make(WAN_IDENTITY_STRICT, false);
	int code;
	judge_words(identity, 5, false, NULL, &code);
	CHECK_EQ(code, -EAGAIN); /* the bytes are asked for */
	struct wan_sight a = judge_words(identity, 5, false, "a", &code);
	CHECK_EQ(code, 0);
	struct wan_sight again = judge_words(identity, 5, false, "a", &code);
	CHECK(same(a.token, again.token));
	struct wan_sight b = judge_words(identity, 5, false, "b", &code);
	CHECK(!same(a.token, b.token));
	/* a tick later, once compared, nothing can happen any more without new times */
	judge_words(identity, 5, true, NULL, &code);
	CHECK_EQ(code, -EAGAIN);
	struct wan_sight rested = judge_words(identity, 5, true, "b", &code);
	CHECK(same(b.token, rested.token));
	CHECK(same(b.token, judge_words(identity, 5, true, NULL, &code).token));
	struct wan_sight later = judge_words(identity, 6, true, NULL, &code);
	CHECK_EQ(code, 0);
	CHECK(!same(b.token, later.token));
	wan_identity_destroy(identity);
}

TEST(mode_stat_sees_a_change_within_100_ms)
{
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_STAT, false);
	const char *path = in_folder(path_text);
	struct wan_key token = look(identity, path);
	write_file(path, O_TRUNC, 77);
	fake_now_ns += 99999999;
	CHECK(same(token, look(identity, path)));
	struct wan_sight sight;
	REQUIRE_EQ(wan_identity_look(identity, path, &sight), 0);
	CHECK(!wan_identity_still(identity, path, &sight)); /* asks the kernel */
	fake_now_ns += 1;
	CHECK(!same(token, look(identity, path)));
	CHECK_EQ(stats_of(identity).bound_ns, 100000000);
	CHECK(!stats_of(identity).watching);
	wan_identity_destroy(identity);
}

TEST(by_content_equal_files_are_one_and_a_touch_is_no_change)
{
	shell("rm -rf a b && mkdir a b");
	write_file(in_folder("a/x"), O_CREAT, 1);
	write_file(in_folder("b/x"), O_CREAT, 1);
	for (int mode = WAN_IDENTITY_AUTO; mode <= WAN_IDENTITY_STRICT; mode++) {
		struct wan_identity *identity = make((enum wan_identity_mode)mode, true);
		struct wan_key a = look(identity, in_folder("a/x"));
		CHECK(same(a, look(identity, in_folder("b/x"))));
		write_file(in_folder("b/x"), O_TRUNC, 1);
		fake_now_ns += 200000000;
		CHECK(same(a, look(identity, in_folder("b/x"))));
		write_file(in_folder("b/x"), O_TRUNC, 2);
		fake_now_ns += 200000000;
		CHECK(!same(a, look(identity, in_folder("b/x"))));
		write_file(in_folder("b/x"), O_TRUNC, 1);
		fake_now_ns += 200000000;
		CHECK(same(a, look(identity, in_folder("b/x"))));
		wan_identity_destroy(identity);
	}
}

int main(int argc, char **argv)
{
	return files_main(argc, argv);
}
