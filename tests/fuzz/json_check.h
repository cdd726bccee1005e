/* SPDX-License-Identifier: MIT */
/* Is this text JSON? A strict reader of RFC 8259 for tests: it builds nothing and shares no line
 * with the writer it judges. */
#ifndef WAN_TESTS_JSON_CHECK_H
#define WAN_TESTS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json_check {
	const char *at, *end;
	unsigned depth;
};

static inline void json_check_space(struct json_check *in)
{
	while (in->at < in->end && strchr(" \t\r\n", *in->at) && *in->at)
		in->at++;
}

static inline bool json_check_byte(struct json_check *in, char byte)
{
	if (in->at >= in->end || *in->at != byte)
		return false;
	in->at++;
	return true;
}

static inline bool json_check_word(struct json_check *in, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0)
		return false;
	in->at += length;
	return true;
}

static inline bool json_check_digits(struct json_check *in)
{
	const char *start = in->at;
	while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
		in->at++;
	return in->at > start;
}

static inline bool json_check_number(struct json_check *in)
{
	json_check_byte(in, '-');
	if (!json_check_byte(in, '0') && !json_check_digits(in))
		return false;
	if (json_check_byte(in, '.') && !json_check_digits(in))
		return false;
	if (json_check_byte(in, 'e') || json_check_byte(in, 'E')) {
		if (!json_check_byte(in, '-'))
			json_check_byte(in, '+');
		return json_check_digits(in);
	}
	return true;
}

static inline bool json_check_escape(struct json_check *in)
{
	if (in->at >= in->end)
		return false;
	char kind = *in->at++;
	if (kind != 'u')
		return kind && strchr("\"\\/bfnrt", kind);
	for (int i = 0; i < 4; i++, in->at++)
		if (in->at >= in->end || !*in->at || !strchr("0123456789abcdefABCDEF", *in->at))
			return false;
	return true;
}

/* One character of several bytes: decode, then look whether the shortest form was used. */
static inline bool json_check_utf8(struct json_check *in)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)*in->at;
	unsigned length = (first & 0xe0) == 0xc0   ? 2
			  : (first & 0xf0) == 0xe0 ? 3
			  : (first & 0xf8) == 0xf0 ? 4
						   : 0;
	if (!length || (size_t)(in->end - in->at) < length)
		return false;
	unsigned point = first & (0x7fu >> length);
	for (unsigned i = 1; i < length; i++) {
		if (((unsigned char)in->at[i] & 0xc0) != 0x80)
			return false;
		point = point << 6 | ((unsigned char)in->at[i] & 0x3f);
	}
	in->at += length;
	return point >= least[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

static inline bool json_check_string(struct json_check *in)
{
	if (!json_check_byte(in, '"'))
		return false;
	while (in->at < in->end && *in->at != '"') {
		unsigned char byte = (unsigned char)*in->at;
		if (byte < 0x20)
			return false;
		if (byte >= 0x80) {
			if (!json_check_utf8(in))
				return false;
			continue;
		}
		in->at++;
		if (byte == '\\' && !json_check_escape(in))
			return false;
	}
	return json_check_byte(in, '"');
}

static inline bool json_check_value(struct json_check *in);

static inline bool json_check_items(struct json_check *in, char close, bool keys)
{
	json_check_space(in);
	if (json_check_byte(in, close))
		return true;
	do {
		json_check_space(in);
		if (keys) {
			if (!json_check_string(in))
				return false;
			json_check_space(in);
			if (!json_check_byte(in, ':'))
				return false;
		}
		if (!json_check_value(in))
			return false;
		json_check_space(in);
	} while (json_check_byte(in, ','));
	return json_check_byte(in, close);
}

static inline bool json_check_value(struct json_check *in)
{
	json_check_space(in);
	if (in->at >= in->end || in->depth > 64)
		return false;
	bool valid;
	in->depth++;
	switch (*in->at) {
	case '{':
		in->at++;
		valid = json_check_items(in, '}', true);
		break;
	case '[':
		in->at++;
		valid = json_check_items(in, ']', false);
		break;
	case '"':
		valid = json_check_string(in);
		break;
	case 't':
		valid = json_check_word(in, "true");
		break;
	case 'f':
		valid = json_check_word(in, "false");
		break;
	case 'n':
		valid = json_check_word(in, "null");
		break;
	default:
		valid = json_check_number(in);
	}
	in->depth--;
	return valid;
}

/* One document, and nothing behind it. */
static inline bool json_is_valid(const char *text, size_t bytes)
{
	struct json_check in = {.at = text, .end = text + bytes};
	if (!json_check_value(&in))
		return false;
	json_check_space(&in);
	return in.at == in.end;
}

#endif
