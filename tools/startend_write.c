/* SPDX-License-Identifier: MIT */
/* Files that wan-startend writes: each whole or not at all, each a recorded operation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "startend.h"

static int finish(struct wan_op *op, int r, const struct wan_error *error)
{
	wan_op_end(op, r < 0 ? WAN_OP_FAILED : WAN_OP_OK);
	if (r == 0)
		return 0;
	startend_complain(error);
	return r == -ENOMEM ? STARTEND_NO_MEMORY : STARTEND_CANNOT_WRITE;
}

static void begin(struct wan_runtime *runtime, struct wan_op *op, const char *name,
		  const struct wan_image *image, uint32_t bits)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	wan_op_begin(wan_runtime_profile(runtime), op, name);
	wan_op_set_image(op, view.width_px, view.height_px, view.channels, bits, UINT64_MAX);
}

static int encode(const struct startend_options *options, struct wan_runtime *runtime,
		  struct wan_image *image, const char *path, enum wan_file_format format)
{
	struct wan_encode_options encoding;
	wan_encode_options_init(&encoding);
	encoding.format = format;
	encoding.jpeg_quality = options->quality;
	encoding.png_level = 1; /* read once by the pipeline: level 6 costs 4 times the time */
	encoding.overwrite = options->force;
	struct wan_error error = {0};
	struct wan_op op;
	begin(runtime, &op, format == WAN_FORMAT_PNG ? "png.encode" : "jpeg.encode", image, 8);
	int r = wan_image_encode(image, path, &encoding, &error);
	return finish(&op, r, &error);
}

int startend_write_png(const struct startend_options *options, struct wan_runtime *runtime,
		       struct wan_image *image, const char *path)
{
	return encode(options, runtime, image, path, WAN_FORMAT_PNG);
}

int startend_write_image(const struct startend_options *options, struct wan_runtime *runtime,
			 struct wan_image *image, const char *path)
{
	struct wan_image_view view;
	switch (options->format) {
	case STARTEND_JPEG:
		return encode(options, runtime, image, path, WAN_FORMAT_JPEG);
	case STARTEND_RAW:
		wan_image_view(image, &view);
		return startend_write_raw(&view, path, options->force);
	default:
		return encode(options, runtime, image, path, WAN_FORMAT_PNG);
	}
}

static int cannot_write(const char *path, int error)
{
	if (error == EEXIST)
		startend_say("%s: exists already; use --force to replace it", path);
	else
		startend_say("%s: cannot be written: %s%s", path, strerror(error),
			     error == ENOSPC ? "; free some space" : "");
	return STARTEND_CANNOT_WRITE;
}

/* link() keeps a file that came meanwhile, rename() replaces it. */
static int move_into_place(const char *from, const char *path, bool force)
{
	int r = force ? rename(from, path) : link(from, path);
	int error = r < 0 ? errno : 0;
	if (!force || error)
		(void)unlink(from);
	return error;
}

int startend_write_raw(const struct wan_image_view *view, const char *path, bool force)
{
	static unsigned number;
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	char name[4096 + 64];
	if (!force && access(path, F_OK) == 0)
		return cannot_write(path, EEXIST);
	if ((size_t)snprintf(name, sizeof(name), "%.*s.wan-%d-r%u.tmp", folder, path, (int)getpid(),
			     number++) >= sizeof(name))
		return cannot_write(path, ENAMETOOLONG);
	FILE *file = fopen(name, "wxe");
	if (!file)
		return cannot_write(path, errno);
	bool failed = fwrite(view->pixels, 1, view->pixels_bytes, file) != view->pixels_bytes;
	int error = failed ? errno : 0;
	if (fclose(file) && !error)
		error = errno;
	if (error)
		(void)unlink(name);
	else
		error = move_into_place(name, path, force);
	return error ? cannot_write(path, error) : 0;
}

/* The format a name asks for: "jpg"; NULL when it is none. */
static const char *suffix_of(const char *path)
{
	static const char *const known[] = {"png", "jpg", "jpeg", "rgb", "raw", "npy"};
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(dot + 1, known[i]) == 0)
			return known[i];
	return NULL;
}

static int decode_for(const struct startend_options *options, const char *suffix,
		      struct wan_image **ret_image)
{
	struct wan_decode_options decoding;
	wan_decode_options_init(&decoding);
	decoding.apply_orientation = options->upright != WAN_UPRIGHT_NEVER;
	decoding.alpha = options->has_alpha ? options->alpha : WAN_ALPHA_KEEP;
	bool jpeg = suffix[0] == 'j';
	/* JPEG has neither alpha nor 16 bits; raw bytes have one meaning only. */
	if (jpeg || suffix[0] == 'r')
		decoding.want = WAN_PIXEL_RGB8;
	struct wan_error error = {0};
	int r = wan_image_decode(options->convert_from, &decoding, ret_image, &error);
	if (r < 0) {
		startend_complain(&error);
		return startend_status(r);
	}
	struct wan_image_view view;
	wan_image_view(*ret_image, &view);
	if (view.format != WAN_PIXEL_CMYK8)
		return 0;
	struct wan_image *ink = *ret_image; /* PNG keeps no CMYK */
	r = wan_image_convert(ink, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, ret_image);
	wan_image_unref(ink);
	if (r == 0)
		return 0;
	startend_say("%s: cannot be converted to RGB: %s", options->convert_from, wan_strerror(r));
	return startend_status(r);
}

int startend_convert(const struct startend_options *options)
{
	const char *suffix = suffix_of(options->convert_to), *path = options->convert_to;
	if (!suffix) {
		startend_say("%s: names no format; end it in .png, .jpg, .rgb or .npy", path);
		return STARTEND_USAGE;
	}
	struct wan_image *image;
	int status = decode_for(options, suffix, &image);
	if (status)
		return status;
	struct wan_image_view view;
	struct wan_encode_options encoding;
	struct wan_error error = {0};
	wan_image_view(image, &view);
	wan_encode_options_init(&encoding);
	encoding.overwrite = options->force;
	encoding.jpeg_quality = options->quality;
	encoding.format = suffix[0] == 'j' ? WAN_FORMAT_JPEG : WAN_FORMAT_PNG;
	int r = 0;
	if (suffix[0] == 'r')
		status = startend_write_raw(&view, path, options->force);
	else if (suffix[0] == 'n')
		r = wan_image_write_npy(image, path, options->force, &error);
	else
		r = wan_image_encode(image, path, &encoding, &error);
	wan_image_unref(image);
	if (r < 0) {
		startend_complain(&error);
		status = r == -ENOMEM            ? STARTEND_NO_MEMORY
			 : r == -EPROTONOSUPPORT ? STARTEND_BAD_IMAGE
						 : STARTEND_CANNOT_WRITE;
	}
	if (status == 0 && !options->quiet) {
		startend_print_path(options->convert_from);
		printf(" -> ");
		startend_print_path(path);
		printf("  %ux%u, %u channels\n", view.width_px, view.height_px, view.channels);
	}
	return status;
}
