/* SPDX-License-Identifier: MIT */
/* A folder with files that change, and what stands for a cache. */
#ifndef WAN_TESTS_RUNTIME_FILES_H
#define WAN_TESTS_RUNTIME_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "identity.h"
#include "tap.h"

static char folder[64]; /* of this program, below /tmp */

/* Each name has its text for good. */
static inline const char *in_folder(const char *name)
{
	static char paths[1024][128];
	static unsigned count;
	char path[128];
	snprintf(path, sizeof(path), "%.63s/%.63s", folder, name);
	for (unsigned i = 0; i < count; i++)
		if (strcmp(paths[i], path) == 0)
			return paths[i];
	if (count == 1024)
		abort();
	return strcpy(paths[count++], path);
}

static inline void shell(const char *command)
{
	char text[512];
	snprintf(text, sizeof(text), "cd %s && %s", folder, command);
	if (system(text) != 0)
		abort();
}

static inline void write_file(const char *path, int flags, uint32_t content)
{
	int fd = open(path, O_WRONLY | flags, 0644);
	if (fd < 0 || write(fd, &content, sizeof(content)) != sizeof(content))
		abort();
	close(fd);
}

static inline uint32_t read_file(const char *path)
{
	uint32_t content = 0;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &content, sizeof(content)) != sizeof(content))
		abort();
	close(fd);
	return content;
}

static uint64_t fake_now_ns = 1000000000;
static inline uint64_t fake_now(void)
{
	return fake_now_ns;
}

static unsigned gone_count;
static struct wan_key gone_key;
static inline void count_gone(void *context, struct wan_key key)
{
	gone_count++;
	gone_key = key;
}

static inline struct wan_identity *make(enum wan_identity_mode mode, bool by_content)
{
	const struct wan_identity_options options = {
		.mode = mode, .by_content = by_content, .gone = count_gone, .now_ns = fake_now};
	struct wan_identity *identity = NULL;
	if (wan_identity_create(&options, &identity) < 0)
		abort();
	gone_count = 0;
	return identity;
}

static inline struct wan_identity_stats stats_of(struct wan_identity *identity)
{
	struct wan_identity_stats stats;
	wan_identity_stats(identity, &stats);
	return stats;
}

static inline bool same(struct wan_key a, struct wan_key b)
{
	return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

static inline struct wan_key look(struct wan_identity *identity, const char *path)
{
	struct wan_sight sight = {0};
	int r = wan_identity_look(identity, path, &sight);
	if (r < 0)
		printf("# %s: %s\n", path, strerror(-r));
	return sight.token;
}

static inline bool watching_works(void)
{
	struct wan_identity *identity = make(WAN_IDENTITY_INOTIFY, false);
	write_file(in_folder("probe"), O_CREAT, 1);
	look(identity, in_folder("probe"));
	bool works = stats_of(identity).watched_paths == 1;
	if (!works)
		printf("# not watched: %s\n", stats_of(identity).reason);
	wan_identity_destroy(identity);
	return works;
}

/* --- what stands for a cache: which content was decoded under which token --- */

static struct {
	struct wan_key token;
	uint32_t content;
} decoded[8192];
static unsigned decoded_count, decodes;

/* True: the cache would have given other bytes than the file has. */
static inline bool is_stale(struct wan_key token, uint32_t content)
{
	for (unsigned i = decoded_count; i-- > 0;)
		if (same(decoded[i].token, token))
			return decoded[i].content != content;
	decodes++;
	decoded[decoded_count].token = token;
	decoded[decoded_count++].content = content;
	return false;
}

static const char path_text[] = "way/pictures/start.png";

static inline void set_up_way(void)
{
	shell("rm -rf way way2 spare && mkdir -p way/pictures spare");
	write_file(in_folder(path_text), O_CREAT, 0);
}

static inline void restore_times(const char *path, const struct stat *before)
{
	const struct timespec times[2] = {before->st_atim, before->st_mtim};
	if (utimensat(AT_FDCWD, path, times, 0) != 0)
		abort();
}

static inline void replace(const char *path, uint32_t content, bool older)
{
	const char *spare = in_folder("spare/new");
	write_file(spare, O_CREAT | O_TRUNC, content);
	const struct timespec old[2] = {{1000000000, 0}, {1000000000 + content % 2, 0}};
	if ((older && utimensat(AT_FDCWD, spare, old, 0) != 0) || rename(spare, path) != 0)
		abort();
}

static inline void replace_folder(uint32_t content)
{
	const char *other = in_folder("way2");
	if (mkdir(other, 0755) != 0)
		abort();
	write_file(in_folder("way2/start.png"), O_CREAT, content);
	static unsigned number;
	char old[128];
	snprintf(old, sizeof(old), "%.60s/spare/old%d-%u", folder, (int)getpid(), number++);
	if (rename(in_folder("way/pictures"), old) != 0 ||
	    rename(other, in_folder("way/pictures")) != 0)
		abort();
}

static inline void switch_link(const char *path, uint32_t content)
{
	char target[64];
	snprintf(target, sizeof(target), "../../spare/target%u", content % 2);
	char full[256];
	snprintf(full, sizeof(full), "%s/way/pictures/%s", folder, target);
	write_file(full, O_CREAT | O_TRUNC, content);
	unlink(in_folder("spare/link"));
	if (symlink(target, in_folder("spare/link")) != 0 ||
	    rename(in_folder("spare/link"), path) != 0)
		abort();
}

static inline void write_by_other_name(const char *path, uint32_t content)
{
	unlink(in_folder("spare/hard"));
	if (linkat(AT_FDCWD, path, AT_FDCWD, in_folder("spare/hard"), AT_SYMLINK_FOLLOW) != 0)
		abort();
	write_file(in_folder("spare/hard"), 0, content);
}

enum { REWRITES = 9 };

static inline void rewrite(const char *path, unsigned kind, uint32_t content)
{
	struct stat before;
	stat(path, &before);
	switch (kind) {
	case 0:
		write_file(path, 0, content); /* in place, the same size */
		break;
	case 1:
		write_file(path, O_TRUNC, content);
		break;
	case 2:
		replace(path, content, false);
		break;
	case 3:
		replace(path, content, true); /* by an older one */
		break;
	case 4:
		write_file(path, 0, content);
		restore_times(path, &before);
		break;
	case 5:
		switch_link(path, content);
		break;
	case 6:
		write_by_other_name(path, content);
		break;
	case 7:
		replace_folder(content);
		break;
	default:
		unlink(path);
		write_file(path, O_CREAT | O_EXCL, content);
	}
}

/* Returns the number of stale answers. */
static inline unsigned rewrite_often(struct wan_identity *identity, const char *path,
				     unsigned times)
{
	unsigned stale = 0;
	decoded_count = decodes = 0;
	is_stale(look(identity, path), read_file(path));
	for (uint32_t content = 1; content <= times; content++) {
		unsigned kind = content % REWRITES;
		rewrite(path, kind, content);
		for (int again = 0; again < 2; again++) {
			if (!is_stale(look(identity, path), content))
				continue;
			stale++;
			if (stale < 5)
				printf("# stale after rewrite %u of kind %u\n", content, kind);
		}
	}
	return stale;
}

/* Runs the tests in a folder of their own. */
static inline int files_main(int argc, char **argv)
{
	snprintf(folder, sizeof(folder), "/tmp/wan-identity-%d", (int)getpid());
	if (mkdir(folder, 0755) != 0)
		return 1;
	int r = tap_main(argc, argv);
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? r : 1;
}

#endif
