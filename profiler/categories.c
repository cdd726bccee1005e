/* SPDX-License-Identifier: MIT */
/*
 * Categories: which operations are recorded, by the part of their name before the first '.'. The
 * answer is kept with each name, so an operation never parses anything. Lists are replaced, never
 * changed; old ones stay until the profile goes, because an operation may be looking at one.
 */
#include "categories.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "hash.h"
#include "profile.h"

#define CATEGORIES 64

struct wan_categories {
	const struct wan_categories *before; /* replaced by this one */
	bool only;                           /* the list names what is recorded, not what is not */
	unsigned count;
	struct category {
		uint64_t hash;
		bool off;
	} items[CATEGORIES];
};

static size_t length_of(const char *name)
{
	return strcspn(name, ".");
}

/* The last word about a category counts. */
bool wan_categories_record(const struct wan_categories *categories, const char *name)
{
	if (!categories || !categories->count)
		return true;
	uint64_t hash = wan_hash64(name, length_of(name), 0);
	for (unsigned i = categories->count; i-- > 0;)
		if (categories->items[i].hash == hash)
			return !categories->items[i].off;
	return !categories->only;
}

static int parse(struct wan_categories *categories, const char *text)
{
	while (text && *text) {
		text += strspn(text, ", ");
		size_t length = strcspn(text, ", ");
		bool off = text[0] == '-';
		const char *name = text + off;
		text += length;
		if (length <= off)
			continue;
		if (categories->count == CATEGORIES)
			return -EINVAL;
		categories->items[categories->count++] =
			(struct category){wan_hash64(name, length - off, 0), off};
		categories->only |= !off;
	}
	return 0;
}

int wan_profile_set_categories(struct wan_profile *profile, const char *text)
{
	if (!profile)
		return -EINVAL;
	struct wan_categories *fresh = wan_calloc(1, sizeof(*fresh));
	int rc = fresh ? parse(fresh, text) : -ENOMEM;
	if (rc) {
		wan_free(fresh);
		return rc;
	}
	wan_mutex_lock(&profile->lock);
	fresh->before = profile->categories;
	wan_store_release(&profile->categories, fresh);
	/* with the fences in names.c: whoever fills an entry now sees the new list, or is seen */
	wan_fence_seq_cst();
	for (unsigned i = 0; i < WAN_OP_NAMES; i++)
		wan_op_name_judge(&profile->names[i], fresh);
	wan_mutex_unlock(&profile->lock);
	return 0;
}

void wan_categories_destroy(const struct wan_categories *categories)
{
	while (categories) {
		const struct wan_categories *before = categories->before;
		wan_free((void *)(uintptr_t)categories);
		categories = before;
	}
}
