/* SPDX-License-Identifier: MIT */
#include "tell.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "macros.h"
#include "reader.h"
#include "str.h"
#include "units.h"
#include "wanprof.h"

void tell_look(struct machine *ret_machine)
{
	char folder[PATH_MAX];
	if (wan_recording_default_folder(folder, sizeof(folder)) < 0)
		wan_str_copy(folder, sizeof(folder), ".");
	const struct machine_request request = {
		.root = secure_getenv("WANPROF_ROOT"),
		.disk = folder,
		.system = true,
		.gpus = machine_gpus_real,
	};
	machine_look(&request, ret_machine);
}

void tell_row(const struct wan_screen *screen, const char *label, const char *format, ...)
{
	enum { INDENT = 14 };
	char text[WAN_SCREEN_TEXT];
	va_list arguments;
	size_t used = wan_str_format(text, sizeof(text), "  %-*s", INDENT - 2, label);
	va_start(arguments, format);
	vsnprintf(text + used, sizeof(text) - used, format, arguments);
	va_end(arguments);
	wan_screen_wrapped(screen, text, INDENT, 6);
}

void tell_heading(const struct wan_screen *screen, const char *format, ...)
{
	char text[WAN_SCREEN_TEXT];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fputs(screen->colour ? "\n\033[1m" : "\n", screen->to);
	wan_screen_wrapped(screen, text, 2, 3);
	fputs(screen->colour ? "\033[0m" : "", screen->to);
}

const char *tell_processor(const struct machine *machine, char *to, size_t bytes)
{
	size_t used = wan_str_format(
		to, bytes, "%s: ", machine->cpu_model[0] ? machine->cpu_model : "model unknown");
	if (machine->physical_cores)
		used += wan_str_format(to + used, bytes - used, "%u core%s, ",
				       machine->physical_cores,
				       machine->physical_cores == 1 ? "" : "s");
	if (machine->fast_cores)
		used += wan_str_format(to + used, bytes - used, "%u of them fast, ",
				       machine->fast_cores);
	if (machine->logical)
		used += wan_str_format(to + used, bytes - used, "%u hardware thread%s",
				       machine->logical, machine->logical == 1 ? "" : "s");
	else
		used += wan_str_format(to + used, bytes - used, "number unknown");
	if (machine->usable && machine->usable < machine->logical)
		used += wan_str_format(to + used, bytes - used, "; %u may be used from here",
				       machine->usable);
	if (machine->cpu_quota > 0)
		wan_str_format(to + used, bytes - used, "; limited to the time of %.4g by %s",
			       machine->cpu_quota, machine->cpu_quota_by);
	return to;
}

const char *tell_memory(const struct machine *machine, char *to, size_t bytes)
{
	char total[32], available[32], other[32];
	if (!machine->memory_bytes && machine->memory_limit_bytes == MACHINE_UNLIMITED) {
		wan_str_copy(to, bytes, "unknown (/proc/meminfo cannot be read)");
		return to;
	}
	size_t used = 0;
	if (machine->memory_bytes)
		used += wan_str_format(
			to, bytes, "%s, %s of it available",
			wan_format_bytes(total, sizeof(total), machine->memory_bytes),
			wan_format_bytes(available, sizeof(available),
					 machine->memory_available_bytes));
	if (machine->memory_limit_bytes != MACHINE_UNLIMITED)
		used += wan_str_format(
			to + used, bytes - used, "%slimited to %s by %s", used ? "; " : "",
			wan_format_bytes(total, sizeof(total), machine->memory_limit_bytes),
			machine->memory_limit_by);
	if (machine->memory_headroom_bytes &&
	    machine->memory_headroom_bytes < machine->memory_available_bytes)
		used += wan_str_format(
			to + used, bytes - used, ", %s left of that",
			wan_format_bytes(other, sizeof(other), machine->memory_headroom_bytes));
	if (machine->swap_bytes)
		wan_str_format(to + used, bytes - used, "; swap %s",
			       wan_format_bytes(other, sizeof(other), machine->swap_bytes));
	else
		wan_str_format(to + used, bytes - used, "; no swap");
	return to;
}

const char *tell_gpu(const struct machine *machine, unsigned index, char *to, size_t bytes)
{
	const struct machine_gpu *gpu = &machine->gpus.gpu[index];
	char total[32], used_text[32];
	size_t used = wan_str_format(to, bytes, "%s, ", gpu->name);
	if (gpu->total_bytes)
		used += wan_str_format(to + used, bytes - used, "%s",
				       wan_format_bytes(total, sizeof(total), gpu->total_bytes));
	else
		used += wan_str_format(to + used, bytes - used, "memory unknown");
	if (gpu->used_bytes != UINT64_MAX)
		used += wan_str_format(
			to + used, bytes - used, ", %s in use",
			wan_format_bytes(used_text, sizeof(used_text), gpu->used_bytes));
	if (index == 0 && machine->gpus.driver[0])
		wan_str_format(to + used, bytes - used, " (driver %s)", machine->gpus.driver);
	return to;
}

const char *tell_no_gpu(const struct machine *machine, char *to, size_t bytes)
{
	switch (machine->gpus.state) {
	case MACHINE_GPU_REFUSED:
	case MACHINE_GPU_NO_ANSWER:
		wan_str_format(to, bytes, "a card is there, but unusable: %s",
			       machine->gpus.reason);
		break;
	default:
		wan_str_copy(to, bytes, "none found (no driver of NVIDIA or AMD shows one)");
	}
	return to;
}

const char *tell_disk(const struct machine *machine, char *to, size_t bytes)
{
	const struct machine_disk *disk = &machine->disk;
	char free_text[32], total[32];
	if (!disk->known) {
		wan_str_copy(to, bytes, "unknown");
		return to;
	}
	wan_str_format(to, bytes, "%s free of %s%s%s%s%s%s",
		       wan_format_bytes(free_text, sizeof(free_text), disk->free_bytes),
		       wan_format_bytes(total, sizeof(total), disk->total_bytes),
		       disk->file_system[0] ? ", " : "", disk->file_system,
		       disk->memory            ? " (takes memory)"
		       : disk->network         ? " (over the network)"
		       : disk->rotational == 1 ? ", a turning disk"
		       : disk->rotational == 0 ? ", solid state"
					       : ", kind unknown",
		       disk->read_only ? ", read-only" : "", "");
	return to;
}

static void json_bytes(struct wan_json *json, const char *key, uint64_t value, uint64_t unknown)
{
	if (value == unknown)
		wan_json_key_null(json, key);
	else
		wan_json_key_u64(json, key, value);
}

static void json_text(struct wan_json *json, const char *key, const char *text)
{
	wan_json_key_string(json, key, text[0] ? text : NULL);
}

static void json_gpus(struct wan_json *json, const struct machine_gpus *gpus)
{
	static const char *const states[] = {"not_asked", "none", "found", "refused", "no_answer"};
	wan_json_key_string(json, "gpu_state", states[gpus->state]);
	json_text(json, "gpu_driver", gpus->driver);
	wan_json_key(json, "gpus");
	wan_json_array_begin(json);
	for (unsigned i = 0; i < gpus->count; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", gpus->gpu[i].name);
		json_bytes(json, "total_bytes", gpus->gpu[i].total_bytes, 0);
		json_bytes(json, "used_bytes", gpus->gpu[i].used_bytes, UINT64_MAX);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void json_disk(struct wan_json *json, const struct machine_disk *disk)
{
	wan_json_key(json, "disk");
	if (!disk->known) {
		wan_json_null(json);
		return;
	}
	wan_json_object_begin(json);
	wan_json_key_u64(json, "total_bytes", disk->total_bytes);
	wan_json_key_u64(json, "free_bytes", disk->free_bytes);
	json_text(json, "file_system", disk->file_system);
	wan_json_key(json, "rotational");
	if (disk->rotational < 0)
		wan_json_null(json);
	else
		wan_json_bool(json, disk->rotational == 1);
	wan_json_key_bool(json, "in_memory", disk->memory);
	wan_json_object_end(json);
}

void tell_json_machine(struct wan_json *json, const struct machine *machine)
{
	static const char *const powers[] = {NULL, "mains", "battery"};
	wan_json_key(json, "machine");
	wan_json_object_begin(json);
	json_text(json, "cpu_model", machine->cpu_model);
	json_bytes(json, "logical_cpus", machine->logical, 0);
	json_bytes(json, "physical_cores", machine->physical_cores, 0);
	json_bytes(json, "fast_cores", machine->fast_cores, 0);
	json_bytes(json, "usable_cpus", machine->usable, 0);
	wan_json_key_double(json, "cpu_quota", machine->cpu_quota > 0 ? machine->cpu_quota : NAN,
			    3);
	json_text(json, "cpu_quota_by", machine->cpu_quota_by);
	json_bytes(json, "memory_total_bytes", machine->memory_bytes, 0);
	json_bytes(json, "memory_available_bytes", machine->memory_available_bytes, 0);
	json_bytes(json, "memory_limit_bytes", machine->memory_limit_bytes, MACHINE_UNLIMITED);
	json_text(json, "memory_limit_by", machine->memory_limit_by);
	json_bytes(json, "memory_headroom_bytes", machine->memory_headroom_bytes, 0);
	wan_json_key_u64(json, "swap_total_bytes", machine->swap_bytes);
	json_gpus(json, &machine->gpus);
	json_disk(json, &machine->disk);
	wan_json_key_string(json, "power", powers[machine->power]);
	json_text(json, "system", machine->system);
	json_text(json, "kernel", machine->kernel);
	json_text(json, "libc", machine->libc);
	json_text(json, "container", machine->container);
	wan_json_object_end(json);
}

void tell_json_range(struct wan_json *json, const char *key, struct range range)
{
	wan_json_key(json, key);
	wan_json_array_begin(json);
	wan_json_double(json, range.low, 3);
	wan_json_double(json, range.high, 3);
	wan_json_array_end(json);
}

void tell_json_begin(struct wan_json *json, const char *schema)
{
	static int out = STDOUT_FILENO;
	wan_json_init(json, wan_json_write_fd, &out, true);
	wan_json_object_begin(json);
	wan_json_key_string(json, "schema", schema);
	wan_json_key_u64(json, "schema_version", 1);
}

static int full(void)
{
	wanprof_say("standard output: could not be written (disk full?)");
	return WANPROF_NO_OUTPUT;
}

int tell_json_end(struct wan_json *json)
{
	wan_json_object_end(json);
	wan_json_line_end(json);
	return wan_json_finish(json) == 0 ? WANPROF_OK : full();
}

int tell_end(const struct wan_screen *screen)
{
	return fflush(screen->to) == 0 && !ferror(screen->to) ? WANPROF_OK : full();
}
