/* SPDX-License-Identifier: MIT */
#include "fault.h"
#include "files.h"
#include "identity_state.h"

TEST(an_unchanged_file_is_looked_at_without_a_stat)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_AUTO, false);
	const char *path = in_folder(path_text);
	struct wan_key token = look(identity, path);
	bool quiet = false; /* others may make files in the folders above meanwhile */
	for (int tries = 0; tries < 50 && !quiet; tries++) {
		uint64_t events = stats_of(identity).events;
		wan_fault_install();
		for (int i = 0; i < 1000; i++)
			CHECK(same(token, look(identity, path)));
		quiet = stats_of(identity).events == events;
		if (quiet) {
			CHECK_EQ(wan_fault_calls(WAN_FAULT_IOCTL), 1000);
			CHECK_EQ(wan_fault_calls(WAN_FAULT_STAT), 0);
			CHECK_EQ(wan_fault_calls(WAN_FAULT_READ), 0);
			CHECK_EQ(wan_fault_calls(WAN_FAULT_MALLOC), 0);
			CHECK_EQ(wan_fault_calls(WAN_FAULT_CALLOC), 0);
		}
		wan_fault_remove();
	}
	CHECK(quiet);
	uint64_t stats = stats_of(identity).stats;
	fake_now_ns += 100000000; /* what raises no event is seen after that */
	CHECK(same(token, look(identity, path)));
	CHECK(stats_of(identity).stats > stats);
	wan_identity_destroy(identity);
}

TEST(other_files_of_the_folder_are_none_of_our_business)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_AUTO, false);
	struct wan_key token = look(identity, in_folder(path_text));
	for (int i = 0; i < 200; i++) {
		char name[64];
		snprintf(name, sizeof(name), "way/pictures/frame%d.png", i);
		write_file(in_folder(name), O_CREAT, 1);
		CHECK(same(token, look(identity, in_folder(path_text))));
	}
	CHECK(stats_of(identity).events >= 200);
	CHECK(stats_of(identity).stats < 20); /* names with the same bit */
	CHECK_EQ(stats_of(identity).changes, 1);
	wan_identity_destroy(identity);
}

TEST(lost_events_make_everything_looked_at_again)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_INOTIFY, false);
	const char *path = in_folder(path_text);
	decoded_count = decodes = 0;
	is_stale(look(identity, path), read_file(path));
	/* more than the queue takes (equal neighbours are one); the write that counts is not in it
	 */
	const char *other = in_folder("way/pictures/other.png");
	write_file(other, O_CREAT, 1);
	look(identity, other);
	int fds[2] = {open(path, O_WRONLY), open(other, O_WRONLY)};
	for (unsigned i = 0; i < 20000; i++)
		REQUIRE_EQ(pwrite(fds[i % 2], &i, 4, 0), 4);
	close(fds[0]);
	close(fds[1]);
	write_file(path, 0, 4711);
	CHECK(!is_stale(look(identity, path), 4711));
	printf("# %llu overflows\n", (unsigned long long)stats_of(identity).overflows);
	CHECK_EQ(stats_of(identity).overflows, 1);
	CHECK_EQ(rewrite_often(identity, path, 50), 0);
	wan_identity_destroy(identity);
}

TEST(a_program_that_closes_our_descriptor_is_noticed)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_INOTIFY, false);
	const char *path = in_folder(path_text);
	struct wan_key token = look(identity, path);
	int fd = identity->fd, ends[2];
	close(fd);
	REQUIRE_EQ(pipe(ends), 0);
	REQUIRE_EQ(dup2(ends[0], fd), fd); /* the number is somebody else's now */
	REQUIRE_EQ(write(ends[1], "for the reader", 14), 14);
	write_file(path, 0, 9);
	CHECK(!same(token, look(identity, path)));
	char back[32];
	CHECK_EQ(read(fd, back, sizeof(back)), 14); /* not ours to read */
	CHECK_EQ(rewrite_often(identity, path, 20), 0);
	CHECK(identity->fd != fd);
	wan_identity_destroy(identity);
	CHECK_EQ(fcntl(fd, F_GETFD), 0); /* nor to close */
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static unsigned messages;

static void count_message(void *context, enum wan_log_level level, const char *text)
{
	messages += strstr(text, "inotify") != NULL;
}

TEST(where_watching_is_refused_a_stat_takes_its_place)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	static const struct {
		enum wan_fault_kind kind;
		int error;
	} refusals[] = {{WAN_FAULT_INOTIFY_INIT, EMFILE},
			{WAN_FAULT_INOTIFY_INIT, ENOSYS},
			{WAN_FAULT_INOTIFY_ADD, ENOSPC}};
	set_up_way();
	const char *path = in_folder(path_text);
	for (unsigned i = 0; i < 3; i++) {
		messages = 0;
		wan_set_log(count_message, NULL);
		wan_fault_install();
		wan_fault_arm(refusals[i].kind, 1, refusals[i].error, true);
		struct wan_identity *bounded = make(WAN_IDENTITY_AUTO, false);
		struct wan_identity *exact = make(WAN_IDENTITY_INOTIFY, false);
		struct wan_key late = look(bounded, path), at_once = look(exact, path);
		write_file(path, 0, i + 100);
		CHECK(same(late, look(bounded, path)));
		CHECK(!same(at_once, look(exact, path)));
		fake_now_ns += 100000000;
		CHECK(!same(late, look(bounded, path)));
		CHECK_EQ(stats_of(bounded).bound_ns, 100000000);
		CHECK_EQ(stats_of(exact).bound_ns, 0);
		CHECK(strstr(stats_of(bounded).reason, "inotify") != NULL);
		CHECK_EQ(stats_of(bounded).watched_paths + stats_of(exact).watched_paths, 0);
		CHECK_EQ(messages, 2); /* once each */
		wan_fault_remove();
		fake_now_ns += 20000000000; /* tried again after a while */
		look(bounded, path);
		CHECK_EQ(stats_of(bounded).watched_paths, 1);
		CHECK_EQ(stats_of(bounded).bound_ns, 0);
		wan_identity_destroy(bounded);
		wan_identity_destroy(exact);
		wan_set_log(NULL, NULL);
	}
}

static void look_twice(void *context)
{
	const enum wan_identity_mode *mode = context;
	const struct wan_identity_options options = {
		.mode = *mode, .now_ns = fake_now, .paths_max = 4};
	struct wan_identity *identity = NULL;
	if (wan_identity_create(&options, &identity) < 0)
		return;
	const char *path = in_folder("soft.png");
	struct wan_sight sight = {0}, again = {0};
	int first = wan_identity_look(identity, path, &sight);
	wan_identity_note(identity, &sight, (struct wan_key){{1, 2}});
	static uint32_t content = 1;
	write_file(in_folder("b.png"), 0, ++content);
	int second = wan_identity_look(identity, path, &again);
	/* whatever fails: never the token of what was there before */
	CHECK(first < 0 || second < 0 || !same(sight.token, again.token));
	wan_identity_destroy(identity);
}

/* Closing a queue takes the kernel 20 ms, so the quick tier fails each call once, by one error. */
static void fail_each_once(enum wan_identity_mode mode)
{
	static const struct {
		enum wan_fault_kind kind;
		int error;
	} faults[] = {{WAN_FAULT_MALLOC, ENOMEM},
		      {WAN_FAULT_CALLOC, ENOMEM},
		      {WAN_FAULT_STAT, EACCES},
		      {WAN_FAULT_STATFS, EIO},
		      {WAN_FAULT_READLINK, EACCES},
		      {WAN_FAULT_IOCTL, EINVAL},
		      {WAN_FAULT_READ, EIO},
		      {WAN_FAULT_OPEN, EMFILE},
		      {WAN_FAULT_INOTIFY_INIT, EMFILE},
		      {WAN_FAULT_INOTIFY_ADD, ENOSPC},
		      {WAN_FAULT_INOTIFY_RM, EINVAL},
		      {WAN_FAULT_CLOCK, EINVAL}};
	wan_fault_install();
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		for (uint64_t nth = 1; nth < 50; nth++) {
			wan_fault_arm(faults[i].kind, nth, faults[i].error, false);
			look_twice(&mode);
			if (wan_fault_injected() == 0)
				break;
		}
	}
	struct wan_fault_balance balance = wan_fault_balance();
	CHECK_EQ(balance.blocks, 0);
	CHECK_EQ(balance.descriptors, 0);
	wan_fault_remove();
}

TEST(every_call_may_fail)
{
	write_file(in_folder("b.png"), O_CREAT, 1);
	shell("ln -sf b.png soft.png");
	const char *tier = getenv("WAN_TEST_TIER");
	enum wan_identity_mode strict = WAN_IDENTITY_STRICT, inotify = WAN_IDENTITY_INOTIFY;
	CHECK(wan_fault_sweep(look_twice, &strict) > 0);
	fail_each_once(WAN_IDENTITY_INOTIFY);
	if (tier && strcmp(tier, "quick") != 0)
		CHECK(wan_fault_sweep(look_twice, &inotify) > 0);
}

int main(int argc, char **argv)
{
	return files_main(argc, argv);
}
