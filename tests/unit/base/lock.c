/* SPDX-License-Identifier: MIT */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "clock.h"
#include "tap.h"

static struct wan_mutex cache_lock = WAN_MUTEX_INITIALIZER(WAN_RANK_CACHE);
static struct wan_mutex pool_lock = WAN_MUTEX_INITIALIZER(WAN_RANK_POOL);
static struct wan_mutex second_pool_lock = WAN_MUTEX_INITIALIZER(WAN_RANK_POOL);
static uint64_t sum; /* cache_lock */

static void *add(void *argument)
{
	for (int i = 0; i < 10000; i++) {
		wan_mutex_lock(&cache_lock);
		wan_mutex_lock(&pool_lock);
		sum++;
		wan_mutex_unlock(&pool_lock);
		wan_mutex_unlock(&cache_lock);
	}
	return NULL;
}

TEST(one_thread_at_a_time_holds_a_mutex)
{
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, add, NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(sum, 30000);
}

TEST(locks_may_be_given_back_in_any_order)
{
	struct wan_mutex log_lock;
	wan_mutex_init(&log_lock, WAN_RANK_LOG);
	wan_mutex_lock(&cache_lock);
	wan_mutex_lock(&log_lock);
	wan_mutex_unlock(&cache_lock);
	wan_mutex_unlock(&log_lock);
	wan_mutex_lock(&cache_lock);
	wan_mutex_unlock(&cache_lock);
	wan_mutex_finish(&log_lock);
	CHECK(log_lock.rank == WAN_RANK_LOG);
}

/* The signal that ends a child which runs function, 0 when it ends by itself. */
static int signal_of(void (*function)(void))
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 2); /* assert's message */
		function();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void right_order(void)
{
	add(NULL);
}

static void wrong_order(void) WAN_NO_ANALYSIS
{
	wan_mutex_lock(&pool_lock);
	wan_mutex_lock(&cache_lock);
}

static void same_rank_twice(void) WAN_NO_ANALYSIS
{
	wan_mutex_lock(&pool_lock);
	wan_mutex_lock(&second_pool_lock);
}

static void given_back_twice(void) WAN_NO_ANALYSIS
{
	wan_mutex_lock(&pool_lock);
	wan_mutex_unlock(&pool_lock);
	wan_mutex_unlock(&pool_lock);
}

TEST(debug_builds_stop_at_a_wrong_order)
{
#ifdef NDEBUG
	bool checked = false;
#else
	bool checked = true;
#endif
	if (!checked)
		SKIP("ranks are not checked in release builds");
	CHECK_EQ(signal_of(right_order), 0);
	CHECK_EQ(signal_of(wrong_order), SIGABRT);
	CHECK_EQ(signal_of(same_rank_twice), SIGABRT);
	CHECK_EQ(signal_of(given_back_twice), SIGABRT);
}

static struct wan_cond changed;
static int value; /* cache_lock */

static void *set_value(void *argument)
{
	wan_mutex_lock(&cache_lock);
	value = 5;
	wan_cond_wake_all(&changed);
	wan_mutex_unlock(&cache_lock);
	return NULL;
}

TEST(a_waiter_wakes_when_told_and_holds_the_mutex)
{
	pthread_t thread;
	wan_cond_init(&changed);
	wan_mutex_lock(&cache_lock);
	int error = pthread_create(&thread, NULL, set_value, NULL);
	while (!error && !value)
		error = wan_cond_wait(&changed, &cache_lock, UINT64_MAX);
	wan_mutex_unlock(&cache_lock);
	REQUIRE_EQ(error, 0);
	pthread_join(thread, NULL);
	CHECK_EQ(value, 5);
	wan_cond_finish(&changed);
}

static void *try_it(void *ret_taken)
{
	*(bool *)ret_taken = wan_mutex_try(&cache_lock);
	if (*(bool *)ret_taken)
		wan_mutex_unlock(&cache_lock);
	return NULL;
}

TEST(a_lock_that_is_taken_is_not_waited_for_when_it_is_only_tried)
{
	for (int held = 0; held < 2; held++) {
		pthread_t thread;
		bool taken = false;
		if (held)
			wan_mutex_lock(&cache_lock);
		int error = pthread_create(&thread, NULL, try_it, &taken);
		if (!error)
			pthread_join(thread, NULL);
		if (held)
			wan_mutex_unlock(&cache_lock);
		REQUIRE_EQ(error, 0);
		CHECK_EQ(taken, !held);
	}
}

TEST(a_wait_ends_at_its_deadline)
{
	struct wan_cond never;
	wan_cond_init(&never);
	uint64_t deadline_ns = wan_now_ns() + 5000000;
	int error = 0;
	wan_mutex_lock(&cache_lock);
	while (!error)
		error = wan_cond_wait(&never, &cache_lock, deadline_ns);
	int past = wan_cond_wait(&never, &cache_lock, 0);
	wan_mutex_unlock(&cache_lock);
	CHECK_EQ(error, -ETIMEDOUT);
	CHECK_EQ(past, -ETIMEDOUT);
	CHECK(wan_now_ns() >= deadline_ns);
	wan_cond_finish(&never);
}

TAP_MAIN
