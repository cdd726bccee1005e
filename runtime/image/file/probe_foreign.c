/* SPDX-License-Identifier: MIT */
/* Formats that are recognised and measured, not decoded. Pure. */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "codec.h"
#include "exif.h"
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
	[WAN_FORMAT_JXL] = {"JPEG XL", "convert it: djxl IN OUT.png"},
	[WAN_FORMAT_JPEG2000] = {"JPEG 2000", "convert it: opj_decompress -i IN -o OUT.png"},
	[WAN_FORMAT_PSD] = {"PSD (Photoshop)",
			    "convert it: magick IN[0] OUT.png (ImageMagick 6: convert)"},
	[WAN_FORMAT_ICO] = {"ICO", "convert it: magick IN[0] OUT.png (ImageMagick 6: convert)"},
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

/* One box of ISO base media and JPEG 2000: its content lies in [begin, end). */
struct box {
	char type[5];
	size_t begin, end;
};

/* The box at a place; what reaches beyond the bytes that are there is cut. */
static bool box_at(const uint8_t *head, size_t at, size_t end, struct box *ret_box)
{
	if (at > end || end - at < 8)
		return false;
	uint64_t length = wan_be32(head + at);
	size_t header = 8;
	if (length == 1 && end - at >= 16) {
		length = (uint64_t)wan_be32(head + at + 8) << 32 | wan_be32(head + at + 12);
		header = 16;
	}
	if (length == 0) /* to the end of the file */
		length = end - at;
	if (length < header)
		return false;
	memcpy(ret_box->type, head + at + 4, 4);
	ret_box->type[4] = '\0';
	ret_box->begin = at + header;
	ret_box->end = length > end - at ? end : at + (size_t)length;
	return true;
}

/* The first box of that type in a row of boxes. */
static bool find_box(const uint8_t *head, size_t begin, size_t end, const char *type,
		     struct box *ret_box)
{
	struct box box;
	for (size_t at = begin; box_at(head, at, end, &box); at = box.end) {
		if (memcmp(box.type, type, 4) == 0) {
			*ret_box = box;
			return true;
		}
	}
	return false;
}

/* meta > iprp > ipco > ispe: the largest is the image, the others are its tiles and thumbnails. */
static void isobmff_size(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	struct box meta, iprp, ipco, box;
	if (!find_box(head, 0, count, "meta", &meta) ||
	    !find_box(head, meta.begin + 4, meta.end, "iprp", &iprp) ||
	    !find_box(head, iprp.begin, iprp.end, "ipco", &ipco))
		return;
	for (size_t at = ipco.begin; box_at(head, at, ipco.end, &box); at = box.end) {
		if (memcmp(box.type, "ispe", 4) != 0 || box.end - box.begin < 12)
			continue;
		uint32_t width = wan_be32(head + box.begin + 4);
		uint32_t height = wan_be32(head + box.begin + 8);
		if ((uint64_t)width * height <= (uint64_t)info->width_px * info->height_px)
			continue;
		info->width_px = width;
		info->height_px = height;
	}
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
	if (info->format == WAN_FORMAT_UNKNOWN)
		return -ENOENT;
	isobmff_size(head, count, info);
	return 0;
}

/* Bits from the lowest of each byte on; zeros behind the end. */
struct bits {
	const uint8_t *bytes;
	size_t count, at;
};

static uint32_t take_bits(struct bits *bits, unsigned number)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < number; i++, bits->at++)
		if (bits->at / 8 < bits->count)
			value |= (uint32_t)(bits->bytes[bits->at / 8] >> bits->at % 8 & 1) << i;
	return value;
}

static uint32_t jxl_side(struct bits *bits, bool small)
{
	static const uint8_t lengths[] = {9, 13, 18, 30};
	if (small)
		return (take_bits(bits, 5) + 1) * 8;
	return take_bits(bits, lengths[take_bits(bits, 2)]) + 1;
}

/* The size header of a code stream: the height, and a ratio or the width. */
static void jxl_size(const uint8_t *stream, size_t count, struct wan_image_info *info)
{
	static const uint8_t ratios[8][2] = {{0, 1}, {1, 1},  {12, 10}, {4, 3},
					     {3, 2}, {16, 9}, {5, 4},   {2, 1}};
	if (count < 12 || memcmp(stream, "\xff\x0a", 2) != 0)
		return;
	struct bits bits = {stream + 2, count - 2, 0};
	bool small = take_bits(&bits, 1);
	uint32_t height = jxl_side(&bits, small), ratio = take_bits(&bits, 3);
	uint64_t width = ratio ? (uint64_t)height * ratios[ratio][0] / ratios[ratio][1]
			       : jxl_side(&bits, small);
	info->height_px = height;
	info->width_px = (uint32_t)WAN_MIN(width, (uint64_t)UINT32_MAX);
}

static void probe_jxl(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	struct box box;
	info->format = WAN_FORMAT_JXL;
	if (head[0] == 0xff)
		jxl_size(head, count, info);
	else if (find_box(head, 0, count, "jxlc", &box))
		jxl_size(head + box.begin, box.end - box.begin, info);
	else if (find_box(head, 0, count, "jxlp", &box) && box.end - box.begin > 4)
		jxl_size(head + box.begin + 4, box.end - box.begin - 4, info);
}

static void probe_jpeg2000(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	struct box jp2h, ihdr;
	info->format = WAN_FORMAT_JPEG2000;
	if (head[0] == 0xff) { /* a code stream: SIZ is its first segment */
		uint32_t right = wan_be32(head + 8), left = wan_be32(head + 16);
		uint32_t bottom = wan_be32(head + 12), top = wan_be32(head + 20);
		info->width_px = right > left ? right - left : 0;
		info->height_px = bottom > top ? bottom - top : 0;
	} else if (find_box(head, 0, count, "jp2h", &jp2h) &&
		   find_box(head, jp2h.begin, jp2h.end, "ihdr", &ihdr) &&
		   ihdr.end - ihdr.begin >= 8) {
		info->height_px = wan_be32(head + ihdr.begin);
		info->width_px = wan_be32(head + ihdr.begin + 4);
	}
}

static void probe_psd(const uint8_t *head, struct wan_image_info *info)
{
	info->format = WAN_FORMAT_PSD;
	info->height_px = wan_be32(head + 14);
	info->width_px = wan_be32(head + 18);
}

/* The largest of the pictures in it; 0 stands for 256. */
static bool probe_ico(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	uint32_t entries = wan_le16(head + 4), largest = 0;
	if (entries == 0 || entries > 256 || head[9] != 0)
		return false;
	for (size_t at = 6; entries > 0 && at + 16 <= count; entries--, at += 16) {
		uint32_t width = head[at] ? head[at] : 256,
			 height = head[at + 1] ? head[at + 1] : 256;
		if (width * height <= largest)
			continue;
		largest = width * height;
		info->width_px = width;
		info->height_px = height;
	}
	info->format = WAN_FORMAT_ICO;
	return true;
}

static bool begins(const uint8_t *head, size_t count, const char *magic, size_t magic_count)
{
	return count >= magic_count && memcmp(head, magic, magic_count) == 0;
}

/* Those that came later. 0, -ENOENT. */
static int probe_others(const uint8_t *head, size_t count, struct wan_image_info *info)
{
	if (begins(head, count, "\xff\x0a", 2) && count >= 12)
		probe_jxl(head, count, info);
	else if (begins(head, count, "\0\0\0\x0cJXL \r\n\x87\n", 12))
		probe_jxl(head, count, info);
	else if (begins(head, count, "\0\0\0\x0cjP  \r\n\x87\n", 12) ||
		 (begins(head, count, "\xff\x4f\xff\x51", 4) && count >= 24))
		probe_jpeg2000(head, count, info);
	else if (begins(head, count, "8BPS\0", 5) && count >= 26 && (head[5] == 1 || head[5] == 2))
		probe_psd(head, info);
	else if (begins(head, count, "\0\0\1\0", 4) && count >= 22)
		return probe_ico(head, count, info) ? 0 : -ENOENT;
	else
		return -ENOENT;
	return 0;
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
	} else if (probe_others(head, count, &info) < 0) {
		return -ENOENT;
	}
	*ret_info = info;
	return 0;
}
