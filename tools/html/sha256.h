/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4) in base64, as content policies name a script. Pure; for short texts. */
#ifndef WAN_TOOLS_HTML_SHA256_H
#define WAN_TOOLS_HTML_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BASE64_BYTES 45
void sha256_base64(char to[SHA256_BASE64_BYTES], const void *bytes, size_t count);

#endif
