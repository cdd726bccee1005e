/* SPDX-License-Identifier: MIT */
/*
 * OpenCV's Python wheels carry libjpeg (and others) inside cv2 itself, where no hook can reach. So
 * the functions that Python calls are the operations: imread, imdecode, imwrite, imencode of JPEG
 * and PNG. Where the hooks of libjpeg or libpng saw the work all the same (Debian's OpenCV, PNG in
 * some wheels), theirs is the operation, and the kind of picture is left to them from then on.
 */
#include "python/opencv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "identity_mark.h"
#include "operation.h"
#include "python/api.h"
#include "python/header.h"
#include "python/file_source.h"
#include "python/method_table.h"
#include "str.h"
#include "sys.h"

#define FAMILY WAN_FAMILY_OPENCV

typedef struct wan_py_object *function(struct wan_py_object *self, struct wan_py_object *arguments,
				       struct wan_py_object *keywords);

enum call { IMREAD, IMDECODE, IMWRITE, IMENCODE, CALLS };

static struct wan_codec codec = {.family = FAMILY};
static struct wan_py_image image;
static function *reals[CALLS];
/* The hooks of the library itself see this kind of picture: by decoding and by encoding. */
static uint32_t seen_inside[2][WAN_PICTURES];

struct work {
	struct wan_call call;
	struct wan_object object;
	struct wan_lane *lane;
	uint64_t sequence; /* of the thread's records when it began */
	enum call which;
	enum wan_picture kind;
	const char *path;
};

static bool writes(enum call which)
{
	return which == IMWRITE || which == IMENCODE;
}

static struct wan_py_object *argument(struct wan_py_object *arguments,
				      struct wan_py_object *keywords, ssize_t index,
				      const char *name)
{
	if (index < wan_py.PyTuple_Size(arguments))
		return wan_py_item(arguments, index);
	struct wan_py_object *value = keywords ? wan_py.PyDict_GetItemString(keywords, name) : NULL;
	wan_py.PyErr_Clear();
	return value;
}

/* A regular file only: opening a pipe would be seen at its other end. */
static int open_file(const char *path)
{
	struct stat status;
	if (!path[0] || wan_sys->stat(path, &status) != 0 || !S_ISREG(status.st_mode))
		return -1;
	return wan_sys->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
}

static enum wan_operation_name name_of(const struct work *work)
{
	bool png = work->kind == WAN_PICTURE_PNG;
	if (writes(work->which))
		return png ? WAN_NAME_PNG_ENCODE : WAN_NAME_JPEG_ENCODE;
	return png ? WAN_NAME_PNG_DECODE : WAN_NAME_JPEG_DECODE;
}

static void begin(struct work *work, const struct wan_header *header, int fd)
{
	struct wan_object *object = &work->object;
	work->kind = header->kind;
	if (header->kind == WAN_PICTURE_OTHER ||
	    wan_load_relaxed(&seen_inside[writes(work->which)][header->kind]))
		return;
	object->fd = fd;
	wan_operation_prepare(object, name_of(work));
	object->fd = -1;
	if (object->phase == WAN_PHASE_IDLE)
		return;
	wan_operation_size(object, header->width_px, header->height_px, header->channels,
			   header->bit_depth);
	if (header->progressive)
		object->flags |= WAN_FLAG_PROGRESSIVE;
	wan_operation_run(object, name_of(work));
	work->lane = object->lane;
	work->sequence = object->lane->sequence;
	work->call.object = object;
}

static void begin_file(struct work *work, struct wan_py_object *name)
{
	struct wan_header header;
	int fd = open_file(wan_py_text(name));
	if (fd < 0)
		return;
	wan_header_of_file(fd, &header);
	begin(work, &header, fd);
	wan_sys->close(fd);
}

static void begin_bytes(struct work *work, struct wan_py_object *bytes)
{
	struct wan_header header;
	struct wan_py_buffer buffer = {0};
	if (!bytes || wan_py.PyObject_GetBuffer(bytes, &buffer, 0) != 0) {
		wan_py.PyErr_Clear();
		return;
	}
	wan_header_of_bytes(buffer.bytes, (size_t)buffer.count, &header);
	work->object.file_bytes = (uint64_t)buffer.count;
	work->object.identity = wan_identity_of_bytes(buffer.bytes, (size_t)buffer.count);
	wan_py.PyBuffer_Release(&buffer);
	begin(work, &header, -1);
}

/* Rows, columns and channels (1 when there is no third axis) of an array of two or three axes. */
static bool shape_of(struct wan_py_object *array, long ret_shape[3])
{
	if (!array || !wan_py_is_exactly(array, "numpy.ndarray"))
		return false;
	struct wan_py_object *shape = wan_py.PyObject_GetAttrString(array, "shape");
	ssize_t axes = shape ? wan_py.PyTuple_Size(shape) : 0;
	for (ssize_t i = 0; i < 3 && axes >= 2; i++)
		ret_shape[i] = i < axes ? wan_py_number(wan_py_item(shape, i), 0) : 1;
	if (shape)
		wan_py.Py_DecRef(shape);
	wan_py.PyErr_Clear();
	return axes == 2 || axes == 3;
}

/* What is no array is a mistake of the program's, which OpenCV refuses at once. */
static void begin_array(struct work *work, enum wan_picture kind, struct wan_py_object *array)
{
	struct wan_header header = {.kind = kind, .bit_depth = 8};
	long shape[3];
	if (kind == WAN_PICTURE_OTHER || !shape_of(array, shape))
		return;
	header.height_px = (uint32_t)shape[0];
	header.width_px = (uint32_t)shape[1];
	header.channels = (uint8_t)shape[2];
	struct wan_py_object *bytes = wan_py.PyObject_GetAttrString(array, "itemsize");
	if (kind == WAN_PICTURE_PNG && wan_py_number(bytes, 1) == 2)
		header.bit_depth = 16;
	if (bytes)
		wan_py.Py_DecRef(bytes);
	wan_py.PyErr_Clear();
	begin(work, &header, -1);
}

static void prepare(struct work *work, struct wan_py_object *arguments,
		    struct wan_py_object *keywords)
{
	switch (work->which) {
	case IMREAD:
		begin_file(work, argument(arguments, keywords, 0, "filename"));
		break;
	case IMDECODE:
		begin_bytes(work, argument(arguments, keywords, 0, "buf"));
		break;
	case IMWRITE:
		work->path = wan_py_text(argument(arguments, keywords, 0, "filename"));
		begin_array(work, wan_picture_of_name(work->path),
			    argument(arguments, keywords, 1, "img"));
		break;
	default:
		begin_array(
			work,
			wan_picture_of_name(wan_py_text(argument(arguments, keywords, 0, "ext"))),
			argument(arguments, keywords, 1, "img"));
	}
}

/* The file that was written; the array of bytes that was made. */
static void note_output(struct work *work, struct wan_py_object *result)
{
	struct wan_py_buffer buffer = {0};
	struct stat status;
	if (work->which == IMWRITE) {
		int fd = open_file(work->path);
		if (fd < 0)
			return;
		wan_operation_file(&work->object, fd, false);
		if (wan_sys->fstat(fd, &status) == 0)
			work->object.file_bytes = (uint64_t)status.st_size;
		wan_sys->close(fd);
		return;
	}
	struct wan_py_object *bytes = wan_py_item(result, 1);
	if (bytes && wan_py.PyObject_GetBuffer(bytes, &buffer, 0) == 0) {
		work->object.file_bytes = (uint64_t)buffer.count;
		wan_py.PyBuffer_Release(&buffer);
	}
	wan_py.PyErr_Clear();
}

/* IMREAD_REDUCED_...: fewer pixels than the picture has, in whatever orientation. */
static void note_scaled(struct wan_object *object, struct wan_py_object *result)
{
	long shape[3];
	if (!shape_of(result, shape) || (uint64_t)shape[0] * (uint64_t)shape[1] >=
						(uint64_t)object->width_px * object->height_px)
		return;
	object->flags |= WAN_FLAG_SCALED;
	object->output_width_px = (uint32_t)shape[1];
	object->output_height_px = (uint32_t)shape[0];
}

/* None, False, (False, ...): OpenCV says no without raising. */
static bool succeeded(const struct work *work, struct wan_py_object *result)
{
	if (work->which == IMENCODE)
		result = wan_py_item(result, 0);
	if (!result)
		return false;
	if (writes(work->which))
		return wan_py.PyObject_IsTrue(result) == 1;
	return result != wan_py._Py_NoneStruct;
}

static void conclude(struct work *work, struct wan_py_object *result)
{
	struct wan_object *object = &work->object;
	wan_call_leave(&work->call);
	if (work->lane->sequence != work->sequence && wan_object_is_ours(object)) {
		wan_store_relaxed(&seen_inside[writes(work->which)][work->kind], 1);
		wan_operation_close(object, WAN_END_DROPPED);
		return;
	}
	if (!result) /* an exception is on its way: Python must not be asked anything */
		object->failed = true;
	else if (!succeeded(work, result))
		object->failed = true;
	else if (writes(work->which))
		note_output(work, result);
	else
		note_scaled(object, result);
	wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	wan_preload_note_codec(&codec);
	wan_operation_close(object, WAN_END_DONE);
}

static struct wan_py_object *run(enum call which, struct wan_py_object *self,
				 struct wan_py_object *arguments, struct wan_py_object *keywords)
{
	int saved = errno;
	struct work work = {.which = which, .path = ""};
	work.call.codec = &codec;
	work.call.frame = WAN_FRAME;
	wan_object_init_call(&work.object, &codec);
	prepare(&work, arguments, keywords);
	errno = saved;
	wan_call_enter(&work.call);
	struct wan_py_object *result = reals[which](self, arguments, keywords);
	if (work.call.object) {
		saved = errno;
		conclude(&work, result);
		errno = saved;
	}
	return result;
}

#define HOOK(which)                                                                                \
	static struct wan_py_object *run_##which(struct wan_py_object *self,                       \
						 struct wan_py_object *arguments,                  \
						 struct wan_py_object *keywords)                   \
	{                                                                                          \
		return run(which, self, arguments, keywords);                                      \
	}
HOOK(IMREAD)
HOOK(IMDECODE)
HOOK(IMWRITE)
HOOK(IMENCODE)

static const struct {
	const char *name;
	function *ours;
} hooks[CALLS] = {
	[IMREAD] = {"imread", run_IMREAD},
	[IMDECODE] = {"imdecode", run_IMDECODE},
	[IMWRITE] = {"imwrite", run_IMWRITE},
	[IMENCODE] = {"imencode", run_IMENCODE},
};

static bool take_one(struct wan_py_object *names, enum call which)
{
	struct wan_py_object *found = wan_py.PyDict_GetItemString(names, hooks[which].name);
	struct wan_py_method *method =
		found ? wan_py_method_of_function(found, hooks[which].name, &image) : NULL;
	return method && method->flags == (WAN_PY_VARARGS | WAN_PY_KEYWORDS) &&
	       wan_py_exchange(&method->function, (void *)hooks[which].ours, (void **)&reals[which],
			       &image);
}

void wan_opencv_take(struct wan_py_object *result, const void *code)
{
	struct wan_py_image found;
	if (!wan_py_image_of(code, &found) || (image.high && image.low != found.low)) {
		wan_preload_count(FAMILY, WAN_COVER_UNRESOLVED); /* a second OpenCV */
		return;
	}
	image = found;
	codec.low = found.low;
	codec.high = found.high;
	wan_str_copy(codec.file, sizeof(codec.file), found.file);
	struct wan_py_object *names = wan_py.PyModule_GetDict(result);
	for (unsigned which = 0; which < CALLS; which++)
		if (!names || !take_one(names, which))
			wan_preload_count(FAMILY, WAN_COVER_UNRESOLVED);
	wan_py.PyErr_Clear();
}
