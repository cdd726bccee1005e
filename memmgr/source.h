/* SPDX-License-Identifier: MIT */
/*
 * Where figures come from. The table can be replaced (tests, demonstrations); the real one reads
 * through descriptors that stay open and allocates nothing after it was opened.
 */
#ifndef WAN_MEMMGR_SOURCE_H
#define WAN_MEMMGR_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

enum {
	WAN_CGROUP_LEVELS_MAX = 32, /* deeper trees: the levels nearest to the root are kept */
	WAN_GPU_DEVICES_MAX = 64,
	WAN_LEVEL_NAME_MAX = 64,
};

/* Something with a limit, and what is really needed of it (file pages do not count). */
struct wan_level_reading {
	char name[WAN_LEVEL_NAME_MAX];
	uint64_t limit_bytes;
	uint64_t need_bytes;
	bool covered; /* the kernel tells before need can reach the lowest of the steps */
};

struct wan_light {
	uint64_t now_ns;
	double line_pct; /* admission stays below this share of each limit */
};

struct wan_memory_sources {
	void *context;
	/* MemTotal and MemAvailable. 0, negative errno. */
	int (*host)(void *context, uint64_t *ret_total_bytes, uint64_t *ret_available_bytes);
	/* Cgroup levels that have a limit below host_total_bytes (0: unknown), own level first.
	 * Returns their number, negative errno. May be NULL. */
	int (*cgroups)(void *context, uint64_t host_total_bytes, struct wan_level_reading *levels,
		       uint32_t capacity);
	/* Resident bytes of this process. 0, negative errno. May be NULL. */
	int (*process)(void *context, uint64_t *ret_rss_bytes);
	/* Fullest of the devices in the mask (bit n: device n). 0, negative errno (-ENODEV: no CUDA
	 * in this process). Only called when the program said that it uses a GPU. May be NULL. */
	int (*gpu)(void *context, uint64_t device_mask, uint64_t *ret_used_bytes,
		   uint64_t *ret_total_bytes);
	/* The device current in the calling thread. Device number, negative errno. May be NULL. */
	int (*gpu_current)(void *context);
	/* Reopen what stopped working, pick up a fork or a move to another cgroup. One thread at a
	 * time. May be NULL. */
	void (*repair)(void *context, uint64_t now_ns);
	/* More about a device where NVML tells: bytes that this process has there (else untouched)
	 * and utilisation. May be NULL. */
	void (*gpu_more)(void *context, int device, uint64_t *ret_own_bytes,
			 double *ret_utilization_percent);
	/* Whether a framework is loaded that keeps freed device memory for itself. May be NULL. */
	bool (*gpu_cached)(void *context);
	/* As host and cgroups, for who looks a thousand times a second: figures that cannot have
	 * come near the line since they were read stand for up to 20 ms; limits and usages are read
	 * each time. May be NULL. */
	int (*host_lightly)(void *context, const struct wan_light *light, uint64_t *ret_total_bytes,
			    uint64_t *ret_available_bytes);
	int (*cgroups_lightly)(void *context, const struct wan_light *light,
			       uint64_t host_total_bytes, struct wan_level_reading *levels,
			       uint32_t capacity);
	/* What could not be had, in words, one thing a call and each once; false: nothing new. One
	 * thread at a time. May be NULL. */
	bool (*trouble)(void *context, char *text, size_t bytes);
	/* Descriptors that become readable when a level nears a step (steps_pct) or its limit; they
	 * are made and renewed by the call, and stay ours. Returns how many. One thread at a time.
	 * May be NULL. */
	uint32_t (*watch)(void *context, const double *steps_pct, int *fds, uint32_t capacity);
	/* One of them was readable: calms all down. May be NULL. */
	void (*woken)(void *context);
	/* Share of time in per cent that some task of this group, or of the host, waited for memory
	 * in the last 10 s. 0, negative errno. May be NULL. */
	int (*pressure)(void *context, double *ret_some_pct);
	/* "python3 (process 123) holds 20.1 GB": who holds most of a level. Slow. 0, negative errno
	 * (-ENOENT: nobody can be named). One thread at a time. May be NULL. */
	int (*holder)(void *context, const char *level_name, char *to, size_t bytes);
};

/* Roots of the real files; "" or NULL: "/". A test builds a tree below a folder of its own. */
struct wan_memory_paths {
	const char *root;
};

/* A small kernel file that stays open. Readers only load fd; wan_kept_repair() alone stores. */
struct wan_kept_file {
	char *path;
	int fd;          /* -1: not there; loaded and stored atomically */
	uint64_t device; /* what we opened, so that a foreign descriptor is never closed */
	uint64_t inode;
	int error;   /* errno of the last attempt to open it, 0: it is open */
	bool broken; /* a reader failed, or it is there but cannot be opened; atomic */
};
/* Takes root, folder and name together. 0, -ENOMEM; a missing file is no error (fd is -1). */
int wan_kept_open(struct wan_kept_file *file, const char *root, const char *folder,
		  const char *name);
/* Length of the text in to, negative errno (-ENOENT: not there). */
int wan_kept_read(struct wan_kept_file *file, char *to, size_t bytes);
void wan_kept_repair(struct wan_kept_file *file, bool always);
void wan_kept_close(struct wan_kept_file *file);

/* Host. */
struct wan_source_system {
	struct wan_kept_file meminfo;
};
int wan_source_system_open(struct wan_source_system *source, const char *root);
int wan_source_system_read(struct wan_source_system *source, uint64_t *ret_total_bytes,
			   uint64_t *ret_available_bytes);
void wan_source_system_close(struct wan_source_system *source);

/* Cgroups. What a level's files cannot tell; each is said once. */
enum wan_cgroup_trouble {
	WAN_CGROUP_LIMIT_UNREADABLE,
	WAN_CGROUP_LIMIT_GARBAGE,
	WAN_CGROUP_USAGE_UNREADABLE,
	WAN_CGROUP_STAT_UNREADABLE,
	WAN_CGROUP_NO_EVENTS,
	WAN_CGROUP_TROUBLES,
};

struct wan_cgroup_level {
	char name[WAN_LEVEL_NAME_MAX];
	char *folder; /* with the root in front */
	bool v2;
	bool top; /* nothing above it is visible: v1's hierarchical limit may hide a smaller one */
	struct wan_kept_file usage, limit, high, stat;
	struct wan_kept_file both_usage, both_limit; /* v1: memory and swap together */
	/* What was last read, for when it is not read again or cannot be; atomic, relaxed. */
	uint64_t limit_bytes;   /* of its own files; 0: never */
	uint64_t hidden_bytes;  /* v1, top: the hierarchical limit; 0: none */
	uint64_t clean_bytes;   /* part of usage that is not need */
	uint64_t swapped_bytes; /* v1: counts against the limit of both; 0: no such limit */
	uint64_t both_limit_bytes;
	uint64_t stat_ns; /* when; 0: never */
	uint32_t trouble; /* bits of enum wan_cgroup_trouble */
	uint32_t told;    /* of those */
	/* Events: stored by who watches; others only load armed_bytes. */
	struct wan_event event; /* v1 */
	uint64_t armed_limit;   /* the limit it was armed for; 0: not armed */
	uint64_t armed_bytes;   /* usage at which it tells first; atomic */
	uint64_t arm_failed_ns; /* not tried again for a while */
	bool limit_watch_tried; /* its limits' files, through inotify */
};
struct wan_cgroup_tree {
	uint32_t count;
	struct wan_cgroup_level levels[WAN_CGROUP_LEVELS_MAX]; /* own level first */
};
struct wan_source_cgroup {
	char *root;
	struct wan_cgroup_tree *tree;    /* atomic; NULL: none could be found */
	struct wan_cgroup_tree *retired; /* replaced, freed when nobody reads any more */
	uint32_t readers;                /* atomic */
	uint64_t all_ns;                 /* when every level was last read whole; atomic */
	uint32_t lowest_step_ppm;        /* of the steps that are watched; 0: none yet; atomic */
	struct wan_kept_file self;       /* says which groups we are in */
	uint64_t self_hash;              /* of its text when the tree was opened; 0: unknown */
	bool unknown;                    /* it cannot be read, though it is there */
	bool told;
	int inotify_fd;         /* v2; -1: none */
	uint64_t inotify_inode; /* of a file that it watches */
};
int wan_source_cgroup_open(struct wan_source_cgroup *source, const char *root);
/* Host and tightest level are read whole, the other levels once a second; light NULL: so, else the
 * tightest not each time either. While its usage is below all steps that are watched, so is its
 * need: its memory.stat is then read once a second. */
int wan_source_cgroup_read(struct wan_source_cgroup *source, const struct wan_light *light,
			   uint64_t host_total_bytes, struct wan_level_reading *levels,
			   uint32_t capacity);
/* forked: the files name the parent. */
void wan_source_cgroup_repair(struct wan_source_cgroup *source, bool forked);
bool wan_source_cgroup_trouble(struct wan_source_cgroup *source, char *text, size_t bytes);
uint32_t wan_source_cgroup_watch(struct wan_source_cgroup *source, const double *steps_pct,
				 int *fds, uint32_t capacity);
void wan_source_cgroup_woken(struct wan_source_cgroup *source);
void wan_source_cgroup_unwatch(struct wan_source_cgroup *source);
void wan_source_cgroup_close(struct wan_source_cgroup *source);

/* Who holds most, in words. 0, -ENOENT. */
int wan_source_holder(const struct wan_source_cgroup *cgroup, const char *level_name, char *to,
		      size_t bytes);

/* How long figures stand that are so far below the line; at most 20 ms. Pure. */
uint64_t wan_reading_stands_ns(const struct wan_level_reading *reading, double line_pct);

/* All levels of this process, and where they were found; *ret_tree is NULL when it is in none.
 * 0, -ENOMEM, or why they cannot be known. */
int wan_cgroup_tree_open(const char *root, struct wan_cgroup_tree **ret_tree);
void wan_cgroup_tree_close(struct wan_cgroup_tree *tree);
void wan_cgroup_level_trouble(struct wan_cgroup_level *level, enum wan_cgroup_trouble trouble);

/* Process. */
struct wan_source_process {
	struct wan_kept_file statm;
};
int wan_source_process_open(struct wan_source_process *source, const char *root);
int wan_source_process_read(struct wan_source_process *source, uint64_t *ret_rss_bytes);
void wan_source_process_close(struct wan_source_process *source);

/* GPU, through the CUDA runtime that the program itself has loaded. */
int wan_source_gpu_current(void);
int wan_source_gpu_read(uint64_t device_mask, uint64_t *ret_used_bytes, uint64_t *ret_total_bytes);
/* What NVML tells beside that; untouched where it does not. */
void wan_source_gpu_more(int device, uint64_t *ret_own_bytes, double *ret_utilization_percent);

/* All of the above as one table. */
struct wan_real_sources {
	struct wan_source_system system;
	struct wan_source_cgroup cgroup;
	struct wan_source_process process;
	struct wan_kept_file pressure; /* PSI of the host */
	uint32_t fork_generation;
	uint64_t repaired_ns;
	/* The host as it was last read, for light looks; atomic, relaxed. */
	uint64_t host_total_bytes, host_available_bytes, host_ns;
	bool host_failed, host_told; /* meminfo cannot be read; it was said */
};
/* 0, -ENOMEM. What is missing on this machine is no error: it reads as unknown. */
int wan_real_sources_open(struct wan_real_sources *real, const struct wan_memory_paths *paths,
			  struct wan_memory_sources *ret_sources);
void wan_real_sources_close(struct wan_real_sources *real);

#endif
