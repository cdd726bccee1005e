/* SPDX-License-Identifier: MIT */
#include "str.h"

#include <errno.h>
#include <float.h>
#include <locale.h>

#include "tap.h"

TEST(a_copy_is_cut_at_a_whole_character)
{
	char to[8];
	CHECK(wan_str_copy(to, sizeof(to), "1234567"));
	CHECK_STR(to, "1234567");
	CHECK(!wan_str_copy(to, sizeof(to), "12345678"));
	CHECK_STR(to, "1234567");
	CHECK(!wan_str_copy(to, sizeof(to), "12345\xe2\x82\xac")); /* 5 + 3 bytes */
	CHECK_STR(to, "12345");
	CHECK(!wan_str_copy(to, sizeof(to), "1234\xf0\x9f\x98\x80"));
	CHECK_STR(to, "1234");
	CHECK(!wan_str_copy(to, sizeof(to), "123456\xc3\xa9"));
	CHECK_STR(to, "123456");
	CHECK(!wan_str_copy(to, sizeof(to), "\x80\x80\x80\x80\x80\x80\x80\x80\x80"));
	CHECK_EQ(strlen(to), 7);
	CHECK(wan_str_copy(to, sizeof(to), NULL));
	CHECK_STR(to, "");
	CHECK(!wan_str_copy(to, 1, "x"));
	CHECK_STR(to, "");
	to[0] = 'k';
	CHECK(!wan_str_copy(to, 0, ""));
	CHECK_EQ(to[0], 'k');
}

TEST(format_always_terminates)
{
	char to[6];
	CHECK_EQ(wan_str_format(to, sizeof(to), "%d-%s", 12, "abcdef"), 5);
	CHECK_STR(to, "12-ab");
	CHECK_EQ(wan_str_format(to, sizeof(to), "%s", ""), 0);
	CHECK_STR(to, "");
	CHECK_EQ(wan_str_format(to, 0, "x"), 0);
}

TEST(comparisons_know_null)
{
	CHECK(wan_str_equal(NULL, NULL));
	CHECK(!wan_str_equal(NULL, "") && !wan_str_equal("", NULL));
	CHECK(wan_str_equal("a", "a") && !wan_str_equal("a", "b"));
	CHECK(wan_str_starts("cache.limit", "cache.") && !wan_str_starts("cache", "cache."));
}

static int parse(const char *text)
{
	uint64_t value = 77;
	int error = wan_parse_u64(text, &value);
	CHECK(error == 0 || value == 77);
	return error;
}

TEST(only_a_whole_decimal_number_is_one)
{
	static const char *const bad[] = {"",     " 1",  "1 ",  "+1", "-1",
					  "0x10", "1.0", "1e3", "a",  "99999999999999999999x"};
	uint64_t value = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_EQ(parse(bad[i]), -EBADMSG))
			printf("# text: \"%s\"\n", bad[i]);
	CHECK_EQ(parse(NULL), -EBADMSG);
	CHECK_EQ(wan_parse_u64("18446744073709551615", &value), 0);
	CHECK_EQ(value, UINT64_MAX);
	CHECK_EQ(parse("18446744073709551616"), -ERANGE);
	CHECK_EQ(parse("184467440737095516150"), -ERANGE);
	CHECK_EQ(wan_parse_u64("000", &value), 0);
	CHECK_EQ(value, 0);
}

TEST(signed_numbers_reach_both_ends)
{
	int64_t value = 0;
	CHECK_EQ(wan_parse_i64("-9223372036854775808", &value), 0);
	CHECK_EQ(value, INT64_MIN);
	CHECK_EQ(wan_parse_i64("9223372036854775807", &value), 0);
	CHECK_EQ(value, INT64_MAX);
	CHECK_EQ(wan_parse_i64("9223372036854775808", &value), -ERANGE);
	CHECK_EQ(wan_parse_i64("-9223372036854775809", &value), -ERANGE);
	CHECK_EQ(wan_parse_i64("--1", &value), -EBADMSG);
	CHECK_EQ(wan_parse_i64("-", &value), -EBADMSG);
	CHECK_EQ(wan_parse_i64(NULL, &value), -EBADMSG);
	CHECK_EQ(value, INT64_MAX);
}

static void compare_with_libc(const char *const *texts, size_t count, double tolerance)
{
	for (size_t i = 0; i < count; i++) {
		double value = -7, expected = strtod(texts[i], NULL);
		CHECK_EQ(wan_parse_double(texts[i], &value), 0);
		if (!CHECK_NEAR(value, expected, fabs(expected) * tolerance))
			printf("# text: \"%s\"\n", texts[i]);
	}
}

TEST(fractions_are_read_as_the_c_library_reads_them)
{
	static const char *const texts[] = {
		"0",       "0.5",  "75",       "75.",     ".25",
		"-1.5",    "1e3",  "2.5E-3",   "1e+2",    "0.1",
		"3.14159", "99.9", "0.000001", "00012.5", "9007199254740992"};
	compare_with_libc(texts, sizeof(texts) / sizeof(texts[0]), 0);
}

TEST(extreme_fractions_are_right_to_the_last_place)
{
	static const char *const texts[] = {"1e308",
					    "1e-300",
					    "0.30000000000000004",
					    "123456789012345678901234567890",
					    "5e-324",
					    "1.7976931348623157e308"};
	volatile long double one = 1, epsilon = LDBL_EPSILON;
	if (one + epsilon == one)
		SKIP("long doubles are computed as doubles here (valgrind)");
	compare_with_libc(texts, sizeof(texts) / sizeof(texts[0]), DBL_EPSILON);
}

TEST(what_is_no_fraction_is_refused)
{
	static const char *const bad[] = {"",   ".",   "-",    "-.",    "1,5", "nan", "inf", "0x1",
					  "1e", "1e+", "1e5x", "1.2.3", " 1",  "1 ",  "--1", "+1"};
	double value = 3;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK_EQ(wan_parse_double(bad[i], &value), -EBADMSG))
			printf("# text: \"%s\"\n", bad[i]);
	CHECK_EQ(wan_parse_double(NULL, &value), -EBADMSG);
	CHECK_EQ(wan_parse_double("1e309", &value), -ERANGE);
	CHECK_EQ(wan_parse_double("1e99999999999999999999", &value), -ERANGE);
	CHECK_NEAR(value, 3, 0);
	CHECK_EQ(wan_parse_double("1e-99999", &value), 0);
	CHECK_NEAR(value, 0, 0);
	CHECK_EQ(wan_parse_double("0e99999", &value), 0);
	CHECK_NEAR(value, 0, 0);
}

TEST(the_locale_does_not_matter)
{
	double value = 0;
	const char *set = setlocale(LC_ALL, "de_DE.UTF-8");
	CHECK_EQ(wan_parse_double("0.5", &value), 0);
	CHECK_NEAR(value, 0.5, 0);
	setlocale(LC_ALL, "C");
	if (!set)
		SKIP("no locale with a decimal comma is installed");
}

TEST(the_nearest_name_is_a_typing_error_away)
{
	static const char *const names[] = {"cache.limit", "cache.entries", "memory.warning"};
	CHECK_STR(wan_str_nearest("cache.limt", names, 3), "cache.limit");
	CHECK_STR(wan_str_nearest("cahce.limit", names, 3), "cache.limit");
	CHECK_STR(wan_str_nearest("cache_entries", names, 3), "cache.entries");
	CHECK_STR(wan_str_nearest("memory.warn", names, 3), "memory.warning");
	CHECK(wan_str_nearest("zzzzzzzz", names, 3) == NULL);
	CHECK(wan_str_nearest("", names, 3) == NULL);
	CHECK(wan_str_nearest("x", names, 0) == NULL);
}

TEST(an_endless_name_is_near_to_nothing)
{
	static const char *const names[] = {"cache.limit"};
	char text[5000];
	memset(text, 'q', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK(wan_str_nearest(text, names, 1) == NULL);
}

TEST(globs_match_whole_names)
{
	CHECK(wan_str_glob("*", "") && wan_str_glob("*", "jpeg.decode"));
	CHECK(wan_str_glob("jpeg.*", "jpeg.decode") && !wan_str_glob("jpeg.*", "png.decode"));
	CHECK(wan_str_glob("*.decode", "jpeg.decode") && !wan_str_glob("*.decode", "jpeg.encode"));
	CHECK(wan_str_glob("a*b*c", "aXbYbZc") && !wan_str_glob("a*b*c", "aXbYbZ"));
	CHECK(wan_str_glob("?", "\xc3\xa9") && wan_str_glob("?", "\xff") && !wan_str_glob("?", ""));
	CHECK(!wan_str_glob("", "a") && wan_str_glob("", "") && wan_str_glob("**a**", "a"));
	CHECK(!wan_str_glob("*?", ""));
}

TEST(a_hostile_glob_ends)
{
	char text[2001];
	memset(text, 'a', 2000);
	text[2000] = '\0';
	CHECK(!wan_str_glob("*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

TEST(utf8_is_told_from_what_only_looks_like_it)
{
	CHECK_EQ(wan_utf8_length("a", 1), 1);
	CHECK_EQ(wan_utf8_length("", 1), 1); /* a zero byte is a character */
	CHECK_EQ(wan_utf8_length("a", 0), 0);
	CHECK_EQ(wan_utf8_length("\xc3\xa9", 2), 2);
	CHECK_EQ(wan_utf8_length("\xc3\xa9", 1), 0);
	CHECK_EQ(wan_utf8_length("\xe2\x82\xac", 3), 3);
	CHECK_EQ(wan_utf8_length("\xf0\x9f\x98\x80", 4), 4);
	CHECK_EQ(wan_utf8_length("\xc0\x80", 2), 0);         /* overlong */
	CHECK_EQ(wan_utf8_length("\xe0\x80\x80", 3), 0);     /* overlong */
	CHECK_EQ(wan_utf8_length("\xed\xa0\x80", 3), 0);     /* surrogate */
	CHECK_EQ(wan_utf8_length("\xf4\x90\x80\x80", 4), 0); /* above U+10FFFF */
	CHECK_EQ(wan_utf8_length("\xf5\x80\x80\x80", 4), 0);
	CHECK_EQ(wan_utf8_length("\x80", 1), 0);
	CHECK_EQ(wan_utf8_length("\xe2\x28\xa1", 3), 0);
}

TEST(printable_text_cannot_steer_a_terminal)
{
	char to[64];
	wan_str_printable(to, sizeof(to), "a\x1b[2Jb\r\n\x7f");
	CHECK_STR(to, "a\\x1b[2Jb\\x0d\\x0a\\x7f");
	wan_str_printable(to, sizeof(to), "caf\xc3\xa9 \xe2\x82\xac");
	CHECK_STR(to, "caf\xc3\xa9 \xe2\x82\xac");
	wan_str_printable(to, sizeof(to),
			  "\xc2\x9b"
			  "1m\xff");
	CHECK_STR(to, "\\xc2\\x9b1m\\xff");
	wan_str_printable(to, sizeof(to), "x\xe2\x80\xaegnp.exe"); /* right-to-left override */
	CHECK_STR(to, "x\\xe2\\x80\\xaegnp.exe");
	wan_str_printable(to, 6, "abc\xff");
	CHECK_STR(to, "abc");
	wan_str_printable(to, 6, "abcd\xc3\xa9");
	CHECK_STR(to, "abcd");
	wan_str_printable(to, 1, "abc");
	CHECK_STR(to, "");
}

TAP_MAIN
