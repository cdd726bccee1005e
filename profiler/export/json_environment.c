/* SPDX-License-Identifier: MIT */
/* The machine (read at export when it is this one) and what the recording itself knows of it. */
#include <string.h>

#include "counters.h"
#include "export.h"
#include "heap.h"
#include "host.h"
#include "str.h"

static void count_or_null(struct wan_json *json, const char *key, uint64_t count)
{
	if (count)
		wan_json_key_u64(json, key, count);
	else
		wan_json_key_null(json, key);
}

static const char *text_or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

/* What the recording knows of its machine goes first; the one we are on comes after it. */
static void machine(const struct wan_export *export, const struct wan_record_header *recorded,
		    const struct wan_host *host)
{
	struct wan_json *json = export->json;
	const struct wan_environment *here = export->options->environment;
	const char *kernel = text_or_null(recorded->kernel), *cpu = text_or_null(recorded->cpu);
	wan_json_key_bool(json, "machine_read_at_export", here != NULL);
	wan_json_key_string(json, "tier", host->tier);
	wan_json_key_string(json, "kernel",
			    kernel ? kernel : text_or_null(here ? here->kernel : NULL));
	wan_json_key(json, "cpu");
	wan_json_object_begin(json);
	wan_json_key_string(json, "model", cpu ? cpu : text_or_null(here ? here->cpu : NULL));
	count_or_null(json, "count", recorded->cpus ? recorded->cpus : here ? here->cpus : 0);
	count_or_null(json, "usable_count", recorded->cpus_usable);
	count_or_null(json, "physical_cores",
		      host->physical_cores == UINT64_MAX ? 0 : host->physical_cores);
	wan_json_object_end(json);
}

static void memory(const struct wan_export *export, const struct wan_record_header *recorded,
		   const struct wan_host *host, const struct wan_counter_sum *counters, bool known)
{
	struct wan_json *json = export->json;
	const struct wan_environment *here = export->options->environment;
	uint64_t total = known  ? wan_counters_word(counters, "host_total")
			 : here ? here->memory_total_bytes
				: recorded->memory_bytes;
	uint64_t available = known  ? wan_counters_word(counters, "host_available")
			     : here ? here->memory_available_bytes
				    : 0;
	wan_json_key(json, "memory");
	wan_json_object_begin(json);
	wan_export_bytes(json, "total", total ? total : UINT64_MAX);
	wan_export_bytes(json, "available", total && (known || here) ? available : UINT64_MAX);
	wan_export_bytes(json, "limit", host->limit_bytes);
	wan_json_object_end(json);
}

static void cgroups(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_environment *machine = export->options->environment;
	wan_json_key(json, "cgroups");
	wan_json_array_begin(json);
	for (size_t i = 0; machine && i < machine->cgroup_count; i++) {
		wan_json_object_begin(json);
		bool root = strcmp(machine->cgroups[i].path, "/") == 0;
		if (root)
			wan_json_key_string(json, "path", "/");
		else
			wan_export_path(export, "path", machine->cgroups[i].path);
		wan_export_bytes(json, "limit", machine->cgroups[i].limit_bytes);
		wan_export_bytes(json, "usage", machine->cgroups[i].usage_bytes);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void gpu(const struct wan_export *export, const struct wan_host *host,
		const struct wan_counter_sum *counters, bool known)
{
	struct wan_json *json = export->json;
	bool present = known && wan_counters_word(counters, "gpu_total");
	uint64_t largest = host->gpu_largest_bytes ? host->gpu_largest_bytes : UINT64_MAX;
	wan_json_key(json, "gpu");
	wan_json_object_begin(json);
	wan_json_key_string(json, "model", text_or_null(host->gpu_model));
	wan_export_bytes(json, "total",
			 present ? wan_counters_word(counters, "gpu_total") : largest);
	wan_export_bytes(json, "used",
			 present ? wan_counters_word(counters, "gpu_used") : UINT64_MAX);
	wan_json_object_end(json);
}

static void allocator(const struct wan_export *export, const struct wan_process *process)
{
	struct wan_json *json = export->json;
	const char *name = process ? process->header.allocator : "";
	wan_json_key(json, "allocator");
	wan_json_object_begin(json);
	wan_export_key_name(export, "name", name);
	/* The self-test: an allocation must move the per-thread counters. Whose they are: */
	uint32_t source = process ? process->header.allocator_active : WAN_HEAP_UNKNOWN;
	wan_json_key_string(json, "mode",
			    source == WAN_HEAP_JEMALLOC  ? "jemalloc"
			    : source == WAN_HEAP_COUNTED ? "count"
							 : "unknown");
	wan_json_key_bool(json, "self_test_passed", source != WAN_HEAP_UNKNOWN);
	wan_json_object_end(json);
	uint32_t audited = process ? process->header.audited : WAN_AUDITED_UNKNOWN;
	if (audited == WAN_AUDITED_UNKNOWN)
		wan_json_key_null(json, "audited");
	else
		wan_json_key_bool(json, "audited", audited == WAN_AUDITED_YES);
}

/* "libjpeg-turbo 2.1.5" is a name and, after the last space, a version. */
static void one_library(const struct wan_export *export, const char *text, size_t length)
{
	struct wan_json *json = export->json;
	char copy[sizeof(((struct wan_record_header *)0)->libraries)];
	size_t name = length;
	while (name && text[name - 1] != ' ')
		name--;
	wan_json_object_begin(json);
	wan_str_format(copy, sizeof(copy), "%.*s", (int)(name ? name - 1 : length), text);
	wan_export_key_name(export, "name", copy);
	wan_str_format(copy, sizeof(copy), "%.*s", (int)(name ? length - name : 0), text + name);
	wan_export_key_name(export, "version", copy);
	wan_json_object_end(json);
}

static bool listed_before(const struct wan_view *view, size_t before, const char *text,
			  size_t length)
{
	for (size_t i = 0; i < before; i++)
		for (const char *at = view->sources[i].process->header.libraries; *at;) {
			size_t here = strcspn(at, ";");
			if (here == length && strncmp(at, text, length) == 0)
				return true;
			at += here + (at[here] != '\0');
		}
	return false;
}

static void libraries(const struct wan_export *export, const struct wan_view *view)
{
	struct wan_json *json = export->json;
	wan_json_key(json, "libraries");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->source_count; i++)
		for (const char *at = view->sources[i].process->header.libraries; *at;) {
			size_t length = strcspn(at, ";");
			if (length && !listed_before(view, i, at, length))
				one_library(export, at, length);
			at += length + (at[length] != '\0');
		}
	wan_json_array_end(json);
}

void wan_export_environment(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_counter_sum counters;
	wan_counters_sum(&export->analysis->view, WAN_COUNTERS_MEMORY, &counters);
	static const struct wan_record_header nothing;
	const struct wan_process *main = export->analysis->view.main;
	const struct wan_record_header *recorded = main ? &main->header : &nothing;
	bool known = counters.blocks == 1; /* sums over processes of one machine mean nothing */
	struct wan_host host;
	wan_host_of(&export->analysis->view, &host);
	wan_json_key(json, "environment");
	wan_json_object_begin(json);
	machine(export, recorded, &host);
	memory(export, recorded, &host, &counters, known);
	cgroups(export);
	gpu(export, &host, &counters, known);
	allocator(export, export->analysis->view.main);
	libraries(export, &export->analysis->view);
	wan_json_object_end(json);
}
