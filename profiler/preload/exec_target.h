/* SPDX-License-Identifier: MIT */
/*
 * What a program that is about to be started can bear beside it. A sanitizer's runtime does not
 * start under an auditor, or behind any library. wanprof run finds that out for its command
 * (tools/run_program.c); here the same is asked for what the command starts in turn.
 *
 * Called between fork or vfork and exec, in signal handlers too: no allocation, no lock, no C
 * library but plain copies, no cancellation point, stack below 16 KiB. errno may change.
 */
#ifndef WAN_PRELOAD_EXEC_TARGET_H
#define WAN_PRELOAD_EXEC_TARGET_H

enum wan_exec_target {
	WAN_EXEC_ABSENT,    /* no executable file is there */
	WAN_EXEC_ALL,       /* an ordinary program, or one that cannot be looked into */
	WAN_EXEC_UNAUDITED, /* the hooks, but neither the auditor nor an allocator */
	WAN_EXEC_ALONE,     /* refuses everything that is preloaded */
};

/* folder: AT_FDCWD or a descriptor that path starts from. */
enum wan_exec_target wan_exec_target_at(int folder, const char *path);
/* An open file, whose position stays. */
enum wan_exec_target wan_exec_target_of(int fd);
/* A name without a slash is looked for in PATH as execvp() does. */
enum wan_exec_target wan_exec_target_named(const char *name);

#endif
