/* SPDX-License-Identifier: MIT */
/* A module that uses libjpeg, as plugins and Python extensions do: decodes in steps, so that two
 * modules can take turns. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct user {
	struct jpeg_decompress_struct object;
	struct jpeg_error_mgr manager;
	FILE *file;
	JSAMPLE *row;
	uint32_t sum;
	int with_key;
	pthread_key_t key; /* of the C library in this linker namespace */
};

void *user_begin(const char *path);
int user_step(void *user);
uint32_t user_end(void *user);
void *user_library(void);

void *user_begin(const char *path)
{
	struct user *user = calloc(1, sizeof(*user));
	user->with_key = getenv("WITH_KEY") != NULL;
	if (user->with_key) {
		pthread_key_create(&user->key, NULL);
		pthread_setspecific(user->key, user);
	}
	user->file = fopen(path, "rb");
	user->object.err = jpeg_std_error(&user->manager);
	jpeg_create_decompress(&user->object);
	jpeg_stdio_src(&user->object, user->file);
	jpeg_read_header(&user->object, TRUE);
	jpeg_start_decompress(&user->object);
	user->row = malloc((size_t)user->object.output_width * 3);
	return user;
}

int user_step(void *state)
{
	struct user *user = state;
	if (user->object.output_scanline >= user->object.output_height)
		return 0;
	jpeg_read_scanlines(&user->object, &user->row, 1);
	for (size_t i = 0; i < (size_t)user->object.output_width * 3; i++)
		user->sum = user->sum * 31 + user->row[i];
	return 1;
}

uint32_t user_end(void *state)
{
	struct user *user = state;
	uint32_t sum = user->sum;
	if (user->with_key) {
		if (pthread_getspecific(user->key) != user)
			sum = 0;
		pthread_key_delete(user->key);
	}
	jpeg_finish_decompress(&user->object);
	jpeg_destroy_decompress(&user->object);
	fclose(user->file);
	free(user->row);
	free(user);
	return sum;
}

/* An address inside the libjpeg that serves this module: its functions call each other. */
void *user_library(void)
{
	return (void *)jpeg_std_error;
}
