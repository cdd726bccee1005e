/* SPDX-License-Identifier: MIT */
/*
 * What leaves the machine under --redact. Paths, and free text that may hold one, become hashes
 * under a secret key (SipHash-2-4, Aumasson and Bernstein 2012): the same text gives the same hash
 * within one key, and nobody without it can try a list of names. Names that are identifiers
 * ("jpeg.decode", "thumbnail_256x256") stay: a profile without them says nothing.
 */
#ifndef WAN_PROFILER_REDACT_H
#define WAN_PROFILER_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAN_REDACTED_BYTES 40 /* "redacted-0123456789abcdef.jpeg" */

uint64_t wan_siphash(const uint64_t key[2], const void *bytes, size_t count);
/* The hash of a path; its ending stays when it names a picture or film format. Returns to. */
const char *wan_redact_path(char *to, const uint64_t key[2], const char *path);
const char *wan_redact_text(char *to, const uint64_t key[2], const char *text);
/* Letters, digits and _ . : + - only, at most 64 of them, and no name of a picture. */
bool wan_redact_is_identifier(const char *text);

#endif
