/* SPDX-License-Identifier: MIT */
/*
 * What is remembered about paths, files and watches, in arrays of fixed length. No system call is
 * made here, so that every step can be tested by itself. The caller holds the identity's lock.
 *
 *	path ---> file (device, inode: time stamps, generation, keys made from it)
 *	  `-----> watches of the folders on its way and of the file; each counts what happened to it
 */
#ifndef WAN_RUNTIME_IDENTITY_TABLE_H
#define WAN_RUNTIME_IDENTITY_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "identity_hot.h"
#include "key.h"

#define WAN_NONE           UINT32_MAX
#define WAN_PATH_STEPS_MAX 24 /* folders and links on the way of a path that can be watched */
#define WAN_FILE_KEYS_MAX  64 /* noted for a file; later ones replace earlier ones */

/* Keys made from one content of a file. */
struct wan_file_keys {
	struct wan_file_keys *next; /* while they are being told */
	uint32_t count, capacity, replace;
	struct wan_key keys[];
};

struct wan_known_file {
	uint64_t words[WAN_STAT_WORDS]; /* as last seen */
	uint64_t generation;            /* 0: the words alone name the content */
	struct wan_key content;         /* hash of the bytes, when has_content */
	struct wan_key token;
	struct wan_file_keys *keys;
	uint64_t used; /* order of use */
	uint32_t chain;
	uint32_t watch; /* WAN_NONE: nobody tells us about changes */
	uint32_t paths; /* that lead here */
	bool taken;
	bool settled;  /* a later change cannot have these words */
	bool modified; /* written to since the words were read, or it is not known */
	bool has_content;
};

struct wan_known_path {
	struct wan_key name; /* hash of the text */
	struct wan_key token;
	uint64_t events;     /* sum over its watches when it was looked at */
	uint64_t checked_ns; /* last stat */
	uint64_t retry_ns;   /* not watched: when to try again */
	uint64_t used;
	uint32_t chain;
	uint32_t file;
	uint16_t step_count; /* 0: not watched */
	uint16_t steps[WAN_PATH_STEPS_MAX];
	bool taken;
};

struct wan_known_watch {
	int wd; /* -1: the kernel has dropped it */
	uint32_t chain;
	uint32_t refs;   /* paths and walks that depend on it */
	uint32_t file;   /* WAN_NONE: a folder */
	uint64_t events; /* never goes back, whatever the slot is used for */
	uint64_t names;  /* folder: bit set of hashes of the names that matter */
	bool taken;
};

struct wan_identity_table {
	uint32_t path_max, watch_max;
	uint32_t path_count, watch_count; /* taken */
	struct wan_known_path *paths;
	struct wan_known_file *files; /* path_max of them */
	struct wan_known_watch *watches;
	uint32_t bucket_mask;
	uint32_t *path_buckets, *file_buckets, *watch_buckets;
	uint32_t free_path, free_file, free_watch; /* chained */
	struct wan_hot_answers hot;                /* what may be answered without the lock */
	uint64_t epoch;                            /* goes up when events were lost */
	uint64_t uses;
	uint64_t generation;
	uint64_t
		forgotten; /* watches the kernel knows no more: numbers asked for before are void */
	/* A watch nobody needs any more: the caller removes it from the kernel. */
	void (*unwatch)(void *context, int wd);
	void *context;
};

/* 0, -ENOMEM. */
int wan_identity_table_init(struct wan_identity_table *table, uint32_t path_max,
			    void (*unwatch)(void *context, int wd), void *context);
/* Frees everything, noted keys included. */
void wan_identity_table_finish(struct wan_identity_table *table);
/* Forgets everything. free_keys false: they may be half written (another thread at a fork). */
void wan_identity_table_reset(struct wan_identity_table *table, bool free_keys);

struct wan_known_path *wan_path_find(struct wan_identity_table *table, struct wan_key name);
/* The least used one makes room. Has no file and no watches yet. */
struct wan_known_path *wan_path_take(struct wan_identity_table *table, struct wan_key name);
void wan_path_drop(struct wan_identity_table *table, struct wan_known_path *path);
void wan_path_drop_least_used(struct wan_identity_table *table);
/* Nothing has happened on its way since it was looked at. */
bool wan_path_is_current(const struct wan_identity_table *table, const struct wan_known_path *path);
/* Takes the references in steps over and gives back the ones it had. */
void wan_path_set_steps(struct wan_identity_table *table, struct wan_known_path *path,
			const uint16_t *steps, uint32_t count);
void wan_path_set_file(struct wan_identity_table *table, struct wan_known_path *path,
		       uint32_t file);

/* Known or new (not settled, all words 0); WAN_NONE: all are in use. */
uint32_t wan_file_for(struct wan_identity_table *table, uint64_t device, uint64_t inode);

/* The slot of a watch, one reference for the caller; WAN_NONE: no slot is free. */
uint32_t wan_watch_for(struct wan_identity_table *table, int wd, bool *ret_new);
void wan_watch_unref(struct wan_identity_table *table, uint32_t watch);

/* Sum of events over watches; compare with what it was. */
uint64_t wan_watch_events(const struct wan_identity_table *table, const uint16_t *steps,
			  uint32_t count);

/* One event of the kernel. Keys that are gone are put in front of *gone. */
struct inotify_event;
void wan_identity_apply(struct wan_identity_table *table, const struct inotify_event *event,
			struct wan_file_keys **gone);
/* Events were lost: everything has to be looked at again. */
void wan_identity_doubt(struct wan_identity_table *table);
/* The kernel's queue itself is gone, with all watches. */
void wan_identity_watches_lost(struct wan_identity_table *table);
uint64_t wan_name_bit(const char *name);

#endif
