/* SPDX-License-Identifier: MIT */
#include "coverage.h"

#include <string.h>

#include "str.h"

/* Programs whose codecs are their own: a library name, and what to try. */
static const struct blind_spot {
	const char *program; /* start of the base name */
	const char *library, *note;
} blind_spots[] = {
	{"python", "Pillow PNG",
	 "Pillow reads and writes PNG with code of its own, not libpng; convert the input to JPEG "
	 "to "
	 "see it, or link wanrt"},
	{"python", "static codecs",
	 "wheels such as opencv-python carry codecs that no preload can see; use the "
	 "distribution's "
	 "package (python3-opencv) to see them"},
	{"ffmpeg", "libavcodec",
	 "ffmpeg decodes PNG and JPEG with codecs of its own; use djpeg or vips to measure the "
	 "files"},
	{"ffprobe", "libavcodec", "ffprobe decodes with codecs of its own"},
};

const char *wan_program_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static struct wan_coverage *find(struct wan_coverage *to, size_t *count, const char *library)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(to[i].library, library) == 0)
			return &to[i];
	if (*count == WAN_COVERAGE_MAX)
		return NULL;
	to[*count] = (struct wan_coverage){.library = library};
	return &to[(*count)++];
}

static void add_counters(const struct wan_process *process, struct wan_coverage *to, size_t *count)
{
	for (size_t i = 0; i < process->counters_count; i++) {
		const struct wan_process_counters *block = &process->counters[i];
		if (block->kind != WAN_COUNTERS_COVERAGE || !block->name)
			continue;
		struct wan_coverage *item = find(to, count, block->name);
		if (!item)
			continue;
		item->objects_known = true;
		item->objects += block->words[0];
		item->unresolved += block->words[2];
		item->seen |= block->words[0] || block->words[1];
		if (item->unresolved)
			item->note = "the real function could not be found for some calls: these "
				     "were passed on unseen";
	}
}

/* Operations are counted from the rows, so that the numbers of one document agree. */
static void add_rows(const struct wan_rows *rows, struct wan_coverage *to, size_t *count)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct wan_row *row = &rows->items[i];
		struct wan_coverage *item = row->library[0] ? find(to, count, row->library) : NULL;
		if (!item)
			continue;
		item->operations += row->count;
		item->seen = true;
	}
}

static void add_blind_spots(const struct wan_process *process, struct wan_coverage *to,
			    size_t *count)
{
	const char *program = wan_program_name(process->header.program);
	if (process->header.role == WAN_ROLE_LINKED)
		return;
	for (size_t i = 0; i < sizeof(blind_spots) / sizeof(*blind_spots); i++)
		if (wan_str_starts(program, blind_spots[i].program)) {
			struct wan_coverage *item = find(to, count, blind_spots[i].library);
			if (item)
				item->note = blind_spots[i].note;
		}
}

size_t wan_coverage(const struct wan_analysis *analysis, struct wan_coverage *to)
{
	size_t count = 0;
	const struct wan_view *view = &analysis->view;
	for (size_t i = 0; i < view->source_count; i++)
		add_counters(view->sources[i].process, to, &count);
	add_rows(&analysis->rows, to, &count);
	for (size_t i = 0; i < view->source_count; i++)
		add_blind_spots(view->sources[i].process, to, &count);
	return count;
}
