/* SPDX-License-Identifier: MIT */
#include "json_input.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "json_price.h"
#include "log.h"

int json_input_read(struct json_input *ret_input, const char *path, struct wan_error *reterr_error)
{
	wan_cleanup(wan_freep) char *text = NULL;
	size_t bytes;
	int rc = json_input_text(path, &text, &bytes, reterr_error);
	if (rc)
		return rc;
	return json_input_parse(ret_input, strcmp(path, "-") == 0 ? "standard input" : path, text,
				bytes, reterr_error);
}

#ifdef WANPROF_JANSSON
#include "jansson_late.h"
#include "macros.h"

static const struct jansson_late *jansson; /* from the first document on */

/*
 * The library is not safe when its allocations fail (2.14 reads beyond the text then), so they
 * never do: all of them come from one block of the size that the text was priced at, which is had
 * before the library sees a byte, and given back whole. It has one allocator for the whole program,
 * and the program reads one document at a time.
 */
static char *arena;
static size_t arena_bytes, arena_used;

static void *allocate(size_t bytes)
{
	size_t whole = (bytes + 15) & ~(size_t)15;
	if (whole < bytes || whole > arena_bytes - arena_used)
		return NULL;
	void *block = arena + arena_used;
	arena_used += whole;
	return block;
}

static void give_back(void *block)
{
}

size_t json_input_used(void)
{
	return arena_used;
}

bool json_input_in_build(void)
{
	return true;
}

bool json_input_available(void)
{
	return jansson_late() != NULL;
}

static const json_t *of(const struct json_value *value)
{
	return (const json_t *)value;
}

static const struct json_value *as(const json_t *json)
{
	return (const struct json_value *)json;
}

static int check_price(const char *name, const struct json_price *price, struct wan_error *error)
{
	if (price->depth > JSON_INPUT_DEPTH_MAX)
		return wan_error_set(error, -EBADMSG, name,
				     "give JSON that `wanprof dump` has written",
				     "nested %u levels deep, at most %d are read", price->depth,
				     JSON_INPUT_DEPTH_MAX);
	if (price->bytes > JSON_INPUT_MEMORY_MAX)
		return wan_error_set(
			error, -EFBIG, name,
			"give the recording itself, or dump with --no-metrics or --min-ms N",
			"it would take up to %zu MB of memory, at most %zu are given to it",
			price->bytes >> 20, JSON_INPUT_MEMORY_MAX >> 20);
	return 0;
}

static int refused(const char *name, const json_error_t *reason, struct wan_error *error)
{
	return wan_error_set(
		error, -EBADMSG, name, "give JSON that `wanprof dump` has written, whole",
		"not JSON, or damaged, at line %d: %.120s", reason->line, reason->text);
}

int json_input_parse(struct json_input *ret_input, const char *name, const char *text, size_t bytes,
		     struct wan_error *error)
{
	json_error_t reason;
	jansson = jansson_late();
	if (!jansson)
		return wan_error_set(error, -ENOSYS, name,
				     "give the recording itself, or install libjansson4 (Fedora, "
				     "Arch: jansson)",
				     "there is no jansson (libjansson.so.4) to read JSON with");
	struct json_price price = json_price(text, bytes);
	int rc = check_price(name, &price, error);
	if (rc)
		return rc;
	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		bytes -= 3;
	}
	arena = wan_malloc(price.bytes);
	if (!arena)
		return wan_error_set(error, -ENOMEM, name, "judge fewer or smaller files at a time",
				     "there is no memory to read it (%zu MB)", price.bytes >> 20);
	arena_bytes = price.bytes;
	arena_used = 0;
	jansson->set_alloc_funcs(allocate, give_back);
	json_t *root = jansson->loadb(text, bytes, JSON_REJECT_DUPLICATES, &reason);
	if (!root) {
		wan_free(arena);
		return refused(name, &reason, error);
	}
	*ret_input = (struct json_input){.root = (struct json_value *)root, .memory = arena};
	return 0;
}

void json_input_finish(struct json_input *input)
{
	wan_free(input->memory);
	*input = (struct json_input){0};
}

const struct json_value *json_value_member(const struct json_value *value, const char *key)
{
	return value ? as(jansson->object_get(of(value), key)) : NULL;
}

size_t json_value_count(const struct json_value *value)
{
	return value ? jansson->array_size(of(value)) : 0;
}

const struct json_value *json_value_at(const struct json_value *value, size_t index)
{
	return value ? as(jansson->array_get(of(value), index)) : NULL;
}

bool json_value_is_list(const struct json_value *value)
{
	return json_is_array(of(value));
}

bool json_value_is_object(const struct json_value *value)
{
	return json_is_object(of(value));
}

bool json_value_is_true(const struct json_value *value)
{
	return json_is_true(of(value));
}

bool json_value_is_false(const struct json_value *value)
{
	return json_is_false(of(value));
}

double json_value_number(const struct json_value *value)
{
	return json_is_number(of(value)) ? jansson->number_value(of(value)) : NAN;
}

int64_t json_value_integer(const struct json_value *value, int64_t absent)
{
	return json_is_integer(of(value)) ? jansson->integer_value(of(value)) : absent;
}

const char *json_value_text(const struct json_value *value)
{
	return value ? jansson->string_value(of(value)) : NULL;
}

#else /* no JSON library */

bool json_input_in_build(void)
{
	return false;
}

bool json_input_available(void)
{
	return false;
}

int json_input_parse(struct json_input *ret_input, const char *name, const char *text, size_t bytes,
		     struct wan_error *error)
{
	(void)json_price(text, bytes);
	return wan_error_set(error, -ENOSYS, name, "give the recording itself",
			     "this build reads recordings only, it was made without jansson");
}

size_t json_input_used(void)
{
	return 0;
}

void json_input_finish(struct json_input *input)
{
	*input = (struct json_input){0};
}

const struct json_value *json_value_member(const struct json_value *value, const char *key)
{
	return NULL;
}

size_t json_value_count(const struct json_value *value)
{
	return 0;
}

const struct json_value *json_value_at(const struct json_value *value, size_t index)
{
	return NULL;
}

bool json_value_is_list(const struct json_value *value)
{
	return false;
}

bool json_value_is_object(const struct json_value *value)
{
	return false;
}

bool json_value_is_true(const struct json_value *value)
{
	return false;
}

bool json_value_is_false(const struct json_value *value)
{
	return false;
}

double json_value_number(const struct json_value *value)
{
	return NAN;
}

int64_t json_value_integer(const struct json_value *value, int64_t absent)
{
	return absent;
}

const char *json_value_text(const struct json_value *value)
{
	return NULL;
}
#endif

uint64_t json_value_unsigned(const struct json_value *value, uint64_t absent)
{
	int64_t number = json_value_integer(value, -1);
	return number < 0 ? absent : (uint64_t)number;
}
