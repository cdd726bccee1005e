/* SPDX-License-Identifier: MIT */
/* Calls that are tracked: whatever they return or throw, each is counted with its duration. */
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include <wan/wan.h>

static uint64_t updates(wan_progress *progress)
{
	struct wan_progress_summary summary;
	summary.struct_size = sizeof(summary);
	wan_progress_summary(progress, &summary);
	return summary.updates;
}

int main()
{
	wan_progress *progress = wan_runtime_progress(wan_runtime_default());
	uint64_t before = updates(progress);
	int calls = 0, failures = 0;

	std::string text = wan::track(progress, "text", [&] {
		calls++;
		return std::string("a result longer than any small string can hold in itself");
	});
	std::unique_ptr<int> moved =
		wan::track(progress, "pointer", [] { return std::unique_ptr<int>(new int(42)); });
	wan::track(progress, "nothing", [&] { calls++; });
	try {
		wan::track(progress, "throws",
			   []() -> std::string { throw std::runtime_error("of its own"); });
	} catch (const std::runtime_error &error) {
		failures += std::string(error.what()) == "of its own";
	}
	try {
		wan::track(progress, "throws", [] { throw 5; });
	} catch (int value) {
		failures += value == 5;
	}
	int plain = wan::track(nullptr, "untracked", [] { return 7; });

	std::printf("%llu calls tracked\n", (unsigned long long)(updates(progress) - before));
	bool good = text.size() == 56 && *moved == 42 && calls == 2 && failures == 2 &&
		    plain == 7 && updates(progress) - before == 5;
	return good ? 0 : 1;
}
