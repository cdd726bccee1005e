/* SPDX-License-Identifier: MIT */
/* What is not a recording is refused in one sentence; what is one is read while it changes. */
#include "support.h"

#include <pthread.h>

#include "check.h"

static struct wan_error error;

static int open_result(const char *path)
{
	struct wan_recording *recording = NULL;
	memset(&error, 0, sizeof(error));
	int result = wan_recording_open(path, &recording, &error);
	if (result == 0)
		wan_recording_close(recording);
	return result;
}

static const char *file_with(const char *name, const void *bytes, size_t count)
{
	const char *path = support_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (write(fd, bytes, count) != (ssize_t)count)
		exit(1);
	close(fd);
	return path;
}

static bool make_file(const char *path, uint64_t operations)
{
	struct wan_recorder *recorder;
	if (wan_recorder_create(support_config(4096), WAN_ROLE_LINKED, path, &recorder) != 0)
		return false;
	bool made = support_append(recorder, 0, operations);
	wan_recorder_destroy(recorder);
	return made;
}

TEST(what_is_no_recording_is_refused_with_a_sentence)
{
	static const char zeros[4096], text[] = "{\"schema\": \"wanprof\"}";
	CHECK_EQ(open_result(support_path("missing")), -ENOENT);
	CHECK(error.reason[0] && error.hint[0]);
	CHECK_STR(error.object, support_path("missing"));
	CHECK_EQ(open_result(file_with("empty.wprof", "", 0)), -ENODATA);
	CHECK(strstr(error.reason, "empty") != NULL);
	CHECK_EQ(open_result(file_with("text.wprof", text, sizeof(text))), -EBADMSG);
	CHECK_STR(error.reason, "not a recording");
	CHECK(error.hint[0] != '\0');
	CHECK_EQ(open_result(file_with("zeros.wprof", zeros, sizeof(zeros))), -EBADMSG);
	CHECK_EQ(open_result(file_with("short.wprof", "WANP", 4)), -EBADMSG);
	CHECK_EQ(open_result(file_with("magic.wprof", "WANPROF1", 8)), -EBADMSG);
	CHECK(strstr(error.reason, "cut off") != NULL);
	CHECK_EQ(open_result(""), -EINVAL);
	CHECK_EQ(open_result(NULL), -EINVAL);
	CHECK_EQ(open_result("/dev/zero"), -EINVAL);
	CHECK_STR(error.reason, "not a regular file");
	struct wan_recording *recording;
	CHECK_EQ(wan_recording_open("/dev/null", &recording, NULL), -EINVAL); /* no error wanted */
}

TEST(a_fifo_does_not_hang_the_reader)
{
	const char *path = support_path("fifo.wprof");
	REQUIRE_EQ(mkfifo(path, 0600), 0);
	alarm(5);
	CHECK_EQ(open_result(path), -EINVAL);
	alarm(0);
	unlink(path);
}

TEST(an_empty_folder_and_one_of_foreign_files_are_told)
{
	const char *folder = support_path("nothing");
	mkdir(folder, 0700);
	CHECK_EQ(open_result(folder), -ENODATA);
	CHECK(strstr(error.reason, "no recording") != NULL);
	file_with("nothing/notes.wprof", "notes", 5);
	CHECK_EQ(open_result(folder), -EBADMSG);
	CHECK(strstr(error.object, "notes.wprof") != NULL);
}

/* A recording with some header field changed and the identity sealed again. */
static const char *altered(void (*change)(struct wan_record_header *header))
{
	struct wan_record_header header;
	const char *path = support_path("altered.wprof");
	unlink(path);
	if (!make_file(path, 5))
		exit(1);
	int fd = open(path, O_RDWR);
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		exit(1);
	change(&header);
	header.check = wan_record_header_check(&header);
	if (pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		exit(1);
	close(fd);
	return path;
}

static void newer_version(struct wan_record_header *header)
{
	header->version = WAN_RECORD_VERSION + 1;
}

static void other_layout(struct wan_record_header *header)
{
	header->record_bytes = 128;
}

static void other_order(struct wan_record_header *header)
{
	header->magic = __builtin_bswap64(header->magic);
}

static void huge(struct wan_record_header *header)
{
	header->used_bytes = 1ull << 60;
	header->units = UINT64_MAX;
	header->strings_used = UINT64_MAX;
	header->capacity = UINT64_MAX;
	header->ns_per_tick = 1e308;
	header->state = 77;
}

static void nothing(struct wan_record_header *header)
{
}

TEST(newer_and_foreign_layouts_say_what_to_do)
{
	CHECK_EQ(open_result(altered(newer_version)), -ENOTSUP);
	CHECK(strstr(error.reason, "newer version") != NULL);
	CHECK(strstr(error.hint, "update") != NULL);
	CHECK_EQ(open_result(altered(other_layout)), -ENOTSUP);
	CHECK_EQ(open_result(altered(other_order)), -ENOTSUP);
	CHECK(strstr(error.reason, "byte order") != NULL);
	CHECK_EQ(open_result(altered(nothing)), 0);
}

TEST(absurd_sizes_cost_no_memory)
{
	struct wan_recording *recording = support_open(altered(huge));
	REQUIRE(recording != NULL);
	const struct wan_process *process = wan_recording_process(recording, 0);
	CHECK_EQ(process->operation_count, 5);
	CHECK(process->damage_count >= 2);
	CHECK(process->ns_per_tick < 1e4);
	CHECK_EQ(process->state, WAN_RUN_UNKNOWN);
	wan_recording_close(recording);
	/* A file that is large only by its length: one process at most is read. */
	const char *path = altered(nothing);
	REQUIRE_EQ(truncate(path, 1ll << 33), 0);
	recording = support_open(path);
	REQUIRE(recording != NULL);
	CHECK_EQ(wan_recording_process(recording, 0)->operation_count, 5);
	CHECK(wan_recording_is_damaged(recording));
	wan_recording_close(recording);
}

struct growth {
	struct wan_recorder *recorder;
	unsigned stop;
};

static void *grow(void *argument)
{
	struct growth *growth = argument;
	for (uint64_t i = 0; !wan_load_relaxed(&growth->stop); i += 100)
		support_append(growth->recorder, i, 100);
	return NULL;
}

TEST(a_file_that_still_grows_reads_as_a_moment_of_it)
{
	const char *path = support_path("growing.wprof");
	struct growth growth = {0};
	pthread_t thread;
	REQUIRE_EQ(
		wan_recorder_create(support_config(2000), WAN_ROLE_LINKED, path, &growth.recorder),
		0);
	REQUIRE_EQ(pthread_create(&thread, NULL, grow, &growth), 0);
	while (wan_load_relaxed(&wan_recorder_header(growth.recorder)->units) < 10)
		usleep(1000);
	uint64_t before = 0;
	/* on a busy machine the writer may not have come far yet */
	for (unsigned i = 0; i < 50 || (before <= 2000 && i < 20000); i++) {
		struct wan_recording *recording = support_open(path);
		REQUIRE(recording != NULL);
		const struct wan_process *process = wan_recording_process(recording, 0);
		CHECK_EQ(process->damage_count, 0);
		support_print_damage(recording);
		CHECK(process->live);
		CHECK(process->total_operations >= before);
		before = process->total_operations;
		/* numbers run from 0 without a gap: their sum follows from the count */
		uint64_t pixels = 0;
		for (size_t k = 0; k < process->aggregate_count; k++)
			pixels += process->aggregates[k].pixels;
		CHECK_EQ(pixels, 640 * (before * (before - 1) / 2));
		wan_recording_close(recording);
	}
	CHECK(before > 2000);
	wan_store_relaxed(&growth.stop, 1);
	pthread_join(thread, NULL);
	wan_recorder_destroy(growth.recorder);
}

struct cutter {
	char path[256];
	unsigned stop;
};

static void *cut_and_replace(void *argument)
{
	struct cutter *cutter = argument;
	char other[300];
	snprintf(other, sizeof(other), "%s.other", cutter->path);
	for (unsigned i = 0; !wan_load_relaxed(&cutter->stop); i++) {
		if (truncate(cutter->path, (off_t)(i * 7919 % 400000)) != 0)
			break;
		unlink(other);
		if (!make_file(other, 300) || rename(other, cutter->path) != 0)
			break;
	}
	return NULL;
}

TEST(a_file_cut_and_replaced_while_it_is_read_breaks_nothing)
{
	struct cutter cutter = {0};
	pthread_t thread;
	snprintf(cutter.path, sizeof(cutter.path), "%s", support_path("replaced.wprof"));
	REQUIRE(make_file(cutter.path, 300));
	REQUIRE_EQ(pthread_create(&thread, NULL, cut_and_replace, &cutter), 0);
	unsigned read = 0;
	/* on a busy machine it may be found cut 400 times */
	for (unsigned i = 0; i < 400 || (!read && i < 100000); i++) {
		struct wan_recording *recording;
		memset(&error, 0, sizeof(error));
		int result = wan_recording_open(cutter.path, &recording, &error);
		CHECK(result == 0 || error.reason[0]);
		if (result)
			continue;
		read++;
		const struct wan_process *process = wan_recording_process(recording, 0);
		CHECK(process->total_operations <= 300);
		CHECK(process->total_operations == 300 || process->damage_count > 0);
		wan_recording_close(recording);
	}
	wan_store_relaxed(&cutter.stop, 1);
	pthread_join(thread, NULL);
	CHECK(read > 0);
}

TEST(operations_come_in_order_of_their_start)
{
	const char *path = support_path("order.wprof");
	unlink(path);
	REQUIRE(make_file(path, 2000));
	struct wan_recording *recording = support_open(path);
	REQUIRE(recording != NULL);
	struct wan_recording_operation operation;
	uint64_t before_ns = 0, count = 0;
	int result;
	while ((result = wan_recording_next(recording, &operation)) == 1) {
		CHECK(operation.start_ns >= before_ns);
		before_ns = operation.start_ns;
		count++;
	}
	CHECK_EQ(result, 0);
	CHECK_EQ(count, 2000);
	CHECK_EQ(wan_recording_next(recording, NULL), -EINVAL);
	CHECK_EQ(wan_recording_next(NULL, &operation), -EINVAL);
	CHECK(wan_recording_process(recording, 1) == NULL);
	wan_recording_close(recording);
	wan_recording_close(NULL);
}

TAP_MAIN
