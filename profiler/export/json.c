/* SPDX-License-Identifier: MIT */
/* The profile as one JSON document, schema_version 1; keys are described in profile.schema.json. */
#include "export.h"

void wan_export_json(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	wan_json_object_begin(json);
	wan_json_key_string(json, "schema", WAN_PROFILE_SCHEMA);
	wan_json_key_u64(json, "schema_version", WAN_PROFILE_SCHEMA_VERSION);
	wan_export_run(export);
	wan_export_program(export);
	wan_export_environment(export);
	wan_export_overhead(export);
	wan_export_summary(export);
	wan_export_metrics(export);
	wan_export_operations(export);
	wan_export_findings(export, WAN_ADVICE_FINDING);
	wan_export_findings(export, WAN_ADVICE_RECOMMENDATION);
	wan_export_samples(export);
	wan_export_cache(export);
	wan_export_memory(export);
	wan_export_gpu(export);
	wan_export_progress(export);
	wan_export_optimizer(export);
	wan_export_coverage(export);
	wan_export_damage(export);
	wan_json_object_end(json);
	wan_json_line_end(json);
}
