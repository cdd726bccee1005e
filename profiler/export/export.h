/* SPDX-License-Identifier: MIT */
/* What every output format shares: options, and values written the same way everywhere. */
#ifndef WAN_PROFILER_EXPORT_H
#define WAN_PROFILER_EXPORT_H

#include "analysis.h"
#include "environment.h"
#include "json_writer.h"
#include "redact.h"
#include "sink.h"
#include "trackers.h"

#define WAN_PROFILE_SCHEMA         "wanrt-profile"
#define WAN_PROFILE_SCHEMA_VERSION 1
#define WAN_EXPORT_SAMPLES_MAX     2000

struct wan_export_options {
	bool no_metrics;        /* metrics[] stays empty, all of them count as dropped */
	bool redact;            /* paths and whatever may hold them are replaced by hashes */
	uint64_t redact_key[2]; /* secret: without it nobody can try names against the hashes */
	uint64_t min_ns;        /* shorter operations are left out of metrics[] */
	/* The machine, read at export; NULL when the recording may come from another one. */
	const struct wan_environment *environment;
};

/* One export under way: a format writes through json or through sink, see formats.def. */
struct wan_export {
	struct wan_json *json;
	struct wan_sink *sink;
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
/* Text of the recording, as it may be shown; under --redact the hash of it, in hidden. NULL is "",
 * a file that is NULL stays so. A name that is an identifier stays; any other text goes. */
const char *wan_export_file(const struct wan_export *export, char *hidden, const char *path);
const char *wan_export_name(const struct wan_export *export, char *hidden, const char *name);
const char *wan_export_text(const struct wan_export *export, char *hidden, const char *text);
/* The same as values of a JSON object; NULL and "" are null. */
void wan_export_path(const struct wan_export *export, const char *name, const char *path);
void wan_export_key_name(const struct wan_export *export, const char *key, const char *name);
void wan_export_key_text(const struct wan_export *export, const char *key, const char *text);
/* "python3", "wanprof (recorder)". Returns to. */
#define WAN_PROCESS_NAME_BYTES 300
const char *wan_export_process_name(const struct wan_export *export, char *to,
				    const struct wan_process *process);
/* A stretch's phase as its event has it; the program's own names through redaction. */
const char *wan_export_phase(const struct wan_export *export, char *hidden,
			     const struct wan_process_event *event);
const char *wan_export_severity(unsigned code); /* of an alert */
/* The latest monitor speaks: averages of several do not add up. NULL: there was none. */
const struct wan_process_counters *wan_export_monitor_block(const struct wan_view *view);
/* An array of the sentences of all findings of a kind, with its key. */
void wan_export_finding_texts(const struct wan_export *export, const char *name,
			      enum wan_advice_kind kind);

/* Is this operation shown in metrics[]? */
static inline bool wan_export_shows(const struct wan_export *export,
				    const struct wan_view_operation *operation)
{
	return !export->options->no_metrics &&
	       operation->record->inside_ns >= export->options->min_ns;
}
/* The keys of one operation, inside an open object. */
void wan_export_operation(const struct wan_export *export,
			  const struct wan_view_operation *operation);

/* Whole documents, one a format. Errors stick in json and sink. */
#define WAN_FORMAT(name, writer, binary, help) void wan_export_##name(const struct wan_export *);
#include "formats.def"
#undef WAN_FORMAT

struct wan_format {
	const char *name, *help;
	bool binary; /* not for a terminal */
	enum { WAN_FORMAT_PRETTY, WAN_FORMAT_COMPACT, WAN_FORMAT_SINK } writer;
	void (*export)(const struct wan_export *);
};
const struct wan_format *wan_formats(size_t *ret_count);
const struct wan_format *wan_format_find(const char *name); /* NULL: there is none */
/* The whole document through write (0 or negative errno). 0, what write said, -ENOMEM. */
int wan_format_write(const struct wan_format *format, const struct wan_analysis *analysis,
		     const struct wan_export_options *options,
		     int (*write)(void *, const void *, size_t), void *context);

/* Sections of the document, in its order. */
void wan_export_run(const struct wan_export *export);
void wan_export_preconditions(const struct wan_export *export); /* and "storage"; inside run */
void wan_export_program(const struct wan_export *export);
void wan_export_environment(const struct wan_export *export);
void wan_export_overhead(const struct wan_export *export);
void wan_export_summary(const struct wan_export *export);
void wan_export_metrics(const struct wan_export *export);
void wan_export_operations(const struct wan_export *export);
void wan_export_sizes(const struct wan_export *export, const struct wan_row *row);
void wan_export_findings(const struct wan_export *export, enum wan_advice_kind kind);
void wan_export_samples(const struct wan_export *export);
void wan_export_cache(const struct wan_export *export);
void wan_export_memory(const struct wan_export *export);
void wan_export_gpu(const struct wan_export *export);
void wan_export_progress(const struct wan_export *export);
/* "phases", "trackers" and "latencies", inside progress */
void wan_export_trackers(const struct wan_export *export);
void wan_export_monitor(const struct wan_export *export); /* an object, after its key */
void wan_export_optimizer(const struct wan_export *export);
void wan_export_coverage(const struct wan_export *export);
void wan_export_damage(const struct wan_export *export);

/* Samples of the run, thinned to at most WAN_EXPORT_SAMPLES_MAX with each stretch's smallest and
 * largest resident size kept. *ret_samples is wan_free()d by the caller. 0, -ENOMEM. */
int wan_export_collect_samples(const struct wan_analysis *analysis, struct wan_sample **ret_samples,
			       size_t *ret_count, size_t *ret_total);

#endif
