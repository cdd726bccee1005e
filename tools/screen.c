/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include <stdint.h>
#include <string.h>

#include "macros.h"
#include "str.h"

/* Unicode 15: East_Asian_Width W and F, and blocks of combining marks, as far as names use them. */
static const struct range {
	uint32_t first, last;
} wide[] = {{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
	    {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26ce, 0x26ce},
	    {0x2705, 0x2705},   {0x2728, 0x2728},   {0x274c, 0x274c},   {0x2795, 0x2797},
	    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
	    {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97c},   {0xac00, 0xd7a3},
	    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
	    {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
	    {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}},
  without_width[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},  {0x0610, 0x061a},
		     {0x064b, 0x065f}, {0x0900, 0x0902}, {0x0e34, 0x0e3a},  {0x0e47, 0x0e4e},
		     {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},  {0x202a, 0x202e},
		     {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0x3099, 0x309a},  {0xfe00, 0xfe0f},
		     {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};

static bool is_in(const struct range *ranges, size_t count, uint32_t character)
{
	for (size_t i = 0; i < count; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

/* One character: its bytes; *ret_columns. Invalid bytes count one column each. */
static unsigned one(const char *text, unsigned *ret_columns)
{
	unsigned length = wan_utf8_length(text, strlen(text));
	*ret_columns = 1;
	if (length < 2)
		return 1;
	uint32_t character = (uint8_t)text[0] & (0xffu >> (length + 1));
	for (unsigned i = 1; i < length; i++)
		character = character << 6 | ((uint8_t)text[i] & 0x3f);
	if (is_in(without_width, WAN_COUNT_OF(without_width), character))
		*ret_columns = 0;
	else if (is_in(wide, WAN_COUNT_OF(wide), character))
		*ret_columns = 2;
	return length;
}

size_t wan_text_cut(const char *text, unsigned columns)
{
	size_t at = 0;
	unsigned used = 0, width;
	while (text[at]) {
		unsigned length = one(text + at, &width);
		if (used + width > columns)
			break;
		used += width;
		at += length;
	}
	return at;
}

unsigned wan_text_columns(const char *text)
{
	unsigned used = 0, width;
	while (*text) {
		text += one(text, &width);
		used += width;
	}
	return used;
}

void wan_text_field(char *to, size_t to_bytes, const char *text, unsigned columns)
{
	char shown[WAN_SCREEN_TEXT];
	wan_str_printable(shown, sizeof(shown), text);
	bool cut = wan_text_columns(shown) > columns && columns > 2;
	shown[wan_text_cut(shown, cut ? columns - 2 : columns)] = '\0';
	unsigned left = columns - wan_text_columns(shown) - (cut ? 2 : 0);
	wan_str_format(to, to_bytes, "%s%s%*s", shown, cut ? ".." : "", (int)left, "");
}

void wan_screen_line(const struct wan_screen *screen, const char *text)
{
	char shown[WAN_SCREEN_TEXT * 4];
	wan_str_printable(shown, sizeof(shown), text);
	if (wan_text_columns(shown) > screen->columns && screen->columns > 3)
		memcpy(shown + wan_text_cut(shown, screen->columns - 3), "...", 4);
	fprintf(screen->to, "%s\n", shown);
}

void wan_screen_wrapped(const struct wan_screen *screen, const char *text, unsigned indent,
			unsigned most)
{
	char shown[WAN_SCREEN_TEXT * 4];
	wan_str_printable(shown, sizeof(shown), text);
	const char *at = shown;
	for (unsigned i = 0; *at && i < most; i++) {
		unsigned room = screen->columns - (i ? indent : 0);
		size_t fits = wan_text_cut(at, room), length = fits;
		if (at[length]) {
			while (length > fits / 2 && at[length] != ' ')
				length--;
			if (at[length] != ' ')
				length = fits; /* a long word is broken where it must */
		}
		bool cut = at[length] && i + 1 == most;
		if (cut)
			length = WAN_MIN(length, wan_text_cut(at, room - 3));
		fprintf(screen->to, "%*s%.*s%s\n", i ? (int)indent : 0, "", (int)length, at,
			cut ? "..." : "");
		at += length;
		at += strspn(at, " ");
	}
}
