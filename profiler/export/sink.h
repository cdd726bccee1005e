/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way out, and numbers written into them without a call: room is asked for once an
 * event, then everything is stored behind one pointer. Errors stick: the first one is kept, what
 * comes after it is thrown away.
 */
#ifndef WAN_PROFILER_SINK_H
#define WAN_PROFILER_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "macros.h"

#define WAN_SINK_BYTES 65536u
/* A number takes at most this much room, the bytes that are stored beyond its end included. */
#define WAN_NUMBER_ROOM 32u

struct wan_sink {
	int (*write)(void *context, const void *bytes, size_t count); /* 0 or negative errno */
	void *context;
	char *at; /* next byte; the writer moves it on */
	int error;
	char buffer[WAN_SINK_BYTES];
};

void wan_sink_init(struct wan_sink *sink, int (*write)(void *, const void *, size_t),
		   void *context);
void wan_sink_flush(struct wan_sink *sink);
void wan_sink_fail(struct wan_sink *sink, int error);
/* Any number of bytes. */
void wan_sink_put(struct wan_sink *sink, const void *bytes, size_t count);
void wan_sink_text(struct wan_sink *sink, const char *text);
void wan_sink_format(struct wan_sink *sink, const char *format, ...)
	__attribute__((format(printf, 2, 3))); /* at most 1023 bytes */
/* As a JSON string, by the one writer that escapes. */
void wan_sink_json_string(struct wan_sink *sink, const char *text);
/* Flushes. 0 or the first error. */
int wan_sink_finish(struct wan_sink *sink);

/* Room for count bytes (at most WAN_SINK_BYTES) behind sink->at. */
static inline char *wan_sink_room(struct wan_sink *sink, size_t count)
{
	if (wan_unlikely((size_t)(sink->buffer + sizeof(sink->buffer) - sink->at) < count))
		wan_sink_flush(sink);
	return sink->at;
}

/*
 * Eight digits at once: the number is halved three times, into fields of 32, 16 and 8 bits, by
 * multiplications with reciprocals that are exact in these ranges (10486 / 2^20 for n < 10000,
 * 103 / 2^10 for n < 100). First digit in the lowest byte. value < 10^8.
 */
static inline uint64_t wan_digits8(uint64_t value)
{
	uint64_t high = value / 10000;
	uint64_t fours = high | (value - high * 10000) << 32;
	uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
	uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
	uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);
	return tens | (twos - tens * 10) << 8;
}

#define WAN_DIGITS_ZERO UINT64_C(0x3030303030303030)

static inline char *wan_put_digits8(char *to, uint64_t value)
{
	uint64_t text = wan_digits8(value) | WAN_DIGITS_ZERO;
	memcpy(to, &text, 8); /* little endian, as all of the recording is */
	return to + 8;
}

static inline char *wan_put_below_1e8(char *to, uint64_t value)
{
	uint64_t digits = wan_digits8(value);
	/* leading zeros go; one digit stays */
	unsigned skip = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) & ~7u;
	uint64_t text = (digits | WAN_DIGITS_ZERO) >> skip;
	memcpy(to, &text, 8);
	return to + 8 - skip / 8;
}

static inline char *wan_put_u64(char *to, uint64_t value)
{
	if (wan_likely(value < 100000000))
		return wan_put_below_1e8(to, value);
	uint64_t high = value / 100000000;
	if (wan_likely(high < 100000000))
		to = wan_put_below_1e8(to, high);
	else
		to = wan_put_digits8(wan_put_below_1e8(to, high / 100000000), high % 100000000);
	return wan_put_digits8(to, value - high * 100000000);
}

/* Thousandths: 1234567 is "1234.567". The three digits behind the point are the last of eight. */
static inline char *wan_put_milli(char *to, uint64_t value)
{
	uint64_t high = 0, digits;
	if (wan_unlikely(value >= 100000000)) {
		high = value / 100000000;
		to = wan_put_u64(to, high);
		digits = wan_digits8(value - high * 100000000);
	} else {
		digits = wan_digits8(value);
	}
	uint64_t text = digits | WAN_DIGITS_ZERO;
	uint32_t fraction = '.' | (uint32_t)(text >> 40) << 8;
	/* of the five before the point, zeros at the front go when nothing stands before them */
	unsigned skip = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 32) & ~7u;
	skip = high ? 0 : skip;
	text >>= skip;
	memcpy(to, &text, 8);
	to += 5 - skip / 8;
	memcpy(to, &fraction, 4);
	return to + 4;
}

static inline char *wan_put_i64(char *to, int64_t value)
{
	if (value >= 0)
		return wan_put_u64(to, (uint64_t)value);
	*to = '-';
	return wan_put_u64(to + 1, 0 - (uint64_t)value);
}

/* A literal: the compiler turns it into a few stores. */
#define WAN_PUT(to, literal)                                                                       \
	(memcpy((to), (literal), sizeof(literal) - 1), (to) + sizeof(literal) - 1)

#endif
