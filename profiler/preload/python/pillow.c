/* SPDX-License-Identifier: MIT */
/*
 * Pillow's PNG: a ZIP codec of its own in PIL._imaging, fed by Python with the contents of IDAT.
 * A decoder is made (zip_decoder), told its picture and place (setimage), fed (decode, until it
 * answers a negative number) and cleaned up, in this order since Pillow 4; encoders likewise.
 * Python parses the headers, so a picture that is only opened or verified makes no decoder.
 */
#include "python/pillow.h"

#include <string.h>

#include "operation.h"
#include "python/api.h"
#include "python/file_source.h"
#include "python/method_table.h"
#include "str.h"

#define FAMILY WAN_FAMILY_PILLOW

typedef struct wan_py_object *function(struct wan_py_object *self, struct wan_py_object *arguments);
typedef void free_function(struct wan_py_object *self);

/* Which of the two classes; also index of what follows. */
enum side { DECODER, ENCODER, SIDES };
enum codec_of { ZIP, JPEG, CODECS };

static struct wan_codec codec = {.family = FAMILY};
static struct wan_py_image image;
static function *real_make[CODECS][SIDES], *real_setimage[SIDES], *real_work[SIDES],
	*real_cleanup[SIDES];
static function *real_encode_to_file;
static free_function *real_free[SIDES];
static uint32_t learned[SIDES]; /* 1: its class has been looked at */

/* "RGB;16B": three channels of 16 bits; "L;2", "P;1", "1", "LA" ... */
static void note_mode(struct wan_object *object, const char *mode)
{
	size_t letters = strcspn(mode, ";");
	const char *kind = mode + letters;
	object->set_channels = letters <= 4 ? (uint8_t)letters : 0;
	object->set_depth = mode[0] == '1' ? 1 : 8;
	if (strncmp(kind, ";16", 3) == 0)
		object->set_depth = 16;
	else if (kind[0] && strchr("124", kind[1]) && kind[2] == '\0')
		object->set_depth = (uint8_t)(kind[1] - '0');
}

/* Where the picture comes from: Pillow's own functions have it in a variable. */
static void note_source(struct wan_object *object, enum side side)
{
	struct wan_py_object *local = wan_py_local(side == DECODER ? "self" : "fp");
	if (!local)
		return;
	/* self: the picture; fp: what cuts the bytes into chunks. Both hold the file. */
	struct wan_py_object *inner = wan_py_own(local, "fp");
	wan_py_source(object, inner ? inner : local, side == ENCODER);
	wan_py.Py_DecRef(local);
}

/* setimage(picture, extents): the size is that of the extents, or of the picture. */
static void note_size(struct wan_object *object, struct wan_py_object *arguments)
{
	struct wan_py_object *extents = wan_py_item(arguments, 1), *size = NULL;
	long edges[4] = {0, 0, 0, 0};
	if (extents && wan_py.PyTuple_Size(extents) == 4) {
		for (int i = 0; i < 4; i++)
			edges[i] = wan_py_number(wan_py_item(extents, i), 0);
	} else {
		size = wan_py.PyObject_GetAttrString(wan_py_item(arguments, 0), "size");
		edges[2] = wan_py_number(wan_py_item(size, 0), 0);
		edges[3] = wan_py_number(wan_py_item(size, 1), 0);
	}
	wan_py.PyErr_Clear();
	if (size)
		wan_py.Py_DecRef(size);
	wan_operation_size(object, (uint32_t)(edges[2] - edges[0]), (uint32_t)(edges[3] - edges[1]),
			   object->set_channels, object->set_depth);
}

static void begin(struct wan_object *object, enum side side, struct wan_py_object *arguments)
{
	enum wan_operation_name name = side == DECODER ? WAN_NAME_PNG_DECODE : WAN_NAME_PNG_ENCODE;
	if (object->phase != WAN_PHASE_IDLE)
		return;
	/* A file that is written by libjpeg is told by encode_to_file(). */
	if (object->kind != WAN_OBJECT_PILLOW_FEED || side == DECODER)
		note_source(object, side);
	if (object->kind == WAN_OBJECT_PILLOW_FEED)
		return;
	wan_operation_prepare(object, name);
	if (object->phase == WAN_PHASE_IDLE)
		return;
	wan_preload_note_codec(&codec);
	note_size(object, arguments);
	object->flags |= object->set_flags;
	wan_operation_run(object, name);
}

/* The state of an object of ours; NULL for Pillow's other codecs, which go the same ways. */
static struct wan_object *find(struct wan_py_object *self)
{
	struct wan_object *object = wan_object_find(self);
	return object && object->codec == &codec ? object : NULL;
}

static struct wan_py_object *set_image(enum side side, struct wan_py_object *self,
				       struct wan_py_object *arguments)
{
	struct wan_py_object *result = real_setimage[side](self, arguments);
	struct wan_object *object = result ? find(self) : NULL;
	if (object)
		begin(object, side, arguments);
	return result;
}

/* One of Pillow's other codecs at work; libjpeg's hooks are told the file. */
static struct wan_py_object *feed(function *real, const struct wan_object *object,
				  struct wan_py_object *self, struct wan_py_object *arguments)
{
	if (!object || object->kind != WAN_OBJECT_PILLOW_FEED)
		return real(self, arguments);
	wan_operation_source = object;
	struct wan_py_object *result = real(self, arguments);
	wan_operation_source = NULL;
	return result;
}

static struct wan_py_object *work(function *real, struct wan_object *object,
				  struct wan_py_object *self, struct wan_py_object *arguments)
{
	struct wan_call call = {.codec = &codec, .object = object, .frame = WAN_FRAME};
	wan_call_enter(&call);
	struct wan_py_object *result = real(self, arguments);
	wan_call_leave(&call);
	if (!result)
		object->failed = true;
	return result;
}

static void end(struct wan_object *object, long error)
{
	if (error < 0)
		object->failed = true;
	object->complete = true;
	wan_operation_close(object, WAN_END_DONE);
}

/* Answers (bytes used or negative when done, error). */
static struct wan_py_object *decode(struct wan_py_object *self, struct wan_py_object *arguments)
{
	struct wan_object *object = find(self);
	if (!object || object->phase != WAN_PHASE_RUNNING)
		return feed(real_work[DECODER], object, self, arguments);
	struct wan_py_object *result = work(real_work[DECODER], object, self, arguments);
	if (result && wan_py_number(wan_py_item(result, 0), 0) < 0)
		end(object, wan_py_number(wan_py_item(result, 1), 0));
	return result;
}

/* Answers (bytes used, 0 or positive when done or negative error, bytes). */
static struct wan_py_object *encode(struct wan_py_object *self, struct wan_py_object *arguments)
{
	struct wan_object *object = find(self);
	if (!object || object->phase != WAN_PHASE_RUNNING)
		return feed(real_work[ENCODER], object, self, arguments);
	struct wan_py_object *result = work(real_work[ENCODER], object, self, arguments);
	long error = wan_py_number(result ? wan_py_item(result, 1) : NULL, 0);
	if (error)
		end(object, error);
	return result;
}

/* Writes all of it; answers the error. */
static struct wan_py_object *encode_to_file(struct wan_py_object *self,
					    struct wan_py_object *arguments)
{
	struct wan_object *object = find(self);
	if (object && object->kind == WAN_OBJECT_PILLOW_FEED)
		object->fd = (int32_t)wan_py_number(wan_py_item(arguments, 0), -1);
	if (!object || object->phase != WAN_PHASE_RUNNING)
		return feed(real_encode_to_file, object, self, arguments);
	struct wan_py_object *result = work(real_encode_to_file, object, self, arguments);
	if (result)
		end(object, wan_py_number(result, 0));
	return result;
}

/* Before the end: Pillow was told to make do with a part (ImageFile.LOAD_TRUNCATED_IMAGES), or
 * gives up. */
static struct wan_py_object *clean_up(enum side side, struct wan_py_object *self,
				      struct wan_py_object *arguments)
{
	struct wan_object *object = find(self);
	struct wan_py_object *result = real_cleanup[side](self, arguments);
	if (!result || !object || object->phase != WAN_PHASE_RUNNING)
		return result;
	struct wan_py_object *globals = wan_py.PyEval_GetGlobals();
	struct wan_py_object *lenient =
		globals ? wan_py.PyDict_GetItemString(globals, "LOAD_TRUNCATED_IMAGES") : NULL;
	if (side == DECODER && lenient && wan_py.PyObject_IsTrue(lenient) == 1) {
		object->complete = true;
		object->warnings = 1;
	}
	wan_py.PyErr_Clear();
	wan_operation_close(object, WAN_END_STOPPED);
	return result;
}

/* May run while an exception is on its way: nothing of Python is asked here. */
static void free_object(enum side side, struct wan_py_object *self)
{
	struct wan_object *object = find(self);
	if (object) {
		wan_operation_close(object, WAN_END_STOPPED);
		wan_object_release(object, self);
	}
	real_free[side](self);
}

static struct wan_py_object *decoder_setimage(struct wan_py_object *self,
					      struct wan_py_object *arguments)
{
	return set_image(DECODER, self, arguments);
}

static struct wan_py_object *encoder_setimage(struct wan_py_object *self,
					      struct wan_py_object *arguments)
{
	return set_image(ENCODER, self, arguments);
}

static struct wan_py_object *decoder_cleanup(struct wan_py_object *self,
					     struct wan_py_object *arguments)
{
	return clean_up(DECODER, self, arguments);
}

static struct wan_py_object *encoder_cleanup(struct wan_py_object *self,
					     struct wan_py_object *arguments)
{
	return clean_up(ENCODER, self, arguments);
}

static void free_decoder(struct wan_py_object *self)
{
	free_object(DECODER, self);
}

static void free_encoder(struct wan_py_object *self)
{
	free_object(ENCODER, self);
}

static bool exchange_method(struct wan_py_object *type, const char *name, function *ours,
			    function **real)
{
	struct wan_py_method *method = wan_py_method_of_class(type, name, &image);
	return method && method->flags == WAN_PY_VARARGS &&
	       wan_py_exchange(&method->function, (void *)ours, (void **)real, &image);
}

/* The one that begins operations comes last: without the others it has no work. */
static bool learn_class(enum side side, struct wan_py_object *type)
{
	bool decoder = side == DECODER;
	void **free_slot = wan_py_dealloc_of_class(type, &image);
	return free_slot &&
	       wan_py_exchange(free_slot, (void *)(decoder ? free_decoder : free_encoder),
			       (void **)&real_free[side], &image) &&
	       exchange_method(type, "cleanup", decoder ? decoder_cleanup : encoder_cleanup,
			       &real_cleanup[side]) &&
	       exchange_method(type, decoder ? "decode" : "encode", decoder ? decode : encode,
			       &real_work[side]) &&
	       (decoder ||
		exchange_method(type, "encode_to_file", encode_to_file, &real_encode_to_file)) &&
	       exchange_method(type, "setimage", decoder ? decoder_setimage : encoder_setimage,
			       &real_setimage[side]);
}

static void note_version(struct wan_py_object *module)
{
	struct wan_py_object *version =
		module ? wan_py.PyObject_GetAttrString(module, "PILLOW_VERSION") : NULL;
	if (!version) {
		wan_py.PyErr_Clear();
		return;
	}
	wan_str_format(codec.file, sizeof(codec.file), "Pillow %s", wan_py_text(version));
	wan_py.Py_DecRef(version);
}

static void learn(enum side side, struct wan_py_object *module, struct wan_py_object *self)
{
	uint32_t fresh = 0;
	if (wan_load_relaxed(&learned[side]) || !wan_cas_acq_rel(&learned[side], &fresh, 1))
		return;
	note_version(module);
	struct wan_py_object *type = wan_py.PyObject_Type(self);
	if (!type || !learn_class(side, type))
		wan_preload_count(FAMILY, WAN_COVER_UNRESOLVED);
	if (type)
		wan_py.Py_DecRef(type);
	wan_py.PyErr_Clear();
}

/* zip_decoder(mode, raw mode, interlaced...), zip_encoder(mode, raw mode, ...), jpeg_... */
static struct wan_py_object *make(enum codec_of which, enum side side, struct wan_py_object *self,
				  struct wan_py_object *arguments)
{
	static const enum wan_object_kind kinds[SIDES] = {WAN_OBJECT_PILLOW_READER,
							  WAN_OBJECT_PILLOW_WRITER};
	struct wan_py_object *result = real_make[which][side](self, arguments);
	if (!result)
		return NULL;
	learn(side, self, result);
	struct wan_object *object = wan_object_bind(
		result, which == ZIP ? kinds[side] : WAN_OBJECT_PILLOW_FEED, &codec);
	if (which == JPEG)
		return result;
	wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	if (object)
		note_mode(object, wan_py_text(wan_py_item(arguments, 1)));
	if (object && side == DECODER && wan_py_number(wan_py_item(arguments, 2), 0) > 0)
		object->set_flags = WAN_FLAG_PROGRESSIVE;
	return result;
}

#define MAKER(name, which, side)                                                                   \
	static struct wan_py_object *name(struct wan_py_object *self,                              \
					  struct wan_py_object *arguments)                         \
	{                                                                                          \
		return make(which, side, self, arguments);                                         \
	}
MAKER(zip_decoder, ZIP, DECODER)
MAKER(zip_encoder, ZIP, ENCODER)
MAKER(jpeg_decoder, JPEG, DECODER)
MAKER(jpeg_encoder, JPEG, ENCODER)

static const struct {
	const char *name;
	function *ours;
} makers[CODECS][SIDES] = {
	[ZIP] = {{"zip_decoder", zip_decoder}, {"zip_encoder", zip_encoder}},
	[JPEG] = {{"jpeg_decoder", jpeg_decoder}, {"jpeg_encoder", jpeg_encoder}},
};

/* False: it is there, and unlike any that is known. A Pillow may be built without JPEG. */
static bool exchange_maker(struct wan_py_method *table, enum codec_of which, enum side side)
{
	struct wan_py_method *method = wan_py_method_in(table, makers[which][side].name, &image);
	return !method || (method->flags == WAN_PY_VARARGS &&
			   wan_py_exchange(&method->function, (void *)makers[which][side].ours,
					   (void **)&real_make[which][side], &image));
}

void wan_pillow_take(struct wan_py_object *result, const void *code)
{
	struct wan_py_image found;
	if (!wan_py_image_of(code, &found) || (image.high && image.low != found.low)) {
		wan_preload_count(FAMILY,
				  WAN_COVER_UNRESOLVED); /* a second Pillow in the process */
		return;
	}
	image = found;
	codec.low = found.low;
	codec.high = found.high;
	wan_str_copy(codec.file, sizeof(codec.file), "Pillow");
	struct wan_py_method *table = wan_py_module_methods(result, &image);
	/* A module of the same name that is not Pillow's has neither. */
	if (!table || !wan_py_method_in(table, "zip_decoder", &image))
		return;
	for (unsigned i = 0; i < CODECS * SIDES; i++)
		if (!exchange_maker(table, i / SIDES, i % SIDES))
			wan_preload_count(FAMILY, WAN_COVER_UNRESOLVED);
}
