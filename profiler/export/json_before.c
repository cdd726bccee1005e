/* SPDX-License-Identifier: MIT */
/* The machine as the run found it, and what the run had to read. */
#include "export.h"
#include "host.h"

void wan_export_preconditions(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_host host;
	char unclean[256];
	wan_host_of(&export->analysis->view, &host);
	if (!host.known) {
		wan_json_key_null(json, "preconditions");
	} else {
		wan_json_key(json, "preconditions");
		wan_json_object_begin(json);
		wan_export_bytes(json, "gpu_used", host.gpu_used_bytes);
		wan_export_time(json, "gpu_read_after", host.gpu_read_after_ns);
		wan_export_number(json, "load_per_cpu", host.load_per_cpu, 3);
		wan_export_bytes(json, "memory_available", host.available_bytes);
		wan_export_bytes(json, "recording_disk_free", host.record_free_bytes);
		wan_export_bytes(json, "working_disk_free", host.work_free_bytes);
		wan_json_key_string(json, "unclean",
				    wan_host_unclean(&host, unclean, sizeof(unclean)) ? unclean
										      : NULL);
		wan_json_object_end(json);
	}
	if (!host.ended) {
		wan_json_key_null(json, "storage");
		return;
	}
	wan_json_key(json, "storage");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "major_faults", host.major_faults);
	wan_export_bytes(json, "read", host.read_bytes);
	wan_json_object_end(json);
}
