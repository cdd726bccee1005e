/* SPDX-License-Identifier: MIT */
/*
 * wanrt._wanrt.Track, the base of wanrt.track: counts, tells the recording, and says when a bar is
 * due for drawing. How the bar looks is Python's (method _due).
 *
 * When to draw is decided by the ticks that an update stores anyway, so a bar costs one comparison
 * a step, at any speed: no number of steps has to be guessed between two looks at the clock.
 */
#include <dlfcn.h>
#include <time.h>

#include "attach.h"
#include "track.h"

enum {
	DONE_WORD = 0,
	SOURCE_WORD = 36,
	OUTCOME_WORD = 61,
	LEVEL_WORD = 37,
	UPDATES_WORD = 6,
	INITIAL_WORD = 62,
	OF_PYTHON = 2,
	CALIBRATION_TICKS = 1 << 16,
};

static PyTypeObject *track_type;
static PyObject *due_name;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool is_told(const struct track *track)
{
	return track->handle && track->generation == wan_py_forks;
}

/* Ticks where updates are told, else coarse ns: two clocks that cost next to nothing here. */
static uint64_t now_of(const struct track *track)
{
	return is_told(track) ? track->words[WAN_PY_UPDATED_WORD]
			      : clock_ns(CLOCK_MONOTONIC_COARSE);
}

static void plan_drawing(struct track *track)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	uint64_t now = now_of(track);
	double per_ns = 1;
	if (is_told(track) && now > track->first_at && now_ns > track->first_ns)
		per_ns = (double)(now - track->first_at) / (double)(now_ns - track->first_ns);
	uint64_t wait_ns = track->next_ns > now_ns ? track->next_ns - now_ns : 0;
	track->draw_at = now + (uint64_t)((double)wait_ns * per_ns);
}

static bool draw(struct track *track, bool *ret_drawn)
{
	if (clock_ns(CLOCK_MONOTONIC) < track->next_ns) {
		plan_drawing(track);
		return true;
	}
	PyObject *drawn = PyObject_CallMethodObjArgs((PyObject *)track, due_name, NULL);
	track->next_ns = clock_ns(CLOCK_MONOTONIC) + track->interval_ns;
	plan_drawing(track);
	if (drawn && ret_drawn)
		*ret_drawn = PyObject_IsTrue(drawn) == 1;
	Py_XDECREF(drawn);
	return drawn != NULL;
}

static bool slow_step(struct track *track, bool *ret_drawn)
{
	if (track->handle && track->generation != wan_py_forks) {
		track->handle = NULL; /* the parent's: neither told nor drawn here */
		track->is_drawn = false;
		track->draw_at = UINT64_MAX;
	}
	if (track->handle && track->n < 0)
		wan_progress_update(track->handle, 0);
	if (!track->is_drawn || now_of(track) < track->draw_at)
		return true;
	return draw(track, ret_drawn);
}

bool wan_py_track_slow_step(struct track *track)
{
	return slow_step(track, NULL);
}

/* --- beginning and end --- */

PyDoc_STRVAR(begin_doc,
	     "_begin(name, total, unit, level, /)\n--\n\n"
	     "Tell the recording of a job; total 0 is unknown. False: there is no room for it.");

static PyObject *track_begin(PyObject *self, PyObject *args)
{
	struct track *track = (struct track *)self;
	const char *name, *unit;
	unsigned long long total, level;
	if (!PyArg_ParseTuple(args, "sKzK", &name, &total, &unit, &level))
		return NULL;
	if (track->handle)
		Py_RETURN_FALSE;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	struct wan_tracker *handle = NULL;
	int r;
	PyThreadState *state = PyEval_SaveThread();
	r = wan_progress_begin(wan_runtime_progress(runtime), name, total, unit, &handle);
	PyEval_RestoreThread(state);
	if (r < 0) {
		wan_py_runtime_unref(runtime);
		Py_RETURN_FALSE;
	}
	track->words = wan_progress_slot(handle);
	track->words[SOURCE_WORD] = OF_PYTHON;
	track->words[LEVEL_WORD] = level;
	if (track->n > 0) /* begun before: a rate does not count that */
		track->words[DONE_WORD] = track->words[INITIAL_WORD] = (uint64_t)track->n;
	track->runtime = runtime;
	track->generation = wan_py_forks;
	track->first_at = track->words[WAN_PY_UPDATED_WORD];
	track->first_ns = clock_ns(CLOCK_MONOTONIC);
	track->handle = handle;
	if (track->is_drawn)
		plan_drawing(track);
	Py_RETURN_TRUE;
}

/* outcome: 0 not told, 1 completed, 2 failed */
static void end(struct track *track, unsigned outcome)
{
	struct wan_tracker *handle = track->handle;
	struct wan_runtime *runtime = track->runtime;
	track->handle = NULL;
	track->runtime = NULL;
	track->draw_at = UINT64_MAX;
	if (!handle || track->generation != wan_py_forks)
		return;
	uint64_t total = track->words[1];
	track->words[OUTCOME_WORD] = outcome;
	track->words = NULL;
	bool whole = outcome == 1 && (!total || (uint64_t)track->n == total);
	PyThreadState *state = PyEval_SaveThread();
	if (whole)
		wan_progress_complete(handle);
	else
		wan_progress_end(handle);
	PyEval_RestoreThread(state);
	wan_py_runtime_unref(runtime);
}

PyDoc_STRVAR(end_doc, "_end(outcome, /)\n--\n\nThe job is over: 0 not told how, 1 completed, 2 "
		      "failed.");

static PyObject *track_end(PyObject *self, PyObject *outcome)
{
	long told = PyLong_AsLong(outcome);
	if (told == -1 && PyErr_Occurred())
		return NULL;
	end((struct track *)self, (unsigned)told);
	Py_RETURN_NONE;
}

static void track_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	PyObject *kind, *value, *trace;
	PyErr_Fetch(&kind, &value, &trace);
	end((struct track *)self, 0);
	PyErr_Restore(kind, value, trace);
	release(self);
	Py_DECREF(type);
}

static PyObject *track_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	struct track *track = (struct track *)allocate(type, 0);
	if (track)
		track->draw_at = UINT64_MAX;
	return (PyObject *)track;
}

/* --- what the program tells --- */

static int add(struct track *track, PyObject *by)
{
	if (PyLong_Check(by) && !track->is_part) {
		long long whole = PyLong_AsLongLong(by);
		if (whole == -1 && PyErr_Occurred())
			return -1;
		track->n = (int64_t)((uint64_t)track->n + (uint64_t)whole);
		return 0;
	}
	double part = PyFloat_AsDouble(by);
	if (part == -1 && PyErr_Occurred())
		return -1;
	track->part = (track->is_part ? track->part : (double)track->n) + part;
	track->is_part = true;
	track->n = track->part > -9e18 && track->part < 9e18 ? (int64_t)track->part : 0;
	return 0;
}

PyDoc_STRVAR(update_doc, "update(n=1)\n--\n\n"
			 "n more are done. True when that made the bar be drawn again.");

static PyObject *track_update(PyObject *self, PyObject *const *args, Py_ssize_t count,
			      PyObject *names)
{
	struct track *track = (struct track *)self;
	Py_ssize_t named = names ? PyTuple_Size(names) : 0;
	bool drawn = false;
	if (count + named > 1) {
		PyErr_SetString(PyExc_TypeError, "update() takes one number");
		return NULL;
	}
	if (named && PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 0), "n") != 0) {
		PyErr_SetString(PyExc_TypeError, "update() takes one number, called n");
		return NULL;
	}
	if (count + named == 0 || args[0] == Py_None)
		track->n++, track->part++;
	else if (add(track, args[0]) < 0)
		return NULL;
	if (is_told(track) && track->n >= 0) {
		wan_progress_update(track->handle, (uint64_t)track->n);
		if (track->words[WAN_PY_UPDATED_WORD] < track->draw_at)
			Py_RETURN_FALSE;
	}
	if (!slow_step(track, &drawn))
		return NULL;
	return PyBool_FromLong(drawn);
}

PyDoc_STRVAR(total_doc, "_tell_total(total, /)\n--\n\nAnother total; 0 is unknown.");

static PyObject *track_tell_total(PyObject *self, PyObject *total)
{
	struct track *track = (struct track *)self;
	unsigned long long told = PyLong_AsUnsignedLongLong(total);
	if (PyErr_Occurred())
		return NULL;
	if (is_told(track))
		wan_progress_total(track->handle, told);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(phase_doc, "_tell_phase(name, number, /)\n--\n\n"
			"The job enters a phase: one of the seven by its number, else by name.");

static PyObject *track_tell_phase(PyObject *self, PyObject *args)
{
	struct track *track = (struct track *)self;
	const char *name;
	int number;
	if (!PyArg_ParseTuple(args, "zi", &name, &number))
		return NULL;
	if (!is_told(track))
		Py_RETURN_NONE;
	if (name)
		wan_progress_phase_named(track->handle, name);
	else
		wan_progress_phase(track->handle, (enum wan_phase)number);
	Py_RETURN_NONE;
}

static uint64_t to_ns(double seconds)
{
	return seconds > 0 ? seconds < 1e9 ? (uint64_t)(seconds * 1e9) : UINT64_MAX : 0;
}

PyDoc_STRVAR(one_off_doc,
	     "one_off(seconds)\n--\n\n"
	     "What comes now happens once (a warm-up, a swap of models) and may take so long: no\n"
	     "stall is told until then, and the step is left out of what a step takes.");

static PyObject *track_one_off(PyObject *self, PyObject *seconds)
{
	struct track *track = (struct track *)self;
	double told = PyFloat_AsDouble(seconds);
	if (told == -1 && PyErr_Occurred())
		return NULL;
	if (is_told(track))
		wan_progress_one_off(track->handle, to_ns(told));
	Py_RETURN_NONE;
}

PyDoc_STRVAR(expect_doc,
	     "expect(seconds)\n--\n\n"
	     "Steps are due that often: percentiles count what a late one kept waiting.");

static PyObject *track_expect(PyObject *self, PyObject *seconds)
{
	struct track *track = (struct track *)self;
	double told = PyFloat_AsDouble(seconds);
	if (told == -1 && PyErr_Occurred())
		return NULL;
	if (is_told(track))
		wan_progress_expect(track->handle, to_ns(told));
	Py_RETURN_NONE;
}

PyDoc_STRVAR(device_doc,
	     "device_done(n)\n--\n\n"
	     "How many of the steps the device has finished, where they are only enqueued here.\n"
	     "None: not known.");

static PyObject *track_device_done(PyObject *self, PyObject *done)
{
	struct track *track = (struct track *)self;
	unsigned long long told = UINT64_MAX;
	if (done != Py_None)
		told = PyLong_AsUnsignedLongLong(done);
	if (PyErr_Occurred())
		return NULL;
	if (is_told(track))
		wan_progress_device_done(track->handle, told);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(steps_doc, "_add_steps(count, /)\n--\n\nSteps that were told elsewhere count here.");

static PyObject *track_add_steps(PyObject *self, PyObject *count)
{
	struct track *track = (struct track *)self;
	unsigned long long told = PyLong_AsUnsignedLongLong(count);
	if (PyErr_Occurred())
		return NULL;
	if (is_told(track))
		track->words[UPDATES_WORD] += told;
	Py_RETURN_NONE;
}

PyDoc_STRVAR(draws_doc,
	     "_draws(interval, wait, /)\n--\n\n"
	     "Call _due() that often, in seconds, first after wait; interval < 0: never.");

static PyObject *track_draws(PyObject *self, PyObject *args)
{
	struct track *track = (struct track *)self;
	double interval, wait;
	if (!PyArg_ParseTuple(args, "dd", &interval, &wait))
		return NULL;
	track->is_drawn = interval >= 0;
	track->interval_ns = to_ns(interval);
	track->next_ns = clock_ns(CLOCK_MONOTONIC) + to_ns(wait);
	if (!track->is_drawn)
		track->draw_at = UINT64_MAX;
	else if (is_told(track))
		track->draw_at = now_of(track) + (wait > 0 ? CALIBRATION_TICKS : 0);
	else
		plan_drawing(track);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(latency_doc,
	     "latency()\n--\n\n"
	     "Time between steps so far, in seconds: {'p50', 'p90', 'p99', 'max'}; None "
	     "while nothing\nis recorded.");

static PyObject *track_latency(PyObject *self, PyObject *unused)
{
	struct track *track = (struct track *)self;
	struct wan_progress_look look = {.struct_size = sizeof(look)};
	if (!is_told(track))
		Py_RETURN_NONE;
	wan_progress_look(track->handle, &look);
	return Py_BuildValue("{sdsdsdsd}", "p50", (double)look.p50_ns / 1e9, "p90",
			     (double)look.p90_ns / 1e9, "p99", (double)look.p99_ns / 1e9, "max",
			     (double)look.max_ns / 1e9);
}

static PyMethodDef track_methods[] = {
	{"_begin", track_begin, METH_VARARGS, begin_doc},
	{"_end", track_end, METH_O, end_doc},
	{"_tell_total", track_tell_total, METH_O, total_doc},
	{"_tell_phase", track_tell_phase, METH_VARARGS, phase_doc},
	{"_add_steps", track_add_steps, METH_O, steps_doc},
	{"_draws", track_draws, METH_VARARGS, draws_doc},
	{"update", (PyCFunction)(void (*)(void))track_update, METH_FASTCALL | METH_KEYWORDS,
	 update_doc},
	{"one_off", track_one_off, METH_O, one_off_doc},
	{"expect", track_expect, METH_O, expect_doc},
	{"device_done", track_device_done, METH_O, device_doc},
	{"latency", track_latency, METH_NOARGS, latency_doc},
	{NULL, NULL, 0, NULL},
};

static PyObject *get_n(PyObject *self, void *unused)
{
	struct track *track = (struct track *)self;
	return track->is_part ? PyFloat_FromDouble(track->part) : PyLong_FromLongLong(track->n);
}

static int set_n(PyObject *self, PyObject *value, void *unused)
{
	struct track *track = (struct track *)self;
	int64_t before = track->n;
	if (!value) {
		PyErr_SetString(PyExc_AttributeError, "n cannot be deleted");
		return -1;
	}
	track->n = 0;
	track->part = 0;
	track->is_part = false;
	if (add(track, value) < 0) {
		track->n = before;
		return -1;
	}
	if (is_told(track) && track->n != before)
		wan_progress_update(track->handle, track->n < 0 ? 0 : (uint64_t)track->n);
	return 0;
}

static PyObject *get_recorded(PyObject *self, void *unused)
{
	return PyBool_FromLong(is_told((struct track *)self));
}

static PyGetSetDef track_attributes[] = {
	{"n", get_n, set_n, "how many are done", NULL},
	{"recorded", get_recorded, NULL, "whether the job is in the recording, and under way",
	 NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot track_slots[] = {
	{Py_tp_doc, (void *)"A job under way: what wanrt.track is made of."},
	{Py_tp_new, track_new},
	{Py_tp_dealloc, track_dealloc},
	{Py_tp_methods, track_methods},
	{Py_tp_getset, track_attributes},
	{0, NULL},
};

static PyType_Spec track_spec = {
	.name = "wanrt._wanrt.Track",
	.basicsize = sizeof(struct track),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	.slots = track_slots,
};

/* --- bars of ours are not read off the output by the preload library --- */

PyDoc_STRVAR(own_doc, "own_output(delta, /)\n--\n\n"
		      "+1 before this thread prints a bar of a job that is told anyway, -1 after.");

static PyObject *own_output(PyObject *module, PyObject *delta)
{
	static const struct wan_record_share *share;
	static bool is_looked_up;
	long by = PyLong_AsLong(delta);
	if (by == -1 && PyErr_Occurred())
		return NULL;
	if (!is_looked_up)
		share = dlsym(RTLD_DEFAULT, WAN_RECORD_SHARE_SYMBOL);
	is_looked_up = true;
	if (share && share->version == WAN_RECORD_SHARE_VERSION)
		share->own_output((int)by);
	Py_RETURN_NONE;
}

PyMethodDef wan_py_track_methods[] = {
	{"own_output", own_output, METH_O, own_doc},
	{NULL, NULL, 0, NULL},
};

int wan_py_track_init(PyObject *module)
{
	if (!due_name)
		due_name = PyUnicode_InternFromString("_due");
	if (!track_type)
		track_type = (PyTypeObject *)PyType_FromSpec(&track_spec);
	if (!due_name || !track_type)
		return -1;
	Py_INCREF((PyObject *)track_type);
	if (PyModule_AddObject(module, "Track", (PyObject *)track_type) < 0)
		return -1;
	return wan_py_loop_init(module, track_type);
}
