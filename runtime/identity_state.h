/* SPDX-License-Identifier: MIT */
/* What identity.c (looking), identity_judge.c (deciding) and identity_watch.c (being told) share.
 */
#ifndef WAN_RUNTIME_IDENTITY_STATE_H
#define WAN_RUNTIME_IDENTITY_STATE_H

#include "identity.h"
#include "identity_table.h"
#include "lock.h"

/* Why a path is not watched; each is said once. */
enum wan_unwatched {
	WAN_UNWATCHED_REFUSED, /* no inotify here */
	WAN_UNWATCHED_LIMIT,   /* of watches */
	WAN_UNWATCHED_REMOTE,  /* changed by others than this kernel */
	WAN_UNWATCHED_UNREADABLE,
	WAN_UNWATCHED_LONG, /* too many folders and links, or too long with them */
	WAN_UNWATCHED_KINDS,
};

struct wan_identity {
	struct wan_identity_options options;
	struct wan_identity *next; /* list of all, for the fork handler */
	uint32_t forked;           /* atomic; in the child: begin anew */
	uint32_t inside;           /* atomic; somebody is changing the table */
	int fd;                    /* atomic; of inotify; -1: none */

	struct wan_mutex lock; /* rank WAN_RANK_IDENTITY; covers what follows, file keys included */
	struct wan_identity_table table;
	int root_wd;      /* held as long as fd: tells that fd is still ours */
	uint32_t root;    /* its slot */
	uint64_t rest_ns; /* no watching before that moment: it was refused */
	uint32_t said;    /* bit set of enum wan_unwatched */
	char reason[64];  /* the last of them */
	uint64_t stats, events, overflows, changes;
};

/* One closer look under way. */
struct wan_look {
	const char *path;
	struct wan_key name;
	bool watchable;                 /* absolute, and the mode wants watches */
	uint64_t words[WAN_STAT_WORDS]; /* the last stat */
	bool settled;
	bool has_content, give_up; /* give_up: it changes all the time, or cannot be read */
	struct wan_key content;
	uint16_t steps[WAN_PATH_STEPS_MAX]; /* watches held for the path, its file the last */
	uint32_t step_count;                /* 0: not watched */
	uint64_t events;                    /* of all steps, each as it was when it was taken */
	uint64_t file_events;               /* of the last step and lost ones */
};

void wan_identity_lock(struct wan_identity *identity) WAN_ACQUIRES(&identity->lock);
void wan_identity_unlock(struct wan_identity *identity) WAN_RELEASES(&identity->lock);
uint64_t wan_identity_now_ns(const struct wan_identity *identity);
/* The answer about a path that was just looked at may be given again without the lock. */
void wan_identity_publish_locked(struct wan_identity *identity, const struct wan_known_path *path)
	WAN_REQUIRES(&identity->lock);
/* Tells the keys' owner and frees the lists. */
void wan_identity_tell(struct wan_identity *identity, struct wan_file_keys *gone);

/* identity_judge.c: does what was seen differ from what is known? 0 with *ret_token and *ret_file
 * set and the steps taken over; -EAGAIN: the content is needed to tell. */
int wan_identity_judge_locked(struct wan_identity *identity, struct wan_look *look,
			      struct wan_sight *ret_sight, struct wan_file_keys **gone)
	WAN_REQUIRES(&identity->lock);

/* identity_watch.c: are events queued? One system call, no lock. */
bool wan_identity_pending(struct wan_identity *identity);
/* Applies them. Without a lock. */
void wan_identity_drain(struct wan_identity *identity);
/* Watches everything on the way of look->path. 0, negative errno with nothing held: it is not
 * watched, for a reason that was noted. */
int wan_identity_watch(struct wan_identity *identity, struct wan_look *look);
/* Gives the steps back. */
void wan_identity_unwatch(struct wan_identity *identity, struct wan_look *look);
/* True when fd still is what we opened; else everything about it is forgotten. */
bool wan_identity_check_descriptor(struct wan_identity *identity);
void wan_identity_close(struct wan_identity *identity);

#endif
