/* SPDX-License-Identifier: MIT */
/* Bounded text without allocation. */
#ifndef WAN_BASE_STR_H
#define WAN_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy with termination; the result is cut at a whole UTF-8 character. Returns false when cut. */
bool wan_str_copy(char *to, size_t to_bytes, const char *from);
/* snprintf that always terminates and never fails; returns the characters now in to. */
size_t wan_str_format(char *to, size_t to_bytes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool wan_str_equal(const char *a, const char *b); /* NULL equals NULL only */
bool wan_str_starts(const char *text, const char *prefix);
/* Whole text as a decimal number. 0, -EBADMSG (not a number), -ERANGE. */
int wan_parse_u64(const char *text, uint64_t *ret_value);
int wan_parse_i64(const char *text, int64_t *ret_value);
/* Locale-independent decimal fraction. */
int wan_parse_double(const char *text, double *ret_value);
/* The nearest of count names by edit distance, NULL when none is near. */
const char *wan_str_nearest(const char *text, const char *const *names, size_t count);
/* Bytes (1 to 4) of the UTF-8 character at the front of bytes, 0 when it is not a valid one. */
unsigned wan_utf8_length(const char *text, size_t bytes);
/* Glob with * and ?. */
bool wan_str_glob(const char *pattern, const char *text);
/* Does the character of these bytes (wan_utf8_length) steer what shows it: controls, and the marks
 * that reorder or break lines? */
bool wan_str_steers(const char *text, unsigned length);
/* Copy so that a terminal or log cannot be steered: control bytes and invalid UTF-8 as \xNN. */
void wan_str_printable(char *to, size_t to_bytes, const char *from);

#endif
