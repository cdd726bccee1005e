/* SPDX-License-Identifier: MIT */
/* report.css and report.js, made C arrays at build time by embed.c. */
#ifndef WAN_TOOLS_HTML_ASSETS_H
#define WAN_TOOLS_HTML_ASSETS_H

#include <stddef.h>

extern const char html_style[];
extern const size_t html_style_bytes;
extern const char html_script[];
extern const size_t html_script_bytes;

#endif
