/* SPDX-License-Identifier: MIT */
/* wanprof tier: what this machine is, which tier that makes it, what is expected of such a one. */
#include "wanprof.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "macros.h"
#include "str.h"
#include "tell.h"
#include "units.h"

enum { OPTION_JSON };

static const struct wanprof_option options[] = {
	[OPTION_JSON] = {"json", 0, NULL, "one JSON object", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

static void tell_found(const struct wan_screen *screen, const struct machine *machine)
{
	char text[512];
	tell_heading(screen, "Found");
	tell_row(screen, "processor", "%s", tell_processor(machine, text, sizeof(text)));
	tell_row(screen, "memory", "%s", tell_memory(machine, text, sizeof(text)));
	for (unsigned i = 0; i < machine->gpus.count; i++)
		tell_row(screen, i ? "" : "graphics", "%s",
			 tell_gpu(machine, i, text, sizeof(text)));
	if (!machine->gpus.count)
		tell_row(screen, "graphics", "%s", tell_no_gpu(machine, text, sizeof(text)));
	tell_row(screen, "disk", "%s", tell_disk(machine, text, sizeof(text)));
	if (machine->power == MACHINE_POWER_BATTERY)
		tell_row(screen, "power", "on battery: slower than it could be");
	tell_row(screen, "system", "%s%s%s, %s%s%s", machine->system,
		 machine->system[0] ? ", " : "", machine->kernel, machine->libc,
		 machine->container[0] ? ", in a container: " : "", machine->container);
}

/* "15.5 GB counts as 16 GB" where it does. */
static void tell_counting(const struct wan_screen *screen, const char *what, uint64_t bytes)
{
	double gb = (double)bytes / (double)MACHINE_GIB, counted = machine_nominal_gb(bytes);
	if (gb > 0 && fabs(counted - gb) >= 0.05)
		tell_row(screen, "counted as",
			 "%.1f GB of %s count as %.0f GB: up to 7 %% may be missing, which "
			 "firmware, "
			 "system and error correction keep, or a GB of 10^9 bytes lacks",
			 gb, what, counted);
}

static void append(char *to, size_t bytes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void append(char *to, size_t bytes, const char *format, ...)
{
	va_list arguments;
	size_t used = strlen(to);
	if (used)
		used += wan_str_format(to + used, bytes - used, "; ");
	va_start(arguments, format);
	vsnprintf(to + used, bytes - used, format, arguments);
	va_end(arguments);
}

/* What keeps the machine out of a tier. */
static void tell_bound(const struct wan_screen *screen, const struct machine *machine,
		       enum machine_tier tier)
{
	const struct machine_tier_bounds *need = machine_tier_bounds(tier);
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	char text[256] = "";
	if ((gpu ? machine_nominal_gb(gpu->total_bytes) : 0) < need->vram_gb)
		append(text, sizeof(text), "a graphics card with %g GB", need->vram_gb);
	if (machine_nominal_gb(machine_memory_bytes(machine)) < need->ram_gb)
		append(text, sizeof(text), "%g GB of memory", need->ram_gb);
	if (machine_cpus(machine) < need->cpus)
		append(text, sizeof(text), "%u processors (%.3g count here)", need->cpus,
		       machine_cpus(machine));
	tell_row(screen, "missing", "for %s: %s", machine_tier_name(tier), text);
}

static void tell_tier(const struct wan_screen *screen, const struct machine *machine,
		      enum machine_tier tier)
{
	const struct tier_setup *setup = tier_setup(tier);
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	fputs(screen->colour ? "\033[1m" : "", screen->to);
	fprintf(screen->to, "Tier: %s\n", machine_tier_name(tier));
	fputs(screen->colour ? "\033[0m" : "", screen->to);
	tell_row(screen, "decided by", "%s", setup->condition);
	tell_counting(screen, "memory", machine_memory_bytes(machine));
	if (gpu)
		tell_counting(screen, "graphics memory", gpu->total_bytes);
	if (tier < MACHINE_TIER_HIGH_END)
		tell_bound(screen, machine, tier + 1);
	tell_row(screen, "set up for", "%ux%u, %s quality, %s, %s, 24 frames a second",
		 setup->offered_width_px, setup->offered_height_px, quality_name(setup->quality),
		 setup->gpu ? "with the graphics card" : "without a graphics card",
		 setup->parallel ? "in parallel" : "not in parallel");
	if (setup->offered_width_px != setup->width_px)
		tell_row(screen, "",
			 "(the requirements say %ux%u, whose width is no multiple of 16: the model "
			 "cannot make it)",
			 setup->width_px, setup->height_px);
}

static const char *list_lacks(unsigned lacks, const struct level_needs *needs, char *to,
			      size_t bytes)
{
	to[0] = '\0';
	if (lacks & LACKS_CORES)
		append(to, bytes, "%u processor cores (as %s)", needs->cores, needs->processor);
	if (lacks & LACKS_MEMORY)
		append(to, bytes, "%g GB of memory", needs->memory_gb);
	if (lacks & LACKS_GPU)
		append(to, bytes, "a graphics card with %g GB (as %s)", needs->vram_gb,
		       needs->graphics);
	if (lacks & LACKS_STORAGE)
		append(to, bytes, "%g GB of free disk", needs->storage_gb);
	if (lacks & LACKS_FAST_DISK)
		append(to, bytes, "a solid-state disk");
	return to;
}

/* A figure of somebody else's machine, so that ours can be compared. */
static void tell_elsewhere(const struct wan_screen *screen, enum machine_tier tier)
{
	const struct measured_machine *measured = tier_measured(tier);
	enum speed_mode mode = tier_setup(tier)->gpu ? SPEED_GPU_PARALLEL : SPEED_CPU_PARALLEL;
	if (measured)
		tell_row(screen, "elsewhere",
			 "processing 120 frames of 1920x1080 at high quality took %g s on %s",
			 measured->mode[mode].seconds, measured->hardware);
}

static void tell_level(const struct wan_screen *screen, const struct machine *machine)
{
	char text[512];
	struct level_judgement judged = level_judge(machine);
	const struct level_needs *needs = level_needs(judged.level);
	tell_heading(screen, "Hardware requirements for processing frames: %s", needs->name);
	if (judged.level != LEVEL_BELOW)
		tell_row(screen, "good for",
			 "%s: %g to %g%s frames a second processed (read, resized, written; not "
			 "generated)",
			 needs->use, needs->fps.low, needs->fps.high,
			 judged.level == LEVEL_OPTIMAL ? " and more" : "");
	tell_elsewhere(screen, machine_tier_of(machine));
	if (judged.level + 1 == LEVELS)
		return;
	const struct level_needs *next = level_needs(judged.level + 1);
	if (judged.lacks)
		tell_row(screen, "missing", "for %s (%s): %s", next->name, next->use,
			 list_lacks(judged.lacks, next, text, sizeof(text)));
	if (judged.unknown)
		tell_row(screen, "not known", "whether there is %s",
			 list_lacks(judged.unknown, next, text, sizeof(text)));
}

static const char *as_time(double seconds, char *to, size_t bytes)
{
	if (seconds < 120)
		wan_str_format(to, bytes, "%g s", seconds);
	else
		wan_str_format(to, bytes, "%g min", seconds / 60);
	return to;
}

static void tell_clip(const struct wan_screen *screen, const char *label, struct range clip_s)
{
	char low[32], high[32];
	struct range fps = tier_frames_per_s(clip_s);
	tell_row(screen, label, "%s to %s for a clip of 5 s, %.2g to %.2g frames a second",
		 as_time(clip_s.low, low, sizeof(low)), as_time(clip_s.high, high, sizeof(high)),
		 fps.low, fps.high);
}

static void tell_expected(const struct wan_screen *screen, const struct machine *machine,
			  enum machine_tier tier)
{
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	const struct tier_expectation *row = tier_expectation(tier, gpu != NULL);
	tell_heading(screen,
		     "Generating with the model, as expected of %s machines (not measured here)",
		     row->name);
	tell_clip(screen, "1280x720", row->clip_720_s);
	tell_clip(screen, "1920x1080", row->clip_1080_s);
	tell_row(screen, "loading", "%g to %g s", row->load_s.low, row->load_s.high);
	if (row->vram_gb > 0)
		tell_row(screen, "memory", "below %g GB, and %g GB of the card", row->memory_gb,
			 row->vram_gb);
	else
		tell_row(screen, "memory", "below %g GB", row->memory_gb);
	if (row->cpu_pct.high > 0)
		tell_row(screen, "busy",
			 "processor %g to %g %%, card %g to %g %%, memory and disk "
			 "below %g %%",
			 row->cpu_pct.low, row->cpu_pct.high, row->gpu_pct.low, row->gpu_pct.high,
			 row->io_pct);
}

static void json_lacks(struct wan_json *json, const char *key, unsigned lacks)
{
	static const char *const names[] = {"cores", "memory", "gpu", "storage", "fast_disk"};
	wan_json_key(json, key);
	wan_json_array_begin(json);
	for (unsigned i = 0; i < WAN_COUNT_OF(names); i++)
		if (lacks >> i & 1)
			wan_json_string(json, names[i]);
	wan_json_array_end(json);
}

static void json_setup(struct wan_json *json, const struct tier_setup *setup)
{
	wan_json_key(json, "setup");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "width", setup->offered_width_px);
	wan_json_key_u64(json, "height", setup->offered_height_px);
	wan_json_key_string(json, "quality", quality_name(setup->quality));
	wan_json_key_bool(json, "gpu", setup->gpu);
	wan_json_key_bool(json, "parallel", setup->parallel);
	wan_json_key_u64(json, "fps", 24);
	wan_json_object_end(json);
}

static void json_expected(struct wan_json *json, const struct tier_expectation *row)
{
	wan_json_key(json, "expected");
	wan_json_object_begin(json);
	wan_json_key_string(json, "row", row->name);
	wan_json_key_bool(json, "measured_here", false);
	tell_json_range(json, "load_s", row->load_s);
	tell_json_range(json, "clip_720p_s", row->clip_720_s);
	tell_json_range(json, "clip_1080p_s", row->clip_1080_s);
	wan_json_key_double(json, "memory_below_gb", row->memory_gb, 1);
	wan_json_key_double(json, "vram_below_gb", row->vram_gb > 0 ? row->vram_gb : NAN, 1);
	wan_json_object_end(json);
}

static int print_json(const struct machine *machine, enum machine_tier tier)
{
	struct wan_json json;
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	struct level_judgement judged = level_judge(machine);
	bool known = machine_memory_bytes(machine) != 0;
	tell_json_begin(&json, "wanprof-tier");
	wan_json_key_string(&json, "tier", known ? machine_tier_name(tier) : NULL);
	wan_json_key_string(&json, "decided_by", known ? tier_setup(tier)->condition : NULL);
	wan_json_key(&json, "counted");
	wan_json_object_begin(&json);
	wan_json_key_double(&json, "vram_gb", gpu ? machine_nominal_gb(gpu->total_bytes) : 0, 3);
	wan_json_key_double(&json, "memory_gb", machine_nominal_gb(machine_memory_bytes(machine)),
			    3);
	wan_json_key_double(&json, "cpus", machine_cpus(machine), 3);
	wan_json_object_end(&json);
	json_setup(&json, tier_setup(tier));
	wan_json_key_string(&json, "level", level_needs(judged.level)->name);
	json_lacks(&json, "missing_for_next_level", judged.lacks);
	json_lacks(&json, "unknown_for_next_level", judged.unknown);
	json_expected(&json, tier_expectation(tier, gpu != NULL));
	tell_json_machine(&json, machine);
	return tell_json_end(&json);
}

static int print_text(const struct machine *machine, enum machine_tier tier)
{
	const struct wan_screen screen = {stdout, wanprof_columns(stdout), wanprof_colour(stdout)};
	if (machine_memory_bytes(machine)) {
		tell_tier(&screen, machine, tier);
	} else {
		fprintf(screen.to, "Tier: unknown\n");
		tell_row(&screen, "because",
			 "neither memory nor limits can be read: is /proc mounted here?");
	}
	tell_found(&screen, machine);
	if (machine_memory_bytes(machine)) {
		tell_level(&screen, machine);
		tell_expected(&screen, machine, tier);
	}
	return tell_end(&screen);
}

static int run(int argc, char **argv)
{
	bool json = false;
	static struct machine machine;
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_tier, argc, argv);
	for (int option; (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		if (option == WANPROF_ARGS_OPERAND)
			return wanprof_usage_error(&wanprof_verb_tier, "\"%s\": no files are read",
						   args.value);
		json = true;
	}
	tell_look(&machine);
	enum machine_tier tier = machine_tier_of(&machine);
	return json ? print_json(&machine, tier) : print_text(&machine, tier);
}

const struct wanprof_verb wanprof_verb_tier = {
	.name = "tier",
	.summary = "Say what this machine is and what can be expected of it",
	.usage = "[--json]",
	.options = options,
	.text = "Tiers are high-end, mid-range, budget and minimal: by memory of the largest "
		"graphics\n"
		"card, memory that may be used here (limits of containers count) and processors.\n"
		"A size up to 7 % below one that is sold counts as that one.\n",
	.run = run,
};
