/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "recorder.h"

static struct wan_recorder *make(const char *path, struct wan_config *config)
{
	struct wan_recorder *recorder = NULL;
	return wan_recorder_create(config, WAN_ROLE_LINKED, path, &recorder) == 0 ? recorder : NULL;
}

TEST(identity_names_the_process_and_its_job)
{
	struct wan_config *config = support_config(1000);
	snprintf(config->record_job, sizeof(config->record_job), "nightly clip");
	snprintf(config->record_run_id, sizeof(config->record_run_id),
		 "00112233445566778899aabbccddeeff");
	config->record_estimate_ns = 5000000000;
	const char *path = support_path("identity.wprof");
	struct wan_recorder *recorder = make(path, config);
	REQUIRE(recorder != NULL);
	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	const struct wan_record_header *header = &process->header;
	static const uint8_t run_id[16] = {0,    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	CHECK_EQ(header->pid, getpid());
	CHECK_EQ(header->parent_pid, getppid());
	CHECK(header->pid_start_ticks > 0);
	CHECK_EQ(header->role, WAN_ROLE_LINKED);
	CHECK_STR(header->job, "nightly clip");
	CHECK_EQ(header->estimate_ns, 5000000000);
	CHECK_MEM(header->run_id, run_id, 16);
	CHECK(strstr(header->program, "record-header") != NULL);
	CHECK(strstr(header->command, "record-header") != NULL);
	CHECK_EQ(header->cpus, sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(header->cpus_usable > 0 && header->cpus_usable <= header->cpus);
	CHECK(header->memory_bytes >= (uint64_t)sysconf(_SC_AVPHYS_PAGES) * 4096);
	CHECK(strncmp(header->kernel, "Linux ", 6) == 0);
	CHECK(process->live);
	CHECK_EQ(process->state, WAN_RUN_RUNNING);
	CHECK_STR(process->source, path);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(runs_without_an_id_get_different_ones)
{
	struct wan_recorder *one = make(NULL, support_config(256));
	struct wan_recorder *two = make(NULL, support_config(256));
	REQUIRE(one && two);
	CHECK(memcmp(wan_recorder_header(one)->run_id, wan_recorder_header(two)->run_id, 16) != 0);
	wan_recorder_destroy(one);
	wan_recorder_destroy(two);
	struct wan_config *config = support_config(256);
	snprintf(config->record_run_id, sizeof(config->record_run_id), "any text names a run");
	one = make(NULL, config);
	two = make(NULL, config);
	REQUIRE(one && two);
	CHECK_MEM(wan_recorder_header(one)->run_id, wan_recorder_header(two)->run_id, 16);
	wan_recorder_destroy(one);
	wan_recorder_destroy(two);
}

TEST(the_outcome_is_kept)
{
	const char *path = support_path("outcome.wprof");
	struct wan_recorder *recorder = make(path, support_config(256));
	REQUIRE(recorder != NULL);
	wan_recorder_set_outcome(recorder, WAN_RUN_SIGNALLED, 0, 11);
	wan_recorder_set_outcome(NULL, WAN_RUN_EXITED, 0, 0);
	wan_recorder_destroy(recorder); /* does not change what was said */
	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK_EQ(process->state, WAN_RUN_SIGNALLED);
	CHECK_EQ(process->header.signal, 11);
	CHECK_NEAR((double)process->header.end_realtime_ns, (double)wan_realtime_ns(), 2e9);
	CHECK(!process->live);
	wan_recording_close(recording);
}

TEST(a_full_list_of_anchors_keeps_the_first_and_the_latest)
{
	const char *path = support_path("anchors.wprof");
	struct wan_recorder *recorder = make(path, support_config(256));
	REQUIRE(recorder != NULL);
	uint64_t begin_ns = wan_now_ns();
	wan_recorder_anchor(recorder); /* at most one a second */
	CHECK_EQ(recorder->anchor_sequence, 1);
	for (unsigned i = 0; i < 200; i++)
		wan_header_anchor(recorder, 0);
	CHECK_EQ(recorder->anchor_sequence, 201);
	support_append(recorder, 0, 1);
	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK_EQ(process->damage_count, 0);
	CHECK(process->start_ns <= begin_ns);
	CHECK(process->end_ns >= process->start_ns);
	CHECK_NEAR((double)process->operations[0].start_ns, (double)wan_now_ns(), 1e8);
	wan_recording_close(recording);
	wan_recorder_destroy(recorder);
}

TEST(times_of_a_long_run_follow_the_anchors)
{
	const char *path = support_path("times.wprof");
	struct wan_recorder *recorder = make(path, support_config(256));
	REQUIRE(recorder != NULL);
	struct wan_lane *lane = wan_lane_get(recorder);
	struct wan_record_operation operation = support_operation(recorder, 0);
	operation.start_ticks = wan_ticks();
	uint64_t begin_ns = wan_now_ns();
	usleep(50000);
	operation.span_ticks = wan_ticks() - operation.start_ticks;
	uint64_t span_ns = wan_now_ns() - begin_ns;
	wan_lane_append(lane, &operation);
	wan_recorder_destroy(recorder); /* the last anchor */
	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	struct wan_recording_operation back;
	REQUIRE_EQ(wan_recording_next(recording, &back), 1);
	CHECK_NEAR((double)back.span_ns, (double)span_ns, 100000);
	CHECK_NEAR((double)back.start_ns, (double)begin_ns, 200000);
	wan_recording_close(recording);
}

TAP_MAIN
