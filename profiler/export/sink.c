/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <stdarg.h>
#include <stdio.h>

#include "json_writer.h"

void wan_sink_init(struct wan_sink *sink, int (*write)(void *, const void *, size_t), void *context)
{
	sink->write = write;
	sink->context = context;
	sink->at = sink->buffer;
	sink->error = 0;
}

void wan_sink_fail(struct wan_sink *sink, int error)
{
	if (!sink->error)
		sink->error = error;
}

void wan_sink_flush(struct wan_sink *sink)
{
	size_t count = (size_t)(sink->at - sink->buffer);
	sink->at = sink->buffer;
	if (count && !sink->error)
		wan_sink_fail(sink, sink->write(sink->context, sink->buffer, count));
}

void wan_sink_put(struct wan_sink *sink, const void *bytes, size_t count)
{
	while (count) {
		size_t part = WAN_MIN(count, sizeof(sink->buffer));
		memcpy(wan_sink_room(sink, part), bytes, part);
		sink->at += part;
		bytes = (const char *)bytes + part;
		count -= part;
	}
}

void wan_sink_text(struct wan_sink *sink, const char *text)
{
	wan_sink_put(sink, text, strlen(text));
}

void wan_sink_format(struct wan_sink *sink, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *to = wan_sink_room(sink, 1024);
	int count = vsnprintf(to, 1024, format, arguments);
	va_end(arguments);
	if (count > 0)
		sink->at += WAN_MIN(count, 1023);
}

static int put(void *context, const void *bytes, size_t count)
{
	wan_sink_put(context, bytes, count);
	return 0;
}

void wan_sink_json_string(struct wan_sink *sink, const char *text)
{
	struct wan_json json;
	wan_json_init(&json, put, sink, false);
	wan_json_string(&json, text);
	wan_json_finish(&json);
}

int wan_sink_finish(struct wan_sink *sink)
{
	wan_sink_flush(sink);
	return sink->error;
}
