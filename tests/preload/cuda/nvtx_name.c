/* SPDX-License-Identifier: MIT */
#include "nvtx_name.h"

#include <string.h>

#include "tap.h"

static const char *name(const char *domain, const char *message, bool many)
{
	static char text[32];
	wan_nvtx_name(text, sizeof(text), domain, message, many);
	return text;
}

TEST(a_name_is_kept)
{
	CHECK_STR(name(NULL, "denoise step 12", false), "denoise step 12");
	CHECK_STR(name("", "vae", false), "vae");
	CHECK_STR(name("lib", "vae", false), "lib:vae");
	CHECK_STR(name(NULL, "", false), "");
}

TEST(digits_do_not_count_when_there_are_many_names)
{
	CHECK_STR(name(NULL, "step 12 of 30", true), "step # of #");
	CHECK_STR(name("lib2", "a1b22", true), "lib2:a#b#");
}

TEST(what_pytorch_appends_goes)
{
	CHECK_STR(name(NULL, "aten::add, seq = 7, sizes = [[1]]", false), "aten::add");
}

TEST(long_names_are_cut_between_characters)
{
	CHECK_STR(name(NULL, "0123456789012345678901234567890123", false),
		  "0123456789012345678901234567890");
	/* two bytes each: the sixteenth does not fit */
	const char *umlauts = name(NULL, "ääääääääääääääääää", false);
	CHECK_EQ(strlen(umlauts), 30);
	CHECK_STR(name("0123456789012345678901234567890123", "x", false),
		  "012345678901234567890123456789:");
}

TEST(wide_texts_become_utf_8)
{
	char text[16];
	wan_nvtx_narrow(text, sizeof(text), L"aä€\U0001f600");
	CHECK_STR(text, "aä€\U0001f600");
	static const wchar_t broken[] = {0xd800, 0x7fffffff, 'x', 0};
	wan_nvtx_narrow(text, sizeof(text), broken);
	CHECK_STR(text, "\uFFFD\uFFFDx");
	wan_nvtx_narrow(text, 8, L"aaaaaaaaaaaaaa");
	CHECK_EQ(strlen(text), 3);
}

TAP_MAIN
