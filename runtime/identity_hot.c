/* SPDX-License-Identifier: MIT */
#include "identity_hot.h"

#include <errno.h>

#include "alloc.h"
#include "atomics.h"

int wan_hot_init(struct wan_hot_answers *hot, uint32_t count)
{
	*hot = (struct wan_hot_answers){.state = 1, .mask = count - 1};
	hot->answers = wan_calloc(count, sizeof(*hot->answers)); /* state 0: none */
	return hot->answers ? 0 : -ENOMEM;
}

void wan_hot_finish(struct wan_hot_answers *hot)
{
	wan_free(hot->answers);
	hot->answers = NULL;
}

void wan_hot_forget(struct wan_hot_answers *hot)
{
	/* Before the queue is read: a reader to whom it looks empty must not find the old state.
	 * The kernel's lock of the queue orders the two for whoever asks for its length later. */
	wan_store_release(&hot->state, wan_load_relaxed(&hot->state) + 1);
}

void wan_hot_publish(struct wan_hot_answers *hot, struct wan_key name, struct wan_key token,
		     uint32_t file, uint64_t until_ns)
{
	struct wan_hot_answer *answer = &hot->answers[name.words[0] & hot->mask];
	uint64_t version = wan_load_relaxed(&answer->version);
	wan_store_relaxed(&answer->version, version + 1);
	wan_fence_release(); /* pairs with the acquire fence of a reader that saw what follows */
	wan_store_relaxed(&answer->state, wan_load_relaxed(&hot->state));
	wan_store_relaxed(&answer->name.words[0], name.words[0]);
	wan_store_relaxed(&answer->name.words[1], name.words[1]);
	wan_store_relaxed(&answer->token.words[0], token.words[0]);
	wan_store_relaxed(&answer->token.words[1], token.words[1]);
	wan_store_relaxed(&answer->until_ns, until_ns);
	wan_store_relaxed(&answer->file, file);
	wan_store_release(&answer->version, version + 2);
}

bool wan_hot_find(const struct wan_hot_answers *hot, struct wan_key name, uint64_t now_ns,
		  struct wan_key *ret_token, uint32_t *ret_file)
{
	const struct wan_hot_answer *answer = &hot->answers[name.words[0] & hot->mask];
	uint64_t version = wan_load_acquire(&answer->version); /* pairs with the last store */
	struct wan_key token;
	bool fits = !(version & 1) && wan_load_relaxed(&answer->name.words[0]) == name.words[0] &&
		    wan_load_relaxed(&answer->name.words[1]) == name.words[1] &&
		    now_ns < wan_load_relaxed(&answer->until_ns) &&
		    wan_load_relaxed(&answer->state) == wan_load_acquire(&hot->state);
	token.words[0] = wan_load_relaxed(&answer->token.words[0]);
	token.words[1] = wan_load_relaxed(&answer->token.words[1]);
	uint32_t file = wan_load_relaxed(&answer->file);
	wan_fence_acquire();
	if (!fits || wan_load_relaxed(&answer->version) != version)
		return false;
	*ret_token = token;
	*ret_file = file;
	return true;
}
