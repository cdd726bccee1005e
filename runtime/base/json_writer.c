/* SPDX-License-Identifier: MIT */
#include "json_writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

#define DEPTH_MAX    32
#define DECIMALS_MAX 9

/* has_item holds one bit per level: bit depth - 1. The top level has its own flag. */

void wan_json_init(struct wan_json *json, int (*write)(void *, const void *, size_t), void *context,
		   bool pretty)
{
	json->write = write;
	json->context = context;
	json->pretty = pretty;
	json->used = 0;
	json->has_item = 0;
	json->is_array = 0;
	json->depth = 0;
	json->after_key = false;
	json->has_document = false;
	json->error = 0;
}

int wan_json_write_fd(void *context, const void *bytes, size_t count)
{
	return wan_write_full(*(int *)context, bytes, count);
}

int wan_json_write_memory(void *context, const void *bytes, size_t count)
{
	struct wan_json_memory *memory = context;
	size_t want;
	if (__builtin_add_overflow(memory->bytes, count, &want) || want == SIZE_MAX)
		return -ENOMEM;
	int error = wan_array_reserve(&memory->text, &memory->capacity, want + 1, 1);
	if (error)
		return error;
	memcpy(memory->text + memory->bytes, bytes, count);
	memory->bytes = want;
	memory->text[want] = '\0';
	return 0;
}

static void fail(struct wan_json *json, int error)
{
	if (!json->error)
		json->error = error;
}

static void flush(struct wan_json *json)
{
	if (json->used && !json->error)
		fail(json, json->write(json->context, json->buffer, json->used));
	json->used = 0;
}

/* Room for count bytes (at most the buffer) at the returned place; the caller adds to used. */
static inline char *room(struct wan_json *json, size_t count)
{
	if (wan_unlikely(sizeof(json->buffer) - json->used < count))
		flush(json);
	return json->buffer + json->used;
}

static void put(struct wan_json *json, const char *bytes, size_t count)
{
	while (count) {
		size_t part = WAN_MIN(count, sizeof(json->buffer));
		memcpy(room(json, part), bytes, part);
		json->used += part;
		bytes += part;
		count -= part;
	}
}

static inline void put_byte(struct wan_json *json, char byte)
{
	*room(json, 1) = byte;
	json->used++;
}

static void put_line(struct wan_json *json)
{
	put_byte(json, '\n');
	for (unsigned i = 0; i < json->depth; i++)
		put(json, "  ", 2);
}

/* Comma and line end before an item of a container. */
static void separate(struct wan_json *json)
{
	uint32_t bit = (uint32_t)1 << (json->depth - 1);
	if (json->has_item & bit)
		put_byte(json, ',');
	json->has_item |= bit;
	if (json->pretty)
		put_line(json);
}

/* What comes before a value. False: no value may stand here, or an error came before. */
static bool begin_value(struct wan_json *json)
{
	if (wan_unlikely(json->error))
		return false;
	if (json->depth == 0) {
		if (json->has_document)
			fail(json, -EINVAL);
		json->has_document = true;
	} else if (json->is_array & (uint32_t)1 << (json->depth - 1)) {
		separate(json);
	} else {
		if (!json->after_key)
			fail(json, -EINVAL);
		json->after_key = false;
	}
	return !json->error;
}

static void open_container(struct wan_json *json, char bracket, bool array)
{
	if (!begin_value(json))
		return;
	if (json->depth == DEPTH_MAX) {
		fail(json, -EOVERFLOW);
		return;
	}
	put_byte(json, bracket);
	uint32_t bit = (uint32_t)1 << json->depth++;
	json->has_item &= ~bit;
	json->is_array = array ? json->is_array | bit : json->is_array & ~bit;
}

static void close_container(struct wan_json *json, char bracket, bool array)
{
	if (json->error)
		return;
	uint32_t bit = json->depth ? (uint32_t)1 << (json->depth - 1) : 0;
	if (!bit || json->after_key || !(json->is_array & bit) == array) {
		fail(json, -EINVAL);
		return;
	}
	json->depth--;
	if (json->pretty && json->has_item & bit)
		put_line(json);
	put_byte(json, bracket);
}

void wan_json_object_begin(struct wan_json *json)
{
	open_container(json, '{', false);
}

void wan_json_object_end(struct wan_json *json)
{
	close_container(json, '}', false);
}

void wan_json_array_begin(struct wan_json *json)
{
	open_container(json, '[', true);
}

void wan_json_array_end(struct wan_json *json)
{
	close_container(json, ']', true);
}

static void put_escaped(struct wan_json *json, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char text[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
	for (const char *form = short_forms; *form; form += 2) {
		if ((unsigned char)form[0] == byte) {
			text[1] = form[1];
			put(json, text, 2);
			return;
		}
	}
	put(json, text, 6);
}

/* A character of two or three bytes by its number: valid JSON either way, but harmless where the
 * document is shown as it is. */
static void put_numbered(struct wan_json *json, const char *text, unsigned length)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *c = (const unsigned char *)text;
	unsigned point = length == 2 ? (c[0] & 31u) << 6 | (c[1] & 63u)
				     : (c[0] & 15u) << 12 | (c[1] & 63u) << 6 | (c[2] & 63u);
	char escaped[6] = {'\\',
			   'u',
			   digits[point >> 12],
			   digits[point >> 8 & 15],
			   digits[point >> 4 & 15],
			   digits[point & 15]};
	put(json, escaped, sizeof(escaped));
}

static inline bool plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Does one of these eight bytes need an escape or a look at its UTF-8? */
static inline bool any_special(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;
	uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\', del = word ^ ones * 0x7f;
	return ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
		 ((slash - ones) & ~slash) | ((del - ones) & ~del) | word) &
		high) != 0;
}

/* Nearly every string is short and plain: checked and copied in one pass, eight bytes at a time.
 * False, and nothing is written, when it is not or the buffer is nearly full. */
static bool put_plain_string(struct wan_json *json, const char *text, size_t bytes)
{
	size_t left = sizeof(json->buffer) - json->used;
	char *to = json->buffer + json->used;
	uint64_t word;
	if (left < 2 || bytes > left - 2)
		return false;
	*to++ = '"';
	for (size_t i = 0; bytes >= 8 && i < bytes; i += 8) {
		size_t at = WAN_MIN(i, bytes - 8); /* the last eight overlap those before */
		memcpy(&word, text + at, 8);
		if (any_special(word))
			return false;
		memcpy(to + at, &word, 8);
	}
	for (size_t i = 0; bytes < 8 && i < bytes; i++) {
		if (!plain((unsigned char)text[i]))
			return false;
		to[i] = text[i];
	}
	to[bytes] = '"';
	json->used += bytes + 2;
	return true;
}

static void put_string(struct wan_json *json, const char *text, size_t bytes)
{
	if (wan_likely(put_plain_string(json, text, bytes)))
		return;
	put_byte(json, '"');
	for (size_t i = 0; i < bytes;) {
		size_t run = i;
		while (run < bytes && plain((unsigned char)text[run]))
			run++;
		if (run > i) {
			put(json, text + i, run - i);
			i = run;
			continue;
		}
		unsigned length = wan_utf8_length(text + i, bytes - i);
		if (length > 1 && length < 4 && wan_str_steers(text + i, length))
			put_numbered(json, text + i, length);
		else if (length > 1)
			put(json, text + i, length);
		else if (length == 1)
			put_escaped(json, (unsigned char)text[i]);
		else
			put(json, "\xef\xbf\xbd", 3); /* U+FFFD for each byte that is no UTF-8 */
		i += length ? length : 1;
	}
	put_byte(json, '"');
}

void wan_json_key(struct wan_json *json, const char *name)
{
	if (wan_unlikely(json->error))
		return;
	if (json->depth == 0 || json->after_key ||
	    json->is_array & (uint32_t)1 << (json->depth - 1)) {
		fail(json, -EINVAL);
		return;
	}
	separate(json);
	put_string(json, name, strlen(name));
	put_byte(json, ':');
	if (json->pretty)
		put_byte(json, ' ');
	json->after_key = true;
}

void wan_json_string_n(struct wan_json *json, const char *text, size_t bytes)
{
	if (begin_value(json))
		put_string(json, text, bytes);
}

void wan_json_string(struct wan_json *json, const char *text)
{
	if (text)
		wan_json_string_n(json, text, strlen(text));
	else
		wan_json_null(json);
}

/* Two digits at a time, from the end; at most 20 characters. Returns their start before end. */
static char *digits_before(char *end, uint64_t value)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	while (value >= 100) {
		end -= 2;
		memcpy(end, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		end -= 2;
		memcpy(end, pairs + value * 2, 2);
	} else {
		*--end = (char)('0' + value);
	}
	return end;
}

static void put_u64(struct wan_json *json, uint64_t value)
{
	char text[20];
	char *start = digits_before(text + sizeof(text), value);
	put(json, start, (size_t)(text + sizeof(text) - start));
}

void wan_json_u64(struct wan_json *json, uint64_t value)
{
	if (begin_value(json))
		put_u64(json, value);
}

void wan_json_i64(struct wan_json *json, int64_t value)
{
	if (!begin_value(json))
		return;
	if (value < 0)
		put_byte(json, '-');
	put_u64(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_fraction(struct wan_json *json, uint64_t fraction, unsigned decimals)
{
	char text[DECIMALS_MAX];
	if (!fraction)
		return;
	for (unsigned i = decimals; i-- > 0; fraction /= 10)
		text[i] = (char)('0' + fraction % 10);
	while (text[decimals - 1] == '0')
		decimals--;
	put_byte(json, '.');
	put(json, text, decimals);
}

void wan_json_double(struct wan_json *json, double value, unsigned decimals)
{
	static const uint64_t tens[DECIMALS_MAX + 1] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
	if (__builtin_isnan(value) || __builtin_isinf(value)) {
		wan_json_null(json);
		return;
	}
	if (!begin_value(json))
		return;
	decimals = WAN_MIN(decimals, (unsigned)DECIMALS_MAX);
	double size = __builtin_fabs(value);
	if (size >= 9007199254740992.0) { /* from 2^53 on a double has no fraction */
		char text[320];
		put(json, text, wan_str_format(text, sizeof(text), "%.0f", value));
		return;
	}
	uint64_t whole = (uint64_t)size;
	uint64_t fraction = (uint64_t)((size - (double)whole) * (double)tens[decimals] + 0.5);
	if (fraction >= tens[decimals]) {
		whole++;
		fraction = 0;
	}
	if (value < 0 && (whole || fraction))
		put_byte(json, '-');
	put_u64(json, whole);
	put_fraction(json, fraction, decimals);
}

void wan_json_bool(struct wan_json *json, bool value)
{
	if (begin_value(json))
		put(json, value ? "true" : "false", value ? 4 : 5);
}

void wan_json_null(struct wan_json *json)
{
	if (begin_value(json))
		put(json, "null", 4);
}

void wan_json_key_string(struct wan_json *json, const char *name, const char *text)
{
	wan_json_key(json, name);
	wan_json_string(json, text);
}

void wan_json_key_u64(struct wan_json *json, const char *name, uint64_t value)
{
	wan_json_key(json, name);
	wan_json_u64(json, value);
}

void wan_json_key_i64(struct wan_json *json, const char *name, int64_t value)
{
	wan_json_key(json, name);
	wan_json_i64(json, value);
}

void wan_json_key_double(struct wan_json *json, const char *name, double value, unsigned decimals)
{
	wan_json_key(json, name);
	wan_json_double(json, value, decimals);
}

void wan_json_key_bool(struct wan_json *json, const char *name, bool value)
{
	wan_json_key(json, name);
	wan_json_bool(json, value);
}

void wan_json_key_null(struct wan_json *json, const char *name)
{
	wan_json_key(json, name);
	wan_json_null(json);
}

void wan_json_line_end(struct wan_json *json)
{
	if (json->error)
		return;
	if (json->depth) {
		fail(json, -EINVAL);
		return;
	}
	put_byte(json, '\n');
	json->has_document = false;
}

int wan_json_finish(struct wan_json *json)
{
	if (json->depth)
		fail(json, -EINVAL);
	flush(json);
	return json->error;
}
