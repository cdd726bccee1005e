/* SPDX-License-Identifier: MIT */
/*
 * Baselines: runs kept under a name to compare with, for each hardware tier by itself. A baseline
 *is a folder of plain recordings (or dumped JSON):
 *
 *	baselines/TIER/NAME/reference/1.wprof ...	what comparisons use
 *	baselines/TIER/NAME/candidate/...		saved later, until it is promoted
 *	baselines/TIER/NAME/previous/...		the reference before the last promotion
 *
 * Each of the three appears whole or not at all. The first one saved is the reference.
 */
#ifndef WAN_TOOLS_HISTORY_BASELINE_H
#define WAN_TOOLS_HISTORY_BASELINE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "wan/status.h"

#define BASELINE_FILES_MAX 64
#define BASELINE_NAME_MOST 64
#define BASELINE_TIERS     5 /* "high-end" ... "minimal", and "unknown" */

enum baseline_part {
	BASELINE_REFERENCE,
	BASELINE_CANDIDATE,
	BASELINE_PREVIOUS,
	BASELINE_PARTS,
};

struct baseline_files {
	char paths[BASELINE_FILES_MAX][PATH_MAX];
	size_t count;
	const char *tier; /* that it was saved on; static */
};

/* Letters, digits, '.', '_' and '-', not beginning with '.' or '-'. */
bool baseline_name_is_safe(const char *name);
const char *baseline_part_name(enum baseline_part part);
/* One of the tiers, "unknown" for NULL and any other text. */
const char *baseline_tier(const char *tier);

/*
 * The files of a baseline. tier NULL: the only one there is, or if there are several the first of
 * high-end, mid-range, budget, minimal, unknown. A tier that it was not saved on, while it was on
 * another: *ret_files holds that one, and its .tier says so. folder NULL: the default state folder.
 * 0, -ENOENT (no such baseline), -EINVAL (no such name), -ENOMEM.
 */
int baseline_find(struct baseline_files *ret_files, const char *folder, const char *name,
		  const char *tier, enum baseline_part part, struct wan_error *reterr_error);

/* Copies the files. *ret_part: what they became. force: a candidate that is there is replaced. 0,
 * -EEXIST, -ENOSPC, what the system said. */
int baseline_save(const char *folder, const char *name, const char *tier, const char *const *files,
		  size_t count, bool force, enum baseline_part *ret_part,
		  struct wan_error *reterr_error);
/* The candidate becomes the reference, in one step; what was there becomes the previous one. */
int baseline_promote(const char *folder, const char *name, const char *tier,
		     struct wan_error *reterr_error);
/* All parts on that tier; tier NULL: on every tier. */
int baseline_remove(const char *folder, const char *name, const char *tier,
		    struct wan_error *reterr_error);

/* Calls visit for each baseline by tier and name; counts: files of each part. 0, -ENOENT. */
int baseline_each(const char *folder,
		  void (*visit)(void *context, const char *tier, const char *name,
				const size_t *counts),
		  void *context);

#endif
