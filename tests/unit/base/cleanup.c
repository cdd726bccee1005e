/* SPDX-License-Identifier: MIT */
#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>

#include "alloc.h"
#include "fault.h"
#include "sys.h"
#include "tap.h"

static int open_and_leave(void)
{
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open("/dev/null", O_RDONLY | O_CLOEXEC, 0);
	wan_cleanup(wan_fd_closep) int never = -1;
	wan_cleanup(wan_freep) char *block = wan_malloc(10);
	wan_cleanup(wan_freep) char *nothing = NULL;
	errno = ERANGE;
	return fd >= 0 && block && !nothing && never < 0;
}

TEST(locals_are_given_back_and_errno_is_kept)
{
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_CLOSE, 1, EIO, false);
	CHECK(open_and_leave());
	CHECK_EQ(errno, ERANGE);
	CHECK_EQ(wan_fault_injected(), 1);
	CHECK_EQ(wan_fault_balance().blocks, 0);
	CHECK_EQ(wan_fault_balance().descriptors, 0);
	wan_fault_remove();
}

TAP_MAIN
