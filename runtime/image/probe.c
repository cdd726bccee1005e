/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "codec.h"
#include "exif.h"
#include "log.h"
#include "macros.h"

static const struct {
	const char *name, *hint;
} format_texts[] = {
	[WAN_FORMAT_UNKNOWN] = {"unknown", "expected a JPEG or PNG image"},
	[WAN_FORMAT_PNG] = {"PNG", ""},
	[WAN_FORMAT_JPEG] = {"JPEG", ""},
	[WAN_FORMAT_WEBP] = {"WebP", "convert it: dwebp IN -o OUT.png"},
	[WAN_FORMAT_BMP] = {"BMP", "convert it: magick IN OUT.png (ImageMagick 6: convert)"},
	[WAN_FORMAT_GIF] = {"GIF", "convert it: magick IN[0] OUT.png (ImageMagick 6: convert)"},
	[WAN_FORMAT_TIFF] = {"TIFF", "convert it: magick IN OUT.png (ImageMagick 6: convert)"},
	[WAN_FORMAT_HEIF] = {"HEIF", "convert it: heif-convert IN OUT.png"},
	[WAN_FORMAT_AVIF] = {"AVIF", "convert it: avifdec IN OUT.png"},
};

const char *wan_format_name(enum wan_file_format format)
{
	return (unsigned)format < WAN_COUNT_OF(format_texts) ? format_texts[format].name
							     : "unknown";
}

const char *wan_format_hint(enum wan_file_format format)
{
	return (unsigned)format < WAN_COUNT_OF(format_texts) ? format_texts[format].hint : "";
}

static void probe_webp(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	info->format = WAN_FORMAT_WEBP;
	if (count < 30)
		return;
	if (memcmp(head + 12, "VP8X", 4) == 0) {
		info->has_alpha = head[20] & 0x10;
		info->has_icc = head[20] & 0x20;
		info->width_px = wan_le24(head + 24) + 1;
		info->height_px = wan_le24(head + 27) + 1;
	} else if (memcmp(head + 12, "VP8L", 4) == 0 && head[20] == 0x2f) {
		uint32_t bits = wan_le32(head + 21);
		info->width_px = (bits & 0x3fff) + 1;
		info->height_px = (bits >> 14 & 0x3fff) + 1;
		info->has_alpha = bits >> 28 & 1;
	} else if (memcmp(head + 12, "VP8 ", 4) == 0 && memcmp(head + 23, "\x9d\x01\x2a", 3) == 0) {
		info->width_px = wan_le16(head + 26) & 0x3fff;
		info->height_px = wan_le16(head + 28) & 0x3fff;
	}
}

static void probe_bmp(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	info->format = WAN_FORMAT_BMP;
	if (count >= 26 && wan_le32(head + 14) == 12) {
		info->width_px = wan_le16(head + 18);
		info->height_px = wan_le16(head + 20);
	} else if (count >= 26) {
		int32_t height = (int32_t)wan_le32(head + 22); /* negative: top row first */
		info->width_px = wan_le32(head + 18);
		info->height_px = height < 0 ? -(uint32_t)height : (uint32_t)height;
	}
}

static bool is_brand(const uint8_t *brand, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(brand, names[i], 4) == 0)
			return true;
	return false;
}

/* ISO base media: the major brand decides, then the compatible ones (mif1 serves both formats). */
static int probe_isobmff(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	static const char *const avif[] = {"avif", "avis"};
	static const char *const heif[] = {"heic", "heix", "hevc", "hevx", "heim",
					   "heis", "mif1", "msf1", "heif"};
	size_t end = WAN_MIN(count, (size_t)wan_be32(head));

	for (size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4)
		if (is_brand(head + at, avif, WAN_COUNT_OF(avif)))
			info->format = WAN_FORMAT_AVIF;
	if (info->format == WAN_FORMAT_UNKNOWN && is_brand(head + 8, heif, WAN_COUNT_OF(heif)))
		info->format = WAN_FORMAT_HEIF;
	return info->format == WAN_FORMAT_UNKNOWN ? -ENOENT : 0;
}

int wan_probe_foreign(const uint8_t *head, size_t count, struct wan_image_info *ret_info)
{
	struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN, .exif_orientation = 1};

	if (count >= 12 && memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0) {
		probe_webp(head, count, &info);
	} else if (count >= 18 && memcmp(head, "BM", 2) == 0 &&
		   (wan_le32(head + 14) == 12 ||
		    WAN_CLAMP(wan_le32(head + 14), 16u, 255u) == wan_le32(head + 14))) {
		probe_bmp(head, count, &info);
	} else if (count >= 6 &&
		   (memcmp(head, "GIF87a", 6) == 0 || memcmp(head, "GIF89a", 6) == 0)) {
		info.format = WAN_FORMAT_GIF;
		info.width_px = count >= 10 ? wan_le16(head + 6) : 0;
		info.height_px = count >= 10 ? wan_le16(head + 8) : 0;
	} else if (count >= 4 && (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 ||
				  memcmp(head, "II+\0", 4) == 0 || memcmp(head, "MM\0+", 4) == 0)) {
		info.format = WAN_FORMAT_TIFF;
		(void)wan_tiff_size(head, count, &info.width_px, &info.height_px);
	} else if (count >= 12 && memcmp(head + 4, "ftyp", 4) == 0) {
		if (probe_isobmff(head, count, &info) < 0)
			return -ENOENT;
	} else {
		return -ENOENT;
	}
	*ret_info = info;
	return 0;
}

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

/* Neither JPEG nor PNG: what it is instead. */
static int probe_other(const struct wan_source *source, const uint8_t *head, size_t count,
		       struct wan_header *ret_header, struct wan_error *reterr_error)
{
	if (count < 8 &&
	    (begins(head, count, "\xff\xd8\xff", 3) || begins(head, count, "\x89PNG\r\n\x1a\n", 8)))
		return wan_error_set(reterr_error, -ENODATA, source->name,
				     "copy or download the file again",
				     "ends after %zu bytes, inside the header", count);
	if (wan_probe_foreign(head, count, &ret_header->info) == 0) {
		enum wan_file_format format = ret_header->info.format;
		ret_header->info.file_bytes = source->size;
		return wan_error_set(reterr_error, -ENOTSUP, source->name, wan_format_hint(format),
				     "is %s, which is not decoded here", wan_format_name(format));
	}
	return wan_error_set(reterr_error, -EBADMSG, source->name,
			     wan_format_hint(WAN_FORMAT_UNKNOWN),
			     "does not begin like any image format known here");
}

int wan_probe_source(struct wan_source *source, struct wan_header *ret_header,
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
