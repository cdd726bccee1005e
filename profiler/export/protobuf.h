/* SPDX-License-Identifier: MIT */
/*
 * The wire format of protocol buffers, as far as a writer needs it: behind a cursor, into room that
 * the caller has asked for. A message inside a message gets its length afterwards, in the four
 * bytes kept for it (a varint may be longer than it must).
 */
#ifndef WAN_PROFILER_PROTOBUF_H
#define WAN_PROFILER_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum wan_wire { WAN_WIRE_VARINT = 0, WAN_WIRE_FIXED64 = 1, WAN_WIRE_BYTES = 2 };

#define WAN_PROTO_LENGTH_BYTES 4u

static inline char *wan_proto_varint(char *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (char)(value | 0x80);
		value >>= 7;
	}
	*to++ = (char)value;
	return to;
}

static inline char *wan_proto_tag(char *to, unsigned field, enum wan_wire wire)
{
	return wan_proto_varint(to, (uint64_t)field << 3 | wire);
}

static inline char *wan_proto_uint(char *to, unsigned field, uint64_t value)
{
	return wan_proto_varint(wan_proto_tag(to, field, WAN_WIRE_VARINT), value);
}

/* int32 and int64: a negative one takes ten bytes. */
static inline char *wan_proto_int(char *to, unsigned field, int64_t value)
{
	return wan_proto_uint(to, field, (uint64_t)value);
}

static inline char *wan_proto_double(char *to, unsigned field, double value)
{
	to = wan_proto_tag(to, field, WAN_WIRE_FIXED64);
	memcpy(to, &value, sizeof(value)); /* little endian */
	return to + sizeof(value);
}

static inline char *wan_proto_bytes(char *to, unsigned field, const void *bytes, size_t count)
{
	to = wan_proto_varint(wan_proto_tag(to, field, WAN_WIRE_BYTES), count);
	memcpy(to, bytes, count);
	return to + count;
}

static inline char *wan_proto_text(char *to, unsigned field, const char *text)
{
	return wan_proto_bytes(to, field, text, strlen(text));
}

/* What follows is inside the message until wan_proto_end() gets the same mark. */
static inline char *wan_proto_begin(char *to, unsigned field, char **ret_mark)
{
	*ret_mark = wan_proto_tag(to, field, WAN_WIRE_BYTES);
	return *ret_mark + WAN_PROTO_LENGTH_BYTES;
}

static inline void wan_proto_end(const char *to, char *mark)
{
	uint32_t count = (uint32_t)(to - mark) - WAN_PROTO_LENGTH_BYTES;
	mark[0] = (char)(count | 0x80);
	mark[1] = (char)(count >> 7 | 0x80);
	mark[2] = (char)(count >> 14 | 0x80);
	mark[3] = (char)(count >> 21 & 0x7f);
}

#endif
