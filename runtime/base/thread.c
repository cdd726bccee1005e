/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fork.h"
#include "str.h"

#define STACK_BYTES (256 * 1024)

static __thread struct {
	uint32_t id;
	uint32_t generation; /* of the fork that id belongs to */
} cached __attribute__((tls_model("initial-exec")));

static int create(pthread_t *thread, size_t stack_bytes, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);
	if (error)
		return error;
	if (stack_bytes)
		error = pthread_attr_setstacksize(&attributes, stack_bytes);
	if (!error)
		error = pthread_create(thread, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	return error;
}

int wan_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	pthread_t thread;
	char short_name[16];

	/* The new thread inherits the mask: the program's signals stay with its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = create(&thread, STACK_BYTES, run, argument);
	if (error == EINVAL) /* thread-local storage of the program alone is larger than that */
		error = create(&thread, 0, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return -error;

	wan_str_copy(short_name, sizeof(short_name), name);
	pthread_setname_np(thread, short_name);
	*ret_thread = thread;
	return 0;
}

uint32_t wan_thread_id(void)
{
	uint32_t generation = wan_fork_generation();
	if (!cached.id || cached.generation != generation) {
		cached.id = (uint32_t)syscall(SYS_gettid);
		cached.generation = generation;
	}
	return cached.id;
}
