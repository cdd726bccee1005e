/* SPDX-License-Identifier: MIT */
/* Which runs could be watched now. */
#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

struct search {
	struct live_choice *choices;
	size_t count, most;
	uint32_t pid; /* looked for; 0: all runs */
};

static bool same_run(const struct wan_find_identity *a, const struct wan_find_identity *b)
{
	static const uint8_t none[16];
	if (a->pid == b->pid && a->pid_start_ticks == b->pid_start_ticks)
		return true; /* two places lead to it */
	return memcmp(a->run_id, b->run_id, sizeof(none)) == 0 &&
	       memcmp(a->run_id, none, sizeof(none)) != 0;
}

/* The program itself stands for a run rather than wanprof, which records it from outside. */
static bool stands_better(const struct wan_find_identity *a, const struct wan_find_identity *than)
{
	bool recorder = a->role == WAN_ROLE_PARENT, other = than->role == WAN_ROLE_PARENT;
	return recorder != other ? other : a->start_realtime_ns < than->start_realtime_ns;
}

static void enter(struct live_choice *choice, const char *path,
		  const struct wan_find_identity *identity)
{
	wan_str_copy(choice->path, sizeof(choice->path), path);
	choice->identity = *identity;
}

static bool take(void *context, const char *path, const struct wan_find_identity *identity)
{
	struct search *search = context;
	if (!identity->live)
		return true;
	for (size_t i = 0; i < search->count; i++) {
		struct live_choice *choice = &search->choices[i];
		if (!same_run(identity, &choice->identity))
			continue;
		if (identity->pid != choice->identity.pid)
			choice->processes += identity->role != WAN_ROLE_PARENT;
		if (stands_better(identity, &choice->identity))
			enter(choice, path, identity);
		return true;
	}
	if (search->count == search->most)
		return true;
	enter(&search->choices[search->count], path, identity);
	search->choices[search->count++].processes = identity->role != WAN_ROLE_PARENT;
	return true;
}

static int newest_first(const void *left, const void *right)
{
	const struct live_choice *a = left, *b = right;
	uint64_t from = a->identity.start_realtime_ns, to = b->identity.start_realtime_ns;
	return (from < to) - (from > to);
}

size_t live_find(struct live_choice *choices, size_t most)
{
	struct search search = {.choices = choices, .most = most};
	wan_find_each(take, &search);
	if (search.count > 1)
		qsort(choices, search.count, sizeof(choices[0]), newest_first);
	return search.count;
}

static bool take_pid(void *context, const char *path, const struct wan_find_identity *identity)
{
	struct search *search = context;
	if (!identity->live || identity->pid != search->pid ||
	    (search->count && !identity->has_content))
		return true;
	enter(&search->choices[0], path, identity);
	search->count = 1;
	return true;
}

int live_find_pid(uint32_t pid, char *to, size_t bytes)
{
	static struct live_choice choice;
	struct search search = {.choices = &choice, .most = 1, .pid = pid};
	wan_find_each(take_pid, &search);
	if (!search.count)
		return -ENOENT;
	return wan_str_copy(to, bytes, choice.path) ? 0 : -ENAMETOOLONG;
}
