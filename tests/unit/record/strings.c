/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <pthread.h>

#include "recorder.h"

static struct wan_recorder *make(void)
{
	struct wan_recorder *recorder = NULL;
	return wan_recorder_create(support_config(1000), WAN_ROLE_LINKED, NULL, &recorder) == 0
		       ? recorder
		       : NULL;
}

/* What a reader makes of an id. */
static void read_back(struct wan_recorder *recorder, uint16_t id, char to[2048])
{
	struct wan_record_operation operation = support_operation(recorder, 1);
	operation.name = id;
	wan_lane_append(wan_lane_get(recorder), &operation);
	struct wan_recording *recording = support_look(recorder);
	const struct wan_process *process = wan_recording_process(recording, 0);
	snprintf(to, 2048, "%s", process->operations[process->operation_count - 1].name);
	wan_recording_close(recording);
}

TEST(the_same_text_has_the_same_id)
{
	struct wan_recorder *recorder = make();
	char text[2048], copy[32];
	REQUIRE(recorder != NULL);
	uint16_t id = wan_recorder_string(recorder, "png.decode");
	CHECK(id != 0);
	snprintf(copy, sizeof(copy), "png%s", ".decode");
	CHECK_EQ(wan_recorder_string(recorder, copy), id);
	CHECK(wan_recorder_string(recorder, "png.encode") != id);
	CHECK_EQ(wan_recorder_string(recorder, ""), 0);
	CHECK_EQ(wan_recorder_string(recorder, NULL), 0);
	CHECK_EQ(wan_recorder_string(NULL, "x"), 0);
	read_back(recorder, id, text);
	CHECK_STR(text, "png.decode");
	wan_recorder_destroy(recorder);
}

TEST(long_texts_are_cut_at_a_whole_character)
{
	struct wan_recorder *recorder = make();
	char text[2048], back[2048];
	REQUIRE(recorder != NULL);
	memset(text, 'a', 1022);
	memcpy(text + 1022, "\xc3\xa4\xc3\xa4", 5); /* two characters of two bytes */
	uint16_t id = wan_recorder_string(recorder, text);
	CHECK(id != 0);
	read_back(recorder, id, back);
	CHECK_EQ(strlen(back), 1022);
	CHECK(strspn(back, "a") == 1022);
	wan_recorder_destroy(recorder);
}

TEST(file_names_leave_room_for_the_names_of_operations)
{
	struct wan_recorder *recorder = make();
	char text[64], back[2048];
	REQUIRE(recorder != NULL);
	unsigned kept = 0;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "/pictures/of/a/long/journey/%05u.jpg", i);
		kept += wan_recorder_string(recorder, text) != 0;
	}
	CHECK(kept > 1500 && kept < 20000);
	uint16_t id = wan_recorder_string(recorder, "thumbnail_256x256");
	CHECK(id != 0);
	read_back(recorder, id, back);
	CHECK_STR(back, "thumbnail_256x256");
	CHECK(wan_recorder_string(recorder, "/pictures/of/a/long/journey/00000.jpg") != 0);
	unsigned names = 0;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "op-%u", i);
		names += wan_recorder_string(recorder, text) != 0;
	}
	CHECK(names > 500 && names < 20000);
	CHECK(wan_recorder_header(recorder)->strings_used <= WAN_RECORD_STRINGS_BYTES);
	wan_recorder_destroy(recorder);
}

struct talker {
	struct wan_recorder *recorder;
	uint16_t ids[500];
};

static void *talk(void *argument)
{
	struct talker *talker = argument;
	for (unsigned i = 0; i < WAN_COUNT_OF(talker->ids); i++) {
		char text[32];
		snprintf(text, sizeof(text), "name %u", i);
		talker->ids[i] = wan_recorder_string(talker->recorder, text);
	}
	return NULL;
}

TEST(threads_agree_on_the_id_of_a_text)
{
	static struct talker talkers[4];
	pthread_t threads[4];
	struct wan_recorder *recorder = make();
	REQUIRE(recorder != NULL);
	for (unsigned i = 0; i < 4; i++) {
		talkers[i].recorder = recorder;
		REQUIRE_EQ(pthread_create(&threads[i], NULL, talk, &talkers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 1; i < 4; i++)
		CHECK_MEM(talkers[i].ids, talkers[0].ids, sizeof(talkers[0].ids));
	CHECK(talkers[0].ids[499] != 0);
	wan_recorder_destroy(recorder);
}

TAP_MAIN
