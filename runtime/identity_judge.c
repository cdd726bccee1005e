/* SPDX-License-Identifier: MIT */
/*
 * The rule by which a file counts as changed. Every change moves its time of change, in steps of a
 * clock tick; so words seen longer than a tick after them name one content for ever ("settled"),
 * and generation 0 says so. Words seen earlier get a generation of their own, which is kept as long
 * as a watch, or a comparison of the bytes, says that nothing was written since.
 */
#include <errno.h>
#include <string.h>

#include "identity_state.h"

/* Larger files are not written within one tick, read back and compared for it. */
#define COMPARE_MAX ((uint64_t)64 * 1024 * 1024)

static bool same_key(struct wan_key a, struct wan_key b)
{
	return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

enum verdict {
	SAME,
	CHANGED,
	UNKNOWN, /* the bytes must be compared */
};

static enum verdict judge(const struct wan_identity *identity, const struct wan_look *look,
			  const struct wan_known_file *file)
{
	static const struct wan_key never;
	bool judged = !same_key(file->token, never);
	bool same_words = judged && memcmp(file->words, look->words, sizeof(look->words)) == 0;
	/* Watched all the time since the words were read. */
	bool told = file->watch != WAN_NONE &&
		    (look->step_count == 0 || look->steps[look->step_count - 1] == file->watch);
	if (same_words && !file->modified && (told || file->settled))
		return SAME;
	if (look->give_up)
		return CHANGED;
	bool by_content = identity->options.by_content;
	/* Without a watch the bytes have to be kept in mind; where they are, they can tell. */
	bool compare = (look->step_count == 0 && !look->settled && look->words[2] <= COMPARE_MAX) ||
		       (same_words && file->has_content);
	if (!look->has_content && (by_content || compare))
		return UNKNOWN;
	bool same_bytes =
		look->has_content && file->has_content && same_key(look->content, file->content);
	if (judged && same_bytes && (by_content || (same_words && !file->modified)))
		return SAME;
	return CHANGED;
}

static void change(struct wan_identity *identity, const struct wan_look *look,
		   struct wan_known_file *file, struct wan_file_keys **gone)
{
	bool same_words = memcmp(file->words, look->words, sizeof(look->words)) == 0;
	bool named_by_words = look->settled && !look->give_up && !same_words;
	file->generation = named_by_words ? 0 : ++identity->table.generation;
	file->has_content = false;
	if (identity->options.by_content && look->has_content) {
		file->token = wan_key_hash(WAN_DOMAIN_STAGE, &look->content, sizeof(look->content));
	} else {
		uint64_t named[WAN_STAT_WORDS + 1];
		memcpy(named, look->words, sizeof(look->words));
		named[WAN_STAT_WORDS] = file->generation;
		file->token = wan_key_hash(WAN_DOMAIN_STAGE, named, sizeof(named));
	}
	identity->changes++;
	if (file->keys) {
		file->keys->next = *gone;
		*gone = file->keys;
		file->keys = NULL;
	}
}

static void link_watch(struct wan_identity *identity, uint32_t at, uint32_t watch)
{
	struct wan_identity_table *table = &identity->table;
	struct wan_known_file *file = &table->files[at];
	if (file->watch == watch)
		return;
	if (file->watch != WAN_NONE)
		table->watches[file->watch].file = WAN_NONE;
	if (table->watches[watch].file != WAN_NONE)
		table->files[table->watches[watch].file].watch = WAN_NONE;
	file->watch = watch;
	table->watches[watch].file = at;
}

static void remember_path(struct wan_identity *identity, struct wan_look *look, uint32_t at)
	WAN_REQUIRES(&identity->lock)
{
	enum { RETRY_NS = 2000000000 }; /* between two attempts to watch what could not be */
	struct wan_identity_table *table = &identity->table;
	struct wan_known_path *path = wan_path_find(table, look->name);
	if (!path)
		path = wan_path_take(table, look->name);
	wan_path_set_steps(table, path, look->steps, look->step_count);
	wan_path_set_file(table, path, at);
	path->token = table->files[at].token;
	path->events = look->step_count ? look->events : table->epoch;
	path->checked_ns = wan_identity_now_ns(identity);
	if (look->step_count == 0 && path->checked_ns >= path->retry_ns)
		path->retry_ns = path->checked_ns + RETRY_NS;
	look->step_count = 0; /* the path holds them now */
	wan_identity_publish_locked(identity, path);
}

int wan_identity_judge_locked(struct wan_identity *identity, struct wan_look *look,
			      struct wan_sight *ret_sight, struct wan_file_keys **gone)
{
	struct wan_identity_table *table = &identity->table;
	uint32_t at = wan_file_for(table, look->words[0], look->words[1]);
	if (at == WAN_NONE)
		return -ENOMEM;
	struct wan_known_file *file = &table->files[at];
	enum verdict verdict = judge(identity, look, file);
	if (verdict == UNKNOWN)
		return -EAGAIN;
	if (verdict == CHANGED)
		change(identity, look, file, gone);
	memcpy(file->words, look->words, sizeof(look->words));
	if (look->has_content) {
		file->content = look->content;
		file->has_content = true;
	}
	file->settled = look->settled && !look->give_up;
	file->modified = false;
	if (look->step_count > 0) {
		uint32_t watch = look->steps[look->step_count - 1];
		link_watch(identity, at, watch);
		/* Written to between the taking of its watch and now: before or after the stat? */
		file->modified = table->watches[watch].events + table->epoch != look->file_events;
	}
	if (look->watchable)
		remember_path(identity, look, at);
	*ret_sight = (struct wan_sight){.token = file->token, .file = at};
	return 0;
}
