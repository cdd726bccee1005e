/* SPDX-License-Identifier: MIT */
#include "fork.h"

#include <errno.h>
#include <sys/wait.h>

#include "tap.h"
#include "thread.h"

static char order[8];

static void note_a(void)
{
	strcat(order, "a");
}

static void note_b(void)
{
	strcat(order, "b");
}

static int status_of_child(int (*function)(void))
{
	int status = -1;
	pid_t child = fork();
	if (child == 0)
		_exit(function());
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static uint32_t parent_generation;

static int child_of_first(void)
{
	return wan_fork_generation() == parent_generation + 1 && strcmp(order, "ab") == 0 ? 7 : 1;
}

TEST(handlers_run_in_order_in_the_child_only)
{
	parent_generation = wan_fork_generation();
	REQUIRE_EQ(wan_fork_on_child(note_a), 0);
	REQUIRE_EQ(wan_fork_on_child(note_b), 0);
	CHECK_EQ(status_of_child(child_of_first), 7);
	CHECK_STR(order, "");
	CHECK_EQ(wan_fork_generation(), parent_generation);
}

static int grandchild(void)
{
	return wan_fork_generation() == parent_generation + 2 ? 9 : 1;
}

static int child_that_forks(void)
{
	return status_of_child(grandchild);
}

TEST(a_child_of_a_child_counts_twice)
{
	parent_generation = wan_fork_generation();
	CHECK_EQ(status_of_child(child_that_forks), 9);
}

static uint32_t parent_thread;

static int child_has_another_thread_id(void)
{
	return wan_thread_id() == (uint32_t)getpid() && wan_thread_id() != parent_thread ? 5 : 1;
}

TEST(a_cached_thread_id_does_not_survive_fork)
{
	parent_thread = wan_thread_id();
	CHECK_EQ(status_of_child(child_has_another_thread_id), 5);
}

static void nothing(void)
{
}

TEST(more_than_sixteen_handlers_are_refused)
{
	int error = 0, added = 0;
	while (added < 20 && (error = wan_fork_on_child(nothing)) == 0)
		added++;
	CHECK_EQ(error, -ENOSPC);
	CHECK_EQ(added, 14); /* two were there */
	CHECK_EQ(wan_fork_on_child(nothing), -ENOSPC);
}

TAP_MAIN
