/* SPDX-License-Identifier: MIT */
#include "json_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <locale.h>

#include "alloc.h"
#include "fault.h"
#include "json_check.h"
#include "tap.h"

static struct wan_json json;
static struct wan_json_memory out;

static void begin(bool pretty)
{
	wan_free(out.text);
	memset(&out, 0, sizeof(out));
	wan_json_init(&json, wan_json_write_memory, &out, pretty);
}

static const char *end(void)
{
	int error = wan_json_finish(&json);
	if (error)
		return wan_free(out.text), memset(&out, 0, sizeof(out)), "(error)";
	return out.text ? out.text : "";
}

TEST(objects_and_arrays_nest)
{
	begin(false);
	wan_json_object_begin(&json);
	wan_json_key_u64(&json, "a", 1);
	wan_json_key(&json, "b");
	wan_json_array_begin(&json);
	wan_json_bool(&json, true);
	wan_json_null(&json);
	wan_json_object_begin(&json);
	wan_json_object_end(&json);
	wan_json_array_begin(&json);
	wan_json_array_end(&json);
	wan_json_array_end(&json);
	wan_json_key_string(&json, "c", NULL);
	wan_json_key_bool(&json, "d", false);
	wan_json_key_i64(&json, "e", -5);
	wan_json_key_null(&json, "f");
	wan_json_object_end(&json);
	CHECK_STR(end(), "{\"a\":1,\"b\":[true,null,{},[]],\"c\":null,\"d\":false,\"e\":-5,"
			 "\"f\":null}");
	CHECK(json_is_valid(out.text, out.bytes));
}

TEST(pretty_output_has_two_spaces_a_level)
{
	begin(true);
	wan_json_object_begin(&json);
	wan_json_key(&json, "list");
	wan_json_array_begin(&json);
	wan_json_u64(&json, 1);
	wan_json_u64(&json, 2);
	wan_json_array_end(&json);
	wan_json_key(&json, "none");
	wan_json_object_begin(&json);
	wan_json_object_end(&json);
	wan_json_object_end(&json);
	CHECK_STR(end(), "{\n  \"list\": [\n    1,\n    2\n  ],\n  \"none\": {}\n}");
}

static const char *one_string(const char *text, size_t bytes)
{
	begin(false);
	wan_json_string_n(&json, text, bytes);
	const char *result = end();
	CHECK(json_is_valid(result, strlen(result)));
	return result;
}

TEST(strings_are_escaped)
{
	CHECK_STR(one_string("a\"b\\c/d", 7), "\"a\\\"b\\\\c/d\"");
	CHECK_STR(one_string("\b\f\n\r\t", 5), "\"\\b\\f\\n\\r\\t\"");
	CHECK_STR(one_string("\0\x01\x1f\x7f", 4), "\"\\u0000\\u0001\\u001f\\u007f\"");
	CHECK_STR(one_string("", 0), "\"\"");
	CHECK_STR(one_string("</script>", 9), "\"</script>\"");
	begin(false);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "k\"\n", "v");
	wan_json_object_end(&json);
	CHECK_STR(end(), "{\"k\\\"\\n\":\"v\"}");
}

TEST(a_special_byte_is_found_at_every_place)
{
	static const struct {
		char byte;
		const char *escaped;
	} specials[] = {{'"', "\\\""},
			{'\\', "\\\\"},
			{'\n', "\\n"},
			{'\x1f', "\\u001f"},
			{'\x7f', "\\u007f"},
			{'\0', "\\u0000"},
			{'\xff', "\xef\xbf\xbd"},
			{'~', "~"},
			{' ', " "}};
	char text[24], expected[64];
	for (size_t s = 0; s < sizeof(specials) / sizeof(specials[0]); s++) {
		for (int length = 1; length <= 24; length++) {
			for (int at = 0; at < length; at++) {
				memset(text, '0' + length % 10, (size_t)length);
				text[at] = specials[s].byte;
				snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", at,
					 at ? text : "", specials[s].escaped, length - at - 1,
					 text + at + 1);
				CHECK_STR(one_string(text, (size_t)length), expected);
			}
		}
	}
}

TEST(invalid_utf8_becomes_the_replacement_character)
{
	CHECK_STR(one_string("caf\xc3\xa9 \xf0\x9f\x98\x80", 10),
		  "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
	CHECK_STR(one_string("a\xffz", 3), "\"a\xef\xbf\xbdz\"");
	CHECK_STR(one_string("\xc3", 1), "\"\xef\xbf\xbd\"");
	CHECK_STR(one_string("\xed\xa0\x80", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	CHECK_STR(one_string("\xc0\x80", 2), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(characters_that_steer_a_terminal_are_numbers)
{
	CHECK_STR(one_string("\xc2\x9b"
			     "31m",
			     5),
		  "\"\\u009b31m\"");
	CHECK_STR(one_string("a\xe2\x80\xae"
			     "gnp.exe",
			     11),
		  "\"a\\u202egnp.exe\"");
	CHECK_STR(one_string("\xe2\x81\xa9\xe2\x80\xa8", 6), "\"\\u2069\\u2028\"");
	CHECK_STR(one_string("\xc2\xa0\xe2\x80\x94", 5), "\"\xc2\xa0\xe2\x80\x94\"");
}

TEST(every_pair_of_bytes_gives_valid_output)
{
	unsigned bad = 0;
	for (unsigned pair = 0; pair < 65536; pair++) {
		char text[2] = {(char)(pair >> 8), (char)pair};
		begin(false);
		wan_json_string_n(&json, text, 2);
		const char *result = end();
		bad += !json_is_valid(result, strlen(result));
	}
	CHECK_EQ(bad, 0);
}

static const char *one_u64(uint64_t value)
{
	begin(false);
	wan_json_u64(&json, value);
	return end();
}

static const char *one_i64(int64_t value)
{
	begin(false);
	wan_json_i64(&json, value);
	return end();
}

TEST(integers_are_whole_at_both_ends)
{
	char expected[32];
	CHECK_STR(one_u64(0), "0");
	CHECK_STR(one_u64(UINT64_MAX), "18446744073709551615");
	CHECK_STR(one_i64(INT64_MIN), "-9223372036854775808");
	CHECK_STR(one_i64(INT64_MAX), "9223372036854775807");
	CHECK_STR(one_i64(-1), "-1");
	for (uint64_t power = 1, i = 0; i < 20; i++, power *= 10) {
		for (uint64_t value = power - 1; value != power + 2; value++) {
			snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
			CHECK_STR(one_u64(value), expected);
		}
	}
}

static const char *one_double(double value, unsigned decimals)
{
	begin(false);
	wan_json_double(&json, value, decimals);
	return end();
}

TEST(doubles_are_fixed_and_trimmed)
{
	CHECK_STR(one_double(0, 3), "0");
	CHECK_STR(one_double(-0.0, 3), "0");
	CHECK_STR(one_double(1.5, 3), "1.5");
	CHECK_STR(one_double(-1.25, 3), "-1.25");
	CHECK_STR(one_double(12.3456, 3), "12.346");
	CHECK_STR(one_double(0.001, 3), "0.001");
	CHECK_STR(one_double(0.0004, 3), "0");
	CHECK_STR(one_double(-0.0004, 3), "0");
	CHECK_STR(one_double(0.9996, 3), "1");
	CHECK_STR(one_double(-99.9999, 2), "-100");
	CHECK_STR(one_double(2.5, 0), "3");
	CHECK_STR(one_double(1e15, 3), "1000000000000000");
	CHECK_STR(one_double(0.123456789, 9), "0.123456789");
	CHECK_STR(one_double(0.1234567891, 50), "0.123456789");
}

TEST(extreme_doubles_stay_json)
{
	CHECK_STR(one_double(NAN, 3), "null");
	CHECK_STR(one_double(INFINITY, 3), "null");
	CHECK_STR(one_double(-INFINITY, 3), "null");
	CHECK_STR(one_double(1e20, 3), "100000000000000000000");
	CHECK_EQ(strlen(one_double(DBL_MAX, 3)), 309);
	CHECK_EQ(strlen(one_double(-DBL_MAX, 3)), 310);
	CHECK_STR(one_double(DBL_MIN, 9), "0");
	CHECK_STR(one_double(9007199254740991.0, 3), "9007199254740991");
}

TEST(the_point_is_a_point_in_every_locale)
{
	const char *set = setlocale(LC_ALL, "de_DE.UTF-8");
	CHECK_STR(one_double(1.5, 3), "1.5");
	CHECK_EQ(strlen(one_double(1e300, 3)), 301);
	setlocale(LC_ALL, "C");
	if (!set)
		SKIP("no locale with a decimal comma is installed");
}

static int misuse(void (*calls)(void))
{
	begin(false);
	calls();
	return wan_json_finish(&json);
}

static void value_without_key(void)
{
	wan_json_object_begin(&json);
	wan_json_u64(&json, 1);
	wan_json_object_end(&json);
}

static void key_in_array(void)
{
	wan_json_array_begin(&json);
	wan_json_key(&json, "a");
	wan_json_array_end(&json);
}

static void key_without_value(void)
{
	wan_json_object_begin(&json);
	wan_json_key(&json, "a");
	wan_json_object_end(&json);
}

static void wrong_bracket(void)
{
	wan_json_array_begin(&json);
	wan_json_object_end(&json);
}

static void never_closed(void)
{
	wan_json_array_begin(&json);
}

static void closed_too_often(void)
{
	wan_json_array_end(&json);
}

static void two_documents(void)
{
	wan_json_u64(&json, 1);
	wan_json_u64(&json, 2);
}

static void key_outside(void)
{
	wan_json_key(&json, "a");
}

static void line_inside(void)
{
	wan_json_array_begin(&json);
	wan_json_line_end(&json);
	wan_json_array_end(&json);
}

TEST(misuse_is_told_at_the_end)
{
	CHECK_EQ(misuse(value_without_key), -EINVAL);
	CHECK_EQ(misuse(key_in_array), -EINVAL);
	CHECK_EQ(misuse(key_without_value), -EINVAL);
	CHECK_EQ(misuse(wrong_bracket), -EINVAL);
	CHECK_EQ(misuse(never_closed), -EINVAL);
	CHECK_EQ(misuse(closed_too_often), -EINVAL);
	CHECK_EQ(misuse(two_documents), -EINVAL);
	CHECK_EQ(misuse(key_outside), -EINVAL);
	CHECK_EQ(misuse(line_inside), -EINVAL);
}

TEST(nesting_ends_at_thirty_two)
{
	begin(false);
	for (int i = 0; i < 32; i++)
		wan_json_array_begin(&json);
	wan_json_u64(&json, 7);
	wan_json_u64(&json, 8);
	for (int i = 0; i < 32; i++)
		wan_json_array_end(&json);
	CHECK_EQ(wan_json_finish(&json), 0);
	CHECK(json_is_valid(out.text, out.bytes));
	begin(false);
	for (int i = 0; i < 33; i++)
		wan_json_array_begin(&json);
	CHECK_EQ(wan_json_finish(&json), -EOVERFLOW);
}

TEST(lines_separate_documents)
{
	begin(false);
	wan_json_u64(&json, 1);
	wan_json_line_end(&json);
	wan_json_array_begin(&json);
	wan_json_array_end(&json);
	wan_json_line_end(&json);
	CHECK_STR(end(), "1\n[]\n");
}

TEST(output_longer_than_the_buffer_is_whole)
{
	static char text[20000];
	memset(text, 'x', sizeof(text));
	begin(false);
	wan_json_array_begin(&json);
	for (int i = 0; i < 5; i++)
		wan_json_string_n(&json, text, sizeof(text) - (size_t)i);
	for (int i = 0; i < 5000; i++)
		wan_json_i64(&json, -i);
	wan_json_array_end(&json);
	CHECK_EQ(wan_json_finish(&json), 0);
	CHECK(json_is_valid(out.text, out.bytes));
	CHECK(out.bytes > 5 * 20000 + 5000 * 4);
}

static int fails_second;

static int fail_second_write(void *context, const void *bytes, size_t count)
{
	return ++fails_second > 1 ? -EPIPE : 0;
}

TEST(the_first_write_error_sticks)
{
	wan_json_init(&json, fail_second_write, NULL, false);
	wan_json_array_begin(&json);
	for (int i = 0; i < 5000; i++)
		wan_json_u64(&json, 1234567);
	wan_json_array_end(&json);
	wan_json_array_end(&json); /* misuse after the error does not hide it */
	CHECK_EQ(wan_json_finish(&json), -EPIPE);
	CHECK_EQ(fails_second, 2); /* nothing is written after an error */
}

TEST(a_descriptor_can_be_written_to)
{
	char back[16] = "";
	int fds[2];
	REQUIRE_EQ(pipe(fds), 0);
	wan_json_init(&json, wan_json_write_fd, &fds[1], false);
	wan_json_string(&json, "hi");
	CHECK_EQ(wan_json_finish(&json), 0);
	CHECK_EQ(read(fds[0], back, sizeof(back) - 1), 4);
	CHECK_STR(back, "\"hi\"");
	close(fds[0]);
	close(fds[1]);
	int full = open("/dev/full", O_WRONLY);
	if (full < 0)
		SKIP("no /dev/full here");
	wan_json_init(&json, wan_json_write_fd, &full, false);
	wan_json_string(&json, "hi");
	CHECK_EQ(wan_json_finish(&json), -ENOSPC);
	close(full);
}

static void write_much(void *context)
{
	struct wan_json_memory memory = {0};
	struct wan_json writer;
	wan_json_init(&writer, wan_json_write_memory, &memory, true);
	wan_json_array_begin(&writer);
	for (int i = 0; i < 3000; i++)
		wan_json_u64(&writer, 1000000);
	wan_json_array_end(&writer);
	int error = wan_json_finish(&writer);
	CHECK(error == -ENOMEM || (error == 0 && json_is_valid(memory.text, memory.bytes)));
	wan_free(memory.text);
}

TEST(every_allocation_may_fail)
{
	CHECK(wan_fault_sweep(write_much, NULL) > 4);
}

TEST(the_validator_itself_refuses_what_is_not_json)
{
	static const char *const bad[] = {"",         "{",        "[1,]", "{\"a\"}", "01",
					  "1.",       "\"\x01\"", "nul",  "[1 2]",   "\"\\x\"",
					  "\"\xff\"", "1 1",      "+1",   "{a:1}",   "\"\xc0\x80\"",
					  "\"",       "NaN",      "-"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK(!json_is_valid(bad[i], strlen(bad[i]))))
			printf("# text: %s\n", bad[i]);
	CHECK(json_is_valid(" { \"a\" : [ -0.5e+3 , \"\\u00e9\\n\" ] } ", 36));
}

TEST(the_last_block_is_given_back)
{
	wan_free(out.text);
	memset(&out, 0, sizeof(out));
	CHECK(out.text == NULL);
}

TAP_MAIN
