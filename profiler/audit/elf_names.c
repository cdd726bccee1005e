/* SPDX-License-Identifier: MIT */
#include "elf_names.h"

#include <elf.h>
#include <stddef.h>

#define HIDDEN_VERSION 0x8000

void elf_wanted_init(struct elf_wanted *wanted, const char *name)
{
	uint32_t gnu = 5381, old = 0;
	for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
		gnu = gnu * 33 + *c;
		old = (old << 4) + *c;
		old = (old ^ (old >> 24 & 0xf0)) & 0x0fffffff;
	}
	wanted->name = name;
	wanted->gnu_hash = gnu;
	wanted->old_hash = old;
}

/* The loader has made these addresses of the mapping, but not in every object and on every machine.
 */
static const void *at(const struct link_map *map, ElfW(Addr) value)
{
	return (const void *)(value < map->l_addr ? value + map->l_addr : value);
}

bool elf_names_init(struct elf_names *names, const struct link_map *map)
{
	*names = (struct elf_names){.base = map->l_addr};
	for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++) {
		switch (entry->d_tag) {
		case DT_SYMTAB:
			names->symbols = at(map, entry->d_un.d_ptr);
			break;
		case DT_STRTAB:
			names->strings = at(map, entry->d_un.d_ptr);
			break;
		case DT_VERSYM:
			names->versions = at(map, entry->d_un.d_ptr);
			break;
		case DT_GNU_HASH:
			names->gnu_hash = at(map, entry->d_un.d_ptr);
			break;
		case DT_HASH:
			names->old_hash = at(map, entry->d_un.d_ptr);
			break;
		default:
			break;
		}
	}
	return names->symbols && names->strings && (names->gnu_hash || names->old_hash);
}

/* *found: the best so far. True: no better one can come. */
static bool consider(const struct elf_names *names, const char *name, uint32_t index,
		     const void **found)
{
	const ElfW(Sym) *symbol = &names->symbols[index];
	unsigned type = ELF64_ST_TYPE(symbol->st_info);
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0 ||
	    (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE) ||
	    !text_equal(names->strings + symbol->st_name, name))
		return false;
	bool hidden = names->versions && (names->versions[index] & HIDDEN_VERSION);
	if (!*found || !hidden)
		*found = (const void *)(names->base + symbol->st_value);
	return !hidden;
}

static const void *find_gnu(const struct elf_names *names, const struct elf_wanted *wanted)
{
	const uint32_t *table = names->gnu_hash, hash = wanted->gnu_hash;
	uint32_t buckets = table[0], first = table[1], filter_words = table[2], shift = table[3];
	const ElfW(Addr) *filter = (const ElfW(Addr) *)(table + 4);
	const uint32_t *bucket = (const uint32_t *)(filter + filter_words);
	const uint32_t *chain = bucket + buckets;
	const unsigned bits = 8 * sizeof(ElfW(Addr));
	const void *found = NULL;
	if (!buckets || !filter_words)
		return NULL;
	ElfW(Addr) word = filter[hash / bits & (filter_words - 1)];
	if (!(word >> hash % bits & word >> (hash >> shift) % bits & 1))
		return NULL; /* nearly always */
	uint32_t index = bucket[hash % buckets];
	if (index < first)
		return NULL;
	for (;; index++) {
		uint32_t seen = chain[index - first];
		if ((seen | 1) == (hash | 1) && consider(names, wanted->name, index, &found))
			return found;
		if (seen & 1)
			return found;
	}
}

static const void *find_old(const struct elf_names *names, const struct elf_wanted *wanted)
{
	const uint32_t *table = names->old_hash;
	uint32_t buckets = table[0], count = table[1];
	const uint32_t *bucket = table + 2, *chain = bucket + buckets;
	const void *found = NULL;
	if (!buckets)
		return NULL;
	/* As many steps as there are names: a damaged chain may be a ring. */
	uint32_t index = bucket[wanted->old_hash % buckets];
	for (uint32_t steps = 0; index && index < count && steps < count; steps++) {
		if (consider(names, wanted->name, index, &found))
			return found;
		index = chain[index];
	}
	return found;
}

const void *elf_names_find(const struct elf_names *names, const struct elf_wanted *wanted)
{
	return names->gnu_hash ? find_gnu(names, wanted) : find_old(names, wanted);
}
