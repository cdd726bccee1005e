/* SPDX-License-Identifier: MIT */
#ifndef WAN_TOOLS_HTML_FIXES_H
#define WAN_TOOLS_HTML_FIXES_H

#include <stdbool.h>

#include "findings.h"

/* Lines to copy; path: of the recording, or NULL. Whatever is taken from the recording is quoted
 * for a shell. False: there is nothing to type. */
bool html_fix(char *to, size_t bytes, const struct wan_finding *finding, const char *path);

#endif
