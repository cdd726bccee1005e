/* SPDX-License-Identifier: MIT */
/*
 * What a loaded library defines, found by walking its own tables: inside an auditor dlsym()
 * crashes, and at the time of asking nothing is relocated yet. No libc.
 */
#ifndef WAN_AUDIT_ELF_NAMES_H
#define WAN_AUDIT_ELF_NAMES_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* The tables of one library; pointers into its mapping. */
struct elf_names {
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Half) * versions; /* or NULL */
	const uint32_t *gnu_hash;    /* either of the two, or neither */
	const uint32_t *old_hash;
	uintptr_t base;
};

/* A name to look for, with both its hashes. */
struct elf_wanted {
	const char *name;
	uint32_t gnu_hash, old_hash;
};
void elf_wanted_init(struct elf_wanted *wanted, const char *name);

/* False: the library has no names (the vDSO of some kernels, damaged files). */
bool elf_names_init(struct elf_names *names, const struct link_map *map);
/* Where the library defines it (functions and data; default version first); NULL: it does not, or
 * says so only through a resolver function. */
const void *elf_names_find(const struct elf_names *names, const struct elf_wanted *wanted);

static inline bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

#endif
