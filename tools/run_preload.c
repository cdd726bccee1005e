/* SPDX-License-Identifier: MIT */
/*
 * The value of LD_PRELOAD for the command: what gives memory per operation (hooks that count, or
 * jemalloc), what the user had there, our library.
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "macros.h"
#include "str.h"

#define COUNT_NAME "libwanrt-count.so"

static bool append(char *list, size_t bytes, const char *path, size_t length)
{
	size_t used = strlen(list);
	if (used + length + 2 > bytes)
		return false;
	wan_str_format(list + used, bytes - used, "%s%.*s", used ? ":" : "", (int)length, path);
	return true;
}

/* What the user preloads, minus a copy of ours (a nested run). */
static void append_existing(char *list, size_t bytes)
{
	const char *next = getenv("LD_PRELOAD");
	while (next && *next) {
		next += strspn(next, " :");
		size_t length = strcspn(next, " :");
		if (length && !memmem(next, length, RUN_PRELOAD_NAME, strlen(RUN_PRELOAD_NAME)) &&
		    !memmem(next, length, COUNT_NAME, strlen(COUNT_NAME)))
			append(list, bytes, next, length);
		next += length;
	}
}

/*
 * memory: the library that gives memory per operation, "" for none. The user's own jemalloc is
 * asked for its counters and is not put there twice. The user's libraries stand before ours: one
 * that wraps a codec's functions too goes on to us by RTLD_NEXT, while we look for the codec
 * itself.
 */
static void build_list(struct run_preload *preload, const char *ours, const char *memory)
{
	const char *existing = getenv("LD_PRELOAD");
	preload->list[0] = '\0';
	if (memory[0] && !(existing && strstr(existing, "libjemalloc")))
		append(preload->list, sizeof(preload->list), memory, strlen(memory));
	append_existing(preload->list, sizeof(preload->list));
	append(preload->list, sizeof(preload->list), ours, strlen(ours));
}

static void give_up(struct run_preload *preload, const char *reason, const char *detail)
{
	preload->list[0] = '\0';
	preload->recording = false;
	wan_str_format(preload->reason, sizeof(preload->reason), "%s%s", reason, detail);
}

/* The library for the mode, or "" with the reason. */
static void find_memory(enum run_alloc alloc, const char *ours, struct run_preload *preload,
			char *to, size_t bytes)
{
	const char *slash = strrchr(ours, '/');
	to[0] = '\0';
	if (alloc == RUN_ALLOC_OFF)
		return;
	if (alloc == RUN_ALLOC_JEMALLOC) {
		if (run_find_jemalloc(to, bytes))
			return;
		wan_str_format(preload->reason, sizeof(preload->reason),
			       RUN_JEMALLOC_NAME
			       " was not found: memory per operation will be unknown "
			       "(Debian: apt-get install libjemalloc2)");
	} else {
		wan_str_format(to, bytes, "%.*s/" COUNT_NAME, (int)(slash ? slash - ours : 0),
			       ours);
		if (run_find_is_file(to) && run_find_make_safe(to, bytes))
			return;
		wan_str_format(preload->reason, sizeof(preload->reason),
			       COUNT_NAME " is not beside " RUN_PRELOAD_NAME
					  ": memory per operation will be unknown");
	}
	to[0] = '\0';
}

/* Nothing more is asked of it: the companion goes first, then what gives memory. */
static bool try_less(struct run_preload *preload, const char *ours, const char *memory)
{
	char messages[512];
	if (run_trial_start(preload, messages, sizeof(messages)))
		return true;
	if (preload->audit[0]) {
		run_audit_refuse(preload, "the trial of it on `true` failed: ",
				 messages[0] ? messages : "no word from the loader");
		if (run_trial_start(preload, messages, sizeof(messages)))
			return true;
	}
	if (memory[0]) {
		build_list(preload, ours, "");
		wan_str_format(preload->reason, sizeof(preload->reason),
			       "%s could not be preloaded: memory per operation will be unknown",
			       strrchr(memory, '/') + 1);
		if (run_trial_start(preload, messages, sizeof(messages)))
			return true;
	}
	give_up(preload, "the trial of " RUN_PRELOAD_NAME " on `true` failed: ",
		messages[0] ? messages : "no word from the loader");
	return false;
}

static void try_all(struct run_preload *preload, const struct run_program *program,
		    const char *ours, const char *memory)
{
	char messages[512];
	uint64_t key = run_trial_key(preload, program);
	bool audited = preload->audit[0] != '\0';
	if (run_trial_is_known(key) || !try_less(preload, ours, memory))
		return;
	if (preload->audit[0] && !run_trial_link(preload, program->elf, messages, sizeof(messages)))
		run_audit_refuse(preload,
				 "the loader cannot link the program beside it: ", messages);
	if (!preload->reason[0] && audited == (preload->audit[0] != '\0'))
		run_trial_remember(key);
}

void run_preload_prepare(const struct run_request *request, const struct run_program *program,
			 struct run_preload *preload)
{
	char ours[PATH_MAX], memory[PATH_MAX];
	preload->reason[0] = preload->audit_reason[0] = '\0';
	preload->audit[0] = preload->tunables[0] = '\0';
	if (!run_find_preload(ours, sizeof(ours))) {
		give_up(preload,
			RUN_PRELOAD_NAME " was not found beside wanprof nor in " WANPROF_LIBDIR
					 "; name it in WANPROF_PRELOAD",
			"");
		return;
	}
	/* A sanitizer has an allocator of its own, which must be there first. */
	find_memory(program->sanitizer ? RUN_ALLOC_OFF : request->alloc, ours, preload, memory,
		    sizeof(memory));
	if (program->sanitizer && request->alloc != RUN_ALLOC_OFF)
		wan_str_format(preload->reason, sizeof(preload->reason),
			       "memory per operation will be unknown: the program is built with %s",
			       program->sanitizer);
	if (request->audit != RUN_AUDIT_OFF)
		run_audit_prepare(ours, program, preload);
	if (!run_find_make_safe(ours, sizeof(ours))) {
		give_up(preload, "no folder for a link to ", ours);
		return;
	}
	preload->recording = true;
	build_list(preload, ours, memory);
	try_all(preload, program, ours, memory);
}
