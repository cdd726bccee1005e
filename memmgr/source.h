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
	/* Reopen what stopped working, pick up a fork. One thread at a time. May be NULL. */
	void (*repair)(void *context, uint64_t now_ns);
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
	bool broken; /* a reader failed; atomic */
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

/* Cgroups. */
struct wan_cgroup_level {
	char name[WAN_LEVEL_NAME_MAX];
	bool v2;
	bool top; /* nothing above it is visible: v1's hierarchical limit may hide a smaller one */
	struct wan_kept_file usage, limit, high, stat;
};
struct wan_source_cgroup {
	uint32_t count;
	struct wan_cgroup_level *levels; /* own level first */
};
int wan_source_cgroup_open(struct wan_source_cgroup *source, const char *root);
int wan_source_cgroup_read(struct wan_source_cgroup *source, uint64_t host_total_bytes,
			   struct wan_level_reading *levels, uint32_t capacity);
void wan_source_cgroup_close(struct wan_source_cgroup *source);

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

/* All of the above as one table. */
struct wan_real_sources {
	struct wan_source_system system;
	struct wan_source_cgroup cgroup;
	struct wan_source_process process;
	uint32_t fork_generation;
	uint64_t repaired_ns;
};
/* 0, -ENOMEM. What is missing on this machine is no error: it reads as unknown. */
int wan_real_sources_open(struct wan_real_sources *real, const struct wan_memory_paths *paths,
			  struct wan_memory_sources *ret_sources);
void wan_real_sources_close(struct wan_real_sources *real);

#endif
