/* SPDX-License-Identifier: MIT */
/*
 * Streaming JSON writer: no allocation, escapes everything, never emits NaN or infinity (null
 * instead), decimal point in every locale, invalid UTF-8 becomes U+FFFD, characters that steer a
 * terminal (wan_str_steers) are written as numbers. Nesting at most 32.
 * Errors stick: the first one is returned by wan_json_finish().
 */
#ifndef WAN_BASE_JSON_WRITER_H
#define WAN_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wan_json {
	int (*write)(void *context, const void *bytes, size_t count); /* 0 or negative errno */
	void *context;
	bool pretty; /* two spaces a level and line ends; else on one line */
	/* private */
	char buffer[4096];
	size_t used;
	uint32_t has_item; /* bit per level */
	uint32_t is_array;
	unsigned depth;
	bool after_key;
	bool has_document; /* since the last line end */
	int error;
};

void wan_json_init(struct wan_json *json, int (*write)(void *, const void *, size_t), void *context,
		   bool pretty);
/* write callbacks: to a file descriptor (context: int *), and to a growing memory block. */
int wan_json_write_fd(void *context, const void *bytes, size_t count);
struct wan_json_memory {
	char *text; /* wan_free() it; terminated */
	size_t bytes, capacity;
};
int wan_json_write_memory(void *context, const void *bytes, size_t count);

void wan_json_object_begin(struct wan_json *json);
void wan_json_object_end(struct wan_json *json);
void wan_json_array_begin(struct wan_json *json);
void wan_json_array_end(struct wan_json *json);
void wan_json_key(struct wan_json *json, const char *name);
void wan_json_string(struct wan_json *json, const char *text); /* NULL: null */
void wan_json_string_n(struct wan_json *json, const char *text, size_t bytes);
void wan_json_u64(struct wan_json *json, uint64_t value);
void wan_json_i64(struct wan_json *json, int64_t value);
void wan_json_double(struct wan_json *json, double value, unsigned decimals); /* fixed, trimmed */
void wan_json_bool(struct wan_json *json, bool value);
void wan_json_null(struct wan_json *json);
/* key and value in one */
void wan_json_key_string(struct wan_json *json, const char *name, const char *text);
void wan_json_key_u64(struct wan_json *json, const char *name, uint64_t value);
void wan_json_key_i64(struct wan_json *json, const char *name, int64_t value);
void wan_json_key_double(struct wan_json *json, const char *name, double value, unsigned decimals);
void wan_json_key_bool(struct wan_json *json, const char *name, bool value);
void wan_json_key_null(struct wan_json *json, const char *name);
/* A line end between documents (JSON lines). */
void wan_json_line_end(struct wan_json *json);
/* Flushes. Returns 0 or the first error. */
int wan_json_finish(struct wan_json *json);

#endif
