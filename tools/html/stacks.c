/* SPDX-License-Identifier: MIT */
/* Which operation was inside which: the stacks of `dump -f collapsed`, drawn and summed up. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "chart.h"
#include "export.h"
#include "lanes.h"
#include "macros.h"
#include "str.h"

#define NODES_MOST 512 /* different stacks; the time of others stays with what is around them */
#define NAMES_TOLD 40
#define NAME_BYTES 72
#define LINE       22.0
#define DEPTH_MOST 8

struct node {
	char name[NAME_BYTES];
	uint32_t parent, depth, children;
	uint64_t self_ns, total_ns;
};

struct stacks {
	struct node nodes[NODES_MOST]; /* the first one holds all */
	size_t count;
	uint64_t left_out; /* stacks */
	/* the line being read */
	char name[NAME_BYTES];
	size_t used;
	uint64_t number;
	size_t blank; /* where in name the last blank was: behind it is the number */
	uint32_t at;  /* node */
};

static uint32_t child(struct stacks *stacks, uint32_t parent, const char *name)
{
	for (size_t i = 1; i < stacks->count; i++)
		if (stacks->nodes[i].parent == parent && strcmp(stacks->nodes[i].name, name) == 0)
			return (uint32_t)i;
	if (stacks->count == NODES_MOST) {
		stacks->left_out++;
		return parent;
	}
	struct node *node = &stacks->nodes[stacks->count];
	wan_str_copy(node->name, sizeof(node->name), name);
	node->parent = parent;
	node->depth = stacks->nodes[parent].depth + 1;
	stacks->nodes[parent].children++;
	return (uint32_t)stacks->count++;
}

static void begin_name(struct stacks *stacks)
{
	stacks->used = stacks->blank = 0;
	stacks->number = 0;
}

static void take(struct stacks *stacks, char c)
{
	if (c == ';' || c == '\n') {
		size_t length = c == '\n' ? stacks->blank : stacks->used;
		stacks->name[WAN_MIN(length, sizeof(stacks->name) - 1)] = '\0';
		stacks->at = child(stacks, stacks->at, stacks->name);
		if (c == '\n') {
			stacks->nodes[stacks->at].self_ns += stacks->number;
			stacks->at = 0;
		}
		begin_name(stacks);
		return;
	}
	if (c == ' ') {
		stacks->blank = WAN_MIN(stacks->used, sizeof(stacks->name) - 1);
		stacks->number = 0;
	} else if (c >= '0' && c <= '9' && stacks->number < UINT64_MAX / 10 - 1) {
		stacks->number = stacks->number * 10 + (uint64_t)(c - '0');
	}
	if (stacks->used < sizeof(stacks->name) - 1)
		stacks->name[stacks->used++] = c;
}

static int take_all(void *context, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		take(context, ((const char *)bytes)[i]);
	return 0;
}

/* Children come after their parents. */
static void add_up(struct stacks *stacks)
{
	for (size_t i = stacks->count; i-- > 0;) {
		struct node *node = &stacks->nodes[i];
		if (__builtin_add_overflow(node->total_ns, node->self_ns, &node->total_ns))
			node->total_ns = UINT64_MAX;
		struct node *around = &stacks->nodes[node->parent];
		if (i &&
		    __builtin_add_overflow(around->total_ns, node->total_ns, &around->total_ns))
			around->total_ns = UINT64_MAX;
	}
}

static void box(struct html_page *page, const struct stacks *stacks, const struct node *node,
		double x, double width)
{
	double share = 100 * (double)node->total_ns / (double)stacks->nodes[0].total_ns;
	double y = (node->depth - 1) * LINE;
	unsigned colour = 0;
	for (const char *c = node->name; *c; c++)
		colour = colour * 31 + (unsigned char)*c;
	html_print(page,
		   "<g><title>%s: %D (%g %%)</title><rect class=\"f%i st\" x=\"%x\" y=\"%x\" "
		   "width=\"%x\" height=\"%x\"/>",
		   node->name, node->total_ns, share,
		   node->depth == 1 ? HTML_COLOURS : (int)(colour % (HTML_COLOURS - 1)) + 1, x, y,
		   fmax(width - 1, 0.5), LINE - 2);
	size_t letters = strlen(node->name), room = (size_t)fmax((width - 8) / 6.6, 0);
	char shown[NAME_BYTES];
	wan_str_copy(shown, WAN_MIN(sizeof(shown), room + 1), node->name);
	if (room >= 4)
		html_print(page, "<text class=\"on\" x=\"%x\" y=\"%x\">%s%r</text>", x + 4, y + 14,
			   shown, letters > room ? ".." : "");
	html_print(page, "</g>\n");
}

/* The largest child of a node that is not drawn yet, after one of that size and index. */
static size_t next_child(const struct stacks *stacks, uint32_t parent, uint64_t below, size_t after)
{
	size_t best = 0;
	for (size_t i = 1; i < stacks->count; i++) {
		const struct node *node = &stacks->nodes[i];
		if (node->parent != parent || !node->total_ns)
			continue;
		bool later = node->total_ns < below || (node->total_ns == below && i > after);
		if (later && (!best || node->total_ns > stacks->nodes[best].total_ns))
			best = i;
	}
	return best;
}

static void draw_children(struct html_page *page, const struct stacks *stacks, uint32_t parent,
			  double x, double scale)
{
	uint64_t below = UINT64_MAX;
	size_t after = 0;
	if (stacks->nodes[parent].depth >= DEPTH_MOST)
		return;
	for (size_t i; (i = next_child(stacks, parent, below, after));) {
		const struct node *node = &stacks->nodes[i];
		double width = (double)node->total_ns * scale;
		if (width < 1.5)
			break;
		box(page, stacks, node, x, width);
		draw_children(page, stacks, (uint32_t)i, x, scale);
		x += width;
		below = node->total_ns;
		after = i;
	}
}

static void draw(struct html_page *page, const struct stacks *stacks, const char *kind,
		 double width)
{
	uint32_t deepest = 1;
	for (size_t i = 1; i < stacks->count; i++)
		deepest = WAN_MAX(deepest, stacks->nodes[i].depth);
	html_picture_begin(page, kind, width, WAN_MIN(deepest, (uint32_t)DEPTH_MOST) * LINE,
			   "Operations inside one another; widths are times. The table has the "
			   "figures.");
	draw_children(page, stacks, 0, 0, width / (double)stacks->nodes[0].total_ns);
	html_picture_end(page);
}

struct sum {
	const char *name;
	uint64_t self_ns, total_ns;
};

static int longest_first(const void *left, const void *right)
{
	const struct sum *a = left, *b = right;
	return a->self_ns < b->self_ns ? 1 : -(a->self_ns > b->self_ns);
}

/* Inside an operation of its own name it was counted there already. */
static bool inside_itself(const struct stacks *stacks, size_t index)
{
	for (uint32_t at = stacks->nodes[index].parent; at; at = stacks->nodes[at].parent)
		if (strcmp(stacks->nodes[at].name, stacks->nodes[index].name) == 0)
			return true;
	return false;
}

static void table(struct html_page *page, const struct stacks *stacks)
{
	static struct sum sums[NODES_MOST];
	size_t count = 0;
	double all = (double)WAN_MAX(stacks->nodes[0].total_ns, (uint64_t)1);
	for (size_t i = 1; i < stacks->count; i++) {
		const struct node *node = &stacks->nodes[i];
		size_t at = 0;
		if (node->depth < 2)
			continue; /* programs */
		while (at < count && strcmp(sums[at].name, node->name) != 0)
			at++;
		if (at == count)
			sums[count++] = (struct sum){.name = node->name};
		sums[at].self_ns += node->self_ns;
		sums[at].total_ns += inside_itself(stacks, i) ? 0 : node->total_ns;
	}
	qsort(sums, count, sizeof(sums[0]), longest_first);
	html_table_begin(page, "Time of each operation itself, and with what it called",
			 "Operation|Self #|Self share #|Total #");
	for (size_t i = 0; i < WAN_MIN(count, (size_t)NAMES_TOLD); i++) {
		html_print(page, "<tr><th scope=\"row\">%s</th>", sums[i].name);
		html_cell_begin(page, "Self", true, (double)sums[i].self_ns);
		html_print(page, "%D</td>", sums[i].self_ns);
		html_cell_begin(page, "Self share", true, (double)sums[i].self_ns);
		html_print(page, "%g %%</td>", 100 * (double)sums[i].self_ns / all);
		html_cell_begin(page, "Total", true, (double)sums[i].total_ns);
		html_print(page, "%D</td></tr>\n", sums[i].total_ns);
	}
	html_table_end(page);
	if (count > NAMES_TOLD || stacks->left_out)
		html_print(page, "<p class=\"note\">Only the longest are told; <code>wanprof dump "
				 "-f collapsed</code> has all stacks.</p>\n");
}

void html_write_stacks(struct html_page *page)
{
	struct stacks *stacks = wan_calloc(1, sizeof(*stacks));
	const struct wan_export_options options = {.redact = false};
	int rc = stacks ? 0 : -ENOMEM;
	if (!rc) {
		stacks->count = 1;
		rc = wan_format_write(wan_format_find("collapsed"), page->analysis, &options,
				      take_all, stacks);
	}
	if (rc) {
		wan_sink_fail(&page->sink, rc);
		wan_free(stacks);
		return;
	}
	add_up(stacks);
	html_section_begin(page, "stacks", "Operations inside one another");
	if (!stacks->nodes[0].total_ns) {
		html_print(page, "<p class=\"note\">No operation ended.</p>\n");
	} else {
		html_print(page, "<figure>");
		draw(page, stacks, "pic wide", 1080);
		draw(page, stacks, "pic narrow", 360);
		html_print(page, "</figure>\n");
		table(page, stacks);
		html_print(page,
			   "<p class=\"note\">Time inside libraries; programs do not name "
			   "their own functions, so the picture begins at the operations.</p>\n");
	}
	html_section_end(page);
	wan_free(stacks);
}
