/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "str.h"
#include "units.h"

/* One row of the table for each type: the limits are numbers, except a choice's, whose maximum is
 * the list of its words. */
#define ROW(field, name_, type_, low_, high_, choices_, text_)                                     \
	{.name = (name_),                                                                          \
	 .type = WAN_KEY_##type_,                                                                  \
	 .offset = offsetof(struct wan_config, field),                                             \
	 .low = (low_),                                                                            \
	 .high = (high_),                                                                          \
	 .choices = (choices_),                                                                    \
	 .help = (text_)},
#define ROW_NUMBER(field, name, type, low, high, text)                                             \
	ROW(field, name, type, (double)(low), (double)(high), NULL, text)
#define ROW_BOOL                                       ROW_NUMBER
#define ROW_U64                                        ROW_NUMBER
#define ROW_BYTES                                      ROW_NUMBER
#define ROW_NS                                         ROW_NUMBER
#define ROW_PCT                                        ROW_NUMBER
#define ROW_DOUBLE                                     ROW_NUMBER
#define ROW_TEXT                                       ROW_NUMBER
#define ROW_CHOICE(field, name, type, low, high, text) ROW(field, name, type, 0, 0, high, text)

static struct wan_key_info keys[] = {
#define WAN_KEY(field, name, type, value, low, high, text)                                         \
	ROW_##type(field, name, type, low, high, text)
#include "config_keys.def"
#undef WAN_KEY
};

static const char *names[WAN_CONFIG_KEY_COUNT];
static char default_texts[WAN_CONFIG_KEY_COUNT][32];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Numbers are assigned, text is copied. */
#define SET_NUMBER(field, value) config->field = (value);
#define SET_BOOL                 SET_NUMBER
#define SET_U64                  SET_NUMBER
#define SET_BYTES                SET_NUMBER
#define SET_NS                   SET_NUMBER
#define SET_PCT                  SET_NUMBER
#define SET_DOUBLE               SET_NUMBER
#define SET_TEXT(field, value)   wan_str_copy(config->field, sizeof(config->field), (value));
#define SET_CHOICE               SET_TEXT

void wan_config_defaults(struct wan_config *config)
{
	memset(config, 0, sizeof(*config));
#define WAN_KEY(field, name, type, value, low, high, text) SET_##type(field, value)
#include "config_keys.def"
#undef WAN_KEY
}

/* The default of one key as text, without the 12 KiB of a whole configuration on the stack. */
#define TEXT_OF_NUMBER(type, value)                                                                \
	format_number(default_texts[i], sizeof(default_texts[i]), type, (double)(value));
#define TEXT_OF_BOOL(value)   TEXT_OF_NUMBER(WAN_KEY_BOOL, value)
#define TEXT_OF_U64(value)    TEXT_OF_NUMBER(WAN_KEY_U64, value)
#define TEXT_OF_BYTES(value)  TEXT_OF_NUMBER(WAN_KEY_BYTES, value)
#define TEXT_OF_NS(value)     TEXT_OF_NUMBER(WAN_KEY_NS, value)
#define TEXT_OF_PCT(value)    TEXT_OF_NUMBER(WAN_KEY_PCT, value)
#define TEXT_OF_DOUBLE(value) TEXT_OF_NUMBER(WAN_KEY_DOUBLE, value)
#define TEXT_OF_TEXT(value)   wan_str_copy(default_texts[i], sizeof(default_texts[i]), (value));
#define TEXT_OF_CHOICE        TEXT_OF_TEXT

struct unit {
	const char *name;
	uint64_t size;
};

/* With the largest unit that leaves no fraction, so that the text reads back as the same number. */
static void format_exact(char *to, size_t bytes, uint64_t value, const struct unit *units)
{
	while (units->size > 1 && (!value || value % units->size))
		units++;
	wan_str_format(to, bytes, "%llu%s", (unsigned long long)(value / units->size), units->name);
}

/* Six decimals at most, no zeros at the end, a point in every locale. */
static void format_double(char *to, size_t bytes, double value)
{
	uint64_t millionths = (uint64_t)(value * 1000000 + 0.5);
	unsigned fraction = (unsigned)(millionths % 1000000), places = 6;
	size_t used = wan_str_format(to, bytes, "%llu", (unsigned long long)(millionths / 1000000));
	if (!fraction)
		return;
	for (; fraction % 10 == 0; fraction /= 10)
		places--;
	wan_str_format(to + used, bytes - used, ".%0*u", (int)places, fraction);
}

static void format_u64(char *to, size_t bytes, enum wan_key_type type, uint64_t value)
{
	static const struct unit byte_units[] = {
		{"G", WAN_MIB << 10}, {"M", WAN_MIB}, {"K", WAN_KIB}, {"", 1}};
	static const struct unit time_units[] = {{"h", 3600ull * 1000000000},
						 {"min", 60ull * 1000000000},
						 {"s", 1000000000},
						 {"ms", 1000000},
						 {"us", 1000},
						 {"ns", 1}};
	static const struct unit plain[] = {{"", 1}};
	format_exact(to, bytes, value,
		     type == WAN_KEY_BYTES ? byte_units
		     : type == WAN_KEY_NS  ? time_units
					   : plain);
}

static void format_number(char *to, size_t bytes, enum wan_key_type type, double value)
{
	if (type == WAN_KEY_BOOL)
		wan_str_copy(to, bytes, value ? "true" : "false");
	else if (type == WAN_KEY_PCT || type == WAN_KEY_DOUBLE)
		format_double(to, bytes, value);
	else
		format_u64(to, bytes, type, (uint64_t)value);
}

static void fill_texts(void)
{
	unsigned i = 0;
#define WAN_KEY(field, name, type, value, low, high, text) TEXT_OF_##type(value) i++;
#include "config_keys.def"
#undef WAN_KEY
	for (i = 0; i < WAN_CONFIG_KEY_COUNT; i++) {
		keys[i].default_text = default_texts[i];
		names[i] = keys[i].name;
	}
}

const struct wan_key_info *wan_key_info(unsigned index)
{
	pthread_once(&once, fill_texts);
	return index < WAN_CONFIG_KEY_COUNT ? &keys[index] : NULL;
}

const struct wan_key_info *wan_key_find(const char *name, const char **ret_nearest)
{
	pthread_once(&once, fill_texts);
	for (unsigned i = 0; i < WAN_CONFIG_KEY_COUNT; i++)
		if (wan_str_equal(keys[i].name, name))
			return &keys[i];
	if (ret_nearest)
		*ret_nearest = name ? wan_str_nearest(name, names, WAN_CONFIG_KEY_COUNT) : NULL;
	return NULL;
}

static int parse_bool(const char *text, bool *ret_value)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
	for (unsigned i = 0; i < WAN_COUNT_OF(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_value = i % 2;
			return 0;
		}
	}
	return -EBADMSG;
}

static int parse_pct(const char *text, double *ret_value)
{
	char number[32];
	size_t length = strlen(text);
	if (length && text[length - 1] == '%')
		length--;
	if (length >= sizeof(number))
		return -EBADMSG;
	memcpy(number, text, length);
	number[length] = '\0';
	return wan_parse_double(number, ret_value);
}

static bool is_choice(const char *choices, const char *text)
{
	size_t length = strlen(text);
	if (strchr(text, '|')) /* two words of the list are not one */
		return false;
	for (const char *word = choices; length && word; word = strchr(word, '|')) {
		word += *word == '|';
		if (strncmp(word, text, length) == 0 && (!word[length] || word[length] == '|'))
			return true;
	}
	return false;
}

static int set_u64(void *field, const struct wan_key_info *key, const char *text)
{
	uint64_t value;
	int error = key->type == WAN_KEY_BYTES ? wan_parse_bytes(text, &value)
		    : key->type == WAN_KEY_NS  ? wan_parse_duration_ns(text, 0, &value)
					       : wan_parse_u64(text, &value);
	if (error)
		return error;
	/* the limits of the table are exact as doubles (a test checks it) */
	if (value < (uint64_t)key->low || value > (uint64_t)key->high)
		return -ERANGE;
	memcpy(field, &value, sizeof(value));
	return 0;
}

static int set_double(void *field, const struct wan_key_info *key, const char *text)
{
	double value;
	int error =
		key->type == WAN_KEY_PCT ? parse_pct(text, &value) : wan_parse_double(text, &value);
	if (error)
		return error;
	if (value < key->low || value > key->high)
		return -ERANGE;
	value += 0.0; /* -0 is 0 */
	memcpy(field, &value, sizeof(value));
	return 0;
}

static int set_field(void *field, const struct wan_key_info *key, const char *text)
{
	switch (key->type) {
	case WAN_KEY_BOOL:
		return parse_bool(text, field);
	case WAN_KEY_U64:
	case WAN_KEY_BYTES:
	case WAN_KEY_NS:
		return set_u64(field, key, text);
	case WAN_KEY_PCT:
	case WAN_KEY_DOUBLE:
		return set_double(field, key, text);
	case WAN_KEY_TEXT:
		if (strlen(text) >= (size_t)key->high)
			return -ERANGE;
		strcpy(field, text);
		return 0;
	case WAN_KEY_CHOICE:
		if (!is_choice(key->choices, text))
			return -EBADMSG;
		strcpy(field, text);
		return 0;
	}
	return -EINVAL;
}

/* What the key accepts, as a hint. */
static void describe(const struct wan_key_info *key, char *to, size_t bytes)
{
	char low[32], high[32];
	switch (key->type) {
	case WAN_KEY_BOOL:
		wan_str_copy(to, bytes, "write true or false");
		break;
	case WAN_KEY_CHOICE:
		wan_str_format(to, bytes, "write one of %s", key->choices);
		break;
	case WAN_KEY_TEXT:
		wan_str_format(to, bytes, "write at most %u bytes", (unsigned)key->high - 1);
		break;
	default:
		format_number(low, sizeof(low), key->type, key->low);
		format_number(high, sizeof(high), key->type, key->high);
		wan_str_format(to, bytes, "write a value from %s to %s, such as %s", low, high,
			       key->default_text);
	}
}

static int unknown_key(struct wan_error *reterr_error, const char *name, const char *nearest)
{
	char hint[128] = "wanprof config lists the keys";
	if (nearest)
		wan_str_format(hint, sizeof(hint), "did you mean %s?", nearest);
	return wan_error_set(reterr_error, -ENOENT, name, hint,
			     "there is no configuration key of this name");
}

int wan_config_set(struct wan_config *config, const char *name, const char *text,
		   struct wan_error *reterr_error)
{
	const char *nearest = NULL;
	const struct wan_key_info *key = wan_key_find(name, &nearest);
	if (!key)
		return unknown_key(reterr_error, name, nearest);
	int error = text ? set_field((char *)config + key->offset, key, text) : -EBADMSG;
	if (error) {
		char hint[256];
		describe(key, hint, sizeof(hint));
		return wan_error_set(
			reterr_error, error, name, hint, "\"%.100s\" is %s", text ? text : "",
			error == -ERANGE ? "outside the allowed range" : "not a value of this key");
	}
	return 0;
}

void wan_config_format(const struct wan_config *config, const struct wan_key_info *key, char *to,
		       size_t bytes)
{
	const void *field = (const char *)config + key->offset;
	uint64_t number;
	double fraction;
	switch (key->type) {
	case WAN_KEY_BOOL:
		wan_str_copy(to, bytes, *(const bool *)field ? "true" : "false");
		break;
	case WAN_KEY_U64:
	case WAN_KEY_BYTES:
	case WAN_KEY_NS:
		memcpy(&number, field, sizeof(number));
		format_u64(to, bytes, key->type, number);
		break;
	case WAN_KEY_PCT:
	case WAN_KEY_DOUBLE:
		memcpy(&fraction, field, sizeof(fraction));
		format_double(to, bytes, fraction);
		break;
	case WAN_KEY_TEXT:
	case WAN_KEY_CHOICE:
		wan_str_copy(to, bytes, field);
		break;
	}
}

/* "cache.limit" > "WAN_CACHE_LIMIT" */
static void environment_name(const char *name, char *to, size_t bytes)
{
	size_t used = wan_str_format(to, bytes, "WAN_%s", name);
	for (size_t i = 4; i < used; i++)
		to[i] = to[i] == '.'                   ? '_'
			: to[i] >= 'a' && to[i] <= 'z' ? (char)(to[i] - 32)
						       : to[i];
}

void wan_config_environment(struct wan_config *config, enum wan_origin *origins)
{
	char variable[64];
	struct wan_error error;
	for (unsigned i = 0; i < WAN_CONFIG_KEY_COUNT; i++) {
		const struct wan_key_info *key = wan_key_info(i);
		environment_name(key->name, variable, sizeof(variable));
		const char *text = secure_getenv(variable);
		/* VARIABLE= is how a shell user unsets a value; only for text it is one */
		if (!text || (!*text && key->type != WAN_KEY_TEXT))
			continue;
		if (wan_config_set(config, key->name, text, &error) < 0)
			wan_log(WAN_LOG_WARNING, "%s: %s; %s (ignored)", variable, error.reason,
				error.hint);
		else if (origins)
			origins[i] = WAN_ORIGIN_ENVIRONMENT;
	}
}
