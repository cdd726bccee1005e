/* SPDX-License-Identifier: MIT */
/* This program plays the preloaded library: it exports the one symbol that a runtime looks for. */
#include "attach.h"

#include "recorder.h"
#include "support.h"

static struct wan_recorder *shared;
static int opened;

static struct wan_recorder *give(void)
{
	return shared;
}

static void count_open(int delta)
{
	opened += delta;
}

__attribute__((visibility("default"))) struct wan_record_share wan_record_share = {
	.version = WAN_RECORD_SHARE_VERSION,
	.recorder_bytes = sizeof(struct wan_recorder),
	.recorder = give,
	.operation_open = count_open,
};

TEST(a_linked_runtime_joins_the_preloaded_recording)
{
	REQUIRE_EQ(wan_recorder_create(support_config(1000), WAN_ROLE_PRELOADED,
				       support_path("shared.wprof"), &shared),
		   0);
	CHECK(wan_record_share_find() == &wan_record_share);
	CHECK(wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, false) == shared);
	CHECK(support_append(shared, 0, 3));
}

TEST(another_build_is_not_joined)
{
	wan_record_share.recorder_bytes++;
	CHECK(wan_record_share_find() == NULL);
	wan_record_share.recorder_bytes--;
	wan_record_share.version++;
	CHECK(wan_record_share_find() == NULL);
	struct wan_recorder *own =
		wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, false);
	CHECK(own && own != shared);
	wan_record_share.version--;
	wan_recorder_destroy(shared);
	shared = NULL;
}

TAP_MAIN
