/* SPDX-License-Identifier: MIT */
/* Secret hashes for whoever makes keys of its own (the runtime's stages); never written to disk. */
#ifndef WAN_IMAGE_KEY_H
#define WAN_IMAGE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "wan/cache.h"

/* One domain for each kind of thing that is hashed: equal bytes of two kinds differ. */
enum wan_key_domain {
	WAN_DOMAIN_PARTS,   /* the builder */
	WAN_DOMAIN_BYTES,   /* wan_key_of() */
	WAN_DOMAIN_CONTENT, /* what a file or a buffer holds */
	WAN_DOMAIN_PATH,
	WAN_DOMAIN_STAGE,
};

/* Returns the 128 bits; one call of XXH3, about 10 ns for 64 bytes. */
struct wan_key wan_key_hash(enum wan_key_domain domain, const void *bytes, size_t count);
/* WAN_DOMAIN_CONTENT of a regular file. 0, -EISDIR, -EINVAL (no regular file), -ENOMEM, what open
 * and read say. */
int wan_key_hash_file(const char *path, struct wan_key *ret_hash);

/* Identity by time stamps: device, inode, size, time of change of content and of anything. */
enum { WAN_STAT_WORDS = 5 };
void wan_key_stat_words(const struct stat *stat, uint64_t ret_words[WAN_STAT_WORDS]);
/* False when the file may change again without new time stamps: they move in steps. now_ns is
 * wan_realtime_ns() from before the stat. */
bool wan_key_stat_settled(const struct stat *stat, uint64_t now_ns);

#endif
