/* SPDX-License-Identifier: MIT */
/* What to type: of each advice a few lines that can be copied. */
#include "fixes.h"

#include <string.h>

#include "str.h"

static const char *const fixes[WAN_ADVICE_COUNT] = {
	[WAN_ADVICE_SLOW] = "# Python: keep the result\n"
			    "import wanrt\n"
			    "@wanrt.cached\n"
			    "def prepare(path):  # a pathlib.Path: changed files are noticed\n"
			    "    ...",
	[WAN_ADVICE_MEMORY] = "# Pillow: decode a JPEG at the size that is needed\n"
			      "image = Image.open(path)\n"
			      "image.draft(\"RGB\", (1280, 720))",
	[WAN_ADVICE_CPU] = "# Python: codecs let other threads run\n"
			   "from concurrent.futures import ThreadPoolExecutor\n"
			   "with ThreadPoolExecutor() as pool:\n"
			   "    images = list(pool.map(decode, paths))",
	[WAN_ADVICE_PROGRESSIVE] = "# as a baseline JPEG, without loss\n"
				   "jpegtran -copy all -optimize -outfile baseline.jpg source.jpg",
	[WAN_ADVICE_REPEATED] = "# Python: do it once for each input\n"
				"import wanrt\n"
				"@wanrt.cached\n"
				"def prepare(path):  # a pathlib.Path: changed files are noticed\n"
				"    ...",
	[WAN_ADVICE_VALIDATION] = "# Python\n"
				  "import wanrt\n"
				  "validate = wanrt.cached(validate)",
	[WAN_ADVICE_FULL_SIZE] = "# Pillow: before the pixels are asked for\n"
				 "image = Image.open(path)\n"
				 "image.draft(\"RGB\", (256, 256))\n"
				 "image.thumbnail((256, 256))\n\n"
				 "# OpenCV\n"
				 "image = cv2.imread(path, cv2.IMREAD_REDUCED_COLOR_4)",
	[WAN_ADVICE_THUMBNAIL] = "# Pillow: the decoder scales first\n"
				 "image.draft(\"RGB\", (256, 256))\n"
				 "image.thumbnail((256, 256), reducing_gap=2.0)",
	[WAN_ADVICE_OVERSIZED] = "# a copy at the size that is used\n"
				 "convert source.jpg -resize 1280x720 -quality 92 small.jpg",
	[WAN_ADVICE_PNG_PHOTOGRAPH] = "convert photograph.png -quality 92 photograph.jpg",
	[WAN_ADVICE_PROGRESSIVE_OUTPUT] = "# Pillow\n"
					  "image.save(path, progressive=False)",
	[WAN_ADVICE_BATCH] = "# one process for many pictures\n"
			     "find . -name '*.jpg' -print0 | xargs -0 mogrify -resize 1280x720",
};

/* For a shell, in single quotes where it needs them; false: it has bytes that cannot be copied. */
static bool quote(char *to, size_t bytes, const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-:@%";
	bool quoted = !text[0] || text[strspn(text, plain)];
	size_t used = quoted;
	to[0] = '\'';
	while (*text) {
		unsigned length = wan_utf8_length(text, strnlen(text, 4));
		if (!length || wan_str_steers(text, length) || used + 8 > bytes)
			return false;
		if (*text == '\'') {
			memcpy(to + used, "'\\''", 4);
			used += 4;
		} else {
			memcpy(to + used, text, length);
			used += length;
		}
		text += length;
	}
	if (quoted)
		to[used++] = '\'';
	to[used] = '\0';
	return true;
}

/* The same of a file whose name could be taken for an option. */
static bool quote_file(char *to, size_t bytes, const char *path)
{
	if (path[0] != '-')
		return quote(to, bytes, path);
	memcpy(to, "./", 2);
	return quote(to + 2, bytes - 2, path);
}

static bool asks_for_files(enum wan_advice_id id)
{
	return id == WAN_ADVICE_FAILED || id == WAN_ADVICE_WARNED || id == WAN_ADVICE_STREAMING;
}

bool html_fix(char *to, size_t bytes, const struct wan_finding *finding, const char *path)
{
	char file[2048], operation[256];
	enum wan_advice_id id = WAN_ADVICE_COUNT;
	for (unsigned i = 0; i < WAN_ADVICE_COUNT; i++)
		if (wan_advice(i) == finding->advice)
			id = i;
	if (id == WAN_ADVICE_COUNT)
		return false;
	if (fixes[id]) {
		wan_str_copy(to, bytes, fixes[id]);
		return true;
	}
	if (!path || !quote_file(file, sizeof(file), path))
		return false;
	if (asks_for_files(id) && finding->operation[0] &&
	    quote(operation, sizeof(operation), finding->operation))
		wan_str_format(to, bytes, "# which files were they\nwanprof dump -f csv --op %s %s",
			       operation, file);
	else if (id == WAN_ADVICE_SCALING || id == WAN_ADVICE_SCALING_PROVISIONAL ||
		 id == WAN_ADVICE_SCALING_MEMORY)
		wan_str_format(to, bytes, "# every size with its cost\nwanprof dump -f csv %s",
			       file);
	else
		return false;
	return true;
}
