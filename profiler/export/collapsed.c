/* SPDX-License-Identifier: MIT */
/*
 * Collapsed stacks for flame graphs: "program;operation;operation inside it 123456", the number
 * being the nanoseconds inside that one and nothing deeper. All lines add up to total_time_ns of
 * the JSON (nested operations on a thread of their own come on top): what is known of operations
 * whose records are gone stands under their name alone. Memory: a node for each stack that is
 * different.
 */
#include <errno.h>

#include "alloc.h"
#include "hash.h"
#include "str.h"
#include "tracks.h"
#include "walk.h"

#define NAME_ROOM  (4 * 1023 + 8)
#define DEPTH_MOST 64 /* deeper stacks are cut there */

struct node {
	const char *name; /* of a root: the program */
	uint32_t parent;  /* index of the node around it; its own: a root */
	uint32_t depth;
	uint64_t inside_ns, deeper_ns; /* of it, in nested ones */
};

struct collapsed {
	const struct wan_export *export;
	struct node *nodes;
	size_t count, capacity;
	uint32_t *slots; /* index + 1 */
	size_t slot_count;
	struct wan_tracks tracks;
};

static size_t slot_of(const struct collapsed *collapsed, uint32_t parent, const char *name)
{
	size_t at = wan_hash64(name, strlen(name), parent) & (collapsed->slot_count - 1);
	for (; collapsed->slots[at]; at = (at + 1) & (collapsed->slot_count - 1)) {
		const struct node *node = &collapsed->nodes[collapsed->slots[at] - 1];
		if (node->parent == parent && strcmp(node->name, name) == 0)
			break;
	}
	return at;
}

static int grow(struct collapsed *collapsed)
{
	size_t count = collapsed->slot_count ? collapsed->slot_count * 2 : 256;
	uint32_t *slots = wan_calloc(count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	wan_free(collapsed->slots);
	collapsed->slots = slots;
	collapsed->slot_count = count;
	for (size_t i = 0; i < collapsed->count; i++)
		slots[slot_of(collapsed, collapsed->nodes[i].parent, collapsed->nodes[i].name)] =
			(uint32_t)i + 1;
	return 0;
}

#define ROOT UINT32_MAX /* parent of roots */

/* Index of the node, made when it is new; ROOT: no memory. */
static uint32_t node_of(struct collapsed *collapsed, uint32_t parent, const char *name)
{
	if (collapsed->count * 2 >= collapsed->slot_count && grow(collapsed))
		return ROOT;
	size_t at = slot_of(collapsed, parent, name);
	if (collapsed->slots[at])
		return collapsed->slots[at] - 1;
	if (wan_array_reserve(&collapsed->nodes, &collapsed->capacity, collapsed->count + 1,
			      sizeof(collapsed->nodes[0])))
		return ROOT;
	collapsed->nodes[collapsed->count] =
		(struct node){.name = name,
			      .parent = parent,
			      .depth = parent == ROOT ? 0 : collapsed->nodes[parent].depth + 1};
	collapsed->slots[at] = (uint32_t)++collapsed->count;
	return (uint32_t)collapsed->count - 1;
}

static void add(uint64_t *sum, uint64_t ns)
{
	if (__builtin_add_overflow(*sum, ns, sum))
		*sum = UINT64_MAX;
}

static uint64_t self_ns(const struct node *node)
{
	return wan_elapsed(node->deeper_ns, node->inside_ns);
}

static void operation(struct collapsed *collapsed, const struct wan_view_operation *operation)
{
	const struct wan_recording_operation *record = operation->record;
	uint64_t start_ns = wan_walk_start(collapsed->export, record);
	struct wan_track *track =
		wan_tracks_place(&collapsed->tracks, record->process, record->thread, start_ns,
				 wan_walk_end(start_ns, record), 0);
	uint32_t parent = track && track->depth > 1 && wan_view_nested(operation)
				  ? (uint32_t)track->open[track->depth - 2].item
				  : ROOT;
	bool inside = parent != ROOT;
	if (!inside)
		parent = node_of(collapsed, ROOT, operation->process->header.program);
	if (inside && collapsed->nodes[parent].depth >= DEPTH_MOST) {
		track->open[track->depth - 1].item = parent;
		return;
	}
	uint32_t node =
		parent == ROOT ? ROOT : node_of(collapsed, parent, wan_operation_name(record));
	if (!track || node == ROOT) {
		wan_sink_fail(collapsed->export->sink, -ENOMEM);
		return;
	}
	track->open[track->depth - 1].item = node;
	add(&collapsed->nodes[node].inside_ns, record->inside_ns);
	if (inside)
		add(&collapsed->nodes[parent].deeper_ns, record->inside_ns);
}

/* Time of outermost operations that no record tells of. */
static void add_missing(struct collapsed *collapsed)
{
	const struct wan_analysis *analysis = collapsed->export->analysis;
	const struct wan_rows *rows = &analysis->rows;
	const struct wan_process *main = analysis->view.main;
	bool records = !collapsed->export->options->no_metrics;
	if (!main || collapsed->export->options->min_ns)
		return; /* short ones are left out on purpose */
	for (size_t i = 0; i < rows->count; i++) {
		const struct wan_row *row = &rows->items[i];
		uint64_t missing_ns = row->inside_ns;
		for (size_t j = 0; records && j < row->records; j++)
			missing_ns = wan_elapsed(
				rows->operations[row->first_record + j].record->inside_ns,
				missing_ns);
		if (!missing_ns || row->flags & WAN_FLAG_CHILD)
			continue;
		uint32_t root = node_of(collapsed, ROOT, main->header.program);
		uint32_t node = root == ROOT ? ROOT : node_of(collapsed, root, row->name);
		if (node == ROOT) {
			wan_sink_fail(collapsed->export->sink, -ENOMEM);
			return;
		}
		add(&collapsed->nodes[node].inside_ns, missing_ns);
	}
}

static void put_frame(struct collapsed *collapsed, const struct node *node)
{
	char hidden[WAN_REDACTED_BYTES], clean[NAME_ROOM];
	const char *shown;
	if (node->parent == ROOT) {
		const char *slash = strrchr(node->name, '/');
		shown = wan_export_file(collapsed->export, hidden, node->name);
		if (shown == node->name && slash)
			shown = slash + 1;
	} else {
		shown = wan_export_name(collapsed->export, hidden, node->name);
	}
	wan_str_printable(clean, sizeof(clean), shown[0] ? shown : "unknown");
	for (char *at = clean; (at = strchr(at, ';'));)
		*at = ':'; /* it would begin another frame */
	wan_sink_text(collapsed->export->sink, clean);
}

static void put_line(struct collapsed *collapsed, size_t index)
{
	uint32_t stack[DEPTH_MOST + 2];
	size_t depth = 0;
	for (uint32_t at = (uint32_t)index; at != ROOT; at = collapsed->nodes[at].parent)
		stack[depth++] = at;
	while (depth--) {
		put_frame(collapsed, &collapsed->nodes[stack[depth]]);
		wan_sink_text(collapsed->export->sink, depth ? ";" : " ");
	}
	struct wan_sink *sink = collapsed->export->sink;
	char *to = wan_put_u64(wan_sink_room(sink, WAN_NUMBER_ROOM + 8),
			       self_ns(&collapsed->nodes[index]));
	sink->at = WAN_PUT(to, "\n");
}

void wan_export_collapsed(const struct wan_export *export)
{
	struct collapsed collapsed = {.export = export};
	struct wan_walk walk = {0};
	for (const struct wan_view_operation *next;
	     !export->sink->error && (next = wan_walk_next(export, &walk));)
		operation(&collapsed, next);
	wan_tracks_finish(&collapsed.tracks);
	add_missing(&collapsed);
	for (size_t i = 0; i < collapsed.count; i++)
		if (self_ns(&collapsed.nodes[i]))
			put_line(&collapsed, i);
	wan_free(collapsed.nodes);
	wan_free(collapsed.slots);
}
