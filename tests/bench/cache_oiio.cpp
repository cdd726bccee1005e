// SPDX-License-Identifier: MIT
/*
 * Hits of OpenImageIO's ImageCache (get_tile and release_tile), asked for by bench-cache: each line
 * "handle|name THREADS apart|same|newest COUNT" on stdin is answered by ns for one hit and thread.
 */
#include <OpenImageIO/imagebuf.h>
#include <OpenImageIO/imagecache.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace OIIO;

static constexpr int KEYS = 50, SETS = 2, ORDER = 4096;
static ImageCache *cache;
static ustring names[SETS * KEYS];
static ImageCache::ImageHandle *handles[SETS * KEYS];
static unsigned char order[ORDER];

static void make_order()
{
	double weights[KEYS], sum = 0;
	unsigned long random = 1;
	for (int i = 0; i < KEYS; i++)
		sum += weights[i] = 1 / std::pow(i + 1, 0.99);
	for (int i = 0; i < ORDER; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		double drawn = (double)(random >> 11) * 0x1p-53 * sum;
		int key = 0;
		while (key + 1 < KEYS && drawn > weights[key])
			drawn -= weights[key++];
		order[i] = (unsigned char)key;
	}
}

// One tile a picture: 64x64 RGB, as many as the other caches hold in the loop.
static bool make_pictures(const std::string &folder)
{
	std::vector<unsigned char> pixels(64 * 64 * 3, 100);
	for (int i = 0; i < SETS * KEYS; i++) {
		names[i] = ustring(folder + "/" + std::to_string(i) + ".ppm");
		ImageBuf buffer(ImageSpec(64, 64, 3, TypeDesc::UINT8), pixels.data());
		if (!buffer.write(names[i].string()))
			return false;
		handles[i] = cache->get_image_handle(names[i]);
	}
	return true;
}

static void hits(bool by_handle, int first, int count, bool newest)
{
	ImageCache::Perthread *perthread = cache->get_perthread_info();
	for (int i = 0; i < count; i++) {
		int which = newest ? 0 : first + order[i % ORDER];
		ImageCache::Tile *tile =
			by_handle ? cache->get_tile(handles[which], perthread, 0, 0, 0, 0, 0)
				  : cache->get_tile(names[which], 0, 0, 0, 0, 0);
		if (!tile)
			std::exit(1);
		cache->release_tile(tile);
	}
}

static double now_ns()
{
	std::chrono::duration<double, std::nano> now =
		std::chrono::steady_clock::now().time_since_epoch();
	return now.count();
}

// Each thread has a processor of its own, as those of the other caches.
static void stay_on(int number)
{
	static cpu_set_t allowed = [] {
		cpu_set_t set;
		sched_getaffinity(0, sizeof(set), &set);
		return set;
	}();
	cpu_set_t one;
	int seen = 0;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && seen++ == number % CPU_COUNT(&allowed))
			CPU_SET(cpu, &one);
	}
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static double measure(bool by_handle, int threads, const std::string &keys, int count)
{
	std::vector<std::thread> others;
	std::vector<double> begins(threads), ends(threads);
	pthread_barrier_t start;
	pthread_barrier_init(&start, nullptr, threads);
	auto lane = [&](int number) {
		stay_on(number);
		int first = keys == "apart" ? number % SETS * KEYS : 0;
		bool newest = keys == "newest";
		hits(by_handle, first, count / 10 + 1, newest);
		pthread_barrier_wait(&start);
		begins[number] = now_ns();
		hits(by_handle, first, count, newest);
		ends[number] = now_ns();
	};
	for (int i = 1; i < threads; i++)
		others.emplace_back(lane, i);
	lane(0);
	for (auto &other : others)
		other.join();
	pthread_barrier_destroy(&start);
	// From the first start to the last end, as the other caches are measured.
	return (*std::max_element(ends.begin(), ends.end()) -
		*std::min_element(begins.begin(), begins.end())) /
	       count;
}

int main()
{
	char folder[] = "/tmp/wan-bench-XXXXXX", kind[16], keys[16];
	int threads, count;
	if (!mkdtemp(folder))
		return 1;
	cache = ImageCache::create(false);
	cache->attribute("max_memory_MB", 1024.0f);
	make_order();
	bool made = make_pictures(folder);
	while (made && std::scanf("%15s %d %15s %d", kind, &threads, keys, &count) == 4) {
		std::printf("%.3f\n", measure(kind[0] == 'h', threads, keys, count));
		std::fflush(stdout);
	}
	ImageCache::destroy(cache);
	for (auto &name : names)
		unlink(name.c_str());
	rmdir(folder);
	return made ? 0 : 1;
}
