/* SPDX-License-Identifier: MIT */
/* wan-startend: what its parts share. */
#ifndef WAN_TOOLS_STARTEND_H
#define WAN_TOOLS_STARTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wan/wan.h"

enum startend_exit {
	STARTEND_DONE = 0,
	STARTEND_WARNINGS = 1, /* under --strict */
	STARTEND_USAGE = 64,
	STARTEND_BAD_IMAGE = 65,
	STARTEND_MISSING = 66,
	STARTEND_CANNOT_WRITE = 73,
	STARTEND_NO_MEMORY = 75,
};

struct startend_pair {
	char *start, *end; /* end may be NULL: it is optional */
	char *name;        /* file name prefix; "" for a single pair */
};

struct startend_options {
	struct startend_pair *pairs;
	size_t pair_count;
	const char *folder;
	const char *json_path; /* NULL: none */
	uint32_t width_px, height_px, thumbnail_px;
	enum wan_fit fit;
	enum wan_filter filter;
	bool strict, force, quiet;
};

/* 0 (go on), or an exit status + 1 when the program is to end (help, version, usage). */
int startend_parse(int argc, char **argv, struct startend_options *ret_options);
void startend_finish(struct startend_options *options);
/* The pairs of a TSV file: START<tab>END[<tab>NAME]; # begins a comment line. Exit status, 0 =
 * fine. */
int startend_read_list(const char *path, struct startend_options *options);
/* All pairs. Exit status. */
int startend_process(const struct startend_options *options, struct wan_runtime *runtime);

/* Exit status of a negative errno. */
int startend_status(int code);
/* One line "wan-startend: ..." on stderr, made harmless for a terminal. */
void startend_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "wan-startend: OBJECT: REASON; HINT". */
void startend_complain(const struct wan_error *error);

#endif
