/* SPDX-License-Identifier: MIT */
/* Is this what a format of `wanprof dump` must look like? Strict, and shares no line with the
 * writers; the integration tests read the same formats more closely, with parsers of others. */
#ifndef WAN_TESTS_FORMAT_CHECK_H
#define WAN_TESTS_FORMAT_CHECK_H

#include <ctype.h>
#include <stdint.h>

#include "json_check.h"

/* No control character but line ends, and no UTF-8 that is none. */
static inline bool format_is_inert(const char *text, size_t bytes)
{
	struct json_check in = {.at = text, .end = text + bytes};
	while (in.at < in.end) {
		unsigned char byte = (unsigned char)*in.at;
		if ((byte < 0x20 && byte != '\n') || byte == 0x7f)
			return false;
		if (byte == 0xc2 && in.at + 1 < in.end && (unsigned char)in.at[1] < 0xa0)
			return false; /* C1 */
		if (byte < 0x80)
			in.at++;
		else if (!json_check_utf8(&in))
			return false;
	}
	return true;
}

/* The next line without its end; NULL at the end of the text, or where the last has no end. */
static inline const char *format_line(const char **at, const char *end, size_t *ret_length)
{
	const char *line = *at,
		   *stop = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
	if (!stop)
		return NULL;
	*ret_length = (size_t)(stop - line);
	*at = stop + 1;
	return line;
}

static inline bool format_lines(const char *text, size_t bytes,
				bool (*good)(const char *line, size_t length))
{
	const char *at = text, *line;
	size_t length;
	while ((line = format_line(&at, text + bytes, &length)))
		if (!good(line, length))
			return false;
	return at == text + bytes;
}

/* "a;b;c 123": no empty frame, a number at the end. */
static inline bool format_stack(const char *line, size_t length)
{
	size_t digits = 0;
	while (digits < length && isdigit((unsigned char)line[length - 1 - digits]))
		digits++;
	if (!digits || digits + 2 > length || line[length - 1 - digits] != ' ')
		return false;
	length -= digits + 1;
	for (size_t i = 0; i < length; i++)
		if (line[i] == ';' && (!i || i + 1 == length || line[i + 1] == ';'))
			return false;
	return true;
}

/* A comment, or name{labels} number; quotes inside labels are escaped. */
static inline bool format_metric(const char *line, size_t length)
{
	bool quoted = false;
	size_t i = 0;
	if (length > 1 && line[0] == '#')
		return true;
	if (length < 8 || memcmp(line, "wanrt_", 6) != 0)
		return false;
	while (i < length && line[i] != '{')
		if (!isalnum((unsigned char)line[i]) && line[i] != '_')
			return false;
		else
			i++;
	for (; i < length; i++) {
		if (quoted && line[i] == '\\') {
			if (i + 1 == length || !strchr("\\\"n", line[++i]))
				return false;
		} else if (line[i] == '"') {
			quoted = !quoted;
		} else if (line[i] == '}' && !quoted) {
			break;
		}
	}
	if (i + 2 >= length || line[i + 1] != ' ')
		return false;
	for (i += 2; i < length; i++)
		if (!isdigit((unsigned char)line[i]) && line[i] != '.')
			return false;
	return true;
}

/* As many cells in each record as in the first. */
static inline bool format_table(const char *text, size_t bytes)
{
	size_t cells = 1, first = 0;
	bool quoted = false;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (text[i] == ',' && !quoted)
			cells++;
		else if (text[i] == '\n' && !quoted) {
			if (first && cells != first)
				return false;
			first = cells;
			cells = 1;
		}
	}
	return first > 1 && !quoted && text[bytes - 1] == '\n';
}

/* The wire format, and every message inside another whose bytes can be one is not cut. */
static inline bool format_message(const unsigned char *at, const unsigned char *end)
{
	while (at < end) {
		uint64_t words[2] = {0}; /* tag, then value or length */
		for (int i = 0; i < 2; i++) {
			unsigned shift = 0;
			do {
				if (at == end || shift > 63)
					return false;
				words[i] |= (uint64_t)(*at & 127) << shift;
				shift += 7;
			} while (*at++ & 128);
			if (!i && (words[0] & 7) == 1) {
				if (end - at < 8)
					return false;
				at += 8;
				break;
			}
		}
		if (!(words[0] >> 3) || (words[0] & 7) > 2)
			return false;
		if ((words[0] & 7) != 2)
			continue;
		if (words[1] > (uint64_t)(end - at))
			return false;
		at += words[1];
	}
	return true;
}

/* A trace: packets, each of them a message. */
static inline bool format_trace(const unsigned char *text, size_t bytes)
{
	const unsigned char *at = text, *end = text + bytes;
	while (at < end) {
		if (end - at < 5 || *at != 0x0a)
			return false;
		uint32_t size = (at[1] & 127u) | (at[2] & 127u) << 7 | (at[3] & 127u) << 14 |
				(uint32_t)at[4] << 21;
		at += 5;
		if (size > (size_t)(end - at) || !format_message(at, at + size))
			return false;
		at += size;
	}
	return true;
}

static inline bool format_json_line(const char *line, size_t length)
{
	return json_is_valid(line, length);
}

/* By the name the format has in formats.def. */
static inline bool format_is_valid(const char *name, const char *text, size_t bytes)
{
	if (strcmp(name, "perfetto") == 0)
		return format_trace((const unsigned char *)text, bytes);
	if (!format_is_inert(text, bytes))
		return false;
	if (strcmp(name, "jsonl") == 0)
		return format_lines(text, bytes, format_json_line);
	if (strcmp(name, "csv") == 0)
		return format_table(text, bytes);
	if (strcmp(name, "collapsed") == 0)
		return format_lines(text, bytes, format_stack);
	if (strcmp(name, "prom") == 0 || strcmp(name, "openmetrics") == 0)
		return format_lines(text, bytes, format_metric);
	return json_is_valid(text, bytes);
}

#endif
