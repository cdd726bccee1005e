/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "codec.h"
#include "exif.h"
#include "log.h"
#include "macros.h"

enum { FOREIGN_BYTES = 8192 };

static bool begins(const uint8_t *head, size_t count, const char *magic, size_t magic_count)
{
	return memcmp(head, magic, WAN_MIN(count, magic_count)) == 0;
}

static int check_bytes(const struct wan_source *source, const struct wan_header *header,
		       struct wan_error *reterr_error)
{
	if (wan_bytes_suffice(header))
		return 0;
	return wan_error_set(
		reterr_error, -EBADMSG, source->name, "copy or download the file again",
		"claims %u x %u pixels, which its %llu bytes cannot hold", header->info.width_px,
		header->info.height_px, (unsigned long long)source->size);
}

/* More of the file than its first bytes: boxes and directories lie further on. */
static int probe_foreign(struct wan_source *source, struct wan_image_info *ret_info)
{
	uint8_t head[FOREIGN_BYTES];
	ssize_t got = wan_source_read_at(source, 0, head, sizeof(head));
	if (got <= 0 || wan_probe_foreign(head, (size_t)got, ret_info) < 0)
		return -ENOENT;
	uint64_t at;
	if (ret_info->format != WAN_FORMAT_TIFF || ret_info->width_px != 0 ||
	    wan_tiff_directory(head, (size_t)got, &at) < 0)
		return 0;
	/* A directory elsewhere, as writers of strips leave it: brought to the front. */
	static const size_t begin = 8;
	head[4] = head[5] = head[6] = head[7] = 0;
	head[head[0] == 'M' ? 7 : 4] = (uint8_t)begin;
	got = wan_source_read_at(source, at, head + begin, sizeof(head) - begin);
	if (got > 0)
		(void)wan_tiff_size(head, begin + (size_t)got, &ret_info->width_px,
				    &ret_info->height_px);
	return 0;
}

/* Neither JPEG nor PNG: what it is instead. */
static int probe_other(struct wan_source *source, const uint8_t *head, size_t count,
		       struct wan_header *ret_header, struct wan_error *reterr_error)
{
	if (count < 8 &&
	    (begins(head, count, "\xff\xd8\xff", 3) || begins(head, count, "\x89PNG\r\n\x1a\n", 8)))
		return wan_error_set(reterr_error, -ENODATA, source->name,
				     "copy or download the file again",
				     "ends after %zu bytes, inside the header", count);
	if (probe_foreign(source, &ret_header->info) == 0) {
		enum wan_file_format format = ret_header->info.format;
		ret_header->info.file_bytes = source->size;
		return wan_error_set(reterr_error, -ENOTSUP, source->name, wan_format_hint(format),
				     "is %s, which is not decoded here", wan_format_name(format));
	}
	return wan_error_set(reterr_error, -EBADMSG, source->name,
			     wan_format_hint(WAN_FORMAT_UNKNOWN),
			     "does not begin like any image format known here");
}

/* All but the number of scans. */
static int probe_header(struct wan_source *source, struct wan_header *ret_header,
			struct wan_error *reterr_error)
{
	uint8_t head[512];
	ssize_t got = wan_source_read_at(source, 0, head, sizeof(head));
	if (got < 0)
		return wan_error_set(reterr_error, (int)got, source->name, "", "cannot be read: %s",
				     strerror((int)-got));
	size_t count = (size_t)got;
	int error;

	*ret_header = (struct wan_header){.info = {.exif_orientation = 1}};
	if (count >= 3 && begins(head, count, "\xff\xd8\xff", 3))
		error = wan_probe_jpeg(source, ret_header, reterr_error);
	else if (count >= 8 && begins(head, count, "\x89PNG\r\n\x1a\n", 8))
		error = wan_probe_png(source, ret_header, reterr_error);
	else
		error = probe_other(source, head, count, ret_header, reterr_error);
	return error < 0 ? error : check_bytes(source, ret_header, reterr_error);
}

int wan_probe_source(struct wan_source *source, struct wan_header *ret_header,
		     struct wan_error *reterr_error)
{
	int error = probe_header(source, ret_header, reterr_error);
	if (error == 0)
		wan_probe_jpeg_scans(source, ret_header);
	return error;
}

int wan_probe_within(const char *path, const struct wan_decode_options *options,
		     uint64_t room_bytes, struct wan_image_info *ret_info,
		     struct wan_error *reterr_error)
{
	struct wan_source source;
	struct wan_header header;
	uint64_t output_bytes, peak_bytes;
	int error = wan_source_open_file(&source, path, reterr_error);
	if (error < 0)
		return error;
	error = probe_header(&source, &header, reterr_error);
	if (error == 0) {
		wan_price(&header, options, &output_bytes, &peak_bytes);
		if (peak_bytes <= room_bytes)
			wan_probe_jpeg_scans(&source, &header);
	}
	if (error == 0 || error == -ENOTSUP)
		*ret_info = header.info;
	wan_source_close(&source);
	return error;
}

static int probe(struct wan_source *source, struct wan_image_info *ret_info,
		 struct wan_error *reterr_error)
{
	struct wan_header header;
	int error = wan_probe_source(source, &header, reterr_error);
	/* A foreign format is an answer too: what was recognised is told together with the error.
	 */
	if (error == 0 || error == -ENOTSUP)
		*ret_info = header.info;
	return error;
}

int wan_image_probe(const char *path, struct wan_image_info *ret_info,
		    struct wan_error *reterr_error)
{
	struct wan_source source;
	if (!ret_info)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_probe", "",
				     "ret_info is missing");
	int error = wan_source_open_file(&source, path, reterr_error);
	if (error < 0)
		return error;
	error = probe(&source, ret_info, reterr_error);
	wan_source_close(&source);
	return error;
}

int wan_image_probe_memory(const void *bytes, size_t count, struct wan_image_info *ret_info,
			   struct wan_error *reterr_error)
{
	struct wan_source source;
	if (!ret_info)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_probe_memory", "",
				     "ret_info is missing");
	int error = wan_source_open_memory(&source, bytes, count, reterr_error);
	if (error < 0)
		return error;
	return probe(&source, ret_info, reterr_error);
}
