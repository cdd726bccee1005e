/* SPDX-License-Identifier: MIT */
/*
 * guest_two FILE MODULE MODULE: two modules with a libjpeg of their own each decode the file,
 * a row at a time in turn, twice. The method tables inside each object must lead into the library
 * of its own module; status 1 when they do not.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct module {
	void *(*begin)(const char *path);
	int (*step)(void *user);
	uint32_t (*end)(void *user);
	void *(*library)(void);
};

static struct module load(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return (struct module){dlsym(handle, "user_begin"), dlsym(handle, "user_step"),
			       dlsym(handle, "user_end"), dlsym(handle, "user_library")};
}

static void *base_of(void *address)
{
	Dl_info info;
	return dladdr(address, &info) ? info.dli_fbase : NULL;
}

/* The object comes first in the module's state; its memory manager belongs to its library. */
static int is_served_by(void *user, const struct module *module)
{
	struct jpeg_decompress_struct *object = user;
	return base_of((void *)object->mem->alloc_small) == base_of(module->library());
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 64;
	struct module modules[2] = {load(argv[2]), load(argv[3])};
	int status = base_of(modules[0].library()) == base_of(modules[1].library());
	if (status)
		fprintf(stderr, "both modules use one library\n");
	for (int round = 0; round < 2; round++) {
		void *users[2];
		for (int i = 0; i < 2; i++) {
			users[i] = modules[i].begin(argv[1]);
			status |= !is_served_by(users[i], &modules[i]);
		}
		while (modules[0].step(users[0]) | modules[1].step(users[1]))
			;
		for (int i = 0; i < 2; i++)
			printf("%08x\n", modules[i].end(users[i]));
	}
	return status;
}
