/* SPDX-License-Identifier: MIT */
/*
 * Which runtime the package uses: the process's default one until configure() asks for another. A
 * fork starts anew: the parent's locks may be held for ever, so nothing of it is touched again.
 */
#include <pthread.h>

#include "wan_py.h"

#define SETTINGS_MAX 128

static struct wan_runtime *current; /* with the GIL; NULL: ask for the default one */
static bool is_configured;          /* current is ours: the settings have to be applied again */
static PyObject *settings;          /* list of (key, value), as configure() was given them */
uint64_t wan_py_forks;

static void forget_after_fork(void)
{
	wan_py_forks++;
	wan_py_object_forked();
	current = NULL; /* leaked: the pages are shared with the parent until somebody writes */
}

uint64_t wan_py_generation(void)
{
	return wan_py_forks;
}

/* Keys and values are borrowed from the list, which the caller keeps. */
static int fill_settings(PyObject *list, struct wan_setting *ret, uint32_t *ret_count)
{
	Py_ssize_t count = PyList_Size(list);
	if (count < 0 || count > SETTINGS_MAX) {
		PyErr_SetString(PyExc_ValueError, "too many settings");
		return -1;
	}
	for (Py_ssize_t i = 0; i < count; i++)
		if (!PyArg_ParseTuple(PyList_GetItem(list, i), "ss", &ret[i].key, &ret[i].value))
			return -1;
	*ret_count = (uint32_t)count;
	return 0;
}

static struct wan_runtime *create(PyObject *list)
{
	struct wan_setting array[SETTINGS_MAX];
	struct wan_runtime_options options;
	wan_runtime_options_init(&options);
	options.settings = array;
	if (fill_settings(list, array, &options.setting_count) < 0)
		return NULL;
	struct wan_runtime *made = NULL;
	struct wan_error error = {0};
	int r;
	PyThreadState *state = PyEval_SaveThread();
	r = wan_runtime_create(&options, &made, &error);
	PyEval_RestoreThread(state);
	if (r < 0)
		wan_py_raise(r, &error, NULL);
	return made;
}

static struct wan_runtime *first(void)
{
	if (is_configured)
		return create(settings);
	struct wan_runtime *made;
	PyThreadState *state = PyEval_SaveThread();
	made = wan_runtime_ref(wan_runtime_default());
	PyEval_RestoreThread(state);
	return made ? made : (struct wan_runtime *)PyErr_NoMemory();
}

struct wan_runtime *wan_py_runtime_ref(void)
{
	if (!current) {
		struct wan_runtime *made = first();
		if (!made)
			return NULL;
		if (current) /* another thread was first */
			wan_py_runtime_unref(made);
		else
			current = made;
	}
	return wan_runtime_ref(current);
}

void wan_py_runtime_unref(struct wan_runtime *runtime)
{
	if (!runtime)
		return;
	if (runtime == current) { /* never the last one: current holds its own */
		wan_runtime_unref(runtime);
		return;
	}
	PyThreadState *state = PyEval_SaveThread(); /* joins a thread that may wait for the GIL */
	wan_runtime_unref(runtime);
	PyEval_RestoreThread(state);
}

PyDoc_STRVAR(configure_doc, "configure(settings, /)\n--\n\nUse a runtime with these settings.");

static PyObject *configure(PyObject *module, PyObject *list)
{
	if (!PyList_Check(list)) {
		PyErr_SetString(PyExc_TypeError, "settings are a list of (key, value)");
		return NULL;
	}
	struct wan_runtime *made = create(list);
	if (!made)
		return NULL;
	struct wan_runtime *before = current;
	PyObject *old = settings;
	current = made;
	is_configured = true;
	Py_INCREF(list);
	settings = list;
	Py_XDECREF(old);
	wan_py_runtime_unref(before);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(clear_doc, "clear()\n--\n\n"
			"Forget everything that is cached. What somebody looks at stays valid, and "
			"charged, until\nits last view is gone.");

static PyObject *clear(PyObject *module, PyObject *unused)
{
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	PyThreadState *state = PyEval_SaveThread();
	wan_cache_clear(wan_runtime_cache(runtime));
	PyEval_RestoreThread(state);
	wan_py_runtime_unref(runtime);
	Py_RETURN_NONE;
}

static PyObject *cache_dict(const struct wan_cache_stats *stats)
{
	return Py_BuildValue(
		"{sKsKsKsKsKsKsKsdsKsKsKsKsKsKsKsKsKsK}", "limit_bytes", stats->limit_bytes,
		"used_bytes", stats->used_bytes, "entries", stats->entries, "entry_limit",
		stats->entry_limit, "requests", stats->requests, "hits", stats->hits, "misses",
		stats->misses, "hit_rate", stats->hit_rate, "evictions", stats->evictions,
		"expirations", stats->expirations, "puts", stats->puts, "refused_oversize",
		stats->refused_oversize, "pinned_bytes", stats->pinned_bytes, "in_flight_bytes",
		stats->in_flight_bytes, "cold_bytes", stats->cold_bytes, "debt_bytes",
		stats->debt_bytes, "passed_through", stats->passed_through, "time_saved_ns",
		stats->time_saved_ns);
}

static PyObject *pool_dict(const struct wan_pool_stats *stats)
{
	return Py_BuildValue("{sKsKsKsKsK}", "mapped_bytes", stats->mapped_bytes, "idle_bytes",
			     stats->idle_bytes, "in_use_bytes", stats->in_use_bytes, "reused",
			     stats->reused, "fresh", stats->fresh);
}

PyDoc_STRVAR(
	stats_doc,
	"stats()\n--\n\n"
	"Where the cache and the pool of pixel buffers stand, as {'cache': {...}, 'pool': {...},\n"
	"'recording': path or None}. Sizes are in bytes. Costs about 1 us.");

static PyObject *stats(PyObject *module, PyObject *unused)
{
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	struct wan_cache_stats cache = {.struct_size = sizeof(cache)};
	struct wan_pool_stats pool;
	PyThreadState *state = PyEval_SaveThread();
	wan_cache_stats(wan_runtime_cache(runtime), &cache);
	wan_pool_stats(&pool);
	PyEval_RestoreThread(state);
	const char *path = wan_runtime_dump_path(runtime);
	PyObject *all = Py_BuildValue(
		"{sNsNsN}", "cache", cache_dict(&cache), "pool", pool_dict(&pool), "recording",
		path ? PyUnicode_DecodeFSDefault(path) : Py_BuildValue("")); /* None */
	wan_py_runtime_unref(runtime);
	return all;
}

PyDoc_STRVAR(export_doc, "export_json(path, overwrite, /)\n--\n\nWrite the JSON profile.");

static PyObject *export_json(PyObject *module, PyObject *args)
{
	PyObject *path = NULL;
	int overwrite = 0;
	if (!PyArg_ParseTuple(args, "O&p", PyUnicode_FSConverter, &path, &overwrite))
		return NULL;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	struct wan_error error = {0};
	int r = 0;
	if (runtime) {
		const char *name = PyBytes_AsString(path);
		PyThreadState *state = PyEval_SaveThread();
		r = wan_runtime_export_json(runtime, name, overwrite, &error);
		PyEval_RestoreThread(state);
		wan_py_runtime_unref(runtime);
	}
	if (r < 0)
		wan_py_raise(r, &error, PyBytes_AsString(path));
	Py_DECREF(path);
	if (PyErr_Occurred())
		return NULL;
	Py_RETURN_NONE;
}

PyMethodDef wan_py_instance_methods[] = {
	{"configure", configure, METH_O, configure_doc},
	{"clear", clear, METH_NOARGS, clear_doc},
	{"stats", stats, METH_NOARGS, stats_doc},
	{"export_json", export_json, METH_VARARGS, export_doc},
	{NULL, NULL, 0, NULL},
};

int wan_py_instance_init(PyObject *module)
{
	static bool is_hooked;
	if (!is_hooked && pthread_atfork(NULL, NULL, forget_after_fork) != 0) {
		PyErr_NoMemory();
		return -1;
	}
	is_hooked = true;
	return PyModule_AddStringConstant(module, "version", wan_version());
}
