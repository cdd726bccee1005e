/* SPDX-License-Identifier: MIT */
/*
 * The thread that calls callbacks while sampling runs: it exists from the first alert that somebody
 * wants to hear until the stop, so that a callback which blocks keeps neither the sampler nor the
 * runtime's look at memory. One that blocks its courier gets it a successor.
 */
#include "state.h"
#include "thread.h"

static bool waits_locked(const struct wan_progress *progress, uint32_t self)
	WAN_REQUIRES(&progress->lock)
{
	return progress->courier == self && !progress->posted_count && !progress->relieve &&
	       !progress->couriers_stop;
}

/* The oldest one through all callbacks; without one, what a blocked thread has left. */
static void work_locked(struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	progress->relieve = false;
	bool any = progress->posted_count > 0;
	struct wan_alert alert;
	if (any) {
		alert = progress->posted[progress->posted_first];
		progress->posted_first = (progress->posted_first + 1) % WAN_POSTED_MAX;
		progress->posted_count--;
	}
	wan_progress_take_turn_locked(progress);
	if (!any || wan_progress_walk_locked(progress, &alert, 0))
		wan_progress_leave_turn_locked(progress);
}

static uint32_t own_place_locked(const struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	uint32_t place = 0;
	while (!progress->couriers[place].used ||
	       !pthread_equal(progress->couriers[place].thread, pthread_self()))
		place++;
	return place + 1;
}

bool wan_progress_is_courier_locked(const struct wan_progress *progress)
{
	bool found = false;
	for (uint32_t i = 0; i < WAN_COURIERS_MAX && !found; i++)
		found = progress->couriers[i].used &&
			pthread_equal(progress->couriers[i].thread, pthread_self());
	return found;
}

static void *deliver_posted(void *argument)
{
	struct wan_progress *progress = argument;
	wan_mutex_lock(&progress->lock);
	uint32_t self = own_place_locked(progress);
	for (;;) {
		while (waits_locked(progress, self))
			wan_cond_wait(&progress->changed, &progress->lock, UINT64_MAX);
		if (progress->courier != self || (!progress->posted_count && !progress->relieve))
			break;
		work_locked(progress);
	}
	if (progress->courier == self)
		progress->courier = 0;
	progress->couriers[self - 1].done = true;
	wan_cond_wake_all(&progress->changed);
	wan_mutex_unlock(&progress->lock);
	return NULL;
}

/* A place for another thread; 0: there is none, all are stuck. */
static uint32_t free_place_locked(struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	for (uint32_t i = 0; i < WAN_COURIERS_MAX; i++) {
		struct wan_courier *courier = &progress->couriers[i];
		if (courier->used && courier->done && !courier->joining) {
			pthread_join(courier->thread, NULL); /* it only has to return */
			courier->used = courier->done = false;
		}
		if (!courier->used)
			return i + 1;
	}
	return 0;
}

static void start_locked(struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	uint32_t place = free_place_locked(progress);
	if (!place)
		return;
	struct wan_courier *courier = &progress->couriers[place - 1];
	courier->used =
		wan_thread_start(&courier->thread, "wan-alerts", deliver_posted, progress) == 0;
	if (courier->used)
		progress->courier = place;
}

static bool somebody_listens_locked(const struct wan_progress *progress)
	WAN_REQUIRES(&progress->lock)
{
	for (unsigned i = 0; i < WAN_ALERT_CALLBACKS_MAX; i++)
		if (progress->callbacks[i].function)
			return true;
	return false;
}

/* What finds no room is told by the count of the next one. */
static void append_locked(struct wan_progress *progress, const struct wan_alert *alert)
	WAN_REQUIRES(&progress->lock)
{
	if (progress->posted_count == WAN_POSTED_MAX) {
		progress->gate.types[alert->type].suppressed += alert->suppressed + 1;
		progress->gate.suppressed++;
		return;
	}
	uint32_t at = (progress->posted_first + progress->posted_count++) % WAN_POSTED_MAX;
	progress->posted[at] = *alert;
}

void wan_progress_post(struct wan_progress *progress, const struct wan_alert *alert)
{
	wan_mutex_lock(&progress->lock);
	bool stopping = progress->couriers_stop || progress->stopping;
	if (alert && somebody_listens_locked(progress) && !stopping)
		append_locked(progress, alert);
	progress->relieve |= !alert;
	if ((progress->posted_count || progress->relieve) && !stopping &&
	    (!progress->courier || progress->relieve))
		start_locked(progress);
	wan_cond_wake_all(&progress->changed);
	wan_mutex_unlock(&progress->lock);
}

void wan_progress_dismiss_couriers(struct wan_progress *progress)
{
	wan_mutex_lock(&progress->lock);
	progress->couriers_stop = true;
	wan_cond_wake_all(&progress->changed);
	for (uint32_t i = 0; i < WAN_COURIERS_MAX; i++) {
		struct wan_courier *courier = &progress->couriers[i];
		if (!courier->used || courier->joining ||
		    pthread_equal(courier->thread, pthread_self()))
			continue;
		courier->joining = true;
		wan_mutex_unlock(&progress->lock);
		pthread_join(courier->thread, NULL);
		wan_mutex_lock(&progress->lock);
		*courier = (struct wan_courier){0};
	}
	progress->couriers_stop = false;
	progress->courier = 0; /* a callback that stops: its thread ends after it */
	progress->relieve = false;
	wan_mutex_unlock(&progress->lock);
}
