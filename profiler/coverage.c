/* SPDX-License-Identifier: MIT */
#include "coverage.h"

#include <string.h>

#include "str.h"

/* Of these, objects are what is counted: no operation comes of a bar. */
static const char BARS[] = "progress bars";

#define OUT_OF_REACH                                                                               \
	"its codecs are inside its own module, where nothing can be put before them; decode with " \
	"Pillow, OpenCV or torchvision to see the work"

/* What to say of a library whose calls were passed on unseen. */
static const struct {
	const char *library, *note;
} unresolved_notes[] = {
	{BARS, "more bars at a time than are followed: some are not in the list of jobs"},
	{"pillow",
	 "this build of Pillow is laid out in a way that is not known, or runs in another "
	 "Python than CPython: its PNG work is not seen; try CPython 3.8 or newer with "
	 "Pillow 8 or newer"},
	{"opencv",
	 "this build of OpenCV is laid out in a way that is not known, or there are two of "
	 "them: what its module does itself is not seen; try one opencv-python 4 or newer, "
	 "or the distribution's package"},
	{"libavcodec",
	 "this version of libavcodec is not known (59 to 62 are): what it does is not "
	 "seen; use djpeg or vips to measure the files"},
};

/* Programs whose way to work with pictures may be unseen: start of the base name, and what to say
 * when nothing of a library was seen. */
static const struct blind_spot {
	const char *program, *library, *note;
} blind_spots[] = {
	{"ffmpeg", "libavcodec",
	 "nothing went through libavcodec's shared library; a static ffmpeg cannot be seen, use "
	 "the "
	 "distribution's"},
	{"ffprobe", "libavcodec",
	 "nothing went through libavcodec's shared library, or it only looked at headers"},
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

static const char *unresolved_note(const char *library)
{
	for (size_t i = 0; i < sizeof(unresolved_notes) / sizeof(*unresolved_notes); i++)
		if (strcmp(unresolved_notes[i].library, library) == 0)
			return unresolved_notes[i].note;
	return "the real function could not be found for some calls: these were passed on unseen";
}

static bool is_python(const struct wan_process *process)
{
	const char *program = wan_program_name(process->header.program);
	return wan_str_starts(program, "python") || wan_str_starts(program, "pypy");
}

static void add_block(const struct wan_process *process, const struct wan_process_counters *block,
		      struct wan_coverage *to, size_t *count)
{
	const uint64_t *words = block->words;
	bool worked = words[WAN_COVER_OBJECTS] || words[WAN_COVER_OPERATIONS];
	bool off = words[WAN_COVER_SWITCHED_OFF] && is_python(process);
	if (!worked && !off && !words[WAN_COVER_UNRESOLVED] && !words[WAN_COVER_OUT_OF_REACH])
		return;
	struct wan_coverage *item = find(to, count, block->name);
	if (!item)
		return;
	item->objects_known = true;
	bool bars = strcmp(block->name, BARS) == 0;
	item->objects += words[bars ? WAN_COVER_OPERATIONS : WAN_COVER_OBJECTS];
	item->bars |= bars;
	item->unresolved += words[WAN_COVER_UNRESOLVED];
	item->seen |= worked;
	if (item->unresolved)
		item->note = unresolved_note(block->name);
	else if (words[WAN_COVER_OUT_OF_REACH])
		item->note = OUT_OF_REACH;
	else if (off)
		item->note = "switched off (--no-python-hooks, or profile.python_hooks): leave the "
			     "option out to see PNG in Pillow, and OpenCV's wheels";
}

static void add_counters(const struct wan_process *process, struct wan_coverage *to, size_t *count)
{
	for (size_t i = 0; i < process->counters_count; i++) {
		const struct wan_process_counters *block = &process->counters[i];
		if (block->kind == WAN_COUNTERS_COVERAGE && block->name)
			add_block(process, block, to, count);
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
			if (item && !item->seen && !item->note)
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
