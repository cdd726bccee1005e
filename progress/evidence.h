/* SPDX-License-Identifier: MIT */
/*
 * What the kernel and the recording say of a process and of one of its threads at one moment: the
 * material for the cause of a silence. Read only when something is late, through descriptors that
 * stay open; nothing here allocates, and never is /proc/PID/smaps touched.
 */
#ifndef WAN_PROGRESS_EVIDENCE_H
#define WAN_PROGRESS_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader.h"

/* Where a thread sleeps, as far as the kernel tells us. */
enum wan_sleep {
	WAN_SLEEP_UNKNOWN, /* or it does not sleep */
	WAN_SLEEP_FUTEX,   /* a lock, a condition, a join */
	WAN_SLEEP_DISK,    /* a read, write or flush of a file system or block device */
	WAN_SLEEP_OTHER,   /* a pipe, a socket, a timer */
};

/* Counters are UINT64_MAX when they cannot be read. */
struct wan_evidence {
	uint64_t time_ns; /* CLOCK_MONOTONIC; 0: nothing has been read */
	bool readable;    /* the process's state could be read, or that it is gone */
	bool gone;        /* ended, or not yet waited for, or another process has its pid */
	bool stopped;     /* by a signal, a debugger or the freezer */
	bool killed_for_memory;
	int exit_status;   /* as of wait(); -1: not known */
	char thread_state; /* 'R', 'S', 'D', 'T', ...; 0: not known */
	enum wan_sleep sleep;
	uint64_t cpu_ns, thread_cpu_ns;     /* of the process, of the thread */
	uint64_t storage_bytes, call_bytes; /* read and written: by the disk, by system calls */
	uint64_t major_faults;              /* of the process */
	uint64_t refaults;            /* pages of its memory group, thrown out and read again */
	uint64_t out_of_memory_kills; /* in its memory group, since it was opened */
	int gpu_percent;              /* busy; -1: not known */
	uint64_t gpu_wait_ns;         /* in one wait for the device; 0: in none */
	uint64_t device_done;         /* work that devices are known to have done */
	char where[32];               /* the kernel's function it sleeps in; "": not known */
};

/* Fixed size, no heap. Zeroed is closed. Belongs to one thread at a time. */
struct wan_evidence_reader {
	uint32_t pid, thread;
	uint32_t fork_generation;
	uint64_t start_ticks;
	bool open, own;
	int stat, io, memory, kills; /* -1: not to be had */
	int thread_stat, thread_sched, wait, call;
	uint64_t kills_before;
};

/*
 * For a process (pid 0: this one) and the thread that makes its progress (0: the main thread). What
 * may not be read is left out. Returns 0, -ESRCH (there is no such process), -EINVAL.
 * Give it back with wan_evidence_close(). Threads: one at a time per reader.
 */
int wan_evidence_open(struct wan_evidence_reader *reader, uint32_t pid, uint32_t thread);
/* Another thread makes the progress now; the same one: nothing is done. */
void wan_evidence_thread(struct wan_evidence_reader *reader, uint32_t thread);
/* Cost: 35 to 45 us, nearly all of it the kernel's. */
void wan_evidence_take(struct wan_evidence_reader *reader, struct wan_evidence *ret_evidence);
/* NULL or closed is fine. */
void wan_evidence_close(struct wan_evidence_reader *reader);

/* Adds what the recording of the process knows: a wait for the device of that thread that is under
 * way (thread 0: of any), what devices have done, and how the process ended. Pure. */
void wan_evidence_add_recording(struct wan_evidence *evidence, const struct wan_process *process,
				uint32_t thread);

/* Texts of the kernel, for tests and the reader above. Pure. Unknown or damaged: nothing changes.
 */
void wan_evidence_parse_stat(struct wan_evidence *evidence, const char *text, bool of_thread,
			     uint64_t *ret_start_ticks);
void wan_evidence_parse_io(struct wan_evidence *evidence, const char *text);
void wan_evidence_parse_wait(struct wan_evidence *evidence, const char *wchan, const char *call);

#endif
