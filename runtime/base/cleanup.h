/* SPDX-License-Identifier: MIT */
/* Locals that clean up after themselves: wan_cleanup(wan_fd_closep) int fd = ...; */
#ifndef WAN_BASE_CLEANUP_H
#define WAN_BASE_CLEANUP_H

#define wan_cleanup(function) __attribute__((cleanup(function)))

/* Closes *fd when it is not negative; keeps errno. */
void wan_fd_closep(int *fd);
/* Frees *(void **)pointer with wan_free(); keeps errno. */
void wan_freep(void *pointer);

#endif
