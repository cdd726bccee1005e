/* SPDX-License-Identifier: MIT */
/* Messages go to the callback of the program, or nowhere: the library never prints. */
#ifndef WAN_BASE_LOG_H
#define WAN_BASE_LOG_H

#include "wan/status.h"

/* One line per message, at most 10 a minute of one cause (the format's address); the rest counted.
 */
void wan_log(enum wan_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Fills *error when it is not NULL; always returns code, so that callers can return it. */
int wan_error_set(struct wan_error *error, int code, const char *object, const char *hint,
		  const char *reason_format, ...) __attribute__((format(printf, 5, 6)));

#endif
