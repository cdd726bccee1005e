/* SPDX-License-Identifier: MIT */
/* Every format of `wanprof dump`, from any recording: each output is valid, whatever the file
 * holds. The last byte of the input chooses filters and redaction. */
#include "recording_changes.h"

#include <stdio.h>

#include "alloc.h"
#include "export.h"
#include "format_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_format(const struct wan_format *format, const struct wan_analysis *analysis,
			 const struct wan_export_options *options)
{
	struct wan_json_memory text = {0};
	if (wan_format_write(format, analysis, options, wan_json_write_memory, &text))
		abort();
	if (!format_is_valid(format->name, text.text ? text.text : "", text.bytes)) {
		fprintf(stderr, "%s is not valid\n", format->name);
		abort();
	}
	wan_free(text.text);
}

static void export_all(struct wan_recording *recording, unsigned choice)
{
	static struct wan_config config;
	const struct wan_export_options options = {
		.redact = choice & 1,
		.redact_key = {1, 2},
		.no_metrics = choice & 2,
		.min_ns = choice & 4 ? 5000 : 0,
	};
	struct wan_view view;
	struct wan_analysis analysis;
	wan_config_defaults(&config);
	if (wan_view_init_recordings(&view, &recording, 1, choice & 8 ? "*.decode" : NULL))
		abort();
	view.hide_files = options.redact;
	if (wan_analysis_init(&analysis, &view, &config))
		abort();
	size_t count;
	const struct wan_format *formats = wan_formats(&count);
	for (size_t i = 0; i < count; i++)
		check_format(&formats[i], &analysis, &options);
	wan_analysis_finish(&analysis);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct wan_recording *recording;
	size_t count;
	bool file;
	char *copy = changed_recording(data, bytes, &count, &file);
	if (copy && wan_recording_open_memory(copy, count, &recording, NULL) == 0) {
		export_all(recording, data[bytes - 1]);
		wan_recording_close(recording);
	}
	free(copy);
	return 0;
}
