/* SPDX-License-Identifier: MIT */
/*
 * speedscope's own format: a profile of time for each track (opening and closing of operations),
 * and one of memory (what each operation took, without what those inside it took). Profiles stand
 * one after the other in the file while operations come mixed, so each operation keeps the number
 * of the next one on its track: 4 bytes an operation, beside the 160 the reader has of it.
 */
#include <errno.h>

#include "alloc.h"
#include "findings.h"
#include "hash.h"
#include "str.h"
#include "tracks.h"
#include "walk.h"

#define NONE UINT32_MAX

struct chain {
	uint32_t process, thread, lane;
	uint32_t first, last; /* operations, by their number in the walk */
	uint64_t end_ns;
};

struct speedscope {
	const struct wan_export *export;
	struct wan_json *json;
	struct wan_tracks tracks;
	struct chain *chains;
	size_t chain_count, chain_capacity;
	uint32_t *next;      /* of each operation */
	const char **frames; /* names, each once */
	size_t frame_count, frame_capacity;
	uint32_t *slots; /* frame + 1, by name */
	size_t slot_count;
	int error;
};

static void fail(struct speedscope *scope)
{
	scope->error = -ENOMEM;
}

static size_t slot_of(const struct speedscope *scope, const char *name)
{
	size_t at = wan_hash64(name, strlen(name), 0) & (scope->slot_count - 1);
	while (scope->slots[at] && strcmp(scope->frames[scope->slots[at] - 1], name) != 0)
		at = (at + 1) & (scope->slot_count - 1);
	return at;
}

static void grow_slots(struct speedscope *scope)
{
	size_t count = scope->slot_count ? scope->slot_count * 2 : 128;
	uint32_t *slots = wan_calloc(count, sizeof(*slots));
	if (!slots) {
		fail(scope);
		return;
	}
	wan_free(scope->slots);
	scope->slots = slots;
	scope->slot_count = count;
	for (size_t i = 0; i < scope->frame_count; i++)
		slots[slot_of(scope, scope->frames[i])] = (uint32_t)i + 1;
}

static void add_frame(struct speedscope *scope, const char *name)
{
	if (scope->frame_count * 2 >= scope->slot_count)
		grow_slots(scope);
	if (scope->error || scope->slots[slot_of(scope, name)])
		return;
	if (wan_array_reserve(&scope->frames, &scope->frame_capacity, scope->frame_count + 1,
			      sizeof(scope->frames[0]))) {
		fail(scope);
		return;
	}
	size_t at = slot_of(scope, name);
	scope->frames[scope->frame_count++] = name;
	scope->slots[at] = (uint32_t)scope->frame_count;
}

static uint32_t frame_of(const struct speedscope *scope, const struct wan_view_operation *operation)
{
	return scope->slots[slot_of(scope, wan_operation_name(operation->record))] - 1;
}

static void chain_begun(void *context, struct wan_track *track)
{
	struct speedscope *scope = context;
	if (wan_array_reserve(&scope->chains, &scope->chain_capacity, scope->chain_count + 1,
			      sizeof(scope->chains[0]))) {
		fail(scope);
		return;
	}
	/* tracks are numbered as they come */
	scope->chains[scope->chain_count++] = (struct chain){.process = track->process,
							     .thread = track->thread,
							     .lane = track->lane,
							     .first = NONE,
							     .last = NONE};
}

/* Operations of a walk by number: in flight first, then ended ones. */
static const struct wan_view_operation *operation_at(const struct wan_view *view, uint32_t number)
{
	return number < view->in_flight_count ? &view->in_flight[number]
					      : &view->operations[number - view->in_flight_count];
}

static uint32_t number_of(const struct wan_view *view, const struct wan_view_operation *operation)
{
	if (operation >= view->in_flight && operation < view->in_flight + view->in_flight_count)
		return (uint32_t)(operation - view->in_flight);
	return (uint32_t)(view->in_flight_count + (size_t)(operation - view->operations));
}

static void link_operation(struct speedscope *scope, const struct wan_view_operation *operation)
{
	const struct wan_recording_operation *record = operation->record;
	uint32_t number = number_of(&scope->export->analysis->view, operation);
	uint64_t start_ns = wan_walk_start(scope->export, record);
	uint64_t end_ns = wan_walk_end(start_ns, record);
	struct wan_track *track = wan_tracks_place(&scope->tracks, record->process, record->thread,
						   start_ns, end_ns, 0);
	if (!track)
		fail(scope);
	if (scope->error)
		return;
	add_frame(scope, wan_operation_name(record));
	struct chain *chain = &scope->chains[track->number];
	if (chain->last == NONE)
		chain->first = number;
	else
		scope->next[chain->last] = number;
	chain->last = number;
	chain->end_ns = WAN_MAX(chain->end_ns, end_ns);
	scope->next[number] = NONE;
}

/* One track once more, now with what is told of each operation. */
struct retrace {
	struct speedscope *scope;
	struct level {
		uint32_t frame;
		uint64_t end_ns, bytes, inner_bytes;
	} * levels;
	size_t depth, capacity;
	void (*opened)(struct retrace *, uint64_t at_ns, uint32_t frame); /* may be NULL */
	void (*closed)(struct retrace *, const struct level *);
	uint64_t total;
};

static void close_until(struct retrace *retrace, uint64_t now_ns)
{
	while (retrace->depth && retrace->levels[retrace->depth - 1].end_ns <= now_ns) {
		const struct level *level = &retrace->levels[retrace->depth - 1];
		retrace->closed(retrace, level);
		retrace->depth--;
		if (retrace->depth)
			retrace->levels[retrace->depth - 1].inner_bytes += level->bytes;
	}
}

static void retrace_chain(struct retrace *retrace, const struct chain *chain)
{
	struct speedscope *scope = retrace->scope;
	const struct wan_view *view = &scope->export->analysis->view;
	for (uint32_t at = chain->first; at != NONE && !scope->json->error; at = scope->next[at]) {
		const struct wan_view_operation *operation = operation_at(view, at);
		uint64_t start_ns = wan_walk_start(scope->export, operation->record);
		close_until(retrace, start_ns);
		if (wan_array_reserve(&retrace->levels, &retrace->capacity, retrace->depth + 1,
				      sizeof(retrace->levels[0]))) {
			fail(scope);
			return;
		}
		struct level *level = &retrace->levels[retrace->depth++];
		*level = (struct level){.frame = frame_of(scope, operation),
					.end_ns = wan_walk_end(start_ns, operation->record),
					.bytes = wan_operation_memory(operation->record)};
		if (retrace->opened)
			retrace->opened(retrace, start_ns, level->frame);
	}
	close_until(retrace, UINT64_MAX);
}

static void event(struct wan_json *json, const char *type, uint32_t frame, uint64_t at_ns)
{
	wan_json_object_begin(json);
	wan_json_key_string(json, "type", type);
	wan_json_key_u64(json, "frame", frame);
	wan_json_key_u64(json, "at", at_ns);
	wan_json_object_end(json);
}

static void opened(struct retrace *retrace, uint64_t at_ns, uint32_t frame)
{
	event(retrace->scope->json, "O", frame, at_ns);
}

static void closed(struct retrace *retrace, const struct level *level)
{
	event(retrace->scope->json, "C", level->frame, level->end_ns);
}

static void profile_begin(struct wan_json *json, const char *type, const char *name,
			  const char *unit)
{
	wan_json_object_begin(json);
	wan_json_key_string(json, "type", type);
	wan_json_key_string(json, "name", name);
	wan_json_key_string(json, "unit", unit);
	wan_json_key_u64(json, "startValue", 0);
}

static void time_profile(struct speedscope *scope, const struct chain *chain)
{
	struct retrace retrace = {.scope = scope, .opened = opened, .closed = closed};
	char name[96];
	size_t used = wan_str_format(name, sizeof(name), "time, process %u, ", chain->process);
	used += wan_str_format(name + used, sizeof(name) - used,
			       chain->thread == chain->process ? "main" : "thread %u",
			       chain->thread);
	if (chain->lane)
		wan_str_format(name + used, sizeof(name) - used, ", overlapping %u", chain->lane);
	profile_begin(scope->json, "evented", name, "nanoseconds");
	wan_json_key_u64(scope->json, "endValue", chain->end_ns);
	wan_json_key(scope->json, "events");
	wan_json_array_begin(scope->json);
	retrace_chain(&retrace, chain);
	wan_json_array_end(scope->json);
	wan_json_object_end(scope->json);
	wan_free(retrace.levels);
}

static uint64_t own_bytes(const struct level *level)
{
	return wan_elapsed(level->inner_bytes, level->bytes);
}

static void add_bytes(struct retrace *retrace, const struct level *level)
{
	if (__builtin_add_overflow(retrace->total, own_bytes(level), &retrace->total))
		retrace->total = UINT64_MAX;
}

static void sample(struct retrace *retrace, const struct level *level)
{
	struct wan_json *json = retrace->scope->json;
	if (!own_bytes(level))
		return;
	wan_json_array_begin(json);
	for (size_t i = 0; i < retrace->depth; i++)
		wan_json_u64(json, retrace->levels[i].frame);
	wan_json_array_end(json);
}

static void weight(struct retrace *retrace, const struct level *level)
{
	if (own_bytes(level))
		wan_json_u64(retrace->scope->json, own_bytes(level));
}

static void retrace_all(struct retrace *retrace)
{
	for (size_t i = 0; i < retrace->scope->chain_count; i++)
		retrace_chain(retrace, &retrace->scope->chains[i]);
}

static void memory_profile(struct speedscope *scope)
{
	struct wan_json *json = scope->json;
	struct retrace retrace = {.scope = scope, .closed = add_bytes};
	retrace_all(&retrace);
	profile_begin(json, "sampled", "memory, all processes", "bytes");
	wan_json_key_u64(json, "endValue", retrace.total);
	wan_json_key(json, "samples");
	wan_json_array_begin(json);
	retrace.closed = sample;
	retrace_all(&retrace);
	wan_json_array_end(json);
	wan_json_key(json, "weights");
	wan_json_array_begin(json);
	retrace.closed = weight;
	retrace_all(&retrace);
	wan_json_array_end(json);
	wan_json_object_end(json);
	wan_free(retrace.levels);
}

static void frames(struct speedscope *scope)
{
	struct wan_json *json = scope->json;
	char hidden[WAN_REDACTED_BYTES];
	wan_json_key(json, "shared");
	wan_json_object_begin(json);
	wan_json_key(json, "frames");
	wan_json_array_begin(json);
	for (size_t i = 0; i < scope->frame_count; i++) {
		const char *name = wan_export_name(scope->export, hidden, scope->frames[i]);
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", name[0] ? name : "unknown");
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
	wan_json_object_end(json);
}

static void document(struct speedscope *scope)
{
	struct wan_json *json = scope->json;
	const struct wan_process *main = scope->export->analysis->view.main;
	char text[WAN_PROCESS_NAME_BYTES];
	wan_json_object_begin(json);
	wan_json_key_string(json, "$schema", "https://www.speedscope.app/file-format-schema.json");
	wan_json_key_string(json, "exporter", "wanprof");
	wan_json_key_string(json, "name",
			    main ? wan_export_process_name(scope->export, text, main) : "empty");
	wan_json_key_u64(json, "activeProfileIndex", 0);
	frames(scope);
	wan_json_key(json, "profiles");
	wan_json_array_begin(json);
	for (size_t i = 0; i < scope->chain_count; i++)
		time_profile(scope, &scope->chains[i]);
	memory_profile(scope);
	wan_json_array_end(json);
	wan_json_object_end(json);
	wan_json_line_end(json);
}

void wan_export_speedscope(const struct wan_export *export)
{
	const struct wan_view *view = &export->analysis->view;
	struct speedscope scope = {.export = export, .json = export->json};
	struct wan_walk walk = {0};
	scope.tracks.begun = chain_begun;
	scope.tracks.context = &scope;
	scope.next =
		wan_calloc(view->operation_count + view->in_flight_count + 1, sizeof(*scope.next));
	if (!scope.next)
		fail(&scope);
	for (const struct wan_view_operation *next;
	     !scope.error && (next = wan_walk_next(export, &walk));)
		link_operation(&scope, next);
	wan_tracks_finish(&scope.tracks);
	if (!scope.error)
		document(&scope);
	if (scope.error && !export->json->error)
		export->json->error = scope.error;
	wan_free(scope.chains);
	wan_free(scope.next);
	wan_free(scope.frames);
	wan_free(scope.slots);
}
