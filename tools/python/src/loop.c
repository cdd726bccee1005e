/* SPDX-License-Identifier: MIT */
/*
 * The iterator of `for x in wanrt.track(iterable)`. A step is done when the next one is asked for.
 * The inner iterator is kept until we go, since another thread may be inside it.
 */
#include "track.h"

struct loop {
	PyObject head;
	struct track *track;
	PyObject *inner;
	iternextfunc next; /* of inner */
	bool is_begun, is_over;
};

static PyTypeObject *loop_type, *base_type;
static PyObject *finish_name;

enum outcome {
	NOT_TOLD,
	COMPLETED,
	FAILED,
};

/* Tells the bar; an exception under way stays, and one of the bar does not replace it. */
static int finish(struct loop *loop, enum outcome outcome)
{
	PyObject *kind, *value, *trace;
	if (loop->is_over)
		return 0;
	loop->is_over = true;
	PyErr_Fetch(&kind, &value, &trace);
	PyObject *told = PyLong_FromLong(outcome);
	PyObject *done =
		told ? PyObject_CallMethodObjArgs((PyObject *)loop->track, finish_name, told, NULL)
		     : NULL;
	Py_XDECREF(told);
	bool is_fine = done != NULL;
	Py_XDECREF(done);
	if (kind && !is_fine)
		PyErr_Clear();
	if (kind)
		PyErr_Restore(kind, value, trace);
	return is_fine ? 0 : -1;
}

static PyObject *no_more(struct loop *loop)
{
	bool failed = PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_StopIteration);
	if (finish(loop, failed ? FAILED : COMPLETED) < 0 && PyErr_Occurred() &&
	    !PyErr_ExceptionMatches(PyExc_StopIteration))
		return NULL;
	return NULL;
}

static PyObject *loop_next(PyObject *self)
{
	struct loop *loop = (struct loop *)self;
	struct track *track = loop->track;
	if (__builtin_expect(loop->is_begun, 1)) {
		if (__builtin_expect(loop->is_over, 0))
			return NULL;
		track->n++;
		if (!wan_py_track_step(track))
			return NULL;
	}
	loop->is_begun = true;
	PyObject *item = loop->next(loop->inner);
	return __builtin_expect(item != NULL, 1) ? item : no_more(loop);
}

static iternextfunc next_of(PyObject *inner)
{
#if defined(Py_LIMITED_API) || PY_VERSION_HEX >= 0x030a0000
	return (iternextfunc)PyType_GetSlot(Py_TYPE(inner), Py_tp_iternext);
#else
	return Py_TYPE(inner)->tp_iternext;
#endif
}

static PyObject *loop_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	PyObject *track, *inner;
	if (!PyArg_ParseTuple(args, "O!O", base_type, &track, &inner))
		return NULL;
	if (!PyIter_Check(inner)) {
		PyErr_SetString(PyExc_TypeError, "an iterator is needed");
		return NULL;
	}
	struct loop *loop = PyObject_GC_New(struct loop, type);
	if (!loop)
		return NULL;
	Py_INCREF(track);
	Py_INCREF(inner);
	loop->track = (struct track *)track;
	loop->inner = inner;
	loop->next = next_of(inner);
	loop->is_begun = loop->is_over = false;
	PyObject_GC_Track(loop);
	return (PyObject *)loop;
}

static int loop_traverse(PyObject *self, visitproc visit, void *arg)
{
	struct loop *loop = (struct loop *)self;
#if PY_VERSION_HEX >= 0x03090000
	Py_VISIT(Py_TYPE(self));
#endif
	Py_VISIT((PyObject *)loop->track);
	Py_VISIT(loop->inner);
	return 0;
}

/* Left before its end: by break, or, when an exception is under way, by that. */
static void loop_finalize(PyObject *self)
{
	struct loop *loop = (struct loop *)self;
	PyObject *kind, *value, *trace;
	if (loop->is_over)
		return;
	bool failed = PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_GeneratorExit);
	PyErr_Fetch(&kind, &value, &trace);
	if (finish(loop, failed ? FAILED : NOT_TOLD) < 0)
		PyErr_WriteUnraisable(NULL);
	PyErr_Restore(kind, value, trace);
}

static void loop_dealloc(PyObject *self)
{
	struct loop *loop = (struct loop *)self;
	PyTypeObject *type = Py_TYPE(self);
	loop_finalize(self);
	PyObject_GC_UnTrack(self);
	PyObject *track = (PyObject *)loop->track, *inner = loop->inner;
	PyObject_GC_Del(self);
	Py_DECREF(inner);
	Py_DECREF(track);
	Py_DECREF(type);
}

static PyObject *loop_length_hint(PyObject *self, PyObject *unused)
{
	return PyObject_CallMethod(((struct loop *)self)->inner, "__length_hint__", NULL);
}

static PyObject *loop_close(PyObject *self, PyObject *unused)
{
	if (finish((struct loop *)self, NOT_TOLD) < 0)
		return NULL;
	Py_RETURN_NONE;
}

static PyMethodDef loop_methods[] = {
	{"__length_hint__", loop_length_hint, METH_NOARGS, "About how many are left."},
	{"close", loop_close, METH_NOARGS, "close()\n--\n\nLeave the loop, as break does."},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot loop_slots[] = {
	{Py_tp_doc, (void *)"The loop of a wanrt.track: one step each time."},
	{Py_tp_new, loop_new},
	{Py_tp_dealloc, loop_dealloc},
	{Py_tp_traverse, loop_traverse},
	{Py_tp_iter, PyObject_SelfIter},
	{Py_tp_iternext, loop_next},
	{Py_tp_methods, loop_methods},
	{0, NULL},
};

static PyType_Spec loop_spec = {
	.name = "wanrt._wanrt.Loop",
	.basicsize = sizeof(struct loop),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
	.slots = loop_slots,
};

int wan_py_loop_init(PyObject *module, PyTypeObject *track_type)
{
	base_type = track_type;
	if (!finish_name)
		finish_name = PyUnicode_InternFromString("_finish");
	if (!loop_type)
		loop_type = (PyTypeObject *)PyType_FromSpec(&loop_spec);
	if (!finish_name || !loop_type)
		return -1;
	Py_INCREF((PyObject *)loop_type);
	return PyModule_AddObject(module, "Loop", (PyObject *)loop_type);
}
