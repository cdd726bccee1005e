/* SPDX-License-Identifier: MIT */
/*
 * wanrt.Verdict: what validation says of one image or of a pair. The struct is kept as it came;
 * Python objects are made when somebody looks.
 */

#include "wan_py.h"

#include <errno.h>

#include "wan/frame.h"
#include "wan/validate.h"

struct verdict {
	PyObject head;
	PyObject *path;              /* as given; None for a pair */
	PyObject *issues, *metadata; /* made at the first look; NULL before */
	bool valid, is_pair;
	uint32_t issue_count;
	double numbers[3]; /* brightness_mean, contrast_std, blur_variance */
	struct wan_image_info info;
	char ratio_label[32];
	struct wan_issue *kept; /* issue_count of them */
};

static PyTypeObject *verdict_type, *issue_type;

static const char *severity_text(enum wan_severity severity)
{
	static const char *const texts[] = {"info", "warning", "error"};
	return texts[severity];
}

static PyObject *verdict_new(const struct wan_verdict *from, const struct wan_image_info *info,
			     PyObject *path)
{
	struct wan_issue *kept = PyMem_Malloc(sizeof(*kept) * (from->issue_count + 1));
	struct verdict *verdict = kept ? PyObject_New(struct verdict, verdict_type) : NULL;
	if (!verdict) {
		PyMem_Free(kept);
		return PyErr_NoMemory();
	}
	memcpy(kept, from->issues, sizeof(*kept) * from->issue_count);
	verdict->kept = kept;
	verdict->issue_count = from->issue_count;
	verdict->issues = verdict->metadata = NULL;
	verdict->valid = from->valid;
	verdict->is_pair = !info;
	verdict->numbers[0] = from->brightness_mean;
	verdict->numbers[1] = from->contrast_std;
	verdict->numbers[2] = from->blur_variance;
	memcpy(verdict->ratio_label, from->ratio_label, sizeof(verdict->ratio_label));
	if (info)
		verdict->info = *info;
	Py_INCREF(path);
	verdict->path = path;
	return (PyObject *)verdict;
}

static void verdict_dealloc(PyObject *self)
{
	struct verdict *verdict = (struct verdict *)self;
	PyTypeObject *type = Py_TYPE(self);
	Py_XDECREF(verdict->path);
	Py_XDECREF(verdict->issues);
	Py_XDECREF(verdict->metadata);
	PyMem_Free(verdict->kept);
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyObject *verdict_refuse_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	PyErr_SetString(PyExc_TypeError, "verdicts come from wanrt.validate()");
	return NULL;
}

/* --- what it says --- */

static PyObject *make_issue(const struct wan_issue *issue)
{
	PyObject *made = PyStructSequence_New(issue_type);
	if (!made)
		return NULL;
	PyStructSequence_SetItem(made, 0, PyUnicode_FromString(issue->id));
	PyStructSequence_SetItem(made, 1, PyUnicode_FromString(severity_text(issue->severity)));
	PyStructSequence_SetItem(made, 2, PyUnicode_DecodeFSDefault(issue->message));
	PyStructSequence_SetItem(made, 3, PyUnicode_DecodeFSDefault(issue->suggestion));
	PyStructSequence_SetItem(made, 4, PyFloat_FromDouble(issue->value));
	PyStructSequence_SetItem(made, 5, PyFloat_FromDouble(issue->limit));
	if (PyErr_Occurred()) {
		Py_DECREF(made);
		return NULL;
	}
	return made;
}

static PyObject *get_issues(PyObject *self, void *unused)
{
	struct verdict *verdict = (struct verdict *)self;
	if (!verdict->issues) {
		PyObject *issues = PyTuple_New(verdict->issue_count);
		for (uint32_t i = 0; issues && i < verdict->issue_count; i++) {
			PyObject *issue = make_issue(&verdict->kept[i]);
			if (!issue)
				Py_CLEAR(issues);
			else
				PyTuple_SetItem(issues, i, issue);
		}
		if (!issues)
			return NULL;
		verdict->issues = issues;
	}
	Py_INCREF(verdict->issues);
	return verdict->issues;
}

static PyObject *get_severity(PyObject *self, void *unused)
{
	const struct verdict *verdict = (struct verdict *)self;
	enum wan_severity worst = WAN_SEVERITY_INFO;
	for (uint32_t i = 0; i < verdict->issue_count; i++)
		if (verdict->kept[i].severity > worst)
			worst = verdict->kept[i].severity;
	return PyUnicode_FromString(worst == WAN_SEVERITY_INFO ? "success" : severity_text(worst));
}

static PyObject *flag(bool value)
{
	return PyBool_FromLong(value);
}

static PyObject *make_metadata(const struct verdict *verdict)
{
	const struct wan_image_info *info = &verdict->info;
	struct wan_image_metadata about;
	PyObject *path = wan_py_path(verdict->path);
	int r = path ? wan_image_describe(PyBytes_AsString(path), info, &about) : -1;
	Py_XDECREF(path);
	if (r < 0)
		return PyErr_Occurred() ? NULL : PyDict_New();
	return Py_BuildValue(
		"{s:O,s:N,s:s,s:(II),s:(II),s:K,s:d,s:d,s:s,s:s,s:i,s:i,s:i,s:N,s:N,s:N}", "path",
		verdict->path, "filename", PyUnicode_DecodeFSDefault(about.filename), "format",
		about.format, "dimensions", about.width_px, about.height_px, "stored_dimensions",
		info->width_px, info->height_px, "file_size_bytes",
		(unsigned long long)about.file_size_bytes, "file_size_mb", about.file_size_mb,
		"aspect_ratio", about.aspect_ratio, "aspect_ratio_string",
		about.aspect_ratio_string, "color_mode", about.color_mode, "channels",
		info->channels, "bit_depth", info->bit_depth, "exif_orientation",
		info->exif_orientation, "has_transparency", flag(about.has_transparency),
		"has_icc_profile", flag(info->has_icc), "interlaced", flag(info->interlaced));
}

static PyObject *get_metadata(PyObject *self, void *unused)
{
	struct verdict *verdict = (struct verdict *)self;
	if (!verdict->metadata)
		verdict->metadata = verdict->is_pair ? PyDict_New() : make_metadata(verdict);
	Py_XINCREF(verdict->metadata);
	return verdict->metadata;
}

static PyObject *get_path(PyObject *self, void *unused)
{
	PyObject *path = ((struct verdict *)self)->path;
	Py_INCREF(path);
	return path;
}

static PyObject *get_valid(PyObject *self, void *unused)
{
	return PyBool_FromLong(((struct verdict *)self)->valid);
}

static PyObject *get_ratio_label(PyObject *self, void *unused)
{
	return PyUnicode_FromString(((struct verdict *)self)->ratio_label);
}

static PyObject *get_number(PyObject *self, void *which)
{
	return PyFloat_FromDouble(((struct verdict *)self)->numbers[(intptr_t)which]);
}

static PyObject *verdict_repr(PyObject *self)
{
	struct verdict *verdict = (struct verdict *)self;
	PyObject *severity = get_severity(self, NULL);
	if (!severity)
		return NULL;
	PyObject *text = PyUnicode_FromFormat("<wanrt.Verdict %U, %u issues, %R>", severity,
					      verdict->issue_count, verdict->path);
	Py_DECREF(severity);
	return text;
}

static int verdict_bool(PyObject *self)
{
	return ((struct verdict *)self)->valid;
}

static PyGetSetDef verdict_attributes[] = {
	{"valid", get_valid, NULL, "no issue is an error; bool(verdict) is the same", NULL},
	{"severity", get_severity, NULL, "success, warning or error: the worst issue", NULL},
	{"issues", get_issues, NULL, "tuple of wanrt.Issue, worst first", NULL},
	{"path", get_path, NULL, "as it was given; None for a pair", NULL},
	{"metadata", get_metadata, NULL, "what the header says, as a dict; empty for a pair", NULL},
	{"ratio_label", get_ratio_label, NULL, "16:9 (Widescreen)", NULL},
	{"brightness_mean", get_number, NULL, "mean of all colour samples", (void *)0},
	{"contrast_std", get_number, NULL, "their population deviation", (void *)1},
	{"blur_variance", get_number, NULL, "variance of the Laplacian", (void *)2},
	{NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(verdict_doc, "What validation says of an image or a pair. True when it may be used.");

static PyType_Slot verdict_slots[] = {
	{Py_tp_doc, (void *)verdict_doc},
	{Py_tp_new, verdict_refuse_new},
	{Py_tp_dealloc, verdict_dealloc},
	{Py_tp_repr, verdict_repr},
	{Py_tp_getset, verdict_attributes},
	{Py_nb_bool, verdict_bool},
	{0, NULL},
};

static PyType_Spec verdict_spec = {
	.name = "wanrt.Verdict",
	.basicsize = sizeof(struct verdict),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
	.slots = verdict_slots,
};

static PyStructSequence_Field issue_fields[] = {
	{"id", "stable, such as too_dark"},
	{"severity", "info, warning or error"},
	{"message", "one sentence with the number"},
	{"suggestion", "what to do; may be empty"},
	{"value", "what decided"},
	{"limit", "what still passes"},
	{NULL, NULL},
};

static PyStructSequence_Desc issue_description = {
	.name = "wanrt.Issue",
	.doc = "One thing said about an image.",
	.fields = issue_fields,
	.n_in_sequence = 6,
};

/* --- functions --- */

/* A file that is no usable image has a verdict too; one that cannot be read has not. */
static int judge_file(struct wan_runtime *runtime, const char *path,
		      struct wan_image_info *ret_info, struct wan_verdict *ret_verdict,
		      struct wan_error *reterr_error)
{
	int r = wan_validate(runtime, path, ret_info, ret_verdict, NULL, reterr_error);
	if (r == 0)
		return 0;
	struct wan_error ignored = {0};
	memset(ret_info, 0, sizeof(*ret_info));
	int known = wan_image_probe(path, ret_info, &ignored);
	bool is_partly_known = known == 0 || known == -ENOTSUP;
	return wan_verdict_of_error(reterr_error, is_partly_known ? ret_info : NULL, ret_verdict) ==
			       0
		       ? 0
		       : r;
}

/* Without the GIL inside; 0, or -1 with an exception. */
static int judge(struct wan_runtime *runtime, PyObject *object, struct wan_image_info *ret_info,
		 struct wan_verdict *ret_verdict)
{
	PyObject *path = wan_py_path(object);
	if (!path)
		return -1;
	const char *name = PyBytes_AsString(path);
	struct wan_error error = {0};
	PyThreadState *state = PyEval_SaveThread();
	int r = judge_file(runtime, name, ret_info, ret_verdict, &error);
	PyEval_RestoreThread(state);
	if (r < 0)
		wan_py_raise(r, &error, name);
	Py_DECREF(path);
	return r < 0 ? -1 : 0;
}

PyDoc_STRVAR(
	validate_doc,
	"validate(path, /)\n--\n\n"
	"Judge a start or end image: a wanrt.Verdict with issues, metadata and measured values. "
	"The\n"
	"whole file is decoded once; the verdict is cached as long as the file is as it was.\n\n"
	"What is wrong with the image is in the verdict: damaged, no image, too large, or of a "
	"format\n"
	"that is not decoded here. A file that cannot be read raises as load() does. Any thread; "
	"the\n"
	"GIL is released.");

static PyObject *validate(PyObject *module, PyObject *path)
{
	struct wan_image_info info;
	struct wan_verdict verdict;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	if (!runtime)
		return NULL;
	int r = judge(runtime, path, &info, &verdict);
	wan_py_runtime_unref(runtime);
	return r < 0 ? NULL : verdict_new(&verdict, &info, path);
}

PyDoc_STRVAR(pair_doc,
	     "validate_pair(start, end=None)\n--\n\n"
	     "(verdict of the pair, verdict of start, verdict of end or None). The pair's own "
	     "verdict is about\n"
	     "sizes, ratios and colour modes; an end image is optional. Errors as validate().");

static PyObject *validate_pair(PyObject *module, PyObject *args)
{
	PyObject *start, *end = Py_None;
	if (!PyArg_ParseTuple(args, "O|O:validate_pair", &start, &end))
		return NULL;
	PyObject *paths[2] = {start, end}, *verdicts[2] = {NULL, NULL}, *answer = NULL;
	struct wan_image_info infos[2];
	struct wan_verdict verdict;
	struct wan_runtime *runtime = wan_py_runtime_ref();
	int count = end == Py_None ? 1 : 2, r = runtime ? 0 : -1;
	for (int i = 0; i < count && r == 0; i++) {
		r = judge(runtime, paths[i], &infos[i], &verdict);
		verdicts[i] = r < 0 ? NULL : verdict_new(&verdict, &infos[i], paths[i]);
		r = verdicts[i] ? 0 : -1;
	}
	if (r == 0 &&
	    wan_image_validate_pair(&infos[0], count == 2 ? &infos[1] : NULL, &verdict) == 0) {
		PyObject *both = verdict_new(&verdict, NULL, Py_None);
		answer = both ? Py_BuildValue("(NOO)", both, verdicts[0],
					      verdicts[1] ? verdicts[1] : Py_None)
			      : NULL;
	}
	Py_XDECREF(verdicts[0]);
	Py_XDECREF(verdicts[1]);
	wan_py_runtime_unref(runtime);
	return answer;
}

PyDoc_STRVAR(explain_doc,
	     "explain(pipeline, start, end, size, /)\n--\n\n"
	     "(verdict, size that is not squeezed or None): what a pipeline makes of the files.");

/* wan_explain() of both files; 0, or -1 with an exception. */
static int explain_files(enum wan_pipeline pipeline, PyObject *const paths[2],
			 struct wan_size target, struct wan_explanation *ret_told)
{
	struct wan_image_info infos[2];
	struct wan_verdict *verdict = PyMem_Malloc(sizeof(*verdict));
	struct wan_runtime *runtime = wan_py_runtime_ref();
	int r = runtime && verdict ? 0 : -1, count = paths[1] == Py_None ? 1 : 2;
	if (!verdict)
		PyErr_NoMemory();
	for (int i = 0; i < count && r == 0; i++)
		r = judge(runtime, paths[i], &infos[i], verdict);
	if (r == 0) {
		PyThreadState *state = PyEval_SaveThread();
		r = wan_explain(pipeline, &infos[0], count == 2 ? &infos[1] : NULL, target,
				WAN_UPRIGHT_AS_PIPELINE, ret_told);
		PyEval_RestoreThread(state);
		if (r < 0)
			wan_py_raise_code(r, "explain");
	}
	PyMem_Free(verdict);
	wan_py_runtime_unref(runtime);
	return r < 0 ? -1 : 0;
}

static PyObject *explain(PyObject *module, PyObject *args)
{
	PyObject *name, *paths[2], *size, *answer = NULL;
	struct wan_size target;
	enum wan_pipeline pipeline;
	if (!PyArg_ParseTuple(args, "OOOO", &name, &paths[0], &paths[1], &size) ||
	    wan_py_pipeline(name, &pipeline) < 0 ||
	    wan_py_size(size, &target.width_px, &target.height_px) < 0)
		return NULL;
	struct wan_explanation *told = PyMem_Malloc(sizeof(*told));
	if (!told)
		return PyErr_NoMemory();
	if (explain_files(pipeline, paths, target, told) == 0) {
		struct wan_size better = told->unsqueezed;
		PyObject *of_pair = verdict_new(&told->verdict, NULL, Py_None);
		if (of_pair && better.width_px)
			answer = Py_BuildValue("(N(II))", of_pair, better.width_px,
					       better.height_px);
		else if (of_pair)
			answer = Py_BuildValue("(NO)", of_pair, Py_None);
	}
	PyMem_Free(told);
	return answer;
}

PyMethodDef wan_py_verdict_methods[] = {
	{"validate", validate, METH_O, validate_doc},
	{"validate_pair", validate_pair, METH_VARARGS, pair_doc},
	{"explain", explain, METH_VARARGS, explain_doc},
	{NULL, NULL, 0, NULL},
};

int wan_py_verdict_init(PyObject *module)
{
	if (!verdict_type)
		verdict_type = (PyTypeObject *)PyType_FromSpec(&verdict_spec);
	if (!issue_type)
		issue_type = PyStructSequence_NewType(&issue_description);
	if (!verdict_type || !issue_type)
		return -1;
	Py_INCREF((PyObject *)verdict_type);
	Py_INCREF((PyObject *)issue_type);
	return PyModule_AddObject(module, "Verdict", (PyObject *)verdict_type) < 0 ||
			       PyModule_AddObject(module, "Issue", (PyObject *)issue_type) < 0
		       ? -1
		       : 0;
}
