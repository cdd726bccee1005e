/* SPDX-License-Identifier: MIT */
/* The extension module wanrt._wanrt: puts its parts together. */
#include "wan_py.h"

/* Destructors of cached objects come on any thread, by PyGILState: one interpreter a process. */
static PyInterpreterState *owner;

static PyObject *close_objects(PyObject *module, PyObject *unused)
{
	wan_py_object_close();
	Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
	{"close", close_objects, METH_NOARGS, "The interpreter goes: leave cached objects alone."},
	{NULL, NULL, 0, NULL},
};

static int add_functions(PyObject *module)
{
	PyMethodDef *const parts[] = {module_methods,       wan_py_instance_methods,
				      wan_py_step_methods,  wan_py_verdict_methods,
				      wan_py_key_methods,   wan_py_object_methods,
				      wan_py_frame_methods, wan_py_stack_methods,
				      wan_py_track_methods, wan_py_operation_methods};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (PyModule_AddFunctions(module, parts[i]) < 0)
			return -1;
	return 0;
}

static int module_exec(PyObject *module)
{
	PyInterpreterState *interpreter = PyInterpreterState_Get();
	if (owner && owner != interpreter) {
		PyErr_SetString(PyExc_ImportError,
				"wanrt is in use by another interpreter of this process");
		return -1;
	}
	owner = interpreter;
	if (wan_py_error_init() < 0 || add_functions(module) < 0 ||
	    wan_py_instance_init(module) < 0 || wan_py_image_init(module) < 0 ||
	    wan_py_verdict_init(module) < 0 || wan_py_stack_init(module) < 0 ||
	    wan_py_object_init(module) < 0 || wan_py_track_init(module) < 0 ||
	    wan_py_operation_init(module) < 0)
		return -1;
	return 0;
}

static PyModuleDef_Slot module_slots[] = {
	{Py_mod_exec, module_exec},
	{0, NULL},
};

static struct PyModuleDef module_definition = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "wanrt._wanrt",
	.m_doc = "The part of wanrt that is written in C.",
	.m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__wanrt(void);
PyMODINIT_FUNC PyInit__wanrt(void)
{
	return PyModuleDef_Init(&module_definition);
}
