/* SPDX-License-Identifier: MIT */
/* Where this process's memory controller (or another) is: self/cgroup joined with self/mountinfo.
 * Pure. */
#ifndef WAN_MEMMGR_CGROUP_PATH_H
#define WAN_MEMMGR_CGROUP_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct wan_cgroup_place {
	char mount[4096]; /* mount point of the hierarchy */
	char path[4096];  /* below it, "" or "/a/b": folder = mount + path */
	char name[4096];  /* what self/cgroup calls it */
};

/* The memory controller's place for v1 or the unified tree for v2, from the two files' texts.
 * 0, -ENOENT (this process is in no such tree, or it is not mounted), -ENAMETOOLONG. */
int wan_cgroup_locate(const char *cgroup_text, const char *mountinfo_text, bool v2,
		      struct wan_cgroup_place *ret_place);
/* The same for another controller of v1 ("cpu"); v2 has one tree for all. */
int wan_cgroup_locate_controller(const char *cgroup_text, const char *mountinfo_text, bool v2,
				 const char *controller, struct wan_cgroup_place *ret_place);

#endif
