/* SPDX-License-Identifier: MIT */
/*
 * The table of configuration keys as a struct. Pure: parsing and range checks of one key; the
 * environment. Files and their precedence are in runtime/config_load.c.
 */
#ifndef WAN_BASE_CONFIG_H
#define WAN_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macros.h"
#include "wan/status.h"

enum wan_key_type {
	WAN_KEY_BOOL,
	WAN_KEY_U64,
	WAN_KEY_BYTES,
	WAN_KEY_NS,
	WAN_KEY_PCT,
	WAN_KEY_DOUBLE,
	WAN_KEY_TEXT,
	WAN_KEY_CHOICE,
};

/* Where the value in force came from, weakest first. */
enum wan_origin {
	WAN_ORIGIN_DEFAULT,
	WAN_ORIGIN_XDG_FILE,
	WAN_ORIGIN_PROJECT_FILE,
	WAN_ORIGIN_ENVIRONMENT,
	WAN_ORIGIN_OPTION,
};

#define WAN_FIELD_BOOL(field)   bool field;
#define WAN_FIELD_U64(field)    uint64_t field;
#define WAN_FIELD_BYTES(field)  uint64_t field;
#define WAN_FIELD_NS(field)     uint64_t field;
#define WAN_FIELD_PCT(field)    double field;
#define WAN_FIELD_DOUBLE(field) double field;
#define WAN_FIELD_TEXT(field)   char field[4096];
#define WAN_FIELD_CHOICE(field) char field[16];

struct wan_config {
#define WAN_KEY(field, name, type, value, low, high, text) WAN_FIELD_##type(field)
#include "config_keys.def"
#undef WAN_KEY
};

enum wan_config_key {
#define WAN_KEY(field, name, type, value, low, high, text) WAN_CONFIG_##field,
#include "config_keys.def"
#undef WAN_KEY
	WAN_CONFIG_KEY_COUNT
};

struct wan_key_info {
	const char *name;
	enum wan_key_type type;
	size_t offset;
	double low, high;
	const char *choices; /* CHOICE: "a|b" */
	const char *default_text;
	const char *help;
};
const struct wan_key_info *wan_key_info(unsigned index); /* NULL past the end */
/* The key of that name, or NULL; *ret_nearest (if asked) names the nearest one or NULL. */
const struct wan_key_info *wan_key_find(const char *name, const char **ret_nearest);

void wan_config_defaults(struct wan_config *config);
/* Parse, check the range, store. -ENOENT (unknown key; the hint names the nearest), -EBADMSG,
 * -ERANGE; config untouched then. */
int wan_config_set(struct wan_config *config, const char *name, const char *text,
		   struct wan_error *reterr_error);
/* Value of a key as text. */
void wan_config_format(const struct wan_config *config, const struct wan_key_info *key, char *to,
		       size_t bytes);
/* "cache.limit" is WAN_CACHE_LIMIT. Applies every WAN_* of the environment that names a key,
 * secure_getenv only; a bad value is reported to the log and skipped. origins may be NULL. */
void wan_config_environment(struct wan_config *config, enum wan_origin *origins);

#endif
