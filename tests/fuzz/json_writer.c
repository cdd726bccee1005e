/* SPDX-License-Identifier: MIT */
/*
 * The input is a program for the JSON writer: each byte chooses a call, the bytes behind it are its
 * arguments. Whatever is called in whatever order, the writer either reports misuse or has written
 * valid documents, one a line.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "json_check.h"
#include "json_writer.h"

#define CALLS 13

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct input {
	const uint8_t *at, *end;
};

static uint64_t take_u64(struct input *in)
{
	uint64_t value = 0;
	size_t count = (size_t)(in->end - in->at);
	count = count < sizeof(value) ? count : sizeof(value);
	if (count)
		memcpy(&value, in->at, count);
	in->at += count;
	return value;
}

/* A byte that says how many follow. */
static const char *take_text(struct input *in, size_t *ret_bytes)
{
	size_t want = in->at < in->end ? *in->at++ : 0;
	size_t left = (size_t)(in->end - in->at);
	const char *text = (const char *)in->at;
	*ret_bytes = want < left ? want : left;
	in->at += *ret_bytes;
	return text;
}

/* Random bytes are hardly ever all printable; real names are. */
static void write_printable(struct wan_json *json, struct input *in)
{
	char text[256];
	size_t length;
	const char *raw = take_text(in, &length);
	for (size_t i = 0; i < length; i++)
		text[i] = (char)(0x20 + (unsigned char)raw[i] % 0x60);
	wan_json_string_n(json, text, length);
}

static void write_key(struct wan_json *json, struct input *in)
{
	char name[256];
	size_t length;
	const char *text = take_text(in, &length);
	if (length)
		memcpy(name, text, length);
	name[length] = '\0';
	wan_json_key(json, name);
}

static void call(struct wan_json *json, struct input *in)
{
	double number;
	uint64_t bits;
	size_t length;
	const char *text;
	switch (*in->at++ % CALLS) {
	case 0:
		wan_json_object_begin(json);
		break;
	case 1:
		wan_json_object_end(json);
		break;
	case 2:
		wan_json_array_begin(json);
		break;
	case 3:
		wan_json_array_end(json);
		break;
	case 4:
		write_key(json, in);
		break;
	case 5:
		text = take_text(in, &length);
		wan_json_string_n(json, text, length);
		break;
	case 6:
		wan_json_u64(json, take_u64(in));
		break;
	case 7:
		wan_json_i64(json, (int64_t)take_u64(in));
		break;
	case 8:
		bits = take_u64(in);
		memcpy(&number, &bits, sizeof(number));
		wan_json_double(json, number, (unsigned)(bits % 12));
		break;
	case 9:
		wan_json_bool(json, in->at < in->end && *in->at & 1);
		break;
	case 10:
		wan_json_null(json);
		break;
	case 11:
		wan_json_line_end(json);
		break;
	case 12:
		write_printable(json, in);
		break;
	}
}

static void check_lines(const char *text, size_t bytes)
{
	const char *end = text + bytes;
	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		size_t length = line ? (size_t)(line - text) : (size_t)(end - text);
		if (length && !json_is_valid(text, length))
			abort();
		text += length + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct wan_json_memory memory = {0};
	struct wan_json json;
	struct input in = {.at = data, .end = data + bytes};
	bool pretty = bytes && data[0] & 0x80;
	unsigned documents = 0;
	wan_json_init(&json, wan_json_write_memory, &memory, pretty);
	while (in.at < in.end) {
		documents += *in.at % CALLS == 11;
		call(&json, &in);
	}
	if (wan_json_finish(&json) == 0 && memory.text) {
		if (!pretty)
			check_lines(memory.text, memory.bytes);
		else if (!documents && !json_is_valid(memory.text, memory.bytes))
			abort();
	}
	wan_free(memory.text);
	return 0;
}
