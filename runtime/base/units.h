/* SPDX-License-Identifier: MIT */
/* "256M", "500ms", "75%": parsed at the edge only. MB is 1 048 576 bytes. */
#ifndef WAN_BASE_UNITS_H
#define WAN_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes: plain, or K M G T (optionally iB or B) by powers of 1024. 0, -EBADMSG, -ERANGE. */
int wan_parse_bytes(const char *text, uint64_t *ret_bytes);
/* Time: ns us ms s min h; a plain number is in default_unit_ns. */
int wan_parse_duration_ns(const char *text, uint64_t default_unit_ns, uint64_t *ret_ns);
/* "12.3 MB", "512 B"; "1.25 s", "12.3 ms". Return to. */
const char *wan_format_bytes(char *to, size_t to_bytes, uint64_t bytes);
const char *wan_format_duration(char *to, size_t to_bytes, uint64_t ns);

#endif
