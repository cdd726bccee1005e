/* SPDX-License-Identifier: MIT */
/*
 * Can a program be recorded? The loader ignores LD_PRELOAD for set-uid programs, static programs
 * have no loader, 32-bit programs cannot load our library, and a program built with a sanitizer
 * may refuse to start when anything is preloaded before its runtime.
 */
#include "run.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

enum {
	SCRIPT_DEPTH_MAX = 4, /* the kernel's own limit is 5 */
	SCRIPT_LINE_BYTES = 256,
	DYNAMIC_BYTES_MAX = 64 * 1024,
	PROGRAM_HEADERS_MAX = 256,
};

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE
#endif

static bool is_program(const char *path)
{
	struct stat status;
	return wan_sys->stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       access(path, X_OK) == 0;
}

/* As execvp(): a name with a slash is a path, else the folders of PATH in turn. */
static bool find_in_path(const char *name, char *to, size_t bytes)
{
	if (strchr(name, '/'))
		return wan_str_copy(to, bytes, name) && is_program(to);
	const char *path = getenv("PATH");
	if (!path)
		path = "/bin:/usr/bin";
	while (*name) {
		size_t length = strcspn(path, ":");
		wan_str_format(to, bytes, "%.*s%s%s", (int)length, path, length ? "/" : "", name);
		if (is_program(to))
			return true;
		if (!path[length])
			break;
		path += length + 1;
	}
	return false;
}

__attribute__((format(printf, 2, 3))) static void refuse(struct run_program *program,
							 const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(program->reason, sizeof(program->reason), format, arguments);
	va_end(arguments);
	program->recordable = false;
}

/* Would exec change user, group or capabilities, so that the loader distrusts the environment? */
static bool changes_privilege(int fd, const struct stat *status)
{
	struct statvfs mount;
	char capabilities[64];
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return false;
	if (fstatvfs(fd, &mount) == 0 && (mount.f_flag & ST_NOSUID))
		return false;
	if ((status->st_mode & S_ISUID) && status->st_uid != getuid())
		return true;
	/* Set-gid without group execute was mandatory locking once, never a change of group. */
	if ((status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP) &&
	    status->st_gid != getgid())
		return true;
	return getuid() != 0 &&
	       fgetxattr(fd, "security.capability", capabilities, sizeof(capabilities)) > 0;
}

/* The part of the file that a segment describes, or NULL; wan_free() it. */
static void *load_segment(int fd, uint64_t offset, uint64_t bytes, uint64_t most)
{
	if (!bytes || bytes > most)
		return NULL;
	char *block = malloc(bytes + 1);
	if (!block)
		return NULL;
	if (wan_pread_full(fd, block, bytes, (off_t)offset) != (ssize_t)bytes) {
		free(block);
		return NULL;
	}
	block[bytes] = '\0';
	return block;
}

/* File offset of a virtual address, by the loaded segments. */
static bool file_offset(const Elf64_Phdr *headers, size_t count, uint64_t address,
			uint64_t *ret_offset)
{
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *h = &headers[i];
		if (h->p_type == PT_LOAD && address >= h->p_vaddr &&
		    address - h->p_vaddr < h->p_filesz) {
			*ret_offset = h->p_offset + (address - h->p_vaddr);
			return true;
		}
	}
	return false;
}

/* The names that the program shares with its libraries, or NULL; free() them. */
static char *load_names(int fd, const Elf64_Phdr *headers, size_t count,
			const Elf64_Phdr *dynamic_header, size_t *ret_bytes)
{
	char *names = NULL;
	Elf64_Dyn *dynamic = load_segment(fd, dynamic_header->p_offset, dynamic_header->p_filesz,
					  DYNAMIC_BYTES_MAX);
	if (!dynamic)
		return NULL;
	uint64_t at = 0, bytes = 0;
	for (size_t i = 0; i < dynamic_header->p_filesz / sizeof(*dynamic); i++) {
		if (dynamic[i].d_tag == DT_STRTAB)
			at = dynamic[i].d_un.d_ptr;
		else if (dynamic[i].d_tag == DT_STRSZ)
			bytes = dynamic[i].d_un.d_val;
	}
	if (file_offset(headers, count, at, &at))
		names = load_segment(fd, at, bytes, 64 * WAN_MIB);
	*ret_bytes = bytes;
	free(dynamic);
	return names;
}

/*
 * gcc links a sanitizer's runtime as a library, clang into the program, where its entry shows among
 * the names. Some refuse whatever stands before them; all of them come first with the allocator,
 * and their thread-local storage fits into no reserve.
 */
static void inspect_sanitizers(const char *names, size_t bytes, const char *path,
			       struct run_program *program)
{
	static const struct {
		const char *name, *sanitizer;
		bool refuses;
	} signs[] = {
		{"libasan.so", "AddressSanitizer", true},
		{"libclang_rt.asan", "AddressSanitizer", true},
		{"__msan_init", "MemorySanitizer", true},
		{"__asan_init", "AddressSanitizer", false},
		{"__tsan_init", "ThreadSanitizer", false},
		{"libtsan.so", "ThreadSanitizer", false},
		{"__lsan_init", "LeakSanitizer", false},
		{"liblsan.so", "LeakSanitizer", false},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(signs); i++) {
		if (!memmem(names, bytes, signs[i].name, strlen(signs[i].name)))
			continue;
		if (signs[i].refuses)
			refuse(program, "%s is built with %s, which refuses preloading", path,
			       signs[i].sanitizer);
		program->sanitizer = signs[i].sanitizer;
		return;
	}
}

static const Elf64_Phdr *header_of_type(const Elf64_Phdr *headers, size_t count, uint32_t type)
{
	for (size_t i = 0; i < count; i++)
		if (headers[i].p_type == type)
			return &headers[i];
	return NULL;
}

/* glibc's loader is ld-linux-x86-64.so.2, ld-linux-aarch64.so.1; musl's is ld-musl-... */
static void inspect_loader(int fd, const Elf64_Phdr *header, struct run_program *program)
{
	char *loader = load_segment(fd, header->p_offset, header->p_filesz, PATH_MAX);
	if (!loader)
		return;
	const char *name = strrchr(loader, '/');
	name = name ? name + 1 : loader;
	if (!wan_str_starts(name, "ld-linux") && !wan_str_starts(name, "ld64"))
		refuse(program, "it uses another C library than ours (its loader is %s)", loader);
	wan_str_copy(program->loader, sizeof(program->loader), loader);
	free(loader);
}

static void inspect_elf64(int fd, const Elf64_Ehdr *elf, const char *path,
			  struct run_program *program)
{
	if (elf->e_machine != OWN_MACHINE) {
		refuse(program, "%s is built for another processor", path);
		return;
	}
	size_t count = WAN_MIN(elf->e_phnum, PROGRAM_HEADERS_MAX);
	Elf64_Phdr *headers = elf->e_phentsize == sizeof(*headers)
				      ? load_segment(fd, elf->e_phoff, count * sizeof(*headers),
						     PROGRAM_HEADERS_MAX * sizeof(*headers))
				      : NULL;
	if (!headers)
		return;
	const Elf64_Phdr *loader = header_of_type(headers, count, PT_INTERP);
	const Elf64_Phdr *dynamic = header_of_type(headers, count, PT_DYNAMIC);
	const char *name = strrchr(path, '/');
	bool is_loader = wan_str_starts(name ? name + 1 : path, "ld-linux");
	if (loader)
		inspect_loader(fd, loader, program);
	else if (!is_loader)
		refuse(program, "%s is linked statically, so no library can be put before it",
		       path);
	size_t bytes = 0;
	char *names = program->recordable && dynamic
			      ? load_names(fd, headers, count, dynamic, &bytes)
			      : NULL;
	if (names)
		inspect_sanitizers(names, bytes, path, program);
	free(names);
	free(headers);
}

static void inspect_file(const char *path, struct run_program *program, unsigned depth);

/* "#!/usr/bin/env python3": both the interpreter and what env will look for. */
static void inspect_script(char *line, struct run_program *program, unsigned depth)
{
	char found[PATH_MAX];
	char *save = NULL;
	line[strcspn(line, "\n")] = '\0';
	const char *interpreter = strtok_r(line + 2, " \t", &save);
	const char *argument = strtok_r(NULL, " \t", &save);
	if (!interpreter || depth >= SCRIPT_DEPTH_MAX)
		return;
	inspect_file(interpreter, program, depth + 1);
	const char *name = strrchr(interpreter, '/');
	if (!program->recordable || !argument || strcmp(name ? name + 1 : interpreter, "env") != 0)
		return;
	if (argument[0] != '-' && !strchr(argument, '=') &&
	    find_in_path(argument, found, sizeof(found)))
		inspect_file(found, program, depth + 1);
}

static void inspect_file(const char *path, struct run_program *program, unsigned depth)
{
	union {
		char line[SCRIPT_LINE_BYTES + 1];
		Elf64_Ehdr elf;
	} head = {.line = ""};
	struct stat status;
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		/* Executable but not readable: such a process is not ours to look into. */
		if (errno == EACCES)
			refuse(program, "%s may be executed but not read", path);
		return;
	}
	if (wan_sys->fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return;
	ssize_t bytes = wan_pread_full(fd, head.line, SCRIPT_LINE_BYTES, 0);
	if (bytes > 2 && memcmp(head.line, "#!", 2) == 0) {
		inspect_script(head.line, program, depth);
		return;
	}
	if (changes_privilege(fd, &status)) {
		refuse(program,
		       "%s is set-uid, set-gid or has capabilities, and the system preloads "
		       "nothing "
		       "into such programs",
		       path);
		return;
	}
	if (bytes < (ssize_t)sizeof(head.elf) || memcmp(head.elf.e_ident, ELFMAG, SELFMAG) != 0)
		return;
	wan_str_copy(program->elf, sizeof(program->elf), path);
	if (head.elf.e_ident[EI_CLASS] == ELFCLASS64)
		inspect_elf64(fd, &head.elf, path, program);
	else
		refuse(program, "%s is a 32-bit program", path);
}

void run_program_inspect(const char *name, struct run_program *ret_program)
{
	ret_program->recordable = true;
	ret_program->reason[0] = ret_program->elf[0] = ret_program->loader[0] = '\0';
	ret_program->sanitizer = NULL;
	if (find_in_path(name, ret_program->path, sizeof(ret_program->path)))
		inspect_file(ret_program->path, ret_program, 0);
	else
		ret_program->path[0] = '\0';
}
