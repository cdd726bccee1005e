/* SPDX-License-Identifier: MIT */
#include <sys/wait.h>

#include "files.h"
#include "identity_state.h"

TEST(names_of_one_file_share_a_token)
{
	set_up_way();
	shell("cd way/pictures && ln start.png hard.png && ln -s start.png soft.png");
	for (int mode = WAN_IDENTITY_AUTO; mode <= WAN_IDENTITY_STRICT; mode++) {
		struct wan_identity *identity = make((enum wan_identity_mode)mode, false);
		struct wan_key token = look(identity, in_folder(path_text));
		CHECK(same(token, look(identity, in_folder("way/pictures/hard.png"))));
		CHECK(same(token, look(identity, in_folder("way/pictures/soft.png"))));
		CHECK(same(token, look(identity, in_folder("way/../way//pictures/./start.png"))));
		wan_identity_destroy(identity);
	}
}

TEST(a_relative_path_is_what_it_names_not_its_text)
{
	shell("rm -rf a b && mkdir a b");
	write_file(in_folder("a/x"), O_CREAT, 1);
	write_file(in_folder("b/x"), O_CREAT, 2);
	char before[4096];
	REQUIRE(getcwd(before, sizeof(before)) != NULL);
	struct wan_identity *identity = make(WAN_IDENTITY_AUTO, false);
	REQUIRE_EQ(chdir(in_folder("a")), 0);
	struct wan_key a = look(identity, "x");
	REQUIRE_EQ(chdir(in_folder("b")), 0);
	CHECK(!same(a, look(identity, "x")));
	CHECK(same(a, look(identity, "../a/x")));
	CHECK(same(a, look(identity, in_folder("a/x"))));
	wan_identity_destroy(identity);
	REQUIRE_EQ(chdir(before), 0);
}

TEST(keys_of_a_changed_file_are_told)
{
	set_up_way();
	const char *path = in_folder(path_text);
	for (int mode = WAN_IDENTITY_AUTO; mode <= WAN_IDENTITY_STRICT; mode++) {
		struct wan_identity *identity = make((enum wan_identity_mode)mode, false);
		struct wan_sight sight;
		REQUIRE_EQ(wan_identity_look(identity, path, &sight), 0);
		for (uint64_t i = 0; i < 200; i++)
			wan_identity_note(identity, &sight, (struct wan_key){{i % 100, 7}});
		CHECK_EQ(gone_count, 0);
		write_file(path, 0, (uint32_t)mode + 100);
		fake_now_ns += 200000000;
		look(identity, path);
		CHECK_EQ(gone_count, WAN_FILE_KEYS_MAX);
		CHECK_EQ(gone_key.words[1], 7);
		wan_identity_note(identity, &sight, (struct wan_key){{1, 1}}); /* too late */
		write_file(path, 0, (uint32_t)mode + 200);
		fake_now_ns += 200000000;
		look(identity, path);
		CHECK_EQ(gone_count, WAN_FILE_KEYS_MAX);
		wan_identity_destroy(identity);
	}
}

TEST(what_is_not_there_is_an_error_and_not_remembered)
{
	set_up_way();
	for (int mode = WAN_IDENTITY_AUTO; mode <= WAN_IDENTITY_STRICT; mode++) {
		struct wan_identity *identity = make((enum wan_identity_mode)mode, false);
		struct wan_sight sight;
		CHECK_EQ(wan_identity_look(identity, in_folder("way/none"), &sight), -ENOENT);
		CHECK_EQ(wan_identity_look(identity, in_folder("way/pictures/start.png/x"), &sight),
			 -ENOTDIR);
		CHECK_EQ(wan_identity_look(identity, "", &sight), -ENOENT);
		write_file(in_folder("way/none"), O_CREAT, 1);
		CHECK_EQ(wan_identity_look(identity, in_folder("way/none"), &sight), 0);
		unlink(in_folder("way/none"));
		fake_now_ns += 200000000;
		CHECK_EQ(wan_identity_look(identity, in_folder("way/none"), &sight), -ENOENT);
		CHECK_EQ(wan_identity_look(identity, folder, &sight), 0); /* a folder: no matter */
		CHECK_EQ(wan_identity_look(identity, "/dev/null", &sight), 0);
		wan_identity_destroy(identity);
	}
}

TEST(names_of_any_bytes_and_length_are_fine)
{
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_AUTO, false);
	const char *odd = in_folder("way/\xff\xfe\x01\n");
	write_file(odd, O_CREAT, 1);
	struct wan_key token = look(identity, odd);
	write_file(odd, 0, 2);
	CHECK(!same(token, look(identity, odd)));
	/* 4095 bytes are the longest the kernel takes; many folders are more than we watch */
	char longest[4300];
	snprintf(longest, sizeof(longest), "%s/", folder);
	while (strlen(longest) < 3900) {
		char name[202];
		memset(name, 'n', 200);
		strcpy(name + 200, "/");
		strcat(longest, name);
		REQUIRE_EQ(mkdir(longest, 0755), 0);
	}
	size_t length = strlen(longest);
	memset(longest + length, 'f', 4095 - length);
	longest[4095] = '\0';
	write_file(longest, O_CREAT, 1);
	token = look(identity, longest);
	write_file(longest, 0, 2);
	fake_now_ns += 200000000;
	CHECK(!same(token, look(identity, longest)));
	strcat(longest, "f");
	struct wan_sight sight;
	CHECK_EQ(wan_identity_look(identity, longest, &sight), -ENAMETOOLONG);
	char deep[4096];
	snprintf(deep, sizeof(deep), "%s", folder);
	for (int i = 0; i < 40; i++) {
		strcat(deep, "/d");
		REQUIRE_EQ(mkdir(deep, 0755), 0);
	}
	strcat(deep, "/x");
	write_file(deep, O_CREAT, 1);
	token = look(identity, deep);
	write_file(deep, 0, 2);
	fake_now_ns += 200000000;
	CHECK(!same(token, look(identity, deep)));
	CHECK(stats_of(identity).unwatched_paths >= 1);
	CHECK_EQ(stats_of(identity).bound_ns, 100000000);
	CHECK(stats_of(identity).reason[0] != '\0');
	wan_identity_destroy(identity);
	shell("rm -rf d n*");
}

TEST(many_paths_are_held_within_bounds)
{
	set_up_way();
	const struct wan_identity_options options = {.paths_max = 8, .now_ns = fake_now};
	struct wan_identity *identity = NULL;
	REQUIRE_EQ(wan_identity_create(&options, &identity), 0);
	struct wan_key tokens[50];
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 50; i++) {
			char name[64];
			snprintf(name, sizeof(name), "way/many%u", i);
			if (round == 0)
				write_file(in_folder(name), O_CREAT, i);
			struct wan_key token = look(identity, in_folder(name));
			if (round == 1 && i >= 42) {
				nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
				write_file(in_folder(name), 0, i + 1000);
				CHECK(!same(token, look(identity, in_folder(name))));
			}
			tokens[i] = token;
		}
	}
	CHECK(!same(tokens[0], tokens[1]));
	struct wan_identity_stats stats = stats_of(identity);
	CHECK(stats.watched_paths + stats.unwatched_paths <= 8);
	CHECK(stats.watches <= 8 + WAN_PATH_STEPS_MAX);
	wan_identity_destroy(identity);
	shell("rm -f way/many*");
}

TEST(a_forked_child_has_a_queue_of_its_own)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_INOTIFY, false);
	const char *path = in_folder(path_text);
	struct wan_key token = look(identity, path);
	fflush(stdout);
	int shared_fd = identity->fd;
	pid_t pid = fork();
	if (pid == 0) {
		CHECK_EQ(fcntl(shared_fd, F_GETFD), -1);
		CHECK_EQ(rewrite_often(identity, path, 45), 0);
		wan_identity_destroy(identity);
		_exit(0);
	}
	int status = -1;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK(!same(token, look(identity, path))); /* the child took no event of ours */
	CHECK_EQ(rewrite_often(identity, path, 45), 0);
	wan_identity_destroy(identity);
}

TEST(permission_that_is_lost_shows)
{
	set_up_way();
	shell("chmod 755 . && chmod -R a+rX way");
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		int pipes[2];
		if (pipe(pipes) != 0)
			_exit(3);
		struct wan_identity *identity = make(WAN_IDENTITY_AUTO, false);
		pid_t owner = getpid();
		(void)owner;
		if (setegid(65534) != 0 || seteuid(65534) != 0)
			_exit(77);
		const char *path = in_folder(path_text);
		struct wan_sight sight;
		bool fine = wan_identity_look(identity, path, &sight) == 0;
		if (seteuid(0) != 0 || chmod(in_folder("way"), 0700) != 0 || seteuid(65534) != 0)
			_exit(77);
		fine = fine && wan_identity_look(identity, path, &sight) == -EACCES;
		if (seteuid(0) != 0 || chmod(in_folder("way"), 0755) != 0 || seteuid(65534) != 0)
			_exit(77);
		fine = fine && wan_identity_look(identity, path, &sight) == 0;
		struct wan_key before = sight.token;
		if (seteuid(0) != 0 || chmod(path, 0600) != 0 || seteuid(65534) != 0)
			_exit(77);
		/* another token: what was decoded is not given to who may not read any more */
		fine = fine && wan_identity_look(identity, path, &sight) == 0 &&
		       !same(before, sight.token);
		wan_identity_destroy(identity);
		_exit(fine ? 0 : 1);
	}
	int status = -1;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		SKIP("must run as root to become somebody else");
	CHECK_EQ(status, 0);
}

static struct wan_identity *shared;

static void *look_often(void *context)
{
	struct wan_sight sight;
	for (int i = 0; i < 3000; i++)
		if (wan_identity_look(shared, context, &sight) == 0 && i % 7 == 0)
			wan_identity_note(shared, &sight, (struct wan_key){{(uint64_t)i, 1}});
	return NULL;
}

TEST(threads_may_look_while_files_change)
{
	set_up_way();
	const struct wan_identity_options options = {.mode = WAN_IDENTITY_INOTIFY, .paths_max = 4};
	REQUIRE_EQ(wan_identity_create(&options, &shared), 0);
	char names[8][64], paths[8][256];
	pthread_t threads[8];
	for (uint32_t i = 0; i < 8; i++) {
		snprintf(names[i], sizeof(names[0]), "way/pictures/%u", i);
		snprintf(paths[i], sizeof(paths[0]), "%.127s", in_folder(names[i]));
		write_file(paths[i], O_CREAT, i);
	}
	for (uint32_t i = 0; i < 8; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, look_often, paths[i % 6]), 0);
	for (uint32_t i = 0; i < 300; i++)
		replace(paths[i % 6], i, false);
	for (uint32_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(rewrite_often(shared, in_folder(path_text), 90), 0);
	wan_identity_destroy(shared);
}

int main(int argc, char **argv)
{
	return files_main(argc, argv);
}
