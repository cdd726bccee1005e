/* SPDX-License-Identifier: MIT */
/* What every output format shares: options, and values written the same way everywhere. */
#ifndef WAN_PROFILER_EXPORT_H
#define WAN_PROFILER_EXPORT_H

#include "analysis.h"
#include "environment.h"
#include "json_writer.h"

#define WAN_PROFILE_SCHEMA         "wanrt-profile"
#define WAN_PROFILE_SCHEMA_VERSION 1
#define WAN_EXPORT_SAMPLES_MAX     2000

struct wan_export_options {
	bool no_metrics; /* metrics[] stays empty, all of them count as dropped */
	bool redact;     /* paths and command lines are replaced by hashes */
	uint64_t min_ns; /* shorter operations are left out of metrics[] */
	/* The machine, read at export; NULL when the recording may come from another one. */
	const struct wan_environment *environment;
};

/* One export under way. */
struct wan_export {
	struct wan_json *json;
	const struct wan_analysis *analysis;
	const struct wan_export_options *options;
};

/* "name_ms" and "name_ns"; "name_mb" and "name_bytes"; UINT64_MAX is null. */
void wan_export_time(struct wan_json *json, const char *name, uint64_t ns);
void wan_export_bytes(struct wan_json *json, const char *name, uint64_t bytes);
void wan_export_signed_bytes(struct wan_json *json, const char *name, int64_t bytes);
/* Negative or not finite: null. */
void wan_export_number(struct wan_json *json, const char *name, double value, unsigned decimals);
/* RFC 3339 UTC with nanoseconds; 0 is null. */
#define WAN_TIMESTAMP_BYTES 40
const char *wan_export_timestamp_text(char *to, uint64_t realtime_ns);
void wan_export_timestamp(struct wan_json *json, const char *name, uint64_t realtime_ns);
/* NULL and "" are null; redacted paths keep their ending: "redacted-0123456789abcdef.png". */
void wan_export_path(const struct wan_export *export, const char *name, const char *path);
const char *wan_export_redact(char *to, size_t bytes, const char *path);

/* Is this operation shown in metrics[]? */
bool wan_export_shows(const struct wan_export *export, const struct wan_view_operation *operation);
/* The keys of one operation, inside an open object. */
void wan_export_operation(const struct wan_export *export,
			  const struct wan_view_operation *operation);

/* Whole documents. Errors stick in json: see wan_json_finish(). */
void wan_export_json(const struct wan_export *export);
void wan_export_json_lines(const struct wan_export *export);
/* Comma separated, one line of names, then one an operation; through json->write. 0, negative errno
 */
int wan_export_csv(const struct wan_export *export);

/* Sections of the document, in its order. */
void wan_export_run(const struct wan_export *export);
void wan_export_program(const struct wan_export *export);
void wan_export_environment(const struct wan_export *export);
void wan_export_overhead(const struct wan_export *export);
void wan_export_summary(const struct wan_export *export);
void wan_export_metrics(const struct wan_export *export);
void wan_export_operations(const struct wan_export *export);
void wan_export_findings(const struct wan_export *export, enum wan_advice_kind kind);
void wan_export_samples(const struct wan_export *export);
void wan_export_cache(const struct wan_export *export);
void wan_export_memory(const struct wan_export *export);
void wan_export_progress(const struct wan_export *export);
void wan_export_monitor(const struct wan_export *export); /* an object, after its key */
void wan_export_optimizer(const struct wan_export *export);
void wan_export_coverage(const struct wan_export *export);
void wan_export_damage(const struct wan_export *export);

/* Samples of the run, thinned to at most WAN_EXPORT_SAMPLES_MAX with each stretch's smallest and
 * largest resident size kept. *ret_samples is wan_free()d by the caller. 0, -ENOMEM. */
int wan_export_collect_samples(const struct wan_analysis *analysis, struct wan_sample **ret_samples,
			       size_t *ret_count, size_t *ret_total);

#endif
