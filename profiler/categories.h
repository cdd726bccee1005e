/* SPDX-License-Identifier: MIT */
/* Which categories of operations are recorded (wan_profile_set_categories()). */
#ifndef WAN_PROFILER_CATEGORIES_H
#define WAN_PROFILER_CATEGORIES_H

#include <stdbool.h>

struct wan_categories;
struct wan_op_name;

/* NULL: all. */
bool wan_categories_record(const struct wan_categories *categories, const char *name);
/* names.c: what the list means for a name that is known; nothing for a free entry. */
void wan_op_name_judge(struct wan_op_name *entry, const struct wan_categories *categories);

#endif
