/* SPDX-License-Identifier: MIT */
/* The table of formats, and what they have in common. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "export.h"
#include "macros.h"

static const struct wan_format formats[] = {
#define WAN_FORMAT(name_, writer_, binary_, help_)                                                 \
	{.name = #name_,                                                                           \
	 .help = help_,                                                                            \
	 .binary = binary_,                                                                        \
	 .writer = WAN_FORMAT_##writer_,                                                           \
	 .export = wan_export_##name_},
#include "formats.def"
#undef WAN_FORMAT
};

const struct wan_format *wan_formats(size_t *ret_count)
{
	*ret_count = WAN_COUNT_OF(formats);
	return formats;
}

const struct wan_format *wan_format_find(const char *name)
{
	for (size_t i = 0; i < WAN_COUNT_OF(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

int wan_format_write(const struct wan_format *format, const struct wan_analysis *analysis,
		     const struct wan_export_options *options,
		     int (*write)(void *, const void *, size_t), void *context)
{
	struct wan_export export = {.analysis = analysis, .options = options};
	if (format->writer == WAN_FORMAT_SINK) {
		export.sink = wan_malloc(sizeof(*export.sink));
		if (!export.sink)
			return -ENOMEM;
		wan_sink_init(export.sink, write, context);
		format->export(&export);
		int error = wan_sink_finish(export.sink);
		wan_free(export.sink);
		return error;
	}
	struct wan_json json;
	wan_json_init(&json, write, context, format->writer == WAN_FORMAT_PRETTY);
	export.json = &json;
	format->export(&export);
	return wan_json_finish(&json);
}
