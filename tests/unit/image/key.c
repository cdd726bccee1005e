/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>
#include <utime.h>

#include "fault.h"
#include "files.h"
#include "tap.h"
#include "wan/cache.h"

static bool same(struct wan_key a, struct wan_key b)
{
	return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

static struct wan_key key_of(const char *operation, const char *name, const char *bytes,
			     size_t count, uint64_t number)
{
	struct wan_key_builder builder;
	wan_key_begin(&builder, operation);
	wan_key_add(&builder, name, bytes, count);
	wan_key_add_u64(&builder, "number", number);
	return wan_key_end(&builder);
}

TEST(the_same_parts_make_the_same_key)
{
	CHECK(same(key_of("thumbnail", "source", "abc", 3, 7),
		   key_of("thumbnail", "source", "abc", 3, 7)));
}

TEST(each_part_matters)
{
	struct wan_key key = key_of("thumbnail", "source", "abc", 3, 7);
	CHECK(!same(key, key_of("thumbnai", "source", "abc", 3, 7)));
	CHECK(!same(key, key_of("thumbnail", "sourc", "abc", 3, 7)));
	CHECK(!same(key, key_of("thumbnail", "source", "abd", 3, 7)));
	CHECK(!same(key, key_of("thumbnail", "source", "abc", 2, 7)));
	CHECK(!same(key, key_of("thumbnail", "source", "abc", 3, 8)));
	CHECK(key.words[0] != 0 && key.words[1] != 0);
}

static struct wan_key texts(const char *const *parts, size_t count)
{
	struct wan_key_builder builder;
	wan_key_begin(&builder, "x");
	for (size_t i = 0; i < count; i++)
		wan_key_add_text(&builder, "t", parts[i]);
	return wan_key_end(&builder);
}

TEST(parts_do_not_flow_into_each_other)
{
	static const char *const lists[][3] = {{"ab", "c", ""},
					       {"a", "bc", ""},
					       {"abc", "", ""},
					       {"", "ab", "c"},
					       {"", "", "abc"}};
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < i; j++)
			CHECK(!same(texts(lists[i], 3), texts(lists[j], 3)));
	CHECK(!same(texts(lists[0], 2), texts(lists[0], 3)));
	static const char *const none[] = {NULL}, *const empty[] = {""};
	CHECK(!same(texts(none, 1), texts(empty, 1)));
}

TEST(kinds_of_parts_are_told_apart)
{
	struct wan_key_builder a, b;
	uint64_t number = 0x4142434445464748u;
	wan_key_begin(&a, "x");
	wan_key_begin(&b, "x");
	wan_key_add_u64(&a, "n", number);
	wan_key_add(&b, "n", &number, sizeof(number));
	CHECK(!same(wan_key_end(&a), wan_key_end(&b)));
}

static struct wan_key file_key(const char *path)
{
	struct wan_key_builder builder;
	wan_key_begin(&builder, "x");
	CHECK_EQ(wan_key_add_file(&builder, path), 0);
	return wan_key_end(&builder);
}

TEST(a_file_is_known_by_its_identity_not_its_name)
{
	const char *one = in_test_folder("one"), *two = in_test_folder("two");
	bytes_write(one, "content", 7);
	REQUIRE_EQ(link(one, two), 0);
	CHECK(same(file_key(one), file_key(two)));
	unlink(two);
	bytes_write(two, "content", 7);
	CHECK(!same(file_key(one), file_key(two)));
	unlink(one);
	unlink(two);
}

TEST(a_fresh_file_rewritten_at_once_has_another_key)
{
	const char *path = in_test_folder("fresh");
	int equal = 0;
	for (int i = 0; i < 200; i++) {
		FILE *file = fopen(path, "w");
		fputc('a', file);
		fclose(file);
		struct wan_key before = file_key(path);
		file = fopen(path, "r+");
		fputc('b', file);
		fclose(file);
		equal += same(before, file_key(path));
	}
	CHECK_EQ(equal, 0);
	unlink(path);
}

TEST(a_rested_file_is_not_read)
{
	const char *path = in_test_folder("rested");
	bytes_write(path, "content", 7);
	struct timespec wait = {0, 120 * 1000 * 1000};
	nanosleep(&wait, NULL);
	wan_fault_install();
	struct wan_key first = file_key(path);
	wan_fault_arm(WAN_FAULT_OPEN, 1, EIO, true);
	CHECK(same(first, file_key(path)));
	CHECK_EQ(wan_fault_calls(WAN_FAULT_OPEN), 0);
	wan_fault_remove();
	unlink(path);
}

TEST(a_changed_file_has_another_key)
{
	const char *path = in_test_folder("changed");
	bytes_write(path, "content", 7);
	struct wan_key before = file_key(path);
	struct utimbuf old = {1000000000, 1000000000};
	REQUIRE_EQ(utime(path, &old), 0);
	struct wan_key older = file_key(path);
	CHECK(!same(before, older));
	bytes_write(path, "content, longer", 15);
	REQUIRE_EQ(utime(path, &old), 0);
	CHECK(!same(older, file_key(path)));
	unlink(path);
}

TEST(a_missing_file_leaves_the_builder_as_it_was)
{
	struct wan_key_builder builder, before;
	wan_key_begin(&builder, "x");
	before = builder;
	CHECK_EQ(wan_key_add_file(&builder, "/no/such/file"), -ENOENT);
	CHECK_EQ(wan_key_add_file(&builder, NULL), -EINVAL);
	CHECK_MEM(&builder, &before, sizeof(builder));
}

TEST(parts_of_any_length_are_told_apart)
{
	static char bytes[300];
	struct wan_key keys[300];
	int doubles = 0;
	for (size_t count = 0; count < 300; count++) {
		keys[count] = key_of("x", "n", bytes, count, 0);
		for (size_t i = 0; i < count; i++)
			doubles += same(keys[i], keys[count]);
	}
	CHECK_EQ(doubles, 0);
	/* a long part is not the same as its hash, a long name not as a shorter one */
	CHECK(!same(key_of("x", "a name of more than forty characters is hashed", "", 0, 0),
		    key_of("x", "a name of more than forty characters is hashed!", "", 0, 0)));
	CHECK(!same(key_of("x", "ab", "c", 1, 0), key_of("x", "a", "bc", 2, 0)));
}

TEST(a_key_of_bytes_is_no_key_of_parts)
{
	CHECK(same(wan_key_of("abc", 3), wan_key_of("abc", 3)));
	CHECK(!same(wan_key_of("abc", 3), wan_key_of("abd", 3)));
	CHECK(!same(wan_key_of("abc", 3), wan_key_of("abc", 2)));
	CHECK(same(wan_key_of(NULL, 7), wan_key_of("", 0)));
	struct wan_key_builder builder;
	wan_key_begin(&builder, "abc");
	CHECK(!same(wan_key_of("abc", 3), wan_key_end(&builder)));
}

static struct wan_key content_key(const char *path, const void *bytes, size_t count)
{
	struct wan_key_builder builder;
	wan_key_begin(&builder, "x");
	if (path)
		CHECK_EQ(wan_key_add_file_content(&builder, path), 0);
	else
		wan_key_add_content(&builder, bytes, count);
	return wan_key_end(&builder);
}

TEST(equal_contents_are_one_part_wherever_they_are)
{
	static const size_t sizes[] = {0, 7, 240, 241, 262144, 262145, 700001};
	static char bytes[700001];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 24);
	const char *one = in_test_folder("one"), *two = in_test_folder("two");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bytes_write(one, bytes, sizes[i]);
		bytes_write(two, bytes, sizes[i]);
		struct wan_key key = content_key(one, NULL, 0);
		CHECK(same(key, content_key(two, NULL, 0)));
		CHECK(same(key, content_key(NULL, bytes, sizes[i])));
		if (sizes[i] == 0)
			continue;
		bytes[sizes[i] - 1] ^= 1;
		CHECK(!same(key, content_key(NULL, bytes, sizes[i])));
		bytes[sizes[i] - 1] ^= 1;
	}
	unlink(one);
	unlink(two);
}

TEST(what_has_no_content_leaves_the_builder_as_it_was)
{
	struct wan_key_builder builder, before;
	wan_key_begin(&builder, "x");
	before = builder;
	CHECK_EQ(wan_key_add_file_content(&builder, "/no/such/file"), -ENOENT);
	CHECK_EQ(wan_key_add_file_content(&builder, "/tmp"), -EISDIR);
	CHECK_EQ(wan_key_add_file_content(&builder, "/dev/zero"), -EINVAL);
	CHECK_EQ(wan_key_add_file_content(&builder, NULL), -EINVAL);
	CHECK_MEM(&builder, &before, sizeof(builder));
}

static void hash_scenario(void *context)
{
	struct wan_key_builder builder;
	wan_key_begin(&builder, "x");
	int r = wan_key_add_file_content(&builder, context);
	CHECK(r == 0 || r == -ENOMEM || r == -EIO || r == -EMFILE || r == -EACCES || r == -ENOENT);
}

TEST(every_call_while_hashing_may_fail)
{
	const char *path = in_test_folder("faulty");
	bytes_write(path, "content", 7);
	CHECK(wan_fault_sweep(hash_scenario, (void *)(uintptr_t)path) > 0);
	unlink(path);
}

TEST(many_keys_do_not_collide)
{
	enum { MANY = 20000 };
	static uint64_t seen[MANY];
	int doubles = 0;
	for (uint64_t i = 0; i < MANY; i++)
		seen[i] = key_of("x", "y", "z", 1, i).words[0];
	for (int i = 0; i < MANY; i += 97)
		for (int j = 0; j < i; j++)
			doubles += seen[i] == seen[j];
	CHECK_EQ(doubles, 0);
}

TAP_MAIN
