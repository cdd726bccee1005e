/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <signal.h>

#include "find.h"

static char newest[4096];

TEST(the_newest_recording_with_content_is_found)
{
	struct wan_recorder *recorder;
	mkdir(support_path("wanrt"), 0700);
	CHECK_EQ(wan_recording_newest(NULL, newest, sizeof(newest)), -ENOENT);
	const char *names[3] = {"wanrt/a.wprof", "wanrt/b.wprof", "wanrt/c.wprof"};
	for (unsigned i = 0; i < 3; i++) {
		REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED,
					       support_path(names[i]), &recorder),
			   0);
		if (i < 2)
			support_append(recorder, 0, 1); /* the last one stays empty */
		wan_recorder_destroy(recorder);
	}
	utimensat(AT_FDCWD, support_path(names[0]), NULL, 0); /* touched, not newer */
	REQUIRE_EQ(wan_recording_newest(NULL, newest, sizeof(newest)), 0);
	CHECK_STR(newest, support_path(names[1]));
	CHECK_EQ(wan_recording_newest(support_folder, newest, sizeof(newest)), -ENOENT);
	CHECK_EQ(wan_recording_newest(support_path("no-folder"), newest, sizeof(newest)), -ENOENT);
	CHECK_EQ(wan_recording_newest(NULL, newest, 5), -ENAMETOOLONG);

	/* A family counts as a whole, by a link too. */
	mkdir(support_path("elsewhere"), 0700);
	REQUIRE_EQ(wan_recorder_create(support_config(256), WAN_ROLE_LINKED,
				       support_path("elsewhere/x-1-1.wprof"), &recorder),
		   0);
	support_append(recorder, 0, 1);
	wan_recorder_destroy(recorder);
	REQUIRE_EQ(symlink(support_path("elsewhere"), support_path("wanrt/run-1-1.wprof")), 0);
	REQUIRE_EQ(wan_recording_newest(NULL, newest, sizeof(newest)), 0);
	CHECK_STR(newest, support_path("wanrt/run-1-1.wprof"));
}

/* A child that records and waits; its end of the pipe closes when it may be looked at. */
static pid_t start_recording(uint64_t operations, const char *configured, int *ret_pipe)
{
	int pipes[2];
	char byte;
	if (pipe(pipes) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		struct wan_config *config = support_config(1000);
		snprintf(config->record_path, sizeof(config->record_path), "%s", configured);
		struct wan_recorder *recorder = wan_recorder_process(config, WAN_ROLE_LINKED, true);
		if (!recorder || !support_append(recorder, 0, operations))
			_exit(1);
		if (write(pipes[1], "x", 1) != 1)
			_exit(2);
		for (;;)
			pause();
	}
	close(pipes[1]);
	*ret_pipe = pipes[0];
	return read(pipes[0], &byte, 1) == 1 ? child : -1;
}

static void stop(pid_t child, int pipe_end)
{
	kill(child, SIGKILL);
	support_wait(child);
	close(pipe_end);
}

TEST(a_process_is_found_alive_and_dead)
{
	int pipe_end;
	struct wan_recording *recording;
	struct wan_error error = {0};
	pid_t child = start_recording(42, "", &pipe_end);
	REQUIRE(child > 0);
	REQUIRE_EQ(wan_recording_attach((uint32_t)child, &recording, &error), 0);
	CHECK_EQ(wan_recording_process_count(recording), 1);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, 42);
	CHECK(wan_recording_process(recording, 0)->live);
	wan_recording_close(recording);
	stop(child, pipe_end);
	REQUIRE_EQ(wan_recording_attach((uint32_t)child, &recording, &error), 0);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, 42);
	CHECK(!wan_recording_process(recording, 0)->live);
	CHECK_EQ(wan_recording_process(recording, 0)->state, WAN_RUN_UNKNOWN);
	wan_recording_close(recording);
}

TEST(the_configured_place_is_searched_too)
{
	int pipe_end;
	struct wan_recording *recording;
	char folder[256];
	snprintf(folder, sizeof(folder), "%s", support_path("placed/"));
	setenv("WAN_RECORD_PATH", folder, 1);
	pid_t child = start_recording(7, folder, &pipe_end);
	REQUIRE(child > 0);
	REQUIRE_EQ(wan_recording_attach((uint32_t)child, &recording, NULL), 0);
	CHECK_EQ(wan_recording_process(recording, 0)->total_operations, 7);
	CHECK(strstr(wan_recording_process(recording, 0)->source, "/placed/") != NULL);
	wan_recording_close(recording);
	stop(child, pipe_end);
	unsetenv("WAN_RECORD_PATH");
}

TEST(the_other_processes_of_a_run_come_along)
{
	struct wan_recorder *recorder;
	struct wan_config *config = support_config(256);
	struct wan_recording *recording;
	mkdir(support_path("wanrt/together.d"), 0700);
	snprintf(config->record_run_id, sizeof(config->record_run_id), "one run");
	REQUIRE_EQ(wan_recorder_create(config, WAN_ROLE_PARENT,
				       support_path("wanrt/together.d/p-1-1.wprof"), &recorder),
		   0);
	support_append(recorder, 0, 1);
	wan_recorder_header(recorder)->pid = 4190003;
	wan_recorder_destroy(recorder);
	REQUIRE_EQ(wan_recorder_create(config, WAN_ROLE_PRELOADED,
				       support_path("wanrt/together.d/q-2-2.wprof"), &recorder),
		   0);
	support_append(recorder, 0, 2);
	wan_recorder_destroy(recorder);
	snprintf(config->record_run_id, sizeof(config->record_run_id), "another run");
	REQUIRE_EQ(wan_recorder_create(config, WAN_ROLE_PRELOADED,
				       support_path("wanrt/together.d/r-3-3.wprof"), &recorder),
		   0);
	support_append(recorder, 0, 3);
	wan_recorder_destroy(recorder);
	REQUIRE_EQ(wan_recording_attach(4190003, &recording, NULL), 0);
	CHECK_EQ(wan_recording_process_count(recording), 2);
	CHECK_EQ(wan_recording_process(recording, 0)->header.pid, 4190003);
	wan_recording_close(recording);
}

TEST(an_unknown_process_is_told_in_a_sentence)
{
	struct wan_recording *recording;
	struct wan_error error = {0};
	CHECK_EQ(wan_recording_attach(4190002, &recording, &error), -ENOENT);
	CHECK_STR(error.object, "process 4190002");
	CHECK(strstr(error.reason, "no such process") != NULL);
	CHECK_EQ(wan_recording_attach(1, &recording, &error), -ENOENT);
	CHECK(strstr(error.reason, "records nothing") != NULL);
	CHECK(strstr(error.hint, "wanprof run") != NULL);
	CHECK_EQ(wan_recording_attach(0, &recording, &error), -EINVAL);
}

TAP_MAIN
