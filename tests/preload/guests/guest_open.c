/* SPDX-License-Identifier: MIT */
/*
 * guest_open FILE HOW:LIBRARY [HOW:LIBRARY]: opens each library, decodes the file with each, a row
 * at a time in turn, and prints a checksum of each. HOW is
 *   local, deep, other   LIBRARY is a module with a libjpeg of its own (codec_user.c), opened
 *                        RTLD_LOCAL, RTLD_DEEPBIND, or into a linker namespace of its own
 *   dlsym                LIBRARY is a libjpeg, whose functions are asked for one by one
 * Status 1 when an object is served by another library than its own.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

struct user {
	struct jpeg_decompress_struct object;
	struct jpeg_error_mgr manager;
	FILE *file;
	JSAMPLE *row;
	uint32_t sum;
};

struct opened {
	void *handle;
	int direct; /* the functions of libjpeg below, else those of the module */
	void *(*begin)(const char *path);
	int (*step)(void *user);
	uint32_t (*end)(void *user);
	void *(*library)(void);
	__typeof__(&jpeg_std_error) std_error;
	__typeof__(&jpeg_CreateDecompress) create;
	__typeof__(&jpeg_stdio_src) source;
	__typeof__(&jpeg_read_header) header;
	__typeof__(&jpeg_start_decompress) start;
	__typeof__(&jpeg_read_scanlines) rows;
	__typeof__(&jpeg_finish_decompress) finish;
	__typeof__(&jpeg_destroy_decompress) destroy;
	void *user;
};

static void *function(void *handle, const char *name)
{
	void *found = dlsym(handle, name);
	if (found)
		return found;
	fprintf(stderr, "%s\n", dlerror());
	exit(2);
}

static void *open_library(const char *how, const char *path)
{
	if (strcmp(how, "other") == 0)
		return dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
	return dlopen(path, RTLD_LAZY | (strcmp(how, "deep") == 0 ? RTLD_DEEPBIND : 0));
}

static struct opened open_one(char *argument)
{
	struct opened o = {0};
	char *path = strchr(argument, ':');
	if (!path)
		exit(64);
	*path++ = '\0';
	o.handle = open_library(argument, path);
	if (!o.handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	o.direct = strcmp(argument, "dlsym") == 0;
	if (o.direct) {
		o.std_error = function(o.handle, "jpeg_std_error");
		o.create = function(o.handle, "jpeg_CreateDecompress");
		o.source = function(o.handle, "jpeg_stdio_src");
		o.header = function(o.handle, "jpeg_read_header");
		o.start = function(o.handle, "jpeg_start_decompress");
		o.rows = function(o.handle, "jpeg_read_scanlines");
		o.finish = function(o.handle, "jpeg_finish_decompress");
		o.destroy = function(o.handle, "jpeg_destroy_decompress");
	} else {
		o.begin = function(o.handle, "user_begin");
		o.step = function(o.handle, "user_step");
		o.end = function(o.handle, "user_end");
		o.library = function(o.handle, "user_library");
	}
	return o;
}

static void *begin(struct opened *o, const char *path)
{
	if (!o->direct)
		return o->begin(path);
	struct user *user = calloc(1, sizeof(*user));
	user->file = fopen(path, "rb");
	user->object.err = o->std_error(&user->manager);
	o->create(&user->object, JPEG_LIB_VERSION, sizeof(user->object));
	o->source(&user->object, user->file);
	o->header(&user->object, TRUE);
	o->start(&user->object);
	user->row = malloc((size_t)user->object.output_width * 3);
	return user;
}

static int step(struct opened *o)
{
	struct user *user = o->user;
	if (!o->direct)
		return o->step(user);
	if (user->object.output_scanline >= user->object.output_height)
		return 0;
	o->rows(&user->object, &user->row, 1);
	for (size_t i = 0; i < (size_t)user->object.output_width * 3; i++)
		user->sum = user->sum * 31 + user->row[i];
	return 1;
}

static uint32_t end(struct opened *o)
{
	struct user *user = o->user;
	uint32_t sum = user->sum;
	if (!o->direct)
		return o->end(user);
	o->finish(&user->object);
	o->destroy(&user->object);
	fclose(user->file);
	free(user->row);
	free(user);
	return sum;
}

static void *base_of(void *address)
{
	Dl_info info;
	return dladdr(address, &info) ? info.dli_fbase : NULL;
}

/* The object comes first in the state of both kinds; its memory manager belongs to its library. */
static int is_served_by_its_own(const struct opened *o)
{
	struct jpeg_decompress_struct *object = o->user;
	void *own = o->direct ? (void *)o->std_error : o->library();
	return base_of((void *)object->mem->alloc_small) == base_of(own);
}

int main(int argc, char **argv)
{
	struct opened opened[4];
	int count = argc - 2, status = 0;
	if (count < 1 || count > 4)
		return 64;
	for (int i = 0; i < count; i++)
		opened[i] = open_one(argv[2 + i]);
	for (int i = 0; i < count; i++) {
		opened[i].user = begin(&opened[i], argv[1]);
		status |= !is_served_by_its_own(&opened[i]);
	}
	for (int more = 1; more;) {
		more = 0;
		for (int i = 0; i < count; i++)
			more |= step(&opened[i]);
	}
	for (int i = 0; i < count; i++)
		printf("%08x\n", end(&opened[i]));
	return status;
}
