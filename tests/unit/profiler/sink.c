/* SPDX-License-Identifier: MIT */
/* Numbers and bytes on their way out, against printf. */
#include "sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "json_writer.h"
#include "protobuf.h"
#include "tap.h"

/* Values around every change of length, and many at random. */
static uint64_t number(unsigned i)
{
	static const uint64_t powers[] = {1,
					  10,
					  100,
					  1000,
					  10000,
					  100000,
					  1000000,
					  10000000,
					  100000000,
					  1000000000,
					  10000000000000000u,
					  100000000000000000u,
					  10000000000000000000u};
	if (i < 3 * WAN_COUNT_OF(powers))
		return powers[i / 3] + i % 3 - 1;
	if (i < 60)
		return UINT64_MAX - (i - 3 * WAN_COUNT_OF(powers));
	uint64_t value = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random();
	return value >> i % 64;
}

TEST(numbers_are_those_of_printf)
{
	char text[64], expected[64];
	unsigned bad = 0;
	srandom(1);
	for (unsigned i = 0; i < 2000000; i++) {
		uint64_t value = number(i);
		*wan_put_u64(text, value) = '\0';
		snprintf(expected, sizeof(expected), "%" PRIu64, value);
		bad += strcmp(text, expected) != 0;
	}
	CHECK_EQ(bad, 0);
}

TEST(every_number_of_five_digits_is_right)
{
	char text[64], expected[64];
	unsigned bad = 0;
	for (unsigned i = 0; i < 100000; i++) {
		*wan_put_u64(text, i) = '\0';
		snprintf(expected, sizeof(expected), "%u", i);
		bad += strcmp(text, expected) != 0;
	}
	CHECK_EQ(bad, 0);
}

TEST(thousandths_have_three_decimals)
{
	char text[64], expected[64];
	unsigned bad = 0;
	srandom(2);
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t value = number(i);
		*wan_put_milli(text, value) = '\0';
		snprintf(expected, sizeof(expected), "%" PRIu64 ".%03u", value / 1000,
			 (unsigned)(value % 1000));
		bad += strcmp(text, expected) != 0;
	}
	CHECK_EQ(bad, 0);
}

TEST(negative_numbers_have_a_sign)
{
	static const int64_t values[] = {0, -1, -9, -10, -123456789012, INT64_MIN, INT64_MAX};
	char text[64], expected[64];
	for (size_t i = 0; i < WAN_COUNT_OF(values); i++) {
		*wan_put_i64(text, values[i]) = '\0';
		snprintf(expected, sizeof(expected), "%" PRId64, values[i]);
		CHECK_STR(text, expected);
	}
}

static struct wan_sink sink;
static struct wan_json_memory out;

TEST(bytes_of_any_length_arrive_in_order)
{
	static char block[200000];
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 + i / 256);
	wan_sink_init(&sink, wan_json_write_memory, &out);
	size_t at = 0;
	for (size_t part = 1; at + part <= sizeof(block); part += part / 2 + 1) {
		wan_sink_put(&sink, block + at, part);
		at += part;
	}
	CHECK_EQ(wan_sink_finish(&sink), 0);
	CHECK_EQ(out.bytes, at);
	CHECK_MEM(out.text, block, at);
	wan_free(out.text);
	out = (struct wan_json_memory){0};
}

static int refuse(void *context, const void *bytes, size_t count)
{
	++*(int *)context;
	return -ENOSPC;
}

TEST(the_first_error_stays_and_nothing_more_is_written)
{
	int calls = 0;
	wan_sink_init(&sink, refuse, &calls);
	for (int i = 0; i < 100; i++)
		wan_sink_put(&sink, sink.buffer, 10000);
	wan_sink_fail(&sink, -EIO);
	CHECK_EQ(wan_sink_finish(&sink), -ENOSPC);
	CHECK_EQ(calls, 1);
}

TEST(messages_inside_messages_have_their_length)
{
	static const unsigned char expected[] = {
		0x0a, 0x8d, 0x80, 0x80, 0x00,             /* field 1, 13 bytes */
		0x10, 0xac, 0x02,                         /* field 2: 300 */
		0x1a, 0x82, 0x80, 0x80, 0x00, 0x08, 0x01, /* field 3: a message, field 1: 1 */
		0x22, 0x01, 'x'};                         /* field 4: "x" */
	char text[64], *outer, *inner;
	char *to = wan_proto_begin(text, 1, &outer);
	to = wan_proto_uint(to, 2, 300);
	to = wan_proto_begin(to, 3, &inner);
	to = wan_proto_uint(to, 1, 1);
	wan_proto_end(to, inner);
	to = wan_proto_text(to, 4, "x");
	wan_proto_end(to, outer);
	CHECK_EQ(to - text, (long)sizeof(expected));
	CHECK_MEM(text, expected, sizeof(expected));
}

TAP_MAIN
