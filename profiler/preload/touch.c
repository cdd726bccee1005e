/* SPDX-License-Identifier: MIT */
#include "touch.h"

#include <time.h>

#include "clock.h"
#include "operation.h"
#include "peak.h"
#include "sys.h"

enum { THREADS = 4 }; /* besides the one that began */

struct touch {
	uint32_t thread, lane;
	bool cpu_known, memory_known;
	uint64_t cpu_ns;        /* when it came */
	int64_t net_start, net; /* when it came, and when it last left */
	int64_t peak;           /* a cell of peak.c */
};
/* Beside wan_objects[]; used by whoever uses the object, one thread at a time. */
static struct touches {
	uint32_t serial; /* of the operation that this is about */
	uint32_t count;  /* may exceed THREADS */
	struct touch by[THREADS];
} table[WAN_OBJECTS];

static struct touches *touches_of(const struct wan_object *object)
{
	bool in_table = object >= wan_objects && object < wan_objects + WAN_OBJECTS;
	return in_table ? &table[object - wan_objects] : NULL; /* others live for one call */
}

/* Of this operation; may exceed THREADS. */
static unsigned came(const struct wan_object *object, const struct touches *touches)
{
	return touches && touches->serial == object->serial ? touches->count : 0;
}

static unsigned count_of(const struct touches *touches)
{
	return WAN_MIN(touches->count, (uint32_t)THREADS);
}

static struct touch *find(struct touches *touches, uint32_t thread)
{
	for (unsigned i = 0; i < count_of(touches); i++)
		if (touches->by[i].thread == thread)
			return &touches->by[i];
	return NULL;
}

static void come(struct touches *touches, const struct wan_object *object, struct wan_lane *lane)
{
	if (touches->count++ >= THREADS)
		return;
	struct touch *touch = &touches->by[touches->count - 1];
	*touch = (struct touch){.thread = lane->thread, .lane = lane->shared->index};
	if ((uint64_t)object->width_px * object->height_px >= WAN_CPU_CLOCK_PX) {
		touch->cpu_ns = wan_thread_cpu_ns();
		touch->cpu_known = touch->cpu_ns != 0;
	}
	touch->memory_known = wan_peak_join(lane, &touch->peak, &touch->net_start);
	touch->net = touch->net_start;
}

void wan_touch_enter(struct wan_object *object)
{
	struct touches *touches = touches_of(object);
	struct wan_recorder *recorder = wan_preload_recorder();
	struct wan_lane *lane = recorder ? wan_lane_get(recorder) : NULL;
	object->many_threads = true;
	if (!touches || !lane)
		return;
	if (touches->serial != object->serial) {
		touches->serial = object->serial;
		touches->count = 0;
	}
	if (!find(touches, lane->thread))
		come(touches, object, lane);
}

void wan_touch_leave(struct wan_object *object)
{
	struct wan_lane *lane = wan_lane_current;
	if (!lane || object->phase == WAN_PHASE_IDLE)
		return;
	if (wan_object_is_ours(object)) {
		if (object->memory_known && !object->foreign)
			wan_peak_look(lane, &object->memory_net);
		return;
	}
	struct touches *touches = touches_of(object);
	struct touch *touch = came(object, touches) ? find(touches, lane->thread) : NULL;
	if (touch && touch->memory_known)
		wan_peak_look(lane, &touch->net);
}

/* The CPU clock of any thread of this process, by the kernel's numbering of clocks. */
static bool clock_of_thread(uint32_t thread, uint64_t *ret_ns)
{
	struct timespec time;
	clockid_t clock = (clockid_t)(~thread << 3 | 6);
	if (wan_sys->clock_gettime(clock, &time) != 0)
		return false;
	*ret_ns = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
	return true;
}

static bool add_cpu(uint32_t thread, uint64_t start_ns, uint64_t *sum_ns)
{
	uint64_t now_ns;
	if (!clock_of_thread(thread, &now_ns) || now_ns < start_ns)
		return false;
	*sum_ns += now_ns - start_ns;
	return true;
}

bool wan_touch_cpu(const struct wan_object *object, uint64_t *ret_ns)
{
	const struct touches *touches = touches_of(object);
	uint64_t sum_ns = 0;
	unsigned count = came(object, touches);
	bool known = object->cpu_known;
	if (count > THREADS)
		return false;
	if (known && !add_cpu(object->thread, object->cpu_ns, &sum_ns))
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct touch *touch = &touches->by[i];
		if (!touch->cpu_known)
			continue; /* came before the size was known: for the header */
		if (!add_cpu(touch->thread, touch->cpu_ns, &sum_ns))
			return false;
		known = true;
	}
	*ret_ns = sum_ns;
	return known;
}

bool wan_touch_memory(struct wan_object *object, int64_t *ret_net, int64_t *ret_peak)
{
	struct touches *touches = touches_of(object);
	unsigned count = came(object, touches);
	if (!object->memory_known || object->foreign || count > THREADS)
		return false;
	wan_touch_leave(object); /* up to now, when this thread is one of them */
	int64_t net = object->memory_net - object->memory_start;
	int64_t peak = object->memory_peak - object->memory_start;
	bool peak_known = object->memory_peak != INT64_MIN;
	for (unsigned i = 0; i < count; i++) {
		const struct touch *touch = &touches->by[i];
		int64_t high = wan_load_relaxed(&touch->peak);
		if (!touch->memory_known)
			return false;
		net += touch->net - touch->net_start;
		peak_known &= high != INT64_MIN;
		peak += high - touch->net_start;
	}
	*ret_net = net;
	*ret_peak = peak_known ? peak : -1;
	return true;
}

void wan_touch_forget(struct wan_object *object)
{
	struct touches *touches = touches_of(object);
	if (!came(object, touches))
		return;
	for (unsigned i = 0; i < count_of(touches); i++)
		wan_peak_part(touches->by[i].lane, &touches->by[i].peak);
	touches->count = 0;
}
