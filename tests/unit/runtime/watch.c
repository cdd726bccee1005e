/* SPDX-License-Identifier: MIT */
/* The watcher and its descriptors: it looks on when there are none, or when they are another's. */
#include "stages.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"

/* Watches every 2 ms, in a process that has a cap so large that nothing is near. */
static struct wan_runtime *make_watched(void)
{
	const struct wan_setting settings[] = {{"record.path", "off"}, {"memory.interval", "2ms"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime = NULL;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = WAN_COUNT_OF(settings);
	options.ignore_files = options.ignore_environment = true;
	return wan_runtime_create(&options, &runtime, NULL) == 0 ? runtime : NULL;
}

static uint64_t looks; /* at usage or the host: reads of kept files */

static ssize_t count_pread(int fd, void *to, size_t bytes, off_t at)
{
	wan_add_relaxed(&looks, 1);
	return wan_sys_real.pread(fd, to, bytes, at);
}

static int no_eventfd(unsigned count, int flags)
{
	(void)count, (void)flags;
	errno = EMFILE;
	return -1;
}

static bool looks_on(struct wan_runtime *runtime)
{
	uint64_t before = wan_load_relaxed(&looks), end_ns = wan_now_ns() + 10000000000;
	while (wan_load_relaxed(&looks) < before + 50 && wan_now_ns() < end_ns) {
		wan_runtime_wake(runtime);
		usleep(1000);
	}
	return wan_load_relaxed(&looks) >= before + 50;
}

TEST(without_descriptors_it_looks_on)
{
	static struct wan_sys none;
	none = wan_sys_real;
	none.eventfd = no_eventfd;
	none.pread = count_pread;
	wan_sys = &none;
	struct wan_runtime *runtime = make_watched();
	REQUIRE(runtime);
	CHECK_EQ(wan_event_fd(&runtime->wake_event), -1);
	CHECK(looks_on(runtime));
	wan_runtime_unref(runtime);
	wan_sys = &wan_sys_real;
}

TEST(what_the_program_has_under_its_number_is_left_alone)
{
	static struct wan_sys counting;
	counting = wan_sys_real;
	counting.pread = count_pread;
	wan_sys = &counting;
	struct wan_runtime *runtime = make_watched();
	REQUIRE(runtime);
	struct wan_event lost = {wan_load_relaxed(&runtime->wake_event.word)};
	int fd = wan_event_fd(&lost), ends[2];
	REQUIRE(fd >= 0);
	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	REQUIRE_EQ(write(ends[1], "0123456789", 10), 10);
	REQUIRE_EQ(dup2(ends[0], fd), fd);

	uint64_t end_ns = wan_now_ns() + 10000000000;
	while (wan_load_relaxed(&runtime->wake_event.word) == lost.word && wan_now_ns() < end_ns) {
		wan_runtime_wake(runtime);
		usleep(1000);
	}
	CHECK(wan_load_relaxed(&runtime->wake_event.word) != lost.word);
	CHECK(looks_on(runtime)); /* and has one of its own again, or waits without */
	wan_runtime_unref(runtime);
	wan_sys = &wan_sys_real;
	char text[32];
	CHECK_EQ(read(fd, text, sizeof(text)), 10);
	CHECK_EQ(recv(ends[1], text, sizeof(text), MSG_DONTWAIT), -1);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

TAP_MAIN
