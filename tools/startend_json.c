/* SPDX-License-Identifier: MIT */
/* The JSON of --explain. wan-startend links the shared library alone, whose own writer is not part
 * of its interface. */
#include <math.h>

#include "startend.h"

/* Bytes of the character at the front, 0 when it is no UTF-8: names of files may be anything. */
static unsigned character(const unsigned char *at)
{
	unsigned length = at[0] < 0x80   ? 1
			  : at[0] < 0xc2 ? 0
			  : at[0] < 0xe0 ? 2
			  : at[0] < 0xf0 ? 3
					 : 4;
	if (at[0] > 0xf4 || (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	for (unsigned i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

static void put_string(struct startend_json *json, const char *text)
{
	putc('"', json->file);
	const unsigned char *at = (const unsigned char *)text;
	while (*at) {
		unsigned length = character(at);
		if (length == 0)
			fputs("\\ufffd", json->file);
		else if (*at == '"' || *at == '\\')
			fprintf(json->file, "\\%c", *at);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(json->file, "\\u%04x", *at);
		else
			fwrite(at, 1, length, json->file);
		at += length ? length : 1;
	}
	putc('"', json->file);
}

static void begin(struct startend_json *json, const char *name)
{
	if (json->depth)
		fprintf(json->file, "%s\n%*s", json->has_item ? "," : "", 2 * (int)json->depth, "");
	if (name) {
		put_string(json, name);
		fputs(": ", json->file);
	}
	json->has_item = true;
}

void startend_json_open(struct startend_json *json, const char *name, char bracket)
{
	begin(json, name);
	putc(bracket, json->file);
	json->depth++;
	json->has_item = false;
}

void startend_json_close(struct startend_json *json, char bracket)
{
	json->depth--;
	if (json->has_item)
		fprintf(json->file, "\n%*s", 2 * (int)json->depth, "");
	putc(bracket, json->file);
	json->has_item = true;
	if (json->depth == 0)
		putc('\n', json->file);
}

void startend_json_text(struct startend_json *json, const char *name, const char *text)
{
	begin(json, name);
	put_string(json, text);
}

void startend_json_number(struct startend_json *json, const char *name, double value)
{
	begin(json, name);
	if (isfinite(value))
		fprintf(json->file, "%.10g", value);
	else
		fputs("null", json->file);
}

void startend_json_bool(struct startend_json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", json->file);
}
