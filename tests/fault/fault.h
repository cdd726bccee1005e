/* SPDX-License-Identifier: MIT */
/*
 * A table for wan_sys that counts every call and fails a chosen one, and a driver that fails each
 * call of a scenario in turn.
 *
 *	static void scenario(void *context)	(the same calls every time; ends with nothing held)
 *	{
 *		int error = wan_thing_create(&thing);
 *		CHECK(error == 0 || error == -ENOMEM);	(an injected fault is an ordinary result)
 *		wan_thing_destroy(thing);
 *	}
 *	CHECK(wan_fault_sweep(scenario, NULL) > 0);
 *
 * One thread installs and arms; the calls may come from any thread.
 */
#ifndef WAN_TESTS_FAULT_H
#define WAN_TESTS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum wan_fault_kind {
	WAN_FAULT_MALLOC,
	WAN_FAULT_CALLOC,
	WAN_FAULT_REALLOC,
	WAN_FAULT_MMAP,
	WAN_FAULT_MUNMAP,
	WAN_FAULT_MADVISE,
	WAN_FAULT_OPEN,
	WAN_FAULT_OPENAT,
	WAN_FAULT_CLOSE, /* closes and reports the error, as Linux does */
	WAN_FAULT_READ,
	WAN_FAULT_PREAD,
	WAN_FAULT_WRITE,
	WAN_FAULT_PWRITE,
	WAN_FAULT_FSTAT,
	WAN_FAULT_STAT,
	WAN_FAULT_FALLOCATE,
	WAN_FAULT_FTRUNCATE,
	WAN_FAULT_FSYNC,
	WAN_FAULT_RENAME,
	WAN_FAULT_UNLINK,
	WAN_FAULT_MKDIR,
	WAN_FAULT_MEMFD,
	WAN_FAULT_STATFS,
	WAN_FAULT_READLINK,
	WAN_FAULT_IOCTL,
	WAN_FAULT_INOTIFY_INIT,
	WAN_FAULT_INOTIFY_ADD,
	WAN_FAULT_INOTIFY_RM,
	WAN_FAULT_CLOCK,
	WAN_FAULT_MEMBARRIER,
	WAN_FAULT_POLL,
	WAN_FAULT_EVENTFD,
	WAN_FAULT_GETDENTS,
	WAN_FAULT_KINDS
};

/* In place of an errno, for reads and writes: the call moves half of the bytes, at least one. */
#define WAN_FAULT_SHORT (-1)

/* What is held now; all zero again when a scenario cleans up after itself. */
struct wan_fault_balance {
	int64_t blocks;       /* malloc, calloc, realloc minus free */
	int64_t mapped_bytes; /* mmap minus munmap, in whole pages */
	int64_t descriptors;  /* open, openat minus close */
};

/* Put the counting table in force with all counts zero, or the real one back. */
void wan_fault_install(void);
void wan_fault_remove(void);
/* Fail call number nth (from 1, counted from now) of kind with error; forever: all later ones too.
 */
void wan_fault_arm(enum wan_fault_kind kind, uint64_t nth, int error, bool forever);
void wan_fault_disarm(void);
/* Calls of a kind since it was armed, faults injected since, things held. */
uint64_t wan_fault_calls(enum wan_fault_kind kind);
uint64_t wan_fault_injected(void);
struct wan_fault_balance wan_fault_balance(void);
const char *wan_fault_name(enum wan_fault_kind kind);
/* What wan_now_ns() and the other clocks are moved by. */
void wan_fault_step_clock(int64_t ns);

/* Run scenario twice without a fault (so that what is made once is made), then with every call of
 * every kind failed in turn by each error that kind can have, once and for ever. Returns how many
 * runs had a fault; -1, with the kind and number as a TAP comment, when a run did not give back
 * what it took. */
int wan_fault_sweep(void (*scenario)(void *context), void *context);

#endif
