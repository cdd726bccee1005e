/* SPDX-License-Identifier: MIT */
#include "units.h"

#include <errno.h>

#include "tap.h"

static uint64_t bytes_of(const char *text)
{
	uint64_t value = 12345;
	int error = wan_parse_bytes(text, &value);
	return error ? (uint64_t)(int64_t)error : value;
}

TEST(bytes_go_by_powers_of_1024)
{
	CHECK_EQ(bytes_of("0"), 0);
	CHECK_EQ(bytes_of("512"), 512);
	CHECK_EQ(bytes_of("512B"), 512);
	CHECK_EQ(bytes_of("1K"), 1024);
	CHECK_EQ(bytes_of("256M"), 268435456);
	CHECK_EQ(bytes_of("256MB"), 268435456);
	CHECK_EQ(bytes_of("256 MiB"), 268435456);
	CHECK_EQ(bytes_of("256mib"), 268435456);
	CHECK_EQ(bytes_of("1.5G"), 1610612736);
	CHECK_EQ(bytes_of("2T"), 2ull << 40);
	CHECK_EQ(bytes_of("0.1K"), 102);
}

TEST(bytes_that_are_none_are_refused)
{
	static const char *const bad[] = {"",     "M",    "-1",  "+1",   " 1",   "1.5",
					  "1.5B", "1.M",  "1MX", "1 M ", "1e6M", "0x1",
					  ".5M",  "1,5M", "1iB", "MB1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_EQ(bytes_of(bad[i]), -EBADMSG))
			printf("# text: \"%s\"\n", bad[i]);
	CHECK_EQ(bytes_of(NULL), -EBADMSG);
}

TEST(bytes_are_exact_at_the_end_of_the_range)
{
	CHECK_EQ(bytes_of("18446744073709551615"), UINT64_MAX);
	CHECK_EQ(bytes_of("18446744073709551616"), -ERANGE);
	CHECK_EQ(bytes_of("16777215T"), 16777215ull << 40);
	CHECK_EQ(bytes_of("16777216T"), -ERANGE);
	CHECK_EQ(bytes_of("16777215.999999999999T"), UINT64_MAX - 1099); /* nine digits count */
	CHECK_EQ(bytes_of("99999999999999999999999999T"), -ERANGE);
}

static uint64_t ns_of(const char *text, uint64_t unit_ns)
{
	uint64_t value = 12345;
	int error = wan_parse_duration_ns(text, unit_ns, &value);
	return error ? (uint64_t)(int64_t)error : value;
}

TEST(durations_have_units)
{
	CHECK_EQ(ns_of("7ns", 0), 7);
	CHECK_EQ(ns_of("7us", 0), 7000);
	CHECK_EQ(ns_of("500ms", 0), 500000000);
	CHECK_EQ(ns_of("1.5s", 0), 1500000000);
	CHECK_EQ(ns_of("0.5 S", 0), 500000000);
	CHECK_EQ(ns_of("2min", 0), 120000000000);
	CHECK_EQ(ns_of("1h", 0), 3600000000000);
	CHECK_EQ(ns_of("30", 1000000000), 30000000000);
	CHECK_EQ(ns_of("0.25", 1000000000), 250000000);
	CHECK_EQ(ns_of("0", 0), 0);
}

TEST(a_plain_number_without_a_default_unit_is_refused)
{
	CHECK_EQ(ns_of("500", 0), -EBADMSG);
	CHECK_EQ(ns_of("0.5", 0), -EBADMSG);
	CHECK_EQ(ns_of("5m", 0), -EBADMSG);
	CHECK_EQ(ns_of("1.5ns", 0), -EBADMSG);
	CHECK_EQ(ns_of("", 1), -EBADMSG);
	CHECK_EQ(ns_of("s", 1), -EBADMSG);
	CHECK_EQ(ns_of(NULL, 0), -EBADMSG);
	CHECK_EQ(ns_of("5124096h", 0), -ERANGE);
	CHECK_EQ(ns_of("5124095h", 0), 5124095ull * 3600 * 1000000000);
}

TEST(bytes_are_shown_with_three_digits)
{
	char to[32];
	CHECK_STR(wan_format_bytes(to, sizeof(to), 0), "0 B");
	CHECK_STR(wan_format_bytes(to, sizeof(to), 1023), "1023 B");
	CHECK_STR(wan_format_bytes(to, sizeof(to), 1024), "1.00 KB");
	CHECK_STR(wan_format_bytes(to, sizeof(to), 12897485), "12.3 MB");
	CHECK_STR(wan_format_bytes(to, sizeof(to), 268435456), "256 MB");
	CHECK_STR(wan_format_bytes(to, sizeof(to), UINT64_MAX), "16.0 EB");
}

TEST(durations_are_shown_with_three_digits)
{
	char to[32];
	CHECK_STR(wan_format_duration(to, sizeof(to), 0), "0 ns");
	CHECK_STR(wan_format_duration(to, sizeof(to), 999), "999 ns");
	CHECK_STR(wan_format_duration(to, sizeof(to), 1500), "1.50 us");
	CHECK_STR(wan_format_duration(to, sizeof(to), 12340000), "12.3 ms");
	CHECK_STR(wan_format_duration(to, sizeof(to), 1250000000), "1.25 s");
	CHECK_STR(wan_format_duration(to, sizeof(to), 59994000000), "60.0 s");
	CHECK_STR(wan_format_duration(to, sizeof(to), 65000000000), "1 min 05 s");
	CHECK_STR(wan_format_duration(to, sizeof(to), 3720000000000), "1 h 02 min");
	CHECK_STR(wan_format_duration(to, 4, 3720000000000), "1 h");
	CHECK(strlen(wan_format_duration(to, sizeof(to), UINT64_MAX)) > 5);
}

TAP_MAIN
