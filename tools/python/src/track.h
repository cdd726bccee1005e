/* SPDX-License-Identifier: MIT */
/* A job under way as Python holds it: the way of a step, shared by update() and the loop. */
#ifndef WAN_PY_TRACK_H
#define WAN_PY_TRACK_H

#include "wan_py.h"

struct track {
	PyObject head;
	struct wan_tracker *handle; /* NULL: not recorded, ended, or of the process before a fork */
	struct wan_runtime *runtime; /* whose tracker it is */
	uint64_t *words;             /* of the tracker; NULL with handle */
	uint64_t generation;         /* wan_py_forks when it began */
	int64_t n;
	double part;      /* n as the program told it, when it is no whole number */
	bool is_part;     /* part counts, not n */
	bool is_drawn;    /* a bar is shown */
	uint64_t draw_at; /* in the unit of now_of(): when to look whether a drawing is due */
	uint64_t interval_ns, next_ns; /* between drawings; when the next one is due */
	uint64_t first_ns, first_at;   /* for the rate of ticks */
};

/* A step that leads to n = tracker->n; false with an exception of the drawing. */
bool wan_py_track_slow_step(struct track *track);
int wan_py_loop_init(PyObject *module, PyTypeObject *track_type);

enum { WAN_PY_UPDATED_WORD = 5 }; /* ticks of the latest update, see wan_progress_slot() */

static inline bool wan_py_track_step(struct track *track)
{
	if (__builtin_expect(track->handle && track->generation == wan_py_forks && track->n >= 0,
			     1)) {
		wan_progress_update(track->handle, (uint64_t)track->n);
		if (__builtin_expect(track->words[WAN_PY_UPDATED_WORD] < track->draw_at, 1))
			return true;
	}
	return wan_py_track_slow_step(track);
}

#endif
