/* SPDX-License-Identifier: MIT */
/*
 * What the levels hold. Each limit is paired with the usage of its own level: a parent's limit
 * kills while the child shows "unlimited". memory.stat costs fifteen times what usage and limit
 * cost, so only the tightest level's is read each time; the other levels' clean pages are as they
 * were, at most a second ago, beside usages and limits of now.
 */
#include "source.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "clock.h"
#include "hash.h"
#include "macros.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

static const uint64_t ALL_EVERY_NS = 1000000000, LIGHT_MOST_NS = 20000000;
/* A limit above all that is mounted rarely comes about later. */
static const uint64_t UNLIMITED_EVERY_NS = 10000000000;

/* No machine of ours fills or empties memory faster: how long a figure stands at a distance. */
static const double BYTES_PER_NS = 16;

void wan_cgroup_level_trouble(struct wan_cgroup_level *level, enum wan_cgroup_trouble trouble)
{
	if (!(wan_load_relaxed(&level->trouble) >> trouble & 1))
		wan_or_relaxed(&level->trouble, (uint32_t)1 << trouble);
}

/* A file's number. 0, negative errno (-EBADMSG: no number). */
static int read_number(struct wan_kept_file *file, uint64_t *ret_value)
{
	char text[64];
	int length = wan_kept_read(file, text, sizeof(text));
	if (length < 0)
		return length;
	if (text[length - 1] == '\n')
		text[length - 1] = '\0';
	if (strcmp(text, "max") == 0) {
		*ret_value = UINT64_MAX;
		return 0;
	}
	return wan_parse_u64(text, ret_value) < 0 ? -EBADMSG : 0;
}

/* UINT64_MAX for "max"; 0: cannot be known. A limit of 0 is none: nobody could run under it. */
static uint64_t read_limit_file(struct wan_cgroup_level *level, struct wan_kept_file *file)
{
	uint64_t value = 0;
	int status = read_number(file, &value);
	if (status == 0 && value)
		return value;
	wan_cgroup_level_trouble(level, status == 0 || status == -EBADMSG
						? WAN_CGROUP_LIMIT_GARBAGE
						: WAN_CGROUP_LIMIT_UNREADABLE);
	return 0;
}

/* The smaller of the level's own limits; what was read last when it cannot be read, 0 when it never
 * could: never "unlimited" for "unknown". */
static uint64_t read_limit(struct wan_cgroup_level *level)
{
	uint64_t limit = read_limit_file(level, &level->limit);
	bool has_high = level->v2 && (level->high.fd >= 0 || level->high.error != ENOENT);
	uint64_t high = has_high ? read_limit_file(level, &level->high) : UINT64_MAX;
	if (limit && high) {
		limit = WAN_MIN(limit, high);
		wan_store_relaxed(&level->limit_bytes, limit);
		return limit;
	}
	uint64_t known = wan_load_relaxed(&level->limit_bytes);
	uint64_t half = limit ? limit : high; /* one of the two could be read */
	if (known && half)
		return WAN_MIN(known, half);
	return known ? known : half == UINT64_MAX ? 0 : half;
}

/* What memory.stat says, in one pass. */
struct stat_fields {
	uint64_t active_file, inactive_file, dirty, writeback, anon, slab, shmem, kernel;
	uint64_t hierarchical; /* v1's limit of the level and all above it */
};

static void take_field(const char *name, size_t length, uint64_t value, bool v2,
		       struct stat_fields *fields)
{
#define NAME(text) sizeof(text) - 1, text
	static const struct {
		size_t v1_length;
		const char *v1;
		size_t v2_length;
		const char *v2;
		size_t at;
	} names[] = {
		{NAME("total_active_file"), NAME("active_file"),
		 offsetof(struct stat_fields, active_file)},
		{NAME("total_inactive_file"), NAME("inactive_file"),
		 offsetof(struct stat_fields, inactive_file)},
		{NAME("total_dirty"), NAME("file_dirty"), offsetof(struct stat_fields, dirty)},
		{NAME("total_writeback"), NAME("file_writeback"),
		 offsetof(struct stat_fields, writeback)},
		{NAME("total_rss"), NAME("anon"), offsetof(struct stat_fields, anon)},
		{NAME(""), NAME("slab_reclaimable"), offsetof(struct stat_fields, slab)},
		{NAME("total_shmem"), NAME("shmem"), offsetof(struct stat_fields, shmem)},
		{NAME(""), NAME("kernel"), offsetof(struct stat_fields, kernel)},
		{NAME("hierarchical_memory_limit"), NAME(""),
		 offsetof(struct stat_fields, hierarchical)},
	};
#undef NAME
	for (size_t i = 0; i < WAN_COUNT_OF(names); i++) {
		if (length == (v2 ? names[i].v2_length : names[i].v1_length) && length &&
		    memcmp(v2 ? names[i].v2 : names[i].v1, name, length) == 0) {
			memcpy((char *)fields + names[i].at, &value, sizeof(value));
			return;
		}
	}
}

static void parse_stat(const char *text, bool v2, struct stat_fields *ret_fields)
{
	*ret_fields = (struct stat_fields){0};
	for (const char *line = text; *line;) {
		const char *blank = line;
		while (*blank > ' ')
			blank++;
		const char *at = blank + (*blank == ' ');
		uint64_t value = 0;
		bool number = *at >= '0' && *at <= '9';
		for (; *at >= '0' && *at <= '9'; at++)
			number &= !__builtin_mul_overflow(value, 10, &value) &&
				  !__builtin_add_overflow(value, (uint64_t)(*at - '0'), &value);
		if (number && *blank == ' ' && (*at == '\n' || !*at))
			take_field(line, (size_t)(blank - line), value, v2, ret_fields);
		while (*at && *at != '\n')
			at++;
		line = at + (*at == '\n');
	}
}

/* The part of usage that the kernel takes back when it wants to: all file pages but those not yet
 * written; at least the anonymous pages are needed. */
static uint64_t clean_of(const struct stat_fields *fields, uint64_t usage)
{
	uint64_t file = fields->active_file, unwritten = fields->dirty;
	file = __builtin_add_overflow(file, fields->inactive_file, &file) ? UINT64_MAX : file;
	if (__builtin_add_overflow(unwritten, fields->writeback, &unwritten))
		unwritten = UINT64_MAX;
	uint64_t clean = file - WAN_MIN(file, unwritten);
	clean = __builtin_add_overflow(clean, fields->slab, &clean) ? UINT64_MAX : clean;
	return WAN_MIN(clean, usage - WAN_MIN(usage, fields->anon));
}

/* Usage put together from its parts, for a level whose usage file cannot be read. */
static uint64_t usage_of_parts(const struct stat_fields *fields)
{
	return fields->anon + fields->shmem + fields->active_file + fields->inactive_file +
	       fields->kernel;
}

/* One level as it is being read. */
struct reading {
	struct wan_cgroup_level *level;
	uint64_t usage_bytes; /* of memory, and of swap where that is limited too */
	uint64_t limit_bytes;
	struct stat_fields fields;
	bool stat_known;
};

static void read_stat(struct reading *reading, uint64_t now_ns)
{
	char text[8192];
	struct wan_cgroup_level *level = reading->level;
	if (reading->stat_known)
		return;
	if (wan_kept_read(&level->stat, text, sizeof(text)) < 0) {
		wan_cgroup_level_trouble(level, WAN_CGROUP_STAT_UNREADABLE);
		return;
	}
	parse_stat(text, level->v2, &reading->fields);
	reading->stat_known = true;
	wan_store_relaxed(&level->stat_ns, now_ns);
}

/* The limit in force, also one above what is mounted; 0: none, or it cannot be known. */
static uint64_t limit_of(struct reading *reading, uint64_t ceiling, uint64_t now_ns)
{
	struct wan_cgroup_level *level = reading->level;
	bool may_hide = !level->v2 && level->top;
	uint64_t limit = read_limit(level), hidden = wan_load_relaxed(&level->hidden_bytes);
	if (limit >= ceiling && !may_hide)
		return 0;
	if (limit && !may_hide)
		return limit;
	uint64_t stat_ns = wan_load_relaxed(&level->stat_ns);
	bool unlimited = limit >= ceiling && hidden >= ceiling;
	uint64_t stands_ns = unlimited ? UNLIMITED_EVERY_NS : ALL_EVERY_NS;
	if (!stat_ns || now_ns - stat_ns >= stands_ns) {
		read_stat(reading, now_ns);
		if (reading->stat_known)
			wan_store_relaxed(&level->hidden_bytes, reading->fields.hierarchical);
		hidden = wan_load_relaxed(&level->hidden_bytes);
	}
	if (hidden)
		limit = limit ? WAN_MIN(limit, hidden) : hidden;
	return limit < ceiling ? limit : 0;
}

/* v1 can limit memory and swap together: what is swapped out then makes memory scarcer. Read once a
 * second. */
static void read_swap(struct wan_cgroup_level *level, uint64_t usage_bytes)
{
	uint64_t both = 0, limit = 0;
	bool limited = level->both_limit.fd >= 0 && read_number(&level->both_limit, &limit) == 0 &&
		       read_number(&level->both_usage, &both) == 0 && limit;
	bool swapped = limited && both != UINT64_MAX && both > usage_bytes;
	wan_store_relaxed(&level->both_limit_bytes, limited ? limit : 0);
	wan_store_relaxed(&level->swapped_bytes, swapped ? both - usage_bytes : 0);
}

/* The limit that is nearer: that of memory, or that of memory and swap. */
static void count_swap(struct reading *reading)
{
	uint64_t limit = wan_load_relaxed(&reading->level->both_limit_bytes);
	uint64_t swapped = wan_load_relaxed(&reading->level->swapped_bytes);
	if (!limit || !swapped || limit - WAN_MIN(limit, swapped) >= reading->limit_bytes)
		return;
	reading->usage_bytes += WAN_MIN(swapped, UINT64_MAX - reading->usage_bytes);
	reading->limit_bytes = limit;
}

/* False: this level limits nothing, or cannot be known. */
static bool read_level(struct reading *reading, uint64_t host_total_bytes, uint64_t now_ns)
{
	struct wan_cgroup_level *level = reading->level;
	uint64_t ceiling = host_total_bytes ? host_total_bytes : (uint64_t)1 << 60;
	reading->stat_known = false;
	reading->limit_bytes = limit_of(reading, ceiling, now_ns);
	if (!reading->limit_bytes)
		return false;
	if (read_number(&level->usage, &reading->usage_bytes) == 0 &&
	    reading->usage_bytes != UINT64_MAX)
		return true;
	wan_cgroup_level_trouble(level, WAN_CGROUP_USAGE_UNREADABLE);
	read_stat(reading, now_ns);
	reading->usage_bytes = reading->stat_known ? usage_of_parts(&reading->fields) : 0;
	return reading->usage_bytes > 0;
}

/* What is needed of the usage: by memory.stat of now (whole), or as it was. */
static void tell(struct reading *reading, bool whole, uint64_t now_ns,
		 struct wan_level_reading *ret_reading)
{
	struct wan_cgroup_level *level = reading->level;
	uint64_t usage = reading->usage_bytes, clean = wan_load_relaxed(&level->clean_bytes);
	if (whole || !wan_load_relaxed(&level->stat_ns))
		read_stat(reading, now_ns);
	if (reading->stat_known) {
		clean = clean_of(&reading->fields, usage);
		wan_store_relaxed(&level->clean_bytes, clean);
	} else if (whole) {
		clean = 0; /* need is then the whole usage: too careful, never too late */
	}
	wan_str_copy(ret_reading->name, sizeof(ret_reading->name), level->name);
	ret_reading->limit_bytes = reading->limit_bytes;
	ret_reading->need_bytes = usage - WAN_MIN(usage, clean);
	uint64_t armed = wan_load_relaxed(&level->armed_bytes);
	ret_reading->covered = armed && usage < armed;
}

uint64_t wan_reading_stands_ns(const struct wan_level_reading *reading, double line_pct)
{
	double left = (double)reading->limit_bytes * line_pct / 100 - (double)reading->need_bytes;
	double ns = left / BYTES_PER_NS;
	return ns <= 0 ? 0 : ns >= (double)LIGHT_MOST_NS ? LIGHT_MOST_NS : (uint64_t)ns;
}

/* The level with the fewest bytes left, and the one with the largest share used. */
static void find_tightest(const struct wan_level_reading *levels, uint32_t count, uint32_t *ret_two)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct wan_level_reading *least = &levels[ret_two[0]];
		const struct wan_level_reading *fullest = &levels[ret_two[1]];
		if ((double)levels[i].limit_bytes - (double)levels[i].need_bytes <
		    (double)least->limit_bytes - (double)least->need_bytes)
			ret_two[0] = i;
		if ((double)levels[i].need_bytes * (double)fullest->limit_bytes >
		    (double)fullest->need_bytes * (double)levels[i].limit_bytes)
			ret_two[1] = i;
	}
}

/* Usage holds all need: what it is made of decides nothing yet. */
static bool below_steps(const struct wan_source_cgroup *source, const struct reading *reading)
{
	double lowest = (double)wan_load_relaxed(&source->lowest_step_ppm) / 1e6;
	return wan_load_relaxed(&reading->level->stat_ns) &&
	       (double)reading->usage_bytes < (double)reading->limit_bytes * lowest;
}

static uint32_t read_tree(struct wan_source_cgroup *source, struct wan_cgroup_tree *tree,
			  const struct wan_light *light, uint64_t host_total_bytes,
			  struct wan_level_reading *levels, uint32_t capacity)
{
	uint64_t now_ns = light ? light->now_ns : wan_now_ns();
	uint64_t all_ns = wan_load_relaxed(&source->all_ns);
	bool all = !all_ns || now_ns - all_ns >= ALL_EVERY_NS; /* also when the clock went back */
	struct reading readings[WAN_CGROUP_LEVELS_MAX];
	uint32_t count = 0;
	if (all)
		wan_store_relaxed(&source->all_ns, now_ns);
	for (uint32_t i = 0; i < tree->count && count < capacity; i++) {
		readings[count].level = &tree->levels[i];
		if (!read_level(&readings[count], host_total_bytes, now_ns))
			continue;
		if (all)
			read_swap(readings[count].level, readings[count].usage_bytes);
		count_swap(&readings[count]);
		tell(&readings[count], all, now_ns, &levels[count]);
		count++;
	}
	if (all || !count)
		return count;
	uint32_t two[2] = {0, 0};
	find_tightest(levels, count, two);
	for (int i = 0; i < 2 && (!i || two[1] != two[0]); i++) {
		struct reading *reading = &readings[two[i]];
		uint64_t age_ns = now_ns - wan_load_relaxed(&reading->level->stat_ns);
		bool stands =
			light ? age_ns <= wan_reading_stands_ns(&levels[two[i]], light->line_pct)
			      : below_steps(source, reading);
		if (!stands)
			tell(reading, true, now_ns, &levels[two[i]]);
	}
	return count;
}

int wan_source_cgroup_read(struct wan_source_cgroup *source, const struct wan_light *light,
			   uint64_t host_total_bytes, struct wan_level_reading *levels,
			   uint32_t capacity)
{
	/* Counted in before the tree is taken: who replaces it sees one or the other. */
	wan_add_acq_rel(&source->readers, 1);
	wan_fence_seq_cst();
	struct wan_cgroup_tree *tree = wan_load_acquire(&source->tree); /* pairs with the repair */
	uint32_t count = tree ? read_tree(source, tree, light, host_total_bytes, levels,
					  WAN_MIN(capacity, (uint32_t)WAN_CGROUP_LEVELS_MAX))
			      : 0;
	wan_sub_acq_rel(&source->readers, 1);
	return (int)count;
}

static uint64_t hash_of_self(struct wan_source_cgroup *source)
{
	char text[8192];
	int length = wan_kept_read(&source->self, text, sizeof(text));
	return length > 0 ? wan_hash64(text, (size_t)length, 0) | 1 : 0;
}

int wan_source_cgroup_open(struct wan_source_cgroup *source, const char *root)
{
	*source = (struct wan_source_cgroup){.inotify_fd = -1};
	source->root = wan_strdup(root);
	if (!source->root)
		return -ENOMEM;
	int status = wan_kept_open(&source->self, root, "", "/proc/self/cgroup");
	source->self_hash = status < 0 ? 0 : hash_of_self(source);
	if (!status)
		status = wan_cgroup_tree_open(root, &source->tree);
	if (status == -ENOMEM) {
		wan_source_cgroup_close(source);
		return status;
	}
	source->unknown = status < 0;
	if (status < 0)
		source->self_hash = 0; /* tried again */
	return 0;
}

/* The levels of the groups that this process is in now. */
static void follow_move(struct wan_source_cgroup *source, bool forked)
{
	wan_kept_repair(&source->self, forked);
	uint64_t hash = hash_of_self(source);
	bool absent = !hash && source->self.error == ENOENT;
	if (absent || (hash && hash == source->self_hash && !source->unknown))
		return;
	if (source->retired)
		return; /* somebody still reads the levels of before */
	struct wan_cgroup_tree *tree;
	if (!hash || wan_cgroup_tree_open(source->root, &tree) < 0) {
		source->unknown = true; /* the old levels stand until it can be known */
		return;
	}
	source->retired = wan_load_relaxed(&source->tree);
	wan_store_release(&source->tree, tree); /* pairs with the readers' acquire */
	wan_store_relaxed(&source->all_ns, 0);
	source->self_hash = hash;
	source->unknown = false;
}

static void repair_level(struct wan_cgroup_level *level)
{
	wan_kept_repair(&level->usage, false);
	wan_kept_repair(&level->limit, false);
	wan_kept_repair(&level->stat, false);
	wan_kept_repair(&level->both_usage, false);
	wan_kept_repair(&level->both_limit, false);
	if (level->v2)
		wan_kept_repair(&level->high, false);
}

void wan_source_cgroup_repair(struct wan_source_cgroup *source, bool forked)
{
	if (forked)
		wan_store_relaxed(&source->readers, 0); /* the parent's are not here */
	follow_move(source, forked);
	wan_fence_seq_cst(); /* the store of the tree, then the look at who reads */
	if (source->retired && wan_load_acquire(&source->readers) == 0) {
		wan_cgroup_tree_close(source->retired);
		source->retired = NULL;
	}
	struct wan_cgroup_tree *tree = source->tree;
	for (uint32_t i = 0; tree && i < tree->count; i++)
		repair_level(&tree->levels[i]);
}

bool wan_source_cgroup_trouble(struct wan_source_cgroup *source, char *text, size_t bytes)
{
	static const char *const words[WAN_CGROUP_TROUBLES] = {
		[WAN_CGROUP_LIMIT_UNREADABLE] =
			"its limit cannot be read; what was read last stands, "
			"or the level is passed over",
		[WAN_CGROUP_LIMIT_GARBAGE] =
			"its file holds no limit; what was read last stands, or "
			"the level is passed over",
		[WAN_CGROUP_USAGE_UNREADABLE] = "its usage cannot be read; put together from its "
						"parts, or the level is passed over",
		[WAN_CGROUP_STAT_UNREADABLE] =
			"memory.stat cannot be read; all that is used counts as needed",
		[WAN_CGROUP_NO_EVENTS] = "no events can be had; looked at every memory.interval",
	};
	if (source->unknown && !source->told) {
		source->told = true;
		wan_str_copy(text, bytes, "cgroups: /proc/self/cgroup or mountinfo cannot be read");
		return true;
	}
	struct wan_cgroup_tree *tree = source->tree;
	for (uint32_t i = 0; tree && i < tree->count; i++) {
		struct wan_cgroup_level *level = &tree->levels[i];
		uint32_t news = wan_load_relaxed(&level->trouble) & ~level->told;
		if (!news)
			continue;
		int kind = __builtin_ctz(news);
		level->told |= (uint32_t)1 << kind;
		wan_str_format(text, bytes, "%s: %s", level->name, words[kind]);
		return true;
	}
	return false;
}

void wan_source_cgroup_close(struct wan_source_cgroup *source)
{
	wan_cgroup_tree_close(source->tree);
	wan_cgroup_tree_close(source->retired);
	wan_kept_close(&source->self);
	wan_source_cgroup_unwatch(source);
	wan_free(source->root);
	*source = (struct wan_source_cgroup){.inotify_fd = -1};
}
