/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include <signal.h>
#include <sys/syscall.h>

#include "tap.h"

struct seen {
	uint32_t id, kernel_id;
	char name[16];
	sigset_t blocked;
	size_t stack_bytes;
};

static void *look(void *argument)
{
	struct seen *seen = argument;
	pthread_attr_t attributes;
	seen->id = wan_thread_id();
	seen->kernel_id = (uint32_t)syscall(SYS_gettid);
	pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstacksize(&attributes, &seen->stack_bytes);
	pthread_attr_destroy(&attributes);
	return argument;
}

TEST(a_thread_blocks_all_signals_and_has_a_small_stack)
{
	struct seen seen = {0};
	sigset_t before, after;
	pthread_t thread;
	void *result = NULL;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	REQUIRE_EQ(wan_thread_start(&thread, "wan-test", look, &seen), 0);
	pthread_join(thread, &result);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	CHECK(result == &seen);
	CHECK(sigismember(&seen.blocked, SIGINT) && sigismember(&seen.blocked, SIGTERM) &&
	      sigismember(&seen.blocked, SIGUSR1) && sigismember(&seen.blocked, SIGCHLD));
	CHECK(!sigismember(&after, SIGINT));
	for (int number = 1; number <= 64; number++)
		if (sigismember(&before, number) != sigismember(&after, number))
			CHECK_EQ(number, 0); /* the caller's mask is as it was */
	CHECK(seen.stack_bytes >= 256 * 1024 && seen.stack_bytes <= 8 << 20);
}

static void *wait_for_go(void *argument)
{
	pthread_mutex_lock(argument);
	pthread_mutex_unlock(argument);
	return NULL;
}

TEST(a_long_name_is_cut_not_refused)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	char name[32] = "";
	pthread_mutex_lock(&gate);
	int error = wan_thread_start(&thread, "a-name-of-more-than-fifteen", wait_for_go, &gate);
	if (!error)
		pthread_getname_np(thread, name, sizeof(name));
	pthread_mutex_unlock(&gate);
	REQUIRE_EQ(error, 0);
	pthread_join(thread, NULL);
	CHECK_STR(name, "a-name-of-more-");
}

TEST(the_thread_id_is_the_kernels)
{
	struct seen seen = {0};
	pthread_t thread;
	CHECK_EQ(wan_thread_id(), getpid());
	REQUIRE_EQ(wan_thread_start(&thread, "wan-test", look, &seen), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(seen.id, seen.kernel_id);
	CHECK(seen.id != wan_thread_id());
}

TAP_MAIN
