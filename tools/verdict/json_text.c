/* SPDX-License-Identifier: MIT */
/* The part of reading JSON that needs no JSON library: the bytes of a file, and their price. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "cleanup.h"
#include "json_input.h"
#include "json_price.h"
#include "log.h"
#include "macros.h"
#include "sys.h"

/*
 * Of a 64-bit library that keeps objects as hash tables and never gives back what it outgrew: sizes
 * of its structures in whole 16 bytes, tables that double counted with all they were before.
 */
enum {
	OBJECT_BYTES = 256, /* the object and its first eight buckets */
	LIST_BYTES = 128,   /* the list and its first eight places */
	MEMBER_BYTES = 192, /* a pair, its share of buckets, the ends of two copies of its key */
	VALUE_BYTES = 112,  /* the value, its share of a list's places, the end of its text */
	TEXT_BYTES = 7,     /* of a byte in quotes: two copies, and the longest while it grows */
	ONCE_BYTES = 4096,
};

struct json_price json_price(const char *text, size_t bytes)
{
	struct json_price price = {0, ONCE_BYTES + VALUE_BYTES};
	unsigned depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < bytes; i++) {
		if (quoted) {
			price.bytes += TEXT_BYTES;
			quoted = text[i] != '"';
			if (text[i] == '\\') {
				price.bytes += TEXT_BYTES;
				i++;
			}
			continue;
		}
		switch (text[i]) {
		case '"':
			quoted = true;
			break;
		case '{':
		case '[':
			depth++;
			price.depth = WAN_MAX(price.depth, depth);
			price.bytes += VALUE_BYTES + (text[i] == '{' ? OBJECT_BYTES : LIST_BYTES);
			break;
		case '}':
		case ']':
			depth -= depth > 0;
			break;
		case ':':
			price.bytes += MEMBER_BYTES;
			break;
		case ',':
			price.bytes += VALUE_BYTES;
			break;
		default: /* digits, through the same buffer */
			price.bytes += text[i] != ' ' ? TEXT_BYTES : 0;
			break;
		}
	}
	return price;
}

static int too_large(const char *path, struct wan_error *error)
{
	return wan_error_set(error, -EFBIG, path,
			     "dump fewer operations: wanprof dump --no-metrics, or --min-ms N",
			     "larger than 512 MiB");
}

/* As much as there is, doubling; at most one byte more than is taken, to see that there is more. */
static int read_all(int fd, char **text, size_t *count)
{
	size_t capacity = 0;
	for (;;) {
		if (wan_array_reserve(text, &capacity, *count + 65536, 1))
			return -ENOMEM;
		ssize_t got =
			wan_read_full(fd, *text + *count,
				      WAN_MIN(capacity - 1, JSON_INPUT_BYTES_MAX + 1) - *count);
		if (got < 0)
			return (int)got;
		*count += (size_t)got;
		if (*count > JSON_INPUT_BYTES_MAX)
			return -EFBIG;
		if (*count < capacity - 1)
			break;
	}
	(*text)[*count] = '\0';
	return 0;
}

static int text_from(int fd, const char *path, char **ret_text, size_t *ret_bytes,
		     struct wan_error *error)
{
	wan_cleanup(wan_freep) char *text = NULL;
	size_t count = 0;
	int rc = read_all(fd, &text, &count);
	if (rc == -EFBIG)
		return too_large(path, error);
	if (rc)
		return wan_error_set(error, rc, path, "", "%s", wan_strerror(rc));
	if (!count)
		return wan_error_set(
			error, -ENODATA, path,
			"write one with `wanprof dump -o FILE` or `wanprof run -o FILE`",
			"it is empty");
	*ret_text = text;
	*ret_bytes = count;
	text = NULL;
	return 0;
}

int json_input_text(const char *path, char **ret_text, size_t *ret_bytes, struct wan_error *error)
{
	if (strcmp(path, "-") == 0)
		return text_from(STDIN_FILENO, "standard input", ret_text, ret_bytes, error);
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	struct stat file;
	int rc = fd < 0 || wan_sys->fstat(fd, &file) < 0 ? -errno : 0;
	if (rc == -ENOENT)
		return wan_error_set(error, rc, path, "`wanprof dump --list` shows what there is",
				     "no such file");
	if (rc)
		return wan_error_set(error, rc, path, "", "%s", wan_strerror(rc));
	if (S_ISDIR(file.st_mode))
		return wan_error_set(error, -EISDIR, path, "name a file in it", "it is a folder");
	if (S_ISREG(file.st_mode) && (uint64_t)file.st_size > JSON_INPUT_BYTES_MAX)
		return too_large(path, error);
	return text_from(fd, path, ret_text, ret_bytes, error);
}
