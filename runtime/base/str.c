/* SPDX-License-Identifier: MIT */
#include "str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "macros.h"

unsigned wan_utf8_length(const char *text, size_t bytes)
{
	const unsigned char *c = (const unsigned char *)text;
	if (bytes == 0)
		return 0;
	if (c[0] < 0x80)
		return 1;
	unsigned length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
	if (c[0] < 0xc2 || c[0] > 0xf4 || length > bytes)
		return 0;
	/* The second byte excludes overlong forms, surrogates and code points above U+10FFFF. */
	unsigned low = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
	unsigned high = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;
	if (c[1] < low || c[1] > high)
		return 0;
	for (unsigned i = 2; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* The largest count of bytes at most limit that does not end inside a character. */
static size_t whole_characters(const char *text, size_t limit)
{
	size_t start = limit;
	while (start > 0 && limit - start < 3 && (text[start] & 0xc0) == 0x80)
		start--;
	/* text[start] begins the character that the limit cuts, or is no UTF-8 at all */
	return (text[start] & 0xc0) == 0x80 ? limit : start;
}

bool wan_str_copy(char *to, size_t to_bytes, const char *from)
{
	if (!from)
		from = "";
	if (to_bytes == 0)
		return false;
	size_t bytes = strnlen(from, to_bytes);
	bool whole = bytes < to_bytes;
	if (!whole)
		bytes = whole_characters(from, to_bytes - 1);
	memcpy(to, from, bytes);
	to[bytes] = '\0';
	return whole;
}

size_t wan_str_format(char *to, size_t to_bytes, const char *format, ...)
{
	if (to_bytes == 0)
		return 0;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(to, to_bytes, format, arguments);
	va_end(arguments);
	if (length < 0)
		length = 0;
	size_t count = WAN_MIN((size_t)length, to_bytes - 1);
	to[count] = '\0';
	return count;
}

bool wan_str_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool wan_str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

int wan_parse_u64(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool fits = true;
	if (!text || !*text)
		return -EBADMSG;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EBADMSG;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			fits = false; /* go on: "99999999999999999999x" is not a number at all */
	}
	if (!fits)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int wan_parse_i64(const char *text, int64_t *ret_value)
{
	uint64_t value;
	bool negative = text && *text == '-';
	int error = wan_parse_u64(negative ? text + 1 : text, &value);
	if (error)
		return error;
	if (value > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

/* value times ten to the power: exact where both are exact as doubles, which is every number that
 * a person writes; else within a unit in the last place by the longer type. */
static double scaled(uint64_t value, int power)
{
	unsigned steps = (unsigned)(power < 0 ? -power : power);
	if (value <= (uint64_t)1 << 53 && steps <= 22) {
		double scale = 1;
		for (; steps; steps--)
			scale *= 10;
		return power < 0 ? (double)value / scale : (double)value * scale;
	}
	long double scale = 1, factor = 10;
	for (; steps; steps >>= 1, factor *= factor)
		if (steps & 1)
			scale *= factor;
	return (double)(power < 0 ? value / scale : value * scale);
}

/* Digits with at most one point; 19 of them fit, the rest only moves the power. */
static const char *parse_digits(const char *text, uint64_t *ret_value, int *ret_power)
{
	uint64_t value = 0;
	int power = 0;
	bool any = false, point = false;
	for (;; text++) {
		if (*text == '.' && !point) {
			point = true;
			continue;
		}
		if (*text < '0' || *text > '9')
			break;
		any = true;
		if (value < 1000000000000000000u) {
			value = value * 10 + (uint64_t)(*text - '0');
			power -= point;
		} else if (power < 10000) {
			power += !point;
		}
	}
	*ret_value = value;
	*ret_power = power;
	return any ? text : NULL;
}

int wan_parse_double(const char *text, double *ret_value)
{
	uint64_t value, exponent = 0;
	int power;
	if (!text)
		return -EBADMSG;
	bool negative = *text == '-';
	const char *end = parse_digits(text + negative, &value, &power);
	if (!end)
		return -EBADMSG;
	if (*end == 'e' || *end == 'E') {
		bool below = end[1] == '-';
		end += 1 + (below || end[1] == '+');
		int error = wan_parse_u64(end, &exponent);
		if (error == -EBADMSG)
			return error;
		exponent = error || exponent > 20000 ? 20000 : exponent;
		power += below ? -(int)exponent : (int)exponent;
		end = "";
	}
	if (*end)
		return -EBADMSG;
	/* outside this every double is zero or infinite; inside, no factor overflows */
	double result = !value || power < -400 ? 0 : scaled(value, WAN_MIN(power, 400));
	if (!isfinite(result))
		return -ERANGE;
	*ret_value = negative ? -result : result;
	return 0;
}

/* Names are short; of longer ones only this much is compared. */
#define NEAREST_MAX 64

/* Edits that make b of a: insert, delete, replace, swap two neighbours. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned char rows[3][NEAREST_MAX + 1];
	size_t a_count = strnlen(a, NEAREST_MAX), b_count = strnlen(b, NEAREST_MAX);
	for (size_t j = 0; j <= b_count; j++)
		rows[0][j] = (unsigned char)j;
	for (size_t i = 1; i <= a_count; i++) {
		unsigned char *row = rows[i % 3], *above = rows[(i - 1) % 3];
		row[0] = (unsigned char)i;
		for (size_t j = 1; j <= b_count; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
			best = WAN_MIN(best, above[j] + 1u);
			best = WAN_MIN(best, row[j - 1] + 1u);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = WAN_MIN(best, rows[(i - 2) % 3][j - 2] + 1u);
			row[j] = (unsigned char)best;
		}
	}
	return rows[a_count % 3][b_count];
}

const char *wan_str_nearest(const char *text, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	/* one error in three characters is still a typing error, more is another word */
	unsigned limit = (unsigned)(strnlen(text, NEAREST_MAX) + 2) / 3 + 1;
	for (size_t i = 0; i < count; i++) {
		unsigned distance = edit_distance(text, names[i]);
		if (distance < limit) {
			limit = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

bool wan_str_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == '?') {
			unsigned length = wan_utf8_length(text, strnlen(text, 4));
			text += length ? length : 1;
			pattern++;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star; /* let the last star take one byte more */
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* C0, C1, U+2028-202E, U+2066-2069. */
bool wan_str_steers(const char *text, unsigned length)
{
	const unsigned char *c = (const unsigned char *)text;
	if (length == 1)
		return c[0] < 0x20 || c[0] == 0x7f;
	if (length == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	return length == 3 && c[0] == 0xe2 &&
	       ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
		(c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

void wan_str_printable(char *to, size_t to_bytes, const char *from)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;
	if (to_bytes == 0)
		return;
	while (*from) {
		unsigned length = wan_utf8_length(from, strnlen(from, 4));
		if (length && !wan_str_steers(from, length)) {
			if (used + length >= to_bytes)
				break;
			memcpy(to + used, from, length);
			used += length;
			from += length;
			continue;
		}
		if (used + 4 >= to_bytes)
			break;
		to[used++] = '\\';
		to[used++] = 'x';
		to[used++] = digits[(unsigned char)*from >> 4];
		to[used++] = digits[(unsigned char)*from & 15];
		from++;
	}
	to[used] = '\0';
}
