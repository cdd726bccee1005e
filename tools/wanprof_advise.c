/* SPDX-License-Identifier: MIT */
/* wanprof advise: settings that suit this machine, or what is wrong with those you have. */
#include "wanprof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "advise_tell.h"
#include "macros.h"
#include "run_facts.h"
#include "str.h"
#include "tell.h"
#include "units.h"

#define TOPICS "threads|memory|vram|speed|chunks|config"
#define LADDER "ultra|high|medium|low"
#define MODES  "gpu_parallel|gpu|cpu_parallel|cpu"

enum {
	OPTION_OP,
	OPTION_SIZE,
	OPTION_QUALITY,
	OPTION_MODE,
	OPTION_TARGET,
	OPTION_FRAMES,
	OPTION_THREADS,
	OPTION_MEMORY,
	OPTION_VRAM,
	OPTION_JSON,
};

static const struct wanprof_option options[] = {
	[OPTION_OP] = {"op", 0, "TOPIC", "only this: threads, memory, vram, speed, chunks, config",
		       TOPICS},
	[OPTION_SIZE] = {"size", 0, "WxH", "size of a frame (default: of the recording, the tier)",
			 NULL},
	[OPTION_QUALITY] = {"quality", 0, "NAME", "ultra, high, medium, low (default: the tier's)",
			    LADDER},
	[OPTION_MODE] = {"mode", 0, "NAME", "gpu_parallel, gpu, cpu_parallel, cpu", MODES},
	[OPTION_TARGET] = {"target-fps", 0, "N", "frames a second to reach (default 5)", NULL},
	[OPTION_FRAMES] = {"frames", 0, "N", "frames of the clip, or of the recorded run", NULL},
	[OPTION_THREADS] = {"threads", 0, "N", "judge this number of threads", NULL},
	[OPTION_MEMORY] = {"memory", 0, "GB", "judge this much memory (12, 1.5, 512M)", NULL},
	[OPTION_VRAM] = {"vram", 0, "GB", "judge this much graphics memory", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "one JSON object", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

struct wish {
	struct advise_request request;
	unsigned topics; /* 0: all */
	const char *file;
	bool json, damaged;
};

static int bad_value(const char *option, const char *value, const char *wanted)
{
	return wanprof_usage_error(&wanprof_verb_advise, "--%s: \"%s\" is not %s", option, value,
				   wanted);
}

static int take_topics(const char *text, unsigned *topics)
{
	static const char *const names[] = {"threads", "memory", "vram",
					    "speed",   "chunks", "config"};
	char name[32];
	while (*text) {
		size_t length = strcspn(text, ",");
		unsigned i = 0;
		wan_str_format(name, sizeof(name), "%.*s", (int)length, text);
		int status = wanprof_check_choice(&wanprof_verb_advise, "--op", TOPICS, name);
		if (status)
			return status;
		while (strcmp(names[i], name) != 0)
			i++;
		*topics |= 1u << i;
		text += length + (text[length] == ',');
	}
	return 0;
}

static int take_size(const char *text, struct advise_request *request)
{
	char width[16], height[16];
	uint64_t wide, high;
	size_t length = strcspn(text, "xX");
	wan_str_format(width, sizeof(width), "%.*s", (int)length, text);
	wan_str_format(height, sizeof(height), "%s", text + length + (text[length] != '\0'));
	if (wan_parse_u64(width, &wide) || wan_parse_u64(height, &high) || !wide || !high ||
	    wide > 65536 || high > 65536)
		return bad_value("size", text, "a size such as 1280x720 (1 to 65536 each)");
	request->width_px = (unsigned)wide;
	request->height_px = (unsigned)high;
	return 0;
}

/* A number above 0, at most `most`. */
static int take_number(const char *option, const char *text, double most, double *ret_value)
{
	double value;
	if (wan_parse_double(text, &value) || !(value > 0) || value > most)
		return bad_value(option, text, "a number above 0 that makes sense here");
	*ret_value = value;
	return 0;
}

/* "12" and "1.5" are GB; "512M" has its unit. */
static int take_gb(const char *option, const char *text, double *ret_gb)
{
	uint64_t bytes;
	double gb;
	if (wan_parse_double(text, &gb)) {
		if (wan_parse_bytes(text, &bytes))
			return bad_value(option, text, "an amount in GB, such as 12, 1.5 or 512M");
		gb = (double)bytes / (double)MACHINE_GIB;
	}
	if (!(gb > 0) || gb > 1048576)
		return bad_value(option, text, "an amount above 0 that makes sense here");
	*ret_gb = gb;
	return 0;
}

static int take_count(const char *option, const char *text, unsigned *ret_value)
{
	uint64_t value;
	if (wan_parse_u64(text, &value) || !value || value > 100000000)
		return bad_value(option, text, "a whole number above 0");
	*ret_value = (unsigned)value;
	return 0;
}

static int take_mode(const char *text, struct advise_request *request)
{
	int status = wanprof_check_choice(&wanprof_verb_advise, "--mode", MODES, text);
	for (unsigned i = 0; !status && i < SPEED_MODES; i++)
		if (strcmp(text, speed_mode_name((enum speed_mode)i)) == 0)
			request->mode = (enum speed_mode)i;
	request->has_mode = true;
	return status;
}

static int take_quality(const char *text, struct advise_request *request)
{
	request->has_quality = quality_find(text, &request->quality);
	return wanprof_check_choice(&wanprof_verb_advise, "--quality", LADDER, text);
}

static int take(int option, const char *value, struct wish *wish)
{
	struct advise_request *request = &wish->request;
	switch (option) {
	case OPTION_OP:
		return take_topics(value, &wish->topics);
	case OPTION_SIZE:
		return take_size(value, request);
	case OPTION_QUALITY:
		return take_quality(value, request);
	case OPTION_MODE:
		return take_mode(value, request);
	case OPTION_TARGET:
		return take_number("target-fps", value, 100000, &request->target_fps);
	case OPTION_FRAMES:
		return take_count("frames", value, &request->frames);
	case OPTION_THREADS:
		return take_number("threads", value, 1000000, &request->threads);
	case OPTION_MEMORY:
		return take_gb("memory", value, &request->memory_gb);
	case OPTION_VRAM:
		return take_gb("vram", value, &request->vram_gb);
	default:
		wish->json = true;
		return 0;
	}
}

/* Images that the run wrote: the frames of a clip that it made. */
static unsigned long long count_written(const struct run_facts *facts,
					struct advise_measured *measured)
{
	unsigned long long count = 0;
	for (size_t i = 0; i < facts->kind_count; i++)
		if (strstr(facts->kinds[i].name, ".encode"))
			count += facts->kinds[i].count - facts->kinds[i].failed;
	for (size_t i = 0; i < facts->operation_count; i++) {
		const struct run_operation *operation = &facts->operations[i];
		if (!strstr(operation->name, ".encode") || !operation->width_px)
			continue;
		measured->width_px = operation->width_px;
		measured->height_px = operation->height_px;
	}
	return count;
}

/* What may make the measured speed another one than that of this machine at ease. */
static void tell_doubts(const struct run_facts *facts, struct wish *wish)
{
	static struct machine here;
	const char *model = facts->machine.cpu_model;
	machine_look(NULL, &here);
	if (facts->damaged)
		wanprof_say("%s: the recording is damaged: this is what could be read", wish->file);
	if (!run_facts_succeeded(facts))
		wanprof_say("%s: the run did not end well (%s): its speed may mislead", wish->file,
			    facts->state ? facts->state : "unknown");
	if (model && here.cpu_model[0] && strcmp(model, here.cpu_model) != 0)
		wanprof_say("%s: recorded on another machine (%s): its speed is that one's",
			    wish->file, model);
	if (facts->before.unclean)
		wan_str_format(wish->request.measured.doubt, sizeof(wish->request.measured.doubt),
			       "at its start: %s", facts->before.unclean);
	wish->damaged = facts->damaged;
}

static int measure(struct wish *wish)
{
	struct run_facts facts;
	struct wan_error error = {0};
	struct advise_measured *measured = &wish->request.measured;
	int status = run_facts_load(&facts, wish->file, &error);
	if (status < 0) {
		wanprof_say_error(&error);
		return status == -ENOENT || status == -ENODATA ? WANPROF_NO_INPUT : WANPROF_DAMAGED;
	}
	measured->seconds = facts.duration_ms / 1000;
	measured->frames = (double)count_written(&facts, measured);
	if (wish->request.frames) {
		measured->frames = wish->request.frames;
		measured->frames_told = true;
	}
	if (measured->frames > 0 && measured->seconds > 0)
		measured->fps = measured->frames / measured->seconds;
	else
		wanprof_say("%s: no frames were written in this run, so its speed is not known; "
			    "say how many it made with --frames",
			    wish->file);
	tell_doubts(&facts, wish);
	run_facts_finish(&facts);
	return 0;
}

static int run(int argc, char **argv)
{
	static struct machine machine;
	static struct advise advise;
	struct wish wish = {0};
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_advise, argc, argv);
	for (int option, status; (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		if (option == WANPROF_ARGS_OPERAND && wish.file)
			return wanprof_usage_error(&wanprof_verb_advise, "one recording at a time");
		if (option == WANPROF_ARGS_OPERAND)
			wish.file = args.value;
		else if ((status = take(option, args.value, &wish)) != 0)
			return status;
	}
	int status = wish.file ? measure(&wish) : 0;
	if (status)
		return status;
	tell_look(&machine);
	advise_for(&machine, &wish.request, &advise);
	if (!wish.topics)
		wish.topics = ADVISE_ALL;
	status = wish.json ? advise_print_json(&machine, &wish.request, &advise)
			   : advise_print_text(&machine, &wish.request, &advise, wish.topics);
	return !status && wish.damaged ? WANPROF_DAMAGED : status;
}

const struct wanprof_verb wanprof_verb_advise = {
	.name = "advise",
	.summary = "Advise on threads, memory, speed and settings for this machine",
	.usage = "[--op TOPIC] [options] [FILE]",
	.options = options,
	.text = "FILE is a recording (or its JSON): its measured speed takes the place of the "
		"rough\n"
		"model. What --threads, --memory and --vram name is judged. Lines under\n"
		"\"Configuration\" can be put into wanrt.conf.\n",
	.run = run,
};
