/* SPDX-License-Identifier: MIT */
#include "exec_target.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "macros.h"

enum {
	HEAD_BYTES = 4096, /* holds all that is asked of a small program */
	HEADERS_MAX = 32,
	DYNAMIC_MAX = 96,
	NEEDED_MAX = 64,
	NAME_BYTES = 20, /* enough of a name to know it */
	CHAIN_MAX = 64,  /* names of one bucket: a damaged chain has no end */
};

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#else
#define OWN_MACHINE EM_AARCH64
#endif

struct program {
	int fd;
	size_t head_bytes;
	union {
		char bytes[HEAD_BYTES];
		Elf64_Ehdr elf;
	} head;
	Elf64_Phdr headers[HEADERS_MAX];
	unsigned header_count;
	unsigned needed_count;
	uint64_t needed[NEEDED_MAX];
	uint64_t strings, symbols, hash; /* virtual addresses */
};

/* The C library's pread() is a cancellation point, which exec is not. */
static size_t read_at(const struct program *program, void *to, size_t bytes, uint64_t offset)
{
	if (offset < program->head_bytes && bytes <= program->head_bytes - offset) {
		memcpy(to, program->head.bytes + offset, bytes);
		return bytes;
	}
	if (offset > INT64_MAX)
		return 0;
	long count = syscall(SYS_pread64, program->fd, to, bytes, (off_t)offset);
	return count > 0 ? (size_t)count : 0;
}

/* 0: not in the file. Returns what was read of it. */
static size_t read_address(const struct program *program, void *to, size_t bytes, uint64_t address)
{
	for (unsigned i = 0; i < program->header_count; i++) {
		const Elf64_Phdr *h = &program->headers[i];
		if (h->p_type == PT_LOAD && address >= h->p_vaddr &&
		    address - h->p_vaddr < h->p_filesz)
			return read_at(program, to, bytes, h->p_offset + (address - h->p_vaddr));
	}
	return 0;
}

static const Elf64_Phdr *header_of_type(const struct program *program, uint32_t type)
{
	for (unsigned i = 0; i < program->header_count; i++)
		if (program->headers[i].p_type == type)
			return &program->headers[i];
	return NULL;
}

/* False: no program that a loader of ours starts. */
static bool load_headers(struct program *program)
{
	const Elf64_Ehdr *elf = &program->head.elf;
	program->head_bytes = 0;
	program->head_bytes = read_at(program, program->head.bytes, HEAD_BYTES, 0);
	if (program->head_bytes < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_machine != OWN_MACHINE ||
	    elf->e_phentsize != sizeof(program->headers[0]) || elf->e_phnum > HEADERS_MAX)
		return false;
	size_t bytes = elf->e_phnum * sizeof(program->headers[0]);
	program->header_count = elf->e_phnum;
	return read_at(program, program->headers, bytes, elf->e_phoff) == bytes &&
	       header_of_type(program, PT_INTERP);
}

static bool load_dynamic(struct program *program)
{
	Elf64_Dyn entries[DYNAMIC_MAX];
	const Elf64_Phdr *header = header_of_type(program, PT_DYNAMIC);
	if (!header)
		return false;
	size_t bytes = WAN_MIN(header->p_filesz, sizeof(entries));
	size_t count = read_at(program, entries, bytes, header->p_offset) / sizeof(entries[0]);
	program->needed_count = 0;
	program->strings = program->symbols = program->hash = 0;
	for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
		uint64_t value = entries[i].d_un.d_val;
		if (entries[i].d_tag == DT_NEEDED && program->needed_count < NEEDED_MAX)
			program->needed[program->needed_count++] = value;
		else if (entries[i].d_tag == DT_STRTAB)
			program->strings = value;
		else if (entries[i].d_tag == DT_SYMTAB)
			program->symbols = value;
		else if (entries[i].d_tag == DT_GNU_HASH)
			program->hash = value;
	}
	return program->strings != 0;
}

/* gcc's way, and clang's with -shared-libsan: the runtime is a library. */
static enum wan_exec_target judge_libraries(const struct program *program)
{
	static const struct {
		const char *name;
		enum wan_exec_target target;
	} signs[] = {
		{"libasan.so", WAN_EXEC_ALONE},           {"libclang_rt.asan", WAN_EXEC_ALONE},
		{"libtsan.so", WAN_EXEC_UNAUDITED},       {"liblsan.so", WAN_EXEC_UNAUDITED},
		{"libclang_rt.tsan", WAN_EXEC_UNAUDITED},
	};
	for (unsigned i = 0; i < program->needed_count; i++) {
		char name[NAME_BYTES] = "";
		read_address(program, name, sizeof(name), program->strings + program->needed[i]);
		for (unsigned k = 0; k < WAN_COUNT_OF(signs); k++)
			if (memcmp(name, signs[k].name, strlen(signs[k].name)) == 0)
				return signs[k].target;
	}
	return WAN_EXEC_ALL;
}

static bool is_name(const struct program *program, uint64_t at, const char *text)
{
	char name[NAME_BYTES];
	size_t bytes = strlen(text) + 1;
	return bytes <= sizeof(name) &&
	       read_address(program, name, bytes, program->strings + at) == bytes &&
	       memcmp(name, text, bytes) == 0;
}

/* Does the program define a function of this name for others? By its table of hashes. */
static bool defines(const struct program *program, const char *name)
{
	uint32_t header[4], hash = 5381, index, seen = 0;
	uint64_t word;
	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	if (read_address(program, header, sizeof(header), program->hash) != sizeof(header) ||
	    !header[0] || !header[2])
		return false;
	uint64_t filter = program->hash + sizeof(header);
	uint64_t buckets = filter + (uint64_t)header[2] * sizeof(word);
	uint64_t chain = buckets + (uint64_t)header[0] * sizeof(index);
	uint64_t at = filter + (uint64_t)(hash / 64 & (header[2] - 1)) * sizeof(word);
	if (read_address(program, &word, sizeof(word), at) != sizeof(word) ||
	    !(word >> hash % 64 & word >> (hash >> (header[3] & 31)) % 64 & 1))
		return false; /* nearly always */
	at = buckets + (uint64_t)(hash % header[0]) * sizeof(index);
	if (read_address(program, &index, sizeof(index), at) != sizeof(index) || index < header[1])
		return false;
	for (unsigned i = 0; i < CHAIN_MAX && !(seen & 1); i++, index++) {
		Elf64_Sym symbol;
		at = chain + (uint64_t)(index - header[1]) * sizeof(seen);
		if (read_address(program, &seen, sizeof(seen), at) != sizeof(seen))
			return false;
		at = program->symbols + (uint64_t)index * sizeof(symbol);
		if ((seen | 1) == (hash | 1) &&
		    read_address(program, &symbol, sizeof(symbol), at) == sizeof(symbol) &&
		    is_name(program, symbol.st_name, name))
			return true;
	}
	return false;
}

/* clang's way: the runtime is part of the program. */
static enum wan_exec_target judge_names(const struct program *program)
{
	if (!program->hash || !program->symbols)
		return WAN_EXEC_ALL;
	if (defines(program, "__msan_init"))
		return WAN_EXEC_ALONE;
	if (defines(program, "__tsan_init") || defines(program, "__lsan_init") ||
	    defines(program, "__asan_init"))
		return WAN_EXEC_UNAUDITED;
	return WAN_EXEC_ALL;
}

enum wan_exec_target wan_exec_target_of(int fd)
{
	struct program program;
	program.fd = fd;
	if (!load_headers(&program) || !load_dynamic(&program))
		return WAN_EXEC_ALL;
	enum wan_exec_target target = judge_libraries(&program);
	return target == WAN_EXEC_ALL ? judge_names(&program) : target;
}

/* Only plain files are opened, as others may wait for a writer, or notice; and as the loader opens
 * them, since a filter of system calls may allow that alone. */
enum wan_exec_target wan_exec_target_at(int folder, const char *path)
{
	struct stat status;
	if (fstatat(folder, path, &status, 0) < 0 || !S_ISREG(status.st_mode) ||
	    !(status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return WAN_EXEC_ABSENT;
	long fd = syscall(SYS_openat, folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return WAN_EXEC_ALL;
	enum wan_exec_target target = wan_exec_target_of((int)fd);
	syscall(SYS_close, (int)fd);
	return target;
}

enum wan_exec_target wan_exec_target_named(const char *name)
{
	char path[PATH_MAX];
	size_t name_bytes = strlen(name) + 1;
	if (memchr(name, '/', name_bytes))
		return wan_exec_target_at(AT_FDCWD, name);
	const char *next = getenv("PATH");
	if (!next)
		next = "/bin:/usr/bin";
	for (bool more = name_bytes > 1; more;) {
		size_t length = strcspn(next, ":");
		if (length + 1 + name_bytes <= sizeof(path)) {
			memcpy(path, next, length);
			path[length] = '/';
			memcpy(path + length + (length != 0), name, name_bytes);
			enum wan_exec_target target = wan_exec_target_at(AT_FDCWD, path);
			if (target != WAN_EXEC_ABSENT)
				return target;
		}
		more = next[length] == ':';
		next += length + 1;
	}
	return WAN_EXEC_ABSENT;
}
