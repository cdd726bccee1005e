/* SPDX-License-Identifier: MIT */
/* A cached stage of image work, as Python asks for it. */
#ifndef WAN_PY_STAGE_H
#define WAN_PY_STAGE_H

#include "wan/clip.h"
#include "wan_py.h"

enum wan_py_stage_kind {
	WAN_PY_LOAD,
	WAN_PY_THUMBNAIL,
	WAN_PY_FIT,
	WAN_PY_TENSOR,
	WAN_PY_FRAME,        /* as a pipeline frames it, RGB */
	WAN_PY_FRAME_TENSOR, /* the same, float32 planes in [-1, 1] */
};
/* The last two are tensors of half size, made of RGB. */
enum wan_py_mode {
	MODE_NATURAL,
	MODE_L,
	MODE_LA,
	MODE_RGB,
	MODE_RGBX,
	MODE_RGBA,
	MODE_F16,
	MODE_BF16,
};

struct wan_py_stage {
	struct wan_runtime *runtime; /* a reference, once it runs */
	const char *path;
	enum wan_py_stage_kind kind;
	uint32_t width_px, height_px;
	enum wan_fit fit;
	enum wan_filter filter;
	enum wan_pipeline pipeline;
	bool is_end; /* of a pair: width x height is the size of the frames */
	struct wan_decode_options decode;
	enum wan_py_mode mode;
	enum wan_alpha_policy alpha;
	struct wan_error error;
};

/* Defaults, and the kind. */
void wan_py_stage_init(struct wan_py_stage *stage, enum wan_py_stage_kind kind);
/* Run it without the GIL; 0 or negative errno, and stage->error or not. Touches no Python object.
 */
int wan_py_stage_run(struct wan_py_stage *stage, struct wan_pin **ret_pin, bool *ret_hit);
/* How the pipeline of a FRAME stage sees an image of that size. 0, -ERANGE, ... */
int wan_py_stage_framing(const struct wan_py_stage *stage, struct wan_size source,
			 struct wan_framing *ret_framing);
/* What the library wants to know of a FRAME stage; framing is filled and has to outlive
 * *ret_picture. Without the GIL. 0, or negative errno with stage->error or not. */
int wan_py_stage_picture(struct wan_py_stage *stage, struct wan_framing *framing,
			 struct wan_picture *ret_picture);
/* Run it and raise what went wrong. path: a new reference to bytes, given back. */
PyObject *wan_py_stage_image(struct wan_py_stage *stage, PyObject *path);
/* Raise for a negative answer of wan_py_stage_run(). Returns NULL. */
PyObject *wan_py_stage_raise(struct wan_py_stage *stage, int code);
/* Arguments `mode` and `alpha`; 0, or -1 with an exception. */
int wan_py_stage_format(struct wan_py_stage *stage, PyObject *mode, PyObject *alpha);

#define WAN_PY_FASTCALL(function)                                                                  \
	(PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

#endif
