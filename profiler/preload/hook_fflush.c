/* SPDX-License-Identifier: MIT */
/*
 * fflush(): the C library writes stdio's buffers by itself, past write(). Programs in C and C++
 * (printf, cout) that draw a bar flush it, since it ends with no newline: what waits in the stream
 * then is what will be written. What stdio writes unasked is not seen: unbuffered streams (stderr)
 * and lines of a terminal, but for the last drawing of a bar, which lies in the buffer still.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "atomics.h"
#include "bars.h"
#include "preload.h"

typedef int fflush_function(FILE *stream);

extern fflush_function _IO_fflush; /* the C library's name for its own */

static fflush_function *next_fflush = _IO_fflush;

__attribute__((constructor)) static void find_next(void)
{
	fflush_function *found = (fflush_function *)dlsym(RTLD_NEXT, "fflush");
	if (found)
		wan_store_release(&next_fflush, found);
}

/* A line was written when it was complete: "\r...\n", and nothing since. */
static size_t written_line(const FILE *stream)
{
	const char *from = stream->_IO_buf_base;
	if (!from || from == stream->_IO_buf_end || *from != '\r' ||
	    stream->_IO_write_base != stream->_IO_buf_base)
		return 0;
	size_t room = WAN_MIN((size_t)(stream->_IO_buf_end - from), (size_t)WAN_BAR_LINE_BYTES);
	const char *end = memchr(from, '\n', room);
	return end ? (size_t)(end + 1 - from) : 0;
}

/* Copies the end of what waits; 0: no bar. The stream is only looked at while nobody else is at it.
 */
static size_t peek(FILE *stream, char to[WAN_BAR_LINE_BYTES], int *ret_fd)
{
	if (ftrylockfile(stream) != 0)
		return 0;
	const char *from = stream->_IO_write_base;
	size_t bytes = from ? (size_t)(stream->_IO_write_ptr - from) : 0;
	if (bytes == 0 && wan_bars_has_line(stream->_fileno)) {
		from = stream->_IO_buf_base;
		bytes = written_line(stream);
	}
	if (bytes > WAN_BAR_LINE_BYTES) {
		from += bytes - WAN_BAR_LINE_BYTES;
		bytes = WAN_BAR_LINE_BYTES;
	}
	bool maybe = bytes && stream->_fileno >= 0 &&
		     (wan_bars_has_line(stream->_fileno) || wan_bar_may_begin(from, bytes));
	if (maybe)
		memcpy(to, from, bytes);
	*ret_fd = stream->_fileno;
	funlockfile(stream);
	return maybe ? bytes : 0;
}

static __attribute__((noinline)) int flush_and_look(FILE *stream)
{
	char copy[WAN_BAR_LINE_BYTES];
	int fd = -1;
	size_t bytes = peek(stream, copy, &fd);
	int result = wan_load_relaxed(&next_fflush)(stream);
	if (bytes && result == 0)
		wan_bars_written(fd, copy, bytes);
	return result;
}

__attribute__((visibility("default"))) int fflush(FILE *stream)
{
	if (!stream || !wan_preload_records())
		return wan_load_relaxed(&next_fflush)(stream);
	return flush_and_look(stream);
}
