/* SPDX-License-Identifier: MIT */
/*
 * Lines of text for a terminal: cut or wrapped at its width, counted in columns rather than bytes,
 * with everything that could steer the terminal made visible.
 */
#ifndef WAN_TOOLS_SCREEN_H
#define WAN_TOOLS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { WAN_SCREEN_TEXT = 1024 }; /* bytes of one text, before control bytes are shown as \xNN */

struct wan_screen {
	FILE *to;
	unsigned columns;
	bool colour;
};

/* Columns that printable UTF-8 takes: 2 for East Asian wide characters and emoji, 0 for marks that
 * combine with the character before. */
unsigned wan_text_columns(const char *text);
/* Bytes of the longest start of text that takes at most columns; whole characters. */
size_t wan_text_cut(const char *text, unsigned columns);
/* Copy, made printable, cut or filled with spaces to exactly so many columns; ".." marks a cut. */
void wan_text_field(char *to, size_t to_bytes, const char *text, unsigned columns);

/* One line, cut to the width. */
void wan_screen_line(const struct wan_screen *screen, const char *text);
/*
 * Broken at spaces into at most `most` lines; those after the first begin with indent spaces. Ends
 * in "..." when it did not fit.
 */
void wan_screen_wrapped(const struct wan_screen *screen, const char *text, unsigned indent,
			unsigned most);

#endif
