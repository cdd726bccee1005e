/* SPDX-License-Identifier: MIT */
/* What was seen and what was not; what of the recording could not be read. */
#include "coverage.h"
#include "export.h"

void wan_export_coverage(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_coverage items[WAN_COVERAGE_MAX];
	size_t count = wan_coverage(export->analysis, items);
	wan_json_key(json, "coverage");
	wan_json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		const struct wan_coverage *item = &items[i];
		char hidden[WAN_REDACTED_BYTES];
		wan_json_object_begin(json);
		wan_json_key_string(json, "library",
				    wan_export_name(export, hidden, item->library));
		wan_json_key_bool(json, "seen", item->seen);
		if (item->objects_known)
			wan_json_key_u64(json, "objects", item->objects);
		else
			wan_json_key_null(json, "objects");
		wan_json_key_u64(json, "operations", item->operations);
		wan_json_key_u64(json, "unresolved", item->unresolved);
		wan_json_key_string(json, "note", item->note);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

void wan_export_damage(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	wan_json_key(json, "damage");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->damage_count; j++) {
			wan_json_object_begin(json);
			wan_export_path(export, "recording", process->source);
			wan_json_key_u64(json, "process", process->header.pid);
			wan_json_key_u64(json, "offset", process->damage[j].offset);
			wan_json_key_string(json, "reason", process->damage[j].reason);
			wan_json_object_end(json);
		}
	}
	wan_json_array_end(json);
}
