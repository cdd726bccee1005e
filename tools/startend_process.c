/* SPDX-License-Identifier: MIT */
/*
 * The work of wan-startend: a batch of pairs is prepared (validated, thumbnailed, fitted,
 * normalised; all through the runtime's cache), then written, then let go. The memory manager
 * plans the batches as chunks; one that runs out of memory is written as far as it came and goes on
 * smaller.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "startend.h"

#define PATH_BYTES STARTEND_PATH_BYTES

struct side {
	const char *label; /* "start", "end" */
	const char *path;
	struct wan_image_info info;
	struct wan_verdict verdict;
	struct wan_framing framing; /* of --pipeline, --alpha or --exif */
	struct wan_pin *thumbnail, *fitted, *tensor;
};

struct work {
	const struct startend_options *options;
	struct wan_runtime *runtime;
	struct wan_tracker *tracker; /* NULL when it could not be had */
	uint64_t images_done;
};

struct prepared {
	const struct startend_pair *pair;
	struct side sides[2];
	int side_count;
	int status;
	struct wan_error refused; /* with STARTEND_NO_MEMORY: said when it is final */
	uint32_t warnings;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	interrupted = signal;
}

static int complain(const struct wan_error *error)
{
	startend_complain(error);
	return startend_status(error->code);
}

/* Memory may be there on a second try, so that is not complained about yet. */
static int fail(struct prepared *prepared, const struct wan_error *error)
{
	if (error->code != -ENOMEM)
		return complain(error);
	prepared->refused = *error;
	return STARTEND_NO_MEMORY;
}

static void output_path(const struct work *work, const struct prepared *prepared,
			const struct side *side, const char *suffix, char *to)
{
	snprintf(to, PATH_BYTES, "%s/%s%s%s%s", work->options->folder, prepared->pair->name,
		 prepared->pair->name[0] ? "-" : "", side->label, suffix);
}

/* Folder and name of the pair, where "stack" is to be appended. */
static void stack_stem(const struct work *work, const struct prepared *prepared, char *to)
{
	snprintf(to, PATH_BYTES, "%s/%s%s", work->options->folder, prepared->pair->name,
		 prepared->pair->name[0] ? "-" : "");
}

static const char *frame_suffix(const struct startend_options *options)
{
	static const char *const suffixes[] = {".png", ".jpg", ".rgb"};
	return suffixes[options->format];
}

/* Said before the work is done, not after it. */
static int check_outputs(const struct work *work, const struct prepared *prepared,
			 const struct side *side)
{
	const char *suffixes[] = {frame_suffix(work->options),
				  startend_tensor_suffix(work->options), "-thumbnail.png"};
	for (size_t i = 0; i < 3 && !work->options->force; i++) {
		char path[PATH_BYTES];
		output_path(work, prepared, side, suffixes[i], path);
		if (access(path, F_OK) == 0) {
			struct wan_error error = {.code = -EEXIST,
						  .reason = "exists already",
						  .hint = "use --force to replace it"};
			snprintf(error.object, sizeof(error.object), "%.255s", path);
			return complain(&error);
		}
	}
	return 0;
}

/* As the pipeline frames it, or as --fit does with alpha and orientation as asked. */
static int frame_as_asked(struct work *work, const struct prepared *prepared, struct side *side,
			  struct wan_error *error)
{
	const struct startend_options *options = work->options;
	const struct wan_framing *start =
		side == prepared->sides ? NULL : &prepared->sides->framing;
	int r = startend_framing(options, &side->info, start, &side->framing);
	if (r == -EOPNOTSUPP)
		return 0; /* not written; what is told names it */
	if (r < 0) {
		*error = (struct wan_error){.code = -EBADMSG,
					    .reason = "no frames can be made of it: its ratio is "
						      "too extreme",
					    .hint = "crop it first"};
		snprintf(error->object, sizeof(error->object), "%.255s", side->path);
		return -EBADMSG;
	}
	struct wan_picture picture = {.path = side->path,
				      .framing = &side->framing,
				      .alpha = options->alpha,
				      .as_stored = !startend_turns(options)};
	r = wan_framed(work->runtime, &picture, false, &side->fitted, NULL, error);
	if (r == -EPROTONOSUPPORT)
		snprintf(error->reason, sizeof(error->reason),
			 "has transparency, which --alpha refuse does not take");
	return r < 0 ? r : wan_framed(work->runtime, &picture, true, &side->tensor, NULL, error);
}

static int frame_side(struct work *work, const struct prepared *prepared, struct side *side,
		      struct wan_error *error)
{
	const struct startend_options *options = work->options;
	if (options->has_pipeline || options->has_alpha ||
	    options->upright != WAN_UPRIGHT_AS_PIPELINE)
		return frame_as_asked(work, prepared, side, error);
	int r = wan_fit(work->runtime, side->path, options->width_px, options->height_px,
			options->fit, options->filter, &side->fitted, NULL, error);
	return r < 0 ? r
		     : wan_tensor(work->runtime, side->path, options->width_px, options->height_px,
				  options->fit, options->filter, &side->tensor, NULL, error);
}

/* What the pipeline itself brings with it: squeezed, cut, an end image that is not taken. */
static void say_explanation(struct work *work, struct prepared *prepared)
{
	const struct startend_options *options = work->options;
	struct wan_explanation explained;
	struct wan_size target = {options->width_px, options->height_px};
	const struct side *end = prepared->pair->end ? &prepared->sides[1] : NULL;
	if (!options->has_pipeline ||
	    wan_explain(options->pipeline, &prepared->sides[0].info, end ? &end->info : NULL,
			target, options->upright, &explained) < 0)
		return;
	if (!options->quiet)
		startend_print_issues(&explained.verdict);
	prepared->warnings += startend_count_warnings(&explained.verdict);
}

static int prepare_side(struct work *work, struct prepared *prepared, struct side *side)
{
	const struct startend_options *options = work->options;
	struct wan_error error = {0};
	int status = check_outputs(work, prepared, side);
	if (status)
		return status;
	int r = wan_validate(work->runtime, side->path, &side->info, &side->verdict, NULL, &error);
	if (r < 0)
		return fail(prepared, &error);
	if (!options->quiet) {
		startend_print_path(prepared->pair->name);
		printf("%s%-5s ", prepared->pair->name[0] ? " " : "", side->label);
		startend_print_path(side->path);
		printf("  %ux%u %s, %s%s\n", side->info.width_px, side->info.height_px,
		       side->info.format == WAN_FORMAT_PNG ? "PNG" : "JPEG",
		       side->verdict.ratio_label, side->verdict.valid ? "" : "  NOT USABLE");
	}
	if (!options->quiet && side->verdict.preview)
		puts("  note    preview: memory has no room for the whole image; it is judged by a "
		     "smaller copy, without sharpness");
	if (!options->quiet)
		startend_print_issues(&side->verdict);
	prepared->warnings += startend_count_warnings(&side->verdict);
	if (!side->verdict.valid)
		return startend_refuse(side->path, &side->verdict);
	r = wan_thumbnail(work->runtime, side->path, options->thumbnail_px, options->thumbnail_px,
			  &side->thumbnail, NULL, &error);
	if (r == 0)
		r = frame_side(work, prepared, side, &error);
	return r < 0 ? fail(prepared, &error) : 0;
}

static void release(struct prepared *prepared)
{
	for (int i = 0; i < prepared->side_count; i++) {
		struct side *side = &prepared->sides[i];
		wan_pin_release(side->thumbnail);
		wan_pin_release(side->fitted);
		wan_pin_release(side->tensor);
		side->thumbnail = side->fitted = side->tensor = NULL;
	}
}

static void prepare(struct work *work, const struct startend_pair *pair, struct prepared *ret)
{
	char stem[PATH_BYTES];
	*ret = (struct prepared){.pair = pair};
	stack_stem(work, ret, stem);
	ret->status = startend_check_stack_outputs(work->options, stem);
	ret->sides[ret->side_count++] = (struct side){.label = "start", .path = pair->start};
	if (pair->end)
		ret->sides[ret->side_count++] = (struct side){.label = "end", .path = pair->end};
	for (int i = 0; i < ret->side_count && ret->status == 0; i++)
		ret->status = prepare_side(work, ret, &ret->sides[i]);
	if (ret->status == 0)
		say_explanation(work, ret);
	if (ret->status)
		return;
	struct wan_verdict verdict;
	int r = wan_image_validate_pair(&ret->sides[0].info, pair->end ? &ret->sides[1].info : NULL,
					&verdict);
	if (r == 0 && work->options->has_pipeline)
		startend_drop_framing(&verdict);
	if (r == 0) {
		if (!work->options->quiet)
			startend_print_issues(&verdict);
		ret->warnings += startend_count_warnings(&verdict);
	}
}

static int write_side(struct work *work, const struct prepared *prepared, const struct side *side)
{
	char path[PATH_BYTES];
	output_path(work, prepared, side, frame_suffix(work->options), path);
	int status = startend_write_image(work->options, work->runtime, wan_pin_image(side->fitted),
					  path);
	if (status)
		return status;
	if (!work->options->quiet) {
		printf("  wrote ");
		startend_print_path(path);
	}
	output_path(work, prepared, side, startend_tensor_suffix(work->options), path);
	status = startend_write_tensor(work->options, work->runtime, wan_pin_image(side->tensor),
				       path);
	if (status == 0) {
		output_path(work, prepared, side, "-thumbnail.png", path);
		status = startend_write_png(work->options, work->runtime,
					    wan_pin_image(side->thumbnail), path);
	}
	if (!work->options->quiet)
		printf(status ? "\n" : ", %s, -thumbnail.png\n",
		       startend_tensor_suffix(work->options));
	return status;
}

static int write_stack(struct work *work, const struct prepared *prepared)
{
	char stem[PATH_BYTES];
	const struct side *end = &prepared->sides[1];
	stack_stem(work, prepared, stem);
	return startend_write_stack(
		work->options, work->runtime, wan_pin_image(prepared->sides[0].tensor),
		prepared->side_count > 1 && end->tensor ? wan_pin_image(end->tensor) : NULL, stem);
}

static void write_pair(struct work *work, struct prepared *prepared)
{
	for (int i = 0; i < prepared->side_count && prepared->status == 0; i++) {
		if (!prepared->sides[i].fitted)
			continue; /* an end image that the pipeline does not take */
		prepared->status = write_side(work, prepared, &prepared->sides[i]);
		work->images_done += prepared->status == 0;
		if (work->tracker)
			wan_progress_update(work->tracker, work->images_done);
	}
	if (prepared->status == 0 && work->options->stack)
		prepared->status = write_stack(work, prepared);
}

static void enter_phase(struct work *work, enum wan_phase phase)
{
	if (work->tracker)
		wan_progress_phase(work->tracker, phase);
}

static bool memory_is_short(const struct work *work)
{
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(wan_runtime_memory(work->runtime), &state);
	return state.level >= WAN_MEMORY_WARNING;
}

/* Prepare up to want pairs; stops early when memory is out and something is there to be written. */
static uint32_t prepare_batch(struct work *work, size_t first, uint32_t want,
			      struct prepared *batch, bool *ret_out_of_memory)
{
	uint32_t count = 0;
	enter_phase(work, WAN_PHASE_PREPROCESSING);
	*ret_out_of_memory = false;
	bool waited = false;
	while (count < want && !interrupted) {
		prepare(work, &work->options->pairs[first + count], &batch[count]);
		if (batch[count].status == STARTEND_NO_MEMORY) {
			*ret_out_of_memory = true;
			if (count > 0) {
				release(&batch[count]);
				break; /* again, alone, after these are written */
			}
			if (!waited) {
				waited = true;
				release(&batch[count]);
				startend_let_disk_catch_up(work->options->folder);
				continue;
			}
			startend_complain(&batch[count].refused);
		}
		count++;
	}
	return count;
}

/* What was prepared is written, and let go. Exit status of the first that failed. */
static int write_batch(struct work *work, struct prepared *prepared, uint32_t count,
		       uint32_t *warnings)
{
	int status = 0;
	enter_phase(work, WAN_PHASE_ENCODING);
	for (uint32_t i = 0; i < count; i++) {
		if (prepared[i].status == 0 && !interrupted)
			write_pair(work, &prepared[i]);
		status = status ? status : prepared[i].status;
		*warnings += prepared[i].warnings;
	}
	if (memory_is_short(work))
		startend_let_disk_catch_up(work->options->folder);
	return status;
}

struct batches {
	struct wan_chunks *chunks;
	struct prepared *prepared; /* of the chunk under way */
};

/* Called when the next batch is planned: the one before goes first. */
static void release_batch(void *context, uint64_t first, uint32_t count)
{
	struct prepared *prepared = context;
	for (uint32_t i = 0; i < count; i++)
		release(&prepared[i]);
	(void)first;
}

static int run_batches(struct work *work, struct batches *batches, uint32_t *warnings)
{
	int status = 0, r;
	uint64_t first;
	uint32_t want;
	while (!interrupted && (r = wan_chunks_next(batches->chunks, &first, &want)) > 0) {
		bool out_of_memory;
		memset(batches->prepared, 0, want * sizeof(*batches->prepared));
		uint32_t count =
			prepare_batch(work, first, want, batches->prepared, &out_of_memory);
		wan_chunks_report(batches->chunks, count,
				  out_of_memory && count < want ? -ENOMEM : 0, 0);
		int written = write_batch(work, batches->prepared, count, warnings);
		status = status ? status : written;
	}
	return status;
}

/* How it went by, for who let us choose. */
static void say_batches(const struct work *work, const struct wan_chunks *chunks)
{
	struct wan_chunks_result result = {.struct_size = sizeof(result)};
	struct wan_chunk_advice advice = {.struct_size = sizeof(advice)};
	wan_chunks_result(chunks, &result);
	wan_chunks_advice(chunks, &advice);
	if (!work->options->batch_auto || work->options->quiet || !result.chunks)
		return;
	printf("batches: %u of %u to %u pairs, %u cut short by memory; the last: %s\n",
	       result.chunks, result.smallest, result.largest, result.failures, advice.text);
}

/* Exit status. */
static int process_pairs(struct work *work, uint32_t *warnings)
{
	const struct startend_options *options = work->options;
	struct batches batches = {.prepared =
					  calloc(options->batch_most, sizeof(*batches.prepared))};
	struct wan_chunks_options chunk_options;
	wan_chunks_options_init(&chunk_options);
	chunk_options.name = "pairs";
	chunk_options.frames = options->pair_count;
	chunk_options.frame_bytes = startend_pair_bytes(options);
	chunk_options.most = options->batch_most;
	chunk_options.least = options->batch_auto ? chunk_options.least : 1;
	chunk_options.always_one = true; /* what has no room as a whole is read by rows */
	chunk_options.release = release_batch;
	chunk_options.context = batches.prepared;
	int status = STARTEND_NO_MEMORY;
	if (!batches.prepared || wan_chunks_create(wan_runtime_memory(work->runtime),
						   &chunk_options, &batches.chunks) < 0) {
		startend_say("out of memory");
	} else {
		status = run_batches(work, &batches, warnings);
		say_batches(work, batches.chunks);
		wan_chunks_destroy(batches.chunks);
	}
	free(batches.prepared);
	return status;
}

/* What nohup and shells in the background ignore stays ignored. */
static void catch_interrupts(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction action;
		if (sigaction(signals[i], NULL, &action) < 0 || action.sa_handler == SIG_IGN)
			continue;
		action = (struct sigaction){.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
		sigaction(signals[i], &action, NULL);
	}
}

int startend_process(const struct startend_options *options, struct wan_runtime *runtime)
{
	int folder_status = startend_check_folder(options->folder);
	if (folder_status)
		return folder_status;
	catch_interrupts();

	struct work work = {.options = options, .runtime = runtime};
	uint64_t images = 0;
	for (size_t i = 0; i < options->pair_count; i++)
		images += 1 + (options->pairs[i].end != NULL);
	if (wan_progress_begin(wan_runtime_progress(runtime), "start/end images", images, "images",
			       &work.tracker) < 0)
		work.tracker = NULL;
	else if (wan_progress_start(wan_runtime_progress(runtime), 0) < 0)
		startend_say("memory and CPU over time are not sampled: "
			     "no thread could be started");

	uint32_t warnings = 0;
	int status = process_pairs(&work, &warnings);
	if (work.tracker) {
		wan_progress_phase(work.tracker, WAN_PHASE_COMPLETION);
		wan_progress_end(work.tracker);
	}
	wan_progress_stop(wan_runtime_progress(runtime));
	if (interrupted) {
		startend_say("interrupted: %llu of %llu images are written",
			     (unsigned long long)work.images_done, (unsigned long long)images);
		return 128 + interrupted;
	}
	if (status == 0 && options->strict && warnings > 0)
		status = STARTEND_WARNINGS;
	return status;
}
