/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "bar_parse.h"
#include "tap.h"
#include "wan/progress.h"

#define FULL      "\xe2\x96\x88"
#define HALF      "\xe2\x96\x8c"
#define RICH      "\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81\xe2\x94\x81"
#define RICH_HALF "\xe2\x95\xb8"

/* In memory of its exact size, so that a sanitizer sees a step too far. */
static bool parse(const char *text, size_t bytes, struct wan_bar_text *ret_bar, char name[128])
{
	char *copy = malloc(bytes ? bytes : 1);
	memcpy(copy, text, bytes);
	bool found = wan_bar_parse(copy, bytes, ret_bar);
	if (found && ret_bar->name_bytes < 128) {
		memcpy(name, ret_bar->name, ret_bar->name_bytes);
		name[ret_bar->name_bytes] = '\0';
	}
	free(copy);
	return found;
}

static const struct {
	const char *text, *name;
	uint64_t done, total;
	const char *unit;
	bool amount;
	uint64_t elapsed_s;
} drawn[] = {
	/* tqdm 4.64 and 4.67, as captured. */
	{"  0%|          | 0/20 [00:00<?, ?it/s]", "", 0, 20, "it", false, 0},
	{"desc:  45%|" FULL FULL FULL FULL HALF "     | 9/20 [01:23<01:40,  9.1s/it]", "desc", 9,
	 20, "it", false, 83},
	{" 30%|###       | 3/10 [00:00<00:00, 1797558.86step/s]", "", 3, 10, "step", false, 0},
	{"Loading checkpoint shards:  50%|" FULL FULL FULL FULL FULL
	 "     | 1/2 [00:05<00:05,  5.0s/it]",
	 "Loading checkpoint shards", 1, 2, "it", false, 5},
	{"Loading pipeline components...:  71%|" FULL FULL "   | 5/7 [00:01<00:00,  4.03it/s]",
	 "Loading pipeline components...", 5, 7, "it", false, 1},
	{"model.safetensors:  25%|" FULL FULL "       | 1.23G/5.00G [00:00<00:00, 1.04PB/s]",
	 "model.safetensors", 1230000000, 5000000000, "B", true, 0},
	{"model.safetensors:  25%|" FULL "    | 1.23G/5.00G [00:00<00:00, 16.0TB/s, loss=0.3]",
	 "model.safetensors", 1230000000, 5000000000, "B", true, 0},
	{"inner: 100%|" FULL FULL "| 2/2 [00:00<00:00, 38068.96img/s] ", "inner", 2, 2, "img",
	 false, 0},
	{"zero:  30% 3/10 [00:00<00:00, 125829.12it/s] ", "zero", 3, 10, "it", false, 0},
	{" 20%|" FULL FULL "        | 0.5/2.5 [00:00<00:00, 262144.00it/s]", "", 0, 3, "it", true,
	 0},
	{"epoch 3: 100%|" FULL "| 1000/1000 [1:02:03<00:00,  3.7s/it, loss=0.1, lr=1e-4]",
	 "epoch 3", 1000, 1000, "it", false, 3723},
	{"files:  10%|#         | 1/10 [00:01<00:09,  1.0 files/s]", "files", 1, 10, "files", false,
	 1},
	{"100%|##| 50/50 [00:10<00:00,  4.9it/s]INFO saved", "", 50, 50, "it", false, 10},
	{"  5%|" FULL "| 5.00k/100k [00:01<00:19, 5.00kit/s]", "", 5000, 100000, "it", true, 1},
	/* cut by the width of the terminal */
	{"desc:  45%|##  | 9/20 [01:23<01:", "desc", 9, 20, "it", false, 83},
	{"desc:  45%|##  | 9/20 [", "desc", 9, 20, "it", false, UINT64_MAX},
	/* what a description may hold */
	{"a long description: with 5% and | in:  30%|##  | 3/10 [00:00<00:00, 3it/s]",
	 "a long description: with 5% and | in", 3, 10, "it", false, 0},
	{"Epoch 1/3:  30%|##| |  | 3/10 [00:00<00:00, 3it/s]", "Epoch 1/3", 3, 10, "it", false, 0},
	{"caf\xe9:  50%|#####     | 1/2 [00:00<00:00, 3it/s]", "caf\xe9", 1, 2, "it", false, 0},
	/* no total */
	{"0it [00:00, ?it/s]", "", 0, 0, "it", false, 0},
	{"9it [00:02, 4.20it/s]", "", 9, 0, "it", false, 2},
	{"read: 12frames [00:02,  1.20s/frames, last=b.png]", "read", 12, 0, "frames", false, 2},
	{"get: 1.23MB [00:10, 120kB/s]", "get", 1230000, 0, "B", true, 10},
	{"7 files [00:07,  1.00 files/s]", "", 7, 0, "files", false, 7},
	{"9key [00:02, 4.20key/s]", "", 9, 0, "key", false, 2},
	/* rich, colours taken away */
	{"Working " RICH RICH RICH_HALF RICH "  40% 0:00:01", "Working", 40, 100, "%", true,
	 UINT64_MAX},
	{"alpha " RICH RICH RICH " 3/4", "alpha", 3, 4, "step", false, UINT64_MAX},
	{"   " RICH RICH " 12.3/45.6 MB 12.3 MB/s eta 0:00:02", "", 12300, 45600, "", true,
	 UINT64_MAX},
	/* stable-diffusion.cpp */
	{"  |=======>            | 3/20 - 4.50s/it", "", 3, 20, "it", false, UINT64_MAX},
	{"  |====================| 20/20 - 1.25it/s", "", 20, 20, "it", false, UINT64_MAX},
	{"  |====>     | 129/340 - 1.21GB/s", "", 129, 340, "it", false, UINT64_MAX},
	/* progressbar2 */
	{" 40% (2 of 5) |###########       | Elapsed Time: 0:00:00 ETA:   0:00:00", "", 2, 5, "it",
	 false, UINT64_MAX},
};

TEST(real_bars_are_read)
{
	for (size_t i = 0; i < sizeof(drawn) / sizeof(*drawn); i++) {
		struct wan_bar_text bar;
		char name[128] = "";
		bool found = parse(drawn[i].text, strlen(drawn[i].text), &bar, name);
		if (!found)
			printf("# %s\n", drawn[i].text);
		REQUIRE(found);
		CHECK_STR(name, drawn[i].name);
		CHECK_EQ(bar.done, drawn[i].done);
		CHECK_EQ(bar.total, drawn[i].total);
		CHECK_STR(bar.unit, drawn[i].unit);
		CHECK_EQ(bar.amount, drawn[i].amount);
		CHECK_EQ(bar.elapsed_s, drawn[i].elapsed_s);
	}
}

static const char *const others[] = {
	"",
	" ",
	"hello, world",
	"100% of 3/4 [sic]",
	"loss: 45%| better | 9/20",
	"45%|####     | 9/20",
	"45%|####     | 9/20 (01:23)",
	"45%|####     | 9/20 [later]",
	"145%|####     | 9/20 [00:01<00:02, 3it/s]",
	"9%|####     | 9/20 [00:01<00:02, 3it/s]", /* says another percentage than it counts */
	"45%|####     | 9/0 [00:01<00:02, 3it/s]",
	"x45%|####     | 9/20 [00:01<00:02, 3it/s]",
	"45%|####     | 99999999999999999999/20 [00:01<00:02, 3it/s]",
	"45%|####     | -9/20 [00:01<00:02, 3it/s]",
	"9it [00:02, 4.20img/s]",
	"it [00:02, 4.20it/s]",
	"x9it [00:02, 4.20it/s]",
	"step 3/20",
	"[00:02, 4.20it/s]",
	"12:03:04 INFO  9 files [x, y]",
	RICH RICH,
	RICH RICH " heading",
	RICH " 3/4",
	"| a | 3/4 [00:01] |",
	"%%%%%%%%%%%%%%|||||||||||||||||||||||||||||||",
};

TEST(what_only_looks_like_a_bar_is_none)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct wan_bar_text bar = {.done = 77};
		char name[128];
		bool found = parse(others[i], strlen(others[i]), &bar, name);
		if (found)
			printf("# %s\n", others[i]);
		CHECK(!found);
		CHECK_EQ(bar.done, 77);
	}
}

TEST(a_bar_cut_short_never_tells_other_numbers)
{
	for (size_t i = 0; i < sizeof(drawn) / sizeof(*drawn); i++) {
		for (size_t bytes = 0; bytes < strlen(drawn[i].text); bytes++) {
			struct wan_bar_text bar;
			char name[128];
			/* rich has nothing behind its numbers that would show where they end */
			if (strstr(drawn[i].text, RICH) || !parse(drawn[i].text, bytes, &bar, name))
				continue;
			CHECK_EQ(bar.done, drawn[i].done);
			CHECK_EQ(bar.total, drawn[i].total);
			CHECK_STR(name, drawn[i].name);
		}
	}
}

TEST(text_behind_a_bar_is_told)
{
	struct wan_bar_text bar;
	char name[128];
	static const char plain[] = "100%|##| 50/50 [00:10<00:00,  4.9it/s, a=[1]]   ";
	static const char logged[] = "100%|##| 50/50 [00:10<00:00,  4.9it/s]INFO saved";
	CHECK(parse(plain, strlen(plain), &bar, name) && !bar.followed);
	CHECK(parse(logged, strlen(logged), &bar, name) && bar.followed);
}

TEST(descriptions_tell_the_phase)
{
	static const struct {
		const char *name;
		enum wan_phase phase;
	} named[] = {
		{"Loading checkpoint shards", WAN_PHASE_MODEL_LOADING},
		{"Loading pipeline components...", WAN_PHASE_MODEL_LOADING},
		{"Fetching 12 files", WAN_PHASE_MODEL_LOADING},
		{"model-00001-of-00003.safetensors", WAN_PHASE_MODEL_LOADING},
		{"VAE decode", WAN_PHASE_POSTPROCESSING},
		{"text encoding", WAN_PHASE_PREPROCESSING},
		{"Encoding video", WAN_PHASE_ENCODING},
		{"Saving frames", WAN_PHASE_ENCODING},
		{"Compiling", WAN_PHASE_INITIALIZATION},
		{"", WAN_PHASE_GENERATION},
		{"Sampling", WAN_PHASE_GENERATION},
		{"a description of more than sixty-three characters, which does not matter at all: "
		 "decode",
		 WAN_PHASE_GENERATION},
	};
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		CHECK_EQ(wan_bar_phase(named[i].name, strlen(named[i].name)), named[i].phase);
}

TAP_MAIN
