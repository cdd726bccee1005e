/* SPDX-License-Identifier: MIT */
/* Small kernel files through descriptors that stay open; nothing here allocates. */
#ifndef WAN_BASE_PROCFS_H
#define WAN_BASE_PROCFS_H

#include <stddef.h>
#include <stdint.h>

/* Read a small file whole (at most bytes - 1), terminated. Returns its length, negative errno. */
int wan_procfs_read(const char *path, char *to, size_t bytes);
int wan_procfs_pread(int fd, char *to, size_t bytes);
/* The number after "name" at a line start ("MemAvailable:", "active_file"). 0, -ENOENT, -EBADMSG.
 */
int wan_procfs_field(const char *text, const char *name, uint64_t *ret_value);
/* Resident bytes of a process (pid 0: this one). 0, negative errno. */
int wan_procfs_rss_bytes(int pid, uint64_t *ret_bytes);
/* Start time of a process in clock ticks since boot (field 22 of stat): pid and this name a
 * process. */
int wan_procfs_start_time(int pid, uint64_t *ret_ticks);
/* User plus system CPU time of a process in ns. */
int wan_procfs_cpu_ns(int pid, uint64_t *ret_ns);

#endif
