/* SPDX-License-Identifier: MIT */
#include "export.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "macros.h"
#include "str.h"

static void suffixed(struct wan_json *json, const char *name, const char *suffix)
{
	char key[96];
	wan_str_format(key, sizeof(key), "%s%s", name, suffix);
	wan_json_key(json, key);
}

void wan_export_time(struct wan_json *json, const char *name, uint64_t ns)
{
	suffixed(json, name, "_ms");
	if (ns == UINT64_MAX)
		wan_json_null(json);
	else
		wan_json_double(json, (double)ns / 1e6, 6);
	suffixed(json, name, "_ns");
	if (ns == UINT64_MAX)
		wan_json_null(json);
	else
		wan_json_u64(json, ns);
}

void wan_export_bytes(struct wan_json *json, const char *name, uint64_t bytes)
{
	suffixed(json, name, "_mb");
	if (bytes == UINT64_MAX)
		wan_json_null(json);
	else
		wan_json_double(json, (double)bytes / (double)WAN_MIB, 6);
	suffixed(json, name, "_bytes");
	if (bytes == UINT64_MAX)
		wan_json_null(json);
	else
		wan_json_u64(json, bytes);
}

void wan_export_signed_bytes(struct wan_json *json, const char *name, int64_t bytes)
{
	suffixed(json, name, "_mb");
	if (bytes == INT64_MIN)
		wan_json_null(json);
	else
		wan_json_double(json, (double)bytes / (double)WAN_MIB, 6);
	suffixed(json, name, "_bytes");
	if (bytes == INT64_MIN)
		wan_json_null(json);
	else
		wan_json_i64(json, bytes);
}

void wan_export_number(struct wan_json *json, const char *name, double value, unsigned decimals)
{
	if (isfinite(value) && value >= 0)
		wan_json_key_double(json, name, value, decimals);
	else
		wan_json_key_null(json, name);
}

const char *wan_export_timestamp_text(char *to, uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000u);
	struct tm tm;
	if (!gmtime_r(&seconds, &tm)) {
		to[0] = '\0';
		return to;
	}
	wan_str_format(to, WAN_TIMESTAMP_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ",
		       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		       tm.tm_sec, (unsigned)(realtime_ns % 1000000000u));
	return to;
}

void wan_export_timestamp(struct wan_json *json, const char *name, uint64_t realtime_ns)
{
	char text[WAN_TIMESTAMP_BYTES];
	if (realtime_ns)
		wan_json_key_string(json, name, wan_export_timestamp_text(text, realtime_ns));
	else
		wan_json_key_null(json, name);
}

const char *wan_export_file(const struct wan_export *export, char *hidden, const char *path)
{
	if (!path || !path[0] || !export->options->redact)
		return path;
	return wan_redact_path(hidden, export->options->redact_key, path);
}

const char *wan_export_name(const struct wan_export *export, char *hidden, const char *name)
{
	if (!name)
		return "";
	if (!export->options->redact || wan_redact_is_identifier(name))
		return name;
	return wan_redact_text(hidden, export->options->redact_key, name);
}

const char *wan_export_text(const struct wan_export *export, char *hidden, const char *text)
{
	if (!text)
		return "";
	if (!export->options->redact || !text[0])
		return text;
	return wan_redact_text(hidden, export->options->redact_key, text);
}

static void string_or_null(struct wan_json *json, const char *key, const char *text)
{
	wan_json_key_string(json, key, text && text[0] ? text : NULL);
}

void wan_export_path(const struct wan_export *export, const char *name, const char *path)
{
	char hidden[WAN_REDACTED_BYTES];
	string_or_null(export->json, name, wan_export_file(export, hidden, path));
}

void wan_export_key_name(const struct wan_export *export, const char *key, const char *name)
{
	char hidden[WAN_REDACTED_BYTES];
	string_or_null(export->json, key, wan_export_name(export, hidden, name));
}

void wan_export_key_text(const struct wan_export *export, const char *key, const char *text)
{
	char hidden[WAN_REDACTED_BYTES];
	string_or_null(export->json, key, wan_export_text(export, hidden, text));
}

const char *wan_export_severity(unsigned code)
{
	static const char *const names[] = {"notice", "medium", "high", "critical"};
	return names[code < 4 ? code : 3];
}
