/* SPDX-License-Identifier: MIT */
/* Every allocation and system call failed in turn: an error or less knowledge, never a crash. */
#include "tap.h"

#include <errno.h>

#include "fakes.h"
#include "fault.h"
#include "source.h"

static void manager_lives(void *context)
{
	struct wan_memory_options options = {.struct_size = sizeof(options)};
	struct wan_memory *memory = NULL;
	int status = wan_memory_create(&options, &memory);
	CHECK(status == 0 || status == -ENOMEM);
	if (status < 0) {
		CHECK(memory == NULL);
		return;
	}
	wan_memory_tick(memory);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK(state.available_bytes <= state.total_bytes);
	struct wan_batch_options batch_options;
	struct wan_batch *batch = NULL;
	wan_batch_options_init(&batch_options);
	status = wan_batch_create(memory, &batch_options, &batch);
	CHECK(status == 0 || status == -ENOMEM);
	if (wan_memory_reserve(memory, 2 * WAN_MIB, NULL) == 0)
		wan_memory_unreserve(memory, 2 * WAN_MIB);
	wan_memory_tick(memory);
	wan_batch_destroy(batch);
	wan_memory_destroy(memory);
}

TEST(a_manager_survives_every_failing_call)
{
	wan_fault_install();
	CHECK(wan_fault_sweep(manager_lives, NULL) > 0);
	wan_fault_remove();
}

static struct tree tree;

static void sources_are_read(void *context)
{
	struct wan_real_sources real;
	struct wan_memory_sources sources;
	struct wan_memory_paths paths = {.root = tree.root};
	int status = wan_real_sources_open(&real, &paths, &sources);
	CHECK(status == 0 || status == -ENOMEM);
	if (status < 0)
		return;
	struct wan_level_reading levels[8];
	uint64_t total, available;
	sources.host(sources.context, &total, &available);
	int count = sources.cgroups(sources.context, 24 * GIB, levels, 8);
	CHECK(count >= 0 && count <= 2);
	for (int i = 0; i < count; i++)
		CHECK(levels[i].limit_bytes == 256 * WAN_MIB); /* never another one */
	sources.repair(sources.context, UINT64_MAX);
	wan_real_sources_close(&real);
}

TEST(sources_survive_every_failing_call)
{
	tree_begin(&tree);
	tree_host(&tree, 1000, 500);
	tree_write(&tree, "/proc/self/cgroup", "0::/a/b\n");
	tree_write(&tree, "/proc/self/mountinfo", "1 2 0:1 / /cg rw - cgroup2 none rw\n");
	static const char *const folders[] = {"/cg/a", "/cg/a/b"};
	for (int i = 0; i < 2; i++) {
		char path[64];
		snprintf(path, sizeof(path), "%s/memory.max", folders[i]);
		tree_write(&tree, path, "268435456\n");
		snprintf(path, sizeof(path), "%s/memory.current", folders[i]);
		tree_write(&tree, path, "1000000\n");
	}
	wan_fault_install();
	CHECK(wan_fault_sweep(sources_are_read, NULL) > 0);
	wan_fault_remove();
	tree_end(&tree);
}

TAP_MAIN
