/* SPDX-License-Identifier: MIT */
/*
 * Answers that may be given again without the lock. Each names the state of the world it was given
 * in; whatever could make any of them wrong begins by counting that state up: the queue of events
 * is about to be read, a watch or a path is dropped. So a reader who has seen an empty queue and
 * then the state of an answer knows that nothing was in the queue since.
 */
#ifndef WAN_RUNTIME_IDENTITY_HOT_H
#define WAN_RUNTIME_IDENTITY_HOT_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/cache.h"

/* One line; the fields are atomic. */
struct wan_hot_answer {
	uint64_t version; /* odd while it is written */
	uint64_t state;
	struct wan_key name, token;
	uint64_t until_ns; /* then a stat is due */
	uint32_t file;
};

struct wan_hot_answers {
	uint64_t state; /* atomic */
	uint32_t mask;
	struct wan_hot_answer *answers; /* at most one for a name, found by its hash */
};

/* 0, -ENOMEM. count is a power of two. */
int wan_hot_init(struct wan_hot_answers *hot, uint32_t count);
void wan_hot_finish(struct wan_hot_answers *hot);
/* No answer of before is given any more. The writers' lock is held. */
void wan_hot_forget(struct wan_hot_answers *hot);
/* The writers' lock is held. */
void wan_hot_publish(struct wan_hot_answers *hot, struct wan_key name, struct wan_key token,
		     uint32_t file, uint64_t until_ns);
/* Any thread, after it has seen the queue empty. */
bool wan_hot_find(const struct wan_hot_answers *hot, struct wan_key name, uint64_t now_ns,
		  struct wan_key *ret_token, uint32_t *ret_file);

#endif
