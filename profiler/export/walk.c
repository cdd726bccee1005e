/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <string.h>

#include "str.h"

bool wan_walk_samples_of(const struct wan_view *view, const struct wan_process *process)
{
	if (!view->parent)
		return true;
	bool parent_has = false;
	for (size_t i = 0; i < view->parent->event_count && !parent_has; i++)
		parent_has = view->parent->events[i].kind == WAN_RECORD_SAMPLE;
	return parent_has == (process == view->parent);
}

bool wan_walk_internal(const struct wan_process_event *event)
{
	return wan_str_starts(event->name ? event->name : "", "profile_");
}

bool wan_walk_pid_before(const struct wan_view *view, size_t source)
{
	for (size_t i = 0; i < source; i++)
		if (view->sources[i].process->header.pid ==
		    view->sources[source].process->header.pid)
			return true;
	return false;
}

static bool shown(const struct wan_process_event *event, bool samples)
{
	switch (event->kind) {
	case WAN_RECORD_SAMPLE:
		return samples;
	case WAN_RECORD_ACTION:
		return !wan_walk_internal(event);
	default:
		return event->kind == WAN_RECORD_ALERT || event->kind == WAN_RECORD_PHASE;
	}
}

void wan_walk_events(const struct wan_export *export,
		     void (*take)(void *context, const struct wan_process *process,
				  const struct wan_process_event *event),
		     void *context)
{
	const struct wan_view *view = &export->analysis->view;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_view_source *source = &view->sources[i];
		bool samples = wan_walk_samples_of(view, source->process);
		for (size_t j = 0; j < source->process->event_count; j++) {
			const struct wan_process_event *event = &source->process->events[j];
			if (wan_walk_event(source, event) && shown(event, samples))
				take(context, source->process, event);
		}
	}
}

const char *wan_export_phase(const struct wan_export *export, char *hidden,
			     const struct wan_process_event *event)
{
	if (event->code || !event->text[0])
		return wan_phase_text(event->code);
	return wan_export_name(export, hidden, event->text);
}

const char *wan_export_process_name(const struct wan_export *export, char *to,
				    const struct wan_process *process)
{
	const char *program = process->header.program;
	const char *slash = strrchr(program, '/');
	char hidden[WAN_REDACTED_BYTES];
	const char *shown = program[0] ? wan_export_file(export, hidden, program) : "unknown";
	if (shown == program && slash)
		shown = slash + 1;
	wan_str_format(to, WAN_PROCESS_NAME_BYTES, "%s%s", shown,
		       process->header.role == WAN_ROLE_PARENT ? " (recorder)" : "");
	return to;
}
