/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "event.h"
#include "sys.h"

static bool readable(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	return poll(&polled, 1, 0) == 1;
}

TEST(a_signal_makes_it_readable_until_it_is_drained)
{
	struct wan_event event;
	REQUIRE_EQ(wan_event_open(&event), 0);
	CHECK(!readable(wan_event_fd(&event)));
	CHECK(wan_event_signal(&event));
	CHECK(wan_event_signal(&event));
	CHECK(readable(wan_event_fd(&event)));
	CHECK(wan_event_drain(&event));
	CHECK(!readable(wan_event_fd(&event)));
	int fd = wan_event_fd(&event);
	wan_event_close(&event);
	CHECK_EQ(wan_event_fd(&event), -1);
	CHECK(close(fd) < 0 && errno == EBADF);
}

TEST(none_is_nobodys)
{
	struct wan_event event = {0};
	CHECK_EQ(wan_event_fd(&event), -1);
	CHECK(!wan_event_is_ours(&event));
	CHECK(!wan_event_signal(&event));
	CHECK(!wan_event_drain(&event));
	wan_event_close(&event);
}

static int no_eventfd(unsigned count, int flags)
{
	(void)count, (void)flags;
	errno = EMFILE;
	return -1;
}

TEST(without_descriptors_there_is_none)
{
	struct wan_sys full = wan_sys_real;
	struct wan_event event;
	full.eventfd = no_eventfd;
	wan_sys = &full;
	CHECK_EQ(wan_event_open(&event), -EMFILE);
	wan_sys = &wan_sys_real;
	CHECK_EQ(wan_event_fd(&event), -1);
}

/* What a program opens under the number after it has closed all it does not know. */
static void check_left_alone(struct wan_event *event, int foreign_fd)
{
	int fd = wan_event_fd(event);
	REQUIRE(dup2(foreign_fd, fd) == fd);
	CHECK(!wan_event_is_ours(event));
	CHECK(!wan_event_signal(event));
	struct wan_event copy = *event;
	wan_event_close(&copy);
	CHECK(!wan_event_drain(event));
	CHECK_EQ(wan_event_fd(event), -1);
	CHECK_EQ(close(fd), 0); /* it was still open */
}

TEST(a_pipe_under_its_number_is_left_alone)
{
	struct wan_event event;
	char text[32];
	int ends[2];
	REQUIRE_EQ(pipe(ends), 0);
	REQUIRE_EQ(write(ends[1], "0123456789", 10), 10);
	REQUIRE_EQ(wan_event_open(&event), 0);
	check_left_alone(&event, ends[0]);
	REQUIRE_EQ(wan_event_open(&event), 0);
	check_left_alone(&event, ends[1]);
	CHECK_EQ(read(ends[0], text, sizeof(text)), 10);
	close(ends[0]);
	close(ends[1]);
}

static int no_proc(const char *path, int flags, mode_t mode)
{
	(void)path, (void)flags, (void)mode;
	errno = ENOENT;
	return -1;
}

TEST(without_proc_files_are_still_told_from_it)
{
	struct wan_sys bare = wan_sys_real;
	struct wan_event event;
	int ends[2];
	REQUIRE_EQ(pipe(ends), 0);
	bare.open = no_proc;
	wan_sys = &bare;
	REQUIRE_EQ(wan_event_open(&event), 0);
	CHECK(wan_event_signal(&event));
	CHECK(wan_event_drain(&event));
	check_left_alone(&event, ends[1]);
	wan_sys = &wan_sys_real;
	close(ends[0]);
	close(ends[1]);
}

TEST(another_event_under_its_number_is_left_alone)
{
	struct wan_event event, other;
	REQUIRE_EQ(wan_event_open(&event), 0);
	REQUIRE_EQ(wan_event_open(&other), 0);
	if (event.word >> 32 == other.word >> 32)
		SKIP("this kernel does not number eventfds");
	int fd = wan_event_fd(&event);
	check_left_alone(&event, wan_event_fd(&other));
	CHECK(fd >= 0 && wan_event_is_ours(&other));
	CHECK(!readable(wan_event_fd(&other)));
	wan_event_close(&other);
}

TAP_MAIN
