/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON that somebody else wrote: the only file that knows the JSON library. Size, depth and
 * the memory it will take are bounded before anything is built; text is valid UTF-8 without NUL,
 * numbers are finite, no key stands twice in an object. Threads: one at a time.
 */
#ifndef WAN_TOOLS_JSON_INPUT_H
#define WAN_TOOLS_JSON_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wan/status.h"

#define JSON_INPUT_BYTES_MAX  ((size_t)512 << 20)
#define JSON_INPUT_MEMORY_MAX ((size_t)2 << 30)
#define JSON_INPUT_DEPTH_MAX  64

struct json_value; /* borrowed from its document */
struct json_input {
	struct json_value *root; /* never NULL after success */
	void *memory;            /* private: all of it */
};

/* Was this program built to use a JSON library? */
bool json_input_in_build(void);
/* ... and is it there? Loads it. Without one reading returns -ENOSYS. */
bool json_input_available(void);
/*
 * A whole document from a file, or "-": standard input. 0, or with *reterr_error filled: -ENOENT
 * and what else the system says, -ENODATA (empty), -EBADMSG (not JSON), -EFBIG, -ENOMEM, -ENOSYS.
 * The document belongs to the caller: json_input_finish().
 */
int json_input_read(struct json_input *ret_input, const char *path, struct wan_error *reterr_error);
/* The same from memory; name stands in messages. */
int json_input_parse(struct json_input *ret_input, const char *name, const char *text, size_t bytes,
		     struct wan_error *reterr_error);
void json_input_finish(struct json_input *input);
/* The whole file (or "-") as text with a NUL behind it; wan_free() it. Errors as json_input_read.
 */
int json_input_text(const char *path, char **ret_text, size_t *ret_bytes,
		    struct wan_error *reterr_error);

/* Bytes that the latest document took, of those it was priced at. */
size_t json_input_used(void);

/* Values; NULL and values of another type are absent, so that chains of members need no checks. */
const struct json_value *json_value_member(const struct json_value *value, const char *key);
size_t json_value_count(const struct json_value *value); /* items of a list; else 0 */
const struct json_value *json_value_at(const struct json_value *value, size_t index);
bool json_value_is_list(const struct json_value *value);
bool json_value_is_object(const struct json_value *value);
bool json_value_is_true(const struct json_value *value);
bool json_value_is_false(const struct json_value *value);
double json_value_number(const struct json_value *value);                      /* absent: NAN */
uint64_t json_value_unsigned(const struct json_value *value, uint64_t absent); /* also negative */
int64_t json_value_integer(const struct json_value *value, int64_t absent);
const char *json_value_text(const struct json_value *value); /* absent: NULL */

#endif
