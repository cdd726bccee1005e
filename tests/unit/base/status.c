/* SPDX-License-Identifier: MIT */
#include "wan/status.h"

#include <errno.h>
#include <limits.h>

#include "tap.h"

TEST(every_number_has_a_text)
{
	for (int code = -200; code <= 200; code++)
		if (!wan_strerror(code) || !wan_strerror(code)[0])
			CHECK_EQ(code, 9999);
	CHECK_STR(wan_strerror(INT_MIN), "unknown error");
	CHECK_STR(wan_strerror(-100000), "unknown error");
	CHECK_STR(wan_strerror(0), "success");
	CHECK_STR(wan_strerror(-ENOENT), "not found");
	CHECK_STR(wan_strerror(-EACCES), "Permission denied");
}

TEST(the_version_is_that_of_the_header)
{
	char version[32];
	snprintf(version, sizeof(version), "%d.%d.%d", WAN_VERSION_MAJOR, WAN_VERSION_MINOR,
		 WAN_VERSION_PATCH);
	CHECK_STR(wan_version(), version);
}

TAP_MAIN
