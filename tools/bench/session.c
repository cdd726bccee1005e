/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "helper.h"
#include "inject.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

enum { LINE_BYTES = 1024, BUSY_MAX = 256, MEANWHILE_MS = 100, DUTY_MS = 40 };

struct pipe_end {
	int fd;
	size_t used;
	char line[LINE_BYTES];
};

struct session {
	const struct session_start *start;
	struct session_end *end;
	pid_t child, busy[BUSY_MAX];
	unsigned busy_count;
	struct pipe_end out, err;
	uint64_t begin_ns;
	bool halted;
};

/* --- interrupts --- */

static volatile sig_atomic_t interrupted;
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
static struct sigaction before[WAN_COUNT_OF(signals)];

static void on_signal(int number)
{
	interrupted = number;
}

void bench_interrupts_begin(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	interrupted = 0;
	for (unsigned i = 0; i < WAN_COUNT_OF(signals); i++) {
		(void)sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN) /* nohup, or in the background of a script */
			(void)sigaction(signals[i], &action, NULL);
	}
}

int bench_interrupted(void)
{
	return interrupted;
}

void bench_interrupts_end(void)
{
	for (unsigned i = 0; i < WAN_COUNT_OF(signals); i++)
		(void)sigaction(signals[i], &before[i], NULL);
}

/* --- the child --- */

static void become(const struct session_start *start, const char *program, const int out[2],
		   const int err[2])
{
	const char *all[BENCH_WORDS_MAX + BENCH_CASE_SOURCES + 2] = {program};
	for (size_t i = 0; i < WAN_COUNT_OF(all) - 2 && start->arguments[i]; i++)
		all[i + 1] = start->arguments[i];
	(void)dup2(out[1], STDOUT_FILENO);
	(void)dup2(err[1], STDERR_FILENO);
	bench_interrupts_end();
	for (unsigned i = 0; i < 2; i++) {
		(void)wan_sys->close(out[i]);
		(void)wan_sys->close(err[i]);
	}
	if (start->group && bench_group_join(start->group) < 0)
		_exit(SESSION_NOT_INJECTED);
	if (start->injection && start->injection->small_disk && bench_small_disk(start->folder) < 0)
		_exit(SESSION_NOT_INJECTED);
	execv(program, (char *const *)all);
	_exit(127);
}

static int begin(struct session *session)
{
	char program[PATH_MAX];
	int out[2], err[2];
	if (!bench_helper_find(program, sizeof(program)))
		return -ENOENT;
	if (pipe(out) < 0)
		return -errno;
	if (pipe(err) < 0) {
		int r = -errno;
		(void)wan_sys->close(out[0]);
		(void)wan_sys->close(out[1]);
		return r;
	}
	session->child = fork();
	int r = session->child < 0 ? -errno : 0;
	if (session->child == 0)
		become(session->start, program, out, err);
	(void)wan_sys->close(out[1]);
	(void)wan_sys->close(err[1]);
	session->out.fd = out[0];
	session->err.fd = err[0];
	if (r < 0) {
		(void)wan_sys->close(out[0]);
		(void)wan_sys->close(err[0]);
	}
	return r;
}

/* --- disturbances that come from outside --- */

static void begin_busy(struct session *session, unsigned count)
{
	for (unsigned i = 0; i < count && i < BUSY_MAX; i++) {
		pid_t child = fork();
		if (child == 0) {
			bench_interrupts_end();
			bench_keep_busy();
		}
		if (child > 0)
			session->busy[session->busy_count++] = child;
	}
}

static void end_busy(struct session *session)
{
	for (unsigned i = 0; i < session->busy_count; i++)
		(void)kill(session->busy[i], SIGKILL);
	for (unsigned i = 0; i < session->busy_count; i++)
		while (waitpid(session->busy[i], NULL, 0) < 0 && errno == EINTR)
			;
}

/* It may run for a share of each 40 ms: halted for the rest. Returns how long to wait at most. */
static int throttle(struct session *session, unsigned share)
{
	uint64_t at_ms = (wan_now_ns() - session->begin_ns) / 1000000 % DUTY_MS;
	uint64_t runs_ms = WAN_MAX((uint64_t)DUTY_MS * share / 100, 1u);
	bool halt = at_ms >= runs_ms;
	if (halt != session->halted)
		(void)kill(session->child, halt ? SIGSTOP : SIGCONT);
	session->halted = halt;
	return (int)((halt ? DUTY_MS : runs_ms) - at_ms);
}

/* --- watching it --- */

static void take_error(void *context, char *line)
{
	struct session *session = context;
	if (*line)
		wan_str_copy(session->end->said, sizeof(session->end->said), line);
}

/* Whole lines of what is there; false: the end. A line that is too long is cut. */
static bool take_lines(struct pipe_end *from, void (*take)(void *, char *), void *context)
{
	char bytes[4096];
	ssize_t got = wan_sys->read(from->fd, bytes, sizeof(bytes));
	if (got <= 0)
		return got < 0 && (errno == EINTR || errno == EAGAIN);
	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] == '\n') {
			from->line[from->used] = '\0';
			from->used = 0;
			take(context, from->line);
		} else if (from->used < LINE_BYTES - 1) {
			from->line[from->used++] = bytes[i];
		}
	}
	return true;
}

static void end_child(struct session *session)
{
	(void)kill(session->child, SIGKILL);
	session->halted = false;
}

static void watch(struct session *session)
{
	const struct session_start *start = session->start;
	unsigned share = start->injection ? start->injection->share : 0;
	bool out = true, err = true, killed = false;
	while (out || err) {
		struct pollfd fds[2] = {{.fd = out ? session->out.fd : -1, .events = POLLIN},
					{.fd = err ? session->err.fd : -1, .events = POLLIN}};
		int wait_ms = share && !killed ? throttle(session, share) : MEANWHILE_MS;
		uint64_t left_ms =
			start->timeout_ms -
			WAN_MIN(start->timeout_ms, (wan_now_ns() - session->begin_ns) / 1000000);
		(void)wan_sys->poll(fds, 2, (int)WAN_MIN((uint64_t)wait_ms, left_ms + 1));
		if (fds[0].revents)
			out = take_lines(&session->out, start->take, start->context);
		if (fds[1].revents)
			err = take_lines(&session->err, take_error, session);
		if (start->meanwhile)
			start->meanwhile(start->context);
		session->end->timed_out |= !killed && !left_ms;
		session->end->interrupted |= bench_interrupted() != 0;
		if (!killed && (session->end->timed_out || session->end->interrupted)) {
			end_child(session);
			killed = true;
		}
	}
}

int bench_session_run(const struct session_start *start, struct session_end *ret_end)
{
	struct session session = {.start = start, .end = ret_end, .begin_ns = wan_now_ns()};
	int status = 0;
	*ret_end = (struct session_end){0};
	if (start->injection && start->injection->busy)
		begin_busy(&session, start->injection->busy);
	int r = begin(&session);
	if (r == 0) {
		watch(&session);
		if (session.halted)
			(void)kill(session.child, SIGCONT);
		while (waitpid(session.child, &status, 0) < 0 && errno == EINTR)
			;
		ret_end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		ret_end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
		ret_end->interrupted |= bench_interrupted() != 0;
		(void)wan_sys->close(session.out.fd);
		(void)wan_sys->close(session.err.fd);
	}
	end_busy(&session);
	return r;
}
