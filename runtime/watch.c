/* SPDX-License-Identifier: MIT */
/*
 * The background thread of a runtime: looks at memory every memory.interval, earlier when the
 * kernel or a reserving thread says so, later when all is calm; compresses, samples and publishes.
 * In between it takes the samples of the progress monitor when they are due.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "alerts.h"
#include "atomics.h"
#include "clock.h"
#include "fork.h"
#include "instance.h"
#include "log.h"
#include "macros.h"
#include "memory.h"
#include "progress.h"
#include "sys.h"
#include "thread.h"

enum {
	WATCHED_MAX = 16,
	EVENT_PAUSE_NS = 10000000, /* events that come thick and fast are served this often */
	EVENTS_IN_A_ROW = 8,       /* and after so many without a pause, every memory.interval */
};

/* Compressing what will leave the cache may take so long of each look at memory: a fifth of a core
 * with the default interval, and only while it pays. */
#define COLD_BUDGET_NS ((uint64_t)20 * 1000 * 1000)

/* What the thread remembers between two looks. */
struct watch {
	struct wan_runtime *runtime;
	uint32_t events; /* looks in a row that an event has asked for */
};

enum waited {
	OVER,  /* the time */
	WOKEN, /* by this program */
	TOLD,  /* by the kernel */
};

/* Waits on the descriptors, fds[0] being the runtime's own. */
static enum waited wait_once(struct wan_runtime *runtime, const int *fds, uint32_t count,
			     uint64_t pause_ns)
{
	struct pollfd polled[WATCHED_MAX + 1];
	for (uint32_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	int timeout_ms = (int)WAN_MIN((pause_ns + 999999) / 1000000, (uint64_t)INT32_MAX);
	int ready = wan_sys->poll(polled, count, timeout_ms);
	if (ready < 0 && errno != EINTR) { /* no memory for it: as if there were none */
		wan_event_close(&runtime->wake_event);
		return WOKEN;
	}
	if (ready <= 0)
		return OVER;
	if (polled[0].revents) /* forgotten when the program has closed it */
		(void)wan_event_drain(&runtime->wake_event);
	for (uint32_t i = 1; i < count; i++)
		if (polled[i].revents)
			return TOLD;
	return WOKEN;
}

/* Without a descriptor of our own: on the condition. */
static enum waited wait_plainly(struct wan_runtime *runtime, uint64_t pause_ns)
{
	int status = 0;
	wan_mutex_lock(&runtime->lock);
	if (!wan_load_relaxed(&runtime->stopping))
		status = wan_cond_wait(&runtime->wake, &runtime->lock, wan_now_ns() + pause_ns);
	wan_mutex_unlock(&runtime->lock);
	return status < 0 ? OVER : WOKEN;
}

/* Until the pause is over or something is to be looked at; samples that are due meanwhile are
 * taken. count 0: there are no descriptors. */
static enum waited wait_on(struct wan_runtime *runtime, const int *fds, uint32_t count,
			   uint64_t pause_ns)
{
	/* Two reasons to wake up within a quarter of the pause are one: a calm program is woken
	 * once a second. */
	uint64_t until_ns = wan_now_ns() + pause_ns, slack_ns = 0;
	for (;;) {
		uint64_t due_ns = wan_progress_serve(runtime->progress, !slack_ns);
		uint64_t now_ns = wan_now_ns();
		if (now_ns + slack_ns >= until_ns || wan_load_relaxed(&runtime->stopping))
			return OVER;
		uint64_t rest_ns = WAN_MIN(until_ns, due_ns) - WAN_MIN(now_ns, due_ns);
		enum waited waited = count ? wait_once(runtime, fds, count, rest_ns)
					   : wait_plainly(runtime, rest_ns);
		if (waited != OVER)
			return waited;
		slack_ns = pause_ns / 4;
	}
}

static void wait_for_more(struct watch *watch, bool busy)
{
	struct wan_runtime *runtime = watch->runtime;
	uint64_t interval_ns = runtime->config.memory_interval_ns;
	int fds[WATCHED_MAX + 1] = {wan_event_fd(&runtime->wake_event)};
	if (fds[0] < 0) {
		wait_on(runtime, NULL, 0, interval_ns);
		if (!wan_load_relaxed(&runtime->stopping))
			(void)wan_event_open(&runtime->wake_event); /* perhaps there is one now */
		return;
	}
	if (watch->events) {
		bool often = watch->events >= EVENTS_IN_A_ROW;
		wait_on(runtime, fds, 1,
			often ? interval_ns : WAN_MIN(interval_ns, (uint64_t)EVENT_PAUSE_NS));
		if (wan_load_relaxed(&runtime->stopping))
			return;
	}
	uint32_t count = 1 + wan_memory_watch(runtime->memory, fds + 1, WATCHED_MAX);
	uint64_t pause_ns = busy ? interval_ns : wan_memory_pause_ns(runtime->memory, interval_ns);
	bool told = wait_on(runtime, fds, count, pause_ns) == TOLD;
	watch->events = told ? watch->events + 1 : 0;
	if (told)
		wan_memory_woken(runtime->memory);
}

static void *watch(void *argument)
{
	struct watch watch = {.runtime = argument};
	struct wan_runtime *runtime = watch.runtime;
	while (!wan_load_acquire(&runtime->stopping)) {
		uint64_t frozen = 0;
		wan_memory_tick(runtime->memory);
		wan_runtime_follow_memory(runtime);
		wan_alerts_recover(runtime);
		if (runtime->config.cache_cold)
			frozen = wan_cache_background(runtime->cache, COLD_BUDGET_NS);
		wan_wire_sample(runtime);
		wan_wire_publish(runtime);
		wait_for_more(&watch, frozen > 0);
	}
	return NULL;
}

int wan_runtime_watch(struct wan_runtime *runtime)
{
	/* Without one the thread still looks, every memory.interval. */
	if (wan_event_open(&runtime->wake_event) < 0) {
		static const char reason[] =
			"no descriptor for the watcher: looks every memory.interval, not at events";
		uint64_t none[4] = {0};
		wan_log(WAN_LOG_WARNING, "%s", reason);
		wan_runtime_record_action(runtime, "degraded", reason, 0, none);
	}
	int r = wan_thread_start(&runtime->thread, "wanrt-watch", watch, runtime);
	runtime->has_thread = r == 0;
	runtime->thread_generation = wan_fork_generation();
	return r;
}

void wan_runtime_wake(struct wan_runtime *runtime)
{
	if (!runtime->has_thread || wan_event_signal(&runtime->wake_event))
		return;
	wan_mutex_lock(&runtime->lock);
	wan_cond_wake_all(&runtime->wake);
	wan_mutex_unlock(&runtime->lock);
}

bool wan_runtime_hosts(void *context)
{
	struct wan_runtime *runtime = context;
	if (!runtime->has_thread || runtime->thread_generation != wan_fork_generation())
		return false;
	wan_runtime_wake(runtime);
	return true;
}

void wan_runtime_stop_watching(struct wan_runtime *runtime)
{
	if (runtime->has_thread) {
		wan_mutex_lock(&runtime->lock);
		wan_store_release(&runtime->stopping, true); /* pairs with the thread's acquire */
		wan_mutex_unlock(&runtime->lock);
		wan_runtime_wake(runtime);
		pthread_join(runtime->thread, NULL);
		runtime->has_thread = false;
	}
	wan_event_close(&runtime->wake_event);
}
