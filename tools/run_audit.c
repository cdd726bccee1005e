/* SPDX-License-Identifier: MIT */
/*
 * The values of LD_AUDIT and GLIBC_TUNABLES for the command. Under an auditor the loader lays out
 * thread-local storage before it knows the program's libraries, whose share then comes out of a
 * reserve: 512 bytes unless a tunable asks for more.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "macros.h"
#include "str.h"

#define AUDIT_NAME "libwanrt-audit.so"
#define RESERVE    "glibc.rtld.optional_static_tls"

/*
 * jemalloc takes 2.6 KiB, OpenMP, OpenGL and C++ runtimes some 100 bytes each. It is part of every
 * thread's stack: where a program wants stacks below 24 KiB, its threads cannot start.
 */
#define RESERVE_BYTES 16384ul

/* NAME=VALUE:NAME=VALUE... of the user, with the reserve raised to ours, or ours appended. */
static bool merge_tunables(char *to, size_t bytes)
{
	const char *next = getenv("GLIBC_TUNABLES");
	unsigned long reserve = RESERVE_BYTES;
	size_t used = 0;
	while (next && *next) {
		size_t length = strcspn(next, ":");
		if (wan_str_starts(next, RESERVE "=")) {
			unsigned long asked = strtoul(next + sizeof(RESERVE), NULL, 0);
			reserve = WAN_MAX(reserve, asked);
		} else if (length) {
			if (used + length + 2 > bytes)
				return false;
			used += wan_str_format(to + used, bytes - used, "%.*s:", (int)length, next);
		}
		next += length + (next[length] != '\0');
	}
	if (used + sizeof(RESERVE) + 24 > bytes)
		return false;
	wan_str_format(to + used, bytes - used, RESERVE "=%lu", reserve);
	return true;
}

void run_audit_refuse(struct run_preload *preload, const char *reason, const char *detail)
{
	preload->audit[0] = preload->tunables[0] = '\0';
	wan_str_format(preload->audit_reason, sizeof(preload->audit_reason), "%s%s", reason,
		       detail);
}

/* Libraries that lie beside ours, in a build tree in the folder next to it. */
static bool find_audit(const char *ours, char *to, size_t bytes)
{
	static const char *const beside[] = {"", "../audit/"};
	const char *slash = strrchr(ours, '/');
	for (size_t i = 0; slash && i < WAN_COUNT_OF(beside); i++) {
		wan_str_format(to, bytes, "%.*s/%s" AUDIT_NAME, (int)(slash - ours), ours,
			       beside[i]);
		if (run_find_is_file(to))
			return run_find_make_safe(to, bytes);
	}
	return false;
}

/* Other auditors of the user; in a nested run ours is there already. */
static void append_existing(char *list, size_t bytes)
{
	const char *next = getenv("LD_AUDIT");
	while (next && *next) {
		size_t length = strcspn(next, ":"), used = strlen(list);
		if (length && !memmem(next, length, AUDIT_NAME, strlen(AUDIT_NAME)) &&
		    used + length + 2 <= bytes)
			wan_str_format(list + used, bytes - used, ":%.*s", (int)length, next);
		next += length + (next[length] != '\0');
	}
}

void run_audit_prepare(const char *ours, const struct run_program *program,
		       struct run_preload *preload)
{
	if (program->sanitizer)
		run_audit_refuse(preload, "the program is built with ", program->sanitizer);
	else if (!find_audit(ours, preload->audit, sizeof(preload->audit)))
		run_audit_refuse(preload, AUDIT_NAME " is not beside the preload library", "");
	else if (!merge_tunables(preload->tunables, sizeof(preload->tunables)))
		run_audit_refuse(preload, "GLIBC_TUNABLES is too long", "");
	else
		append_existing(preload->audit, sizeof(preload->audit));
}
