/* SPDX-License-Identifier: MIT */
/* One operation a line, as in metrics[] and nested_metrics[]. */
#include "export.h"

void wan_export_jsonl(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	for (size_t i = 0; i < view->operation_count && !json->error; i++) {
		const struct wan_view_operation *operation = &view->operations[i];
		if (!wan_export_shows(export, operation))
			continue;
		wan_json_object_begin(json);
		wan_export_operation(export, operation);
		wan_json_key_bool(json, "nested", wan_view_nested(operation));
		wan_json_object_end(json);
		wan_json_line_end(json);
	}
}
