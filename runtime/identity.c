/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "atomics.h"
#include "clock.h"
#include "fork.h"
#include "identity_state.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

#define PATHS_DEFAULT 1024
#define BOUND_NS      ((uint64_t)100 * 1000000) /* between two stats: 1 us of 100 ms is nothing */

/* --- life --- */

static struct wan_identity *all; /* list_lock; read by the fork handler */
static struct wan_mutex list_lock = WAN_MUTEX_INITIALIZER(WAN_RANK_IDENTITY);

/* Only one thread lives here; locks may be held by one that does not. The queue is shared with the
 * parent: reading it would take the parent's events. */
static void mark_in_child(void) WAN_NO_ANALYSIS
{
	wan_mutex_init(&list_lock, WAN_RANK_IDENTITY);
	for (struct wan_identity *one = wan_load_acquire(&all); one; one = one->next) {
		wan_mutex_init(&one->lock, WAN_RANK_IDENTITY);
		wan_identity_close(one);
		wan_store_relaxed(&one->forked, 1);
	}
}

static void begin_anew(struct wan_identity *identity)
{
	wan_mutex_lock(&identity->lock);
	if (wan_load_relaxed(&identity->forked)) {
		wan_identity_table_reset(&identity->table, !wan_load_relaxed(&identity->inside));
		wan_store_relaxed(&identity->inside, 0);
		identity->rest_ns = 0;
		wan_store_release(&identity->forked, 0);
	}
	wan_mutex_unlock(&identity->lock);
}

static void unwatch(void *context, int wd)
{
	struct wan_identity *identity = context;
	if (identity->fd >= 0)
		wan_sys->inotify_rm_watch(identity->fd, wd);
}

static uint64_t coarse_now_ns(void)
{
	struct timespec now;
	if (wan_sys->clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0)
		return wan_now_ns();
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int wan_identity_create(const struct wan_identity_options *options,
			struct wan_identity **ret_identity)
{
	struct wan_identity *identity = wan_calloc(1, sizeof(*identity));
	if (!identity)
		return -ENOMEM;
	identity->options = *options;
	if (!identity->options.now_ns)
		identity->options.now_ns = coarse_now_ns;
	identity->fd = -1;
	uint32_t paths = options->paths_max ? options->paths_max : PATHS_DEFAULT;
	int r = wan_identity_table_init(&identity->table, paths, unwatch, identity);
	if (r < 0) {
		wan_free(identity);
		return r;
	}
	wan_mutex_init(&identity->lock, WAN_RANK_IDENTITY);
	static uint32_t hooked;
	uint32_t no = 0;
	if (wan_cas_acq_rel(&hooked, &no, 1))
		(void)wan_fork_on_child(mark_in_child);
	wan_mutex_lock(&list_lock);
	identity->next = all;
	wan_store_release(&all, identity);
	wan_mutex_unlock(&list_lock);
	*ret_identity = identity;
	return 0;
}

void wan_identity_destroy(struct wan_identity *identity)
{
	if (!identity)
		return;
	wan_mutex_lock(&list_lock);
	struct wan_identity **link = &all;
	while (*link != identity)
		link = &(*link)->next;
	wan_store_release(link, identity->next);
	wan_mutex_unlock(&list_lock);
	if (wan_load_relaxed(&identity->forked))
		begin_anew(identity);
	wan_identity_close(identity);
	wan_identity_table_finish(&identity->table);
	wan_mutex_finish(&identity->lock);
	wan_free(identity);
}

void wan_identity_lock(struct wan_identity *identity)
{
	wan_mutex_lock(&identity->lock);
	wan_store_relaxed(&identity->inside, 1);
}

void wan_identity_unlock(struct wan_identity *identity)
{
	wan_store_relaxed(&identity->inside, 0);
	wan_mutex_unlock(&identity->lock);
}

uint64_t wan_identity_now_ns(const struct wan_identity *identity)
{
	return identity->options.now_ns();
}

void wan_identity_tell(struct wan_identity *identity, struct wan_file_keys *gone)
{
	while (gone) {
		struct wan_file_keys *next = gone->next;
		for (uint32_t i = 0; identity->options.gone && i < gone->count; i++)
			identity->options.gone(identity->options.context, gone->keys[i]);
		wan_free(gone);
		gone = next;
	}
}

/* --- looking --- */

static int stat_path(struct wan_identity *identity, const char *path, struct wan_look *look,
		     bool *ret_regular)
{
	struct stat stat;
	uint64_t now_ns = wan_realtime_ns(); /* before: what changes later has a later time */
	if (wan_sys->stat(path, &stat) != 0)
		return -errno;
	wan_add_relaxed(&identity->stats, 1);
	wan_key_stat_words(&stat, look->words);
	look->settled = wan_key_stat_settled(&stat, now_ns);
	*ret_regular = S_ISREG(stat.st_mode);
	return 0;
}

enum found {
	FOUND,
	STALE,  /* known, but must be looked at by a stat */
	NOWHERE /* not known, or something happened on the way */
};

/* When the next stat is due; 0: at each look. */
static uint64_t due_ns(const struct wan_identity *identity, const struct wan_known_path *path)
{
	if (path->step_count > 0)
		return path->checked_ns + BOUND_NS;
	if (identity->options.mode == WAN_IDENTITY_INOTIFY)
		return 0;
	return WAN_MIN(path->checked_ns + BOUND_NS, path->retry_ns);
}

void wan_identity_publish_locked(struct wan_identity *identity, const struct wan_known_path *path)
{
	/* What happened since the steps were taken makes it stale already. */
	uint64_t until_ns = due_ns(identity, path);
	if (until_ns > 0 && wan_path_is_current(&identity->table, path))
		wan_hot_publish(&identity->table.hot, path->name, path->token, path->file,
				until_ns);
}

static enum found find(struct wan_identity *identity, struct wan_key name, bool closely,
		       struct wan_sight *ret_sight)
{
	uint64_t now_ns = wan_identity_now_ns(identity);
	if (!closely &&
	    wan_hot_find(&identity->table.hot, name, now_ns, &ret_sight->token, &ret_sight->file))
		return FOUND;
	enum found found = NOWHERE;
	wan_identity_lock(identity);
	struct wan_known_path *path = wan_path_find(&identity->table, name);
	if (path && wan_path_is_current(&identity->table, path)) {
		bool retry = path->step_count == 0 && now_ns >= path->retry_ns;
		bool due = closely || now_ns >= due_ns(identity, path);
		found = !due ? FOUND : retry ? NOWHERE : STALE;
		*ret_sight = (struct wan_sight){.token = path->token, .file = path->file};
		if (found == FOUND)
			wan_identity_publish_locked(identity, path);
	}
	wan_identity_unlock(identity);
	return found;
}

/* The stat says what is known: good for the next 100 ms. */
static bool confirm(struct wan_identity *identity, struct wan_key name, const struct wan_look *look)
{
	bool confirmed = false;
	wan_identity_lock(identity);
	struct wan_known_path *path = wan_path_find(&identity->table, name);
	if (path && wan_path_is_current(&identity->table, path)) {
		struct wan_known_file *file = &identity->table.files[path->file];
		confirmed = memcmp(file->words, look->words, sizeof(look->words)) == 0 &&
			    !file->modified && (path->step_count > 0 || file->settled);
		if (confirmed) {
			path->checked_ns = wan_identity_now_ns(identity);
			file->settled |= look->settled;
			wan_identity_publish_locked(identity, path);
		}
	}
	wan_identity_unlock(identity);
	return confirmed;
}

static int read_content(struct wan_identity *identity, struct wan_look *look)
{
	uint64_t before[WAN_STAT_WORDS];
	bool regular = false;
	for (unsigned tries = 0; tries < 3; tries++) {
		memcpy(before, look->words, sizeof(before));
		int r = wan_key_hash_file(look->path, &look->content);
		if (r == 0)
			r = stat_path(identity, look->path, look, &regular);
		if (r < 0)
			return r;
		if (memcmp(before, look->words, sizeof(before)) == 0) {
			look->has_content = true;
			return 0;
		}
	}
	return -EAGAIN; /* written to all the time */
}

static int judge(struct wan_identity *identity, struct wan_look *look, struct wan_sight *ret_sight)
{
	struct wan_file_keys *gone = NULL;
	wan_identity_lock(identity);
	int r = wan_identity_judge_locked(identity, look, ret_sight, &gone);
	wan_identity_unlock(identity);
	wan_identity_tell(identity, gone);
	return r;
}

/* What is neither watched nor read: a folder, a pipe. It has no pixels to be cached. */
static void sight_of_other(const struct wan_look *look, struct wan_sight *ret_sight)
{
	ret_sight->token = wan_key_hash(WAN_DOMAIN_PATH, look->words, sizeof(look->words));
	ret_sight->file = WAN_NONE;
}

static bool worth_watching(struct wan_identity *identity, const struct wan_look *look)
{
	uint64_t now_ns = wan_identity_now_ns(identity);
	wan_identity_lock(identity);
	struct wan_known_path *path = wan_path_find(&identity->table, look->name);
	bool worth = !path || path->step_count > 0 || now_ns >= path->retry_ns;
	wan_identity_unlock(identity);
	return worth;
}

static int look_closely(struct wan_identity *identity, struct wan_look *look,
			struct wan_sight *ret_sight)
{
	bool regular = false;
	int r = stat_path(identity, look->path, look, &regular);
	if (r < 0)
		return r;
	if (regular && look->watchable && identity->options.mode != WAN_IDENTITY_STAT &&
	    worth_watching(identity, look) && wan_identity_watch(identity, look) == 0)
		r = stat_path(identity, look->path, look, &regular);
	if (r == 0 && !regular)
		sight_of_other(look, ret_sight);
	if (r == 0 && regular)
		r = judge(identity, look, ret_sight);
	if (r == -EAGAIN) {
		r = read_content(identity, look);
		/* It cannot be told from what it was: so it is something else. */
		look->give_up = r == -EAGAIN || (r < 0 && !identity->options.by_content);
		if (r == 0 || look->give_up)
			r = judge(identity, look, ret_sight);
	}
	if (look->step_count > 0) /* nobody has taken them over */
		wan_identity_unwatch(identity, look);
	return r;
}

static int look_at(struct wan_identity *identity, const char *path, bool closely,
		   struct wan_sight *ret_sight)
{
	if (wan_unlikely(wan_load_acquire(&identity->forked)))
		begin_anew(identity);
	struct wan_look look;
	look.watchable = path[0] == '/' && identity->options.mode != WAN_IDENTITY_STRICT;
	if (wan_identity_pending(identity))
		wan_identity_drain(identity);
	if (wan_likely(look.watchable)) {
		look.name = wan_key_hash(WAN_DOMAIN_PATH, path, strlen(path));
		enum found found = find(identity, look.name, closely, ret_sight);
		if (wan_likely(found == FOUND))
			return 0;
		bool regular = false;
		if (found == STALE &&
		    (wan_load_acquire(&identity->fd) < 0 ||
		     wan_identity_check_descriptor(identity)) &&
		    stat_path(identity, path, &look, &regular) == 0 && regular &&
		    confirm(identity, look.name, &look))
			return 0;
	}
	look.path = path;
	look.has_content = look.give_up = false;
	look.step_count = 0;
	look.events = look.file_events = 0;
	return look_closely(identity, &look, ret_sight);
}

int wan_identity_look(struct wan_identity *identity, const char *path, struct wan_sight *ret_sight)
{
	return look_at(identity, path, false, ret_sight);
}

bool wan_identity_still(struct wan_identity *identity, const char *path,
			const struct wan_sight *sight)
{
	struct wan_sight now;
	return look_at(identity, path, true, &now) == 0 &&
	       now.token.words[0] == sight->token.words[0] &&
	       now.token.words[1] == sight->token.words[1];
}

/* --- what was made of it --- */

static void add_key_locked(struct wan_known_file *file, struct wan_key key)
{
	struct wan_file_keys *keys = file->keys;
	for (uint32_t i = 0; keys && i < keys->count; i++)
		if (keys->keys[i].words[0] == key.words[0] &&
		    keys->keys[i].words[1] == key.words[1])
			return;
	if (!keys || (keys->count == keys->capacity && keys->count < WAN_FILE_KEYS_MAX)) {
		uint32_t capacity = keys ? keys->capacity * 4 : 4;
		struct wan_file_keys *more =
			wan_malloc(sizeof(*more) + capacity * sizeof(more->keys[0]));
		if (!more)
			return; /* its value ages out */
		*more = (struct wan_file_keys){.capacity = capacity};
		if (keys) {
			more->count = keys->count;
			memcpy(more->keys, keys->keys, keys->count * sizeof(keys->keys[0]));
			wan_free(keys);
		}
		file->keys = keys = more;
	}
	if (keys->count < keys->capacity)
		keys->keys[keys->count++] = key;
	else
		keys->keys[keys->replace++ % keys->capacity] = key;
}

void wan_identity_note(struct wan_identity *identity, const struct wan_sight *sight,
		       struct wan_key key)
{
	/* By content a value is right whatever becomes of this file. */
	if (sight->file == WAN_NONE || identity->options.by_content)
		return;
	wan_identity_lock(identity);
	struct wan_known_file *file = &identity->table.files[sight->file];
	if (file->taken && file->token.words[0] == sight->token.words[0] &&
	    file->token.words[1] == sight->token.words[1])
		add_key_locked(file, key);
	wan_identity_unlock(identity);
}

void wan_identity_stats(struct wan_identity *identity, struct wan_identity_stats *ret_stats)
{
	wan_identity_lock(identity);
	const struct wan_identity_table *table = &identity->table;
	enum wan_identity_mode mode = identity->options.mode;
	*ret_stats = (struct wan_identity_stats){
		.mode = mode,
		.by_content = identity->options.by_content,
		.watching = identity->fd >= 0,
		.watches = table->watch_count,
		.stats = wan_load_relaxed(&identity->stats),
		.events = identity->events,
		.overflows = identity->overflows,
		.changes = identity->changes,
	};
	for (uint32_t i = 0; i < table->path_max; i++) {
		ret_stats->watched_paths += table->paths[i].taken && table->paths[i].step_count;
		ret_stats->unwatched_paths += table->paths[i].taken && !table->paths[i].step_count;
	}
	bool bounded = mode == WAN_IDENTITY_STAT ||
		       (mode == WAN_IDENTITY_AUTO && ret_stats->unwatched_paths > 0);
	ret_stats->bound_ns = bounded ? BOUND_NS : 0;
	wan_str_copy(ret_stats->reason, sizeof(ret_stats->reason), identity->reason);
	wan_identity_unlock(identity);
}
