/* SPDX-License-Identifier: MIT */
/*
 * libavcodec's own JPEG and PNG codecs (ffmpeg, PyAV): a packet is a whole picture. Sent to a
 * decoder it begins an operation, the frame that comes back ends it; the other way round for an
 * encoder. A codec with threads of its own takes several packets before the first frame: then one
 * operation follows the other without a gap, and CPU and memory are not claimed.
 *
 * No header of libavcodec: the fields that are read lie at the same places in the versions 59 to 62
 * (FFmpeg 5 to 8); what is not one of these is passed on and counted as unresolved.
 */
#include "hook.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "identity_mark.h"
#include "python/header.h"

#define FAMILY WAN_FAMILY_AVCODEC

/* AVERROR_EOF: minus the letters "EOF ". */
#define END_OF_STREAM (-(int)('E' | 'O' << 8 | 'F' << 16 | (unsigned)' ' << 24))

enum { VERSION_FIRST = 59, VERSION_LAST = 62, MEDIA_VIDEO = 0 };

struct context { /* AVCodecContext */
	const void *class;
	int log_level_offset, media;
	const void *codec;
	int codec_id;
};

struct packet { /* AVPacket */
	void *buffer;
	int64_t times[2];
	const uint8_t *data;
	int size;
};

struct frame { /* AVFrame */
	void *data[8];
	int line_bytes[8];
	void *extended_data;
	int width, height;
};

int avcodec_send_packet(struct context *context, const struct packet *packet);
int avcodec_receive_frame(struct context *context, struct frame *frame);
int avcodec_send_frame(struct context *context, const struct frame *frame);
int avcodec_receive_packet(struct context *context, struct packet *packet);
void avcodec_flush_buffers(struct context *context);
int avcodec_close(struct context *context);
void avcodec_free_context(struct context **context);
unsigned avcodec_version(void);
const char *avcodec_get_name(int id);

static enum wan_picture picture_of(const struct wan_codec *codec, const struct context *context)
{
	if (context->media != MEDIA_VIDEO || !WAN_REAL_OF(codec, avcodec_get_name))
		return WAN_PICTURE_OTHER;
	const char *name = WAN_REAL_OF(codec, avcodec_get_name)(context->codec_id);
	if (strcmp(name, "mjpeg") == 0)
		return WAN_PICTURE_JPEG;
	return strcmp(name, "png") == 0 ? WAN_PICTURE_PNG : WAN_PICTURE_OTHER;
}

static bool is_known(const struct wan_codec *codec)
{
	unsigned major = WAN_REAL_OF(codec, avcodec_version)
				 ? WAN_REAL_OF(codec, avcodec_version)() >> 16
				 : 0;
	return major >= VERSION_FIRST && major <= VERSION_LAST;
}

/* The state of a context of a picture codec, made at its first packet or frame. */
static struct wan_object *object_of(struct wan_call *call, const struct context *context,
				    bool writes)
{
	if (call->object || !call->codec || !context)
		return call->object;
	if (!is_known(call->codec)) {
		wan_preload_count(FAMILY, WAN_COVER_UNRESOLVED);
		return NULL;
	}
	enum wan_picture picture = picture_of(call->codec, context);
	if (picture == WAN_PICTURE_OTHER)
		return NULL;
	call->object = wan_object_bind(
		context, writes ? WAN_OBJECT_AVCODEC_WRITER : WAN_OBJECT_AVCODEC_READER,
		call->codec);
	if (call->object) {
		call->object->picture = (uint8_t)picture;
		wan_preload_count(FAMILY, WAN_COVER_OBJECTS);
	}
	return call->object;
}

static enum wan_operation_name name_of(const struct wan_object *object)
{
	bool writes = object->kind == WAN_OBJECT_AVCODEC_WRITER;
	if (object->picture == WAN_PICTURE_PNG)
		return writes ? WAN_NAME_PNG_ENCODE : WAN_NAME_PNG_DECODE;
	return writes ? WAN_NAME_JPEG_ENCODE : WAN_NAME_JPEG_DECODE;
}

static void begin(struct wan_object *object, uint32_t width_px, uint32_t height_px,
		  unsigned channels, unsigned bit_depth)
{
	if (object->phase != WAN_PHASE_IDLE)
		return;
	wan_operation_prepare(object, name_of(object));
	if (object->phase == WAN_PHASE_IDLE)
		return;
	wan_operation_size(object, width_px, height_px, channels, bit_depth);
	wan_operation_run(object, name_of(object));
}

static void note_bytes(struct wan_object *object, const struct packet *packet,
		       struct wan_header *ret_header)
{
	size_t bytes = packet->size > 0 ? (size_t)packet->size : 0;
	wan_header_of_bytes(packet->data, bytes, ret_header);
	object->file_bytes = bytes;
}

static void begin_decode(struct wan_object *object, const struct packet *packet)
{
	struct wan_header picture;
	if (object->phase != WAN_PHASE_IDLE)
		return;
	note_bytes(object, packet, &picture);
	object->identity = wan_identity_of_bytes(packet->data, (size_t)packet->size);
	object->set_channels = picture.channels;
	object->set_depth = picture.bit_depth;
	begin(object, picture.width_px, picture.height_px, picture.channels, picture.bit_depth);
	if (picture.progressive)
		object->flags |= WAN_FLAG_PROGRESSIVE;
}

/* A packet or frame went in: accepted, refused for now (take what is ready first), or wrong. */
static int sent(struct wan_call *call, int result, bool fresh)
{
	struct wan_object *object = call->object;
	wan_call_leave(call);
	if (!object)
		return result;
	if (result == 0) {
		if (++object->waiting > 1)
			object->threaded = true;
	} else if (result == -EAGAIN) {
		if (fresh)
			wan_operation_close(object, WAN_END_DROPPED);
	} else if (object->phase == WAN_PHASE_RUNNING) {
		object->failed = true;
		wan_operation_close(object, WAN_END_STOPPED);
	}
	return result;
}

/* A frame or packet came out, or nothing is ready yet, or the end, or an error. */
static void received(struct wan_object *object, int result, uint32_t width_px, uint32_t height_px)
{
	if (object->phase != WAN_PHASE_RUNNING)
		return;
	if (result == -EAGAIN) {
		/* A picture went in and none came out at once: threads of the codec's own. */
		if (object->waiting > 0)
			object->threaded = true;
		return;
	}
	if (result == END_OF_STREAM) {
		wan_operation_close(object, WAN_END_DROPPED);
		object->waiting = 0;
		return;
	}
	object->failed = result < 0;
	if (result == 0 && width_px && height_px)
		wan_operation_size(object, width_px, height_px, object->channels,
				   object->bit_depth);
	if (object->threaded) /* calls only hand over and wait: all of the span is work */
		object->call_ticks = wan_ticks() - object->start_ticks;
	wan_operation_close(object, WAN_END_DONE);
	if (object->waiting > 0)
		object->waiting--;
	if (object->waiting == 0)
		return;
	/* The next one has been at work for a while; its bytes went in unseen. */
	object->file_bytes = UINT64_MAX;
	begin(object, width_px, height_px, object->set_channels, object->set_depth);
}

WAN_AUDITED int avcodec_send_packet(struct context *context, const struct packet *packet)
{
	struct wan_call call;
	WAN_FIND(call, context, FAMILY, avcodec_send_packet);
	if (!wan_real(call, avcodec_send_packet))
		return -ENOSYS;
	bool empty = !packet || !packet->data || packet->size <= 0; /* asks for what is left */
	struct wan_object *object = empty ? NULL : object_of(&call, context, false);
	bool fresh = object && object->phase == WAN_PHASE_IDLE;
	if (empty)
		call.object = NULL;
	if (object)
		begin_decode(object, packet);
	wan_call_enter(&call);
	return sent(&call, wan_real(call, avcodec_send_packet)(context, packet), fresh);
}

WAN_AUDITED int avcodec_receive_frame(struct context *context, struct frame *frame)
{
	struct wan_call call;
	WAN_FIND(call, context, FAMILY, avcodec_receive_frame);
	if (!wan_real(call, avcodec_receive_frame))
		return -ENOSYS;
	wan_call_enter(&call);
	int result = wan_real(call, avcodec_receive_frame)(context, frame);
	wan_call_leave(&call);
	if (call.object)
		received(call.object, result, result ? 0 : (uint32_t)frame->width,
			 result ? 0 : (uint32_t)frame->height);
	return result;
}

WAN_AUDITED int avcodec_send_frame(struct context *context, const struct frame *frame)
{
	struct wan_call call;
	WAN_FIND(call, context, FAMILY, avcodec_send_frame);
	if (!wan_real(call, avcodec_send_frame))
		return -ENOSYS;
	struct wan_object *object = frame ? object_of(&call, context, true) : NULL;
	bool fresh = object && object->phase == WAN_PHASE_IDLE;
	if (!frame)
		call.object = NULL;
	if (object) {
		object->set_width_px = (uint32_t)frame->width;
		object->set_height_px = (uint32_t)frame->height;
		begin(object, object->set_width_px, object->set_height_px, 0, 0);
	}
	wan_call_enter(&call);
	return sent(&call, wan_real(call, avcodec_send_frame)(context, frame), fresh);
}

WAN_AUDITED int avcodec_receive_packet(struct context *context, struct packet *packet)
{
	struct wan_header picture = {0};
	struct wan_call call;
	WAN_FIND(call, context, FAMILY, avcodec_receive_packet);
	if (!wan_real(call, avcodec_receive_packet))
		return -ENOSYS;
	wan_call_enter(&call);
	int result = wan_real(call, avcodec_receive_packet)(context, packet);
	wan_call_leave(&call);
	struct wan_object *object = call.object;
	if (!object)
		return result;
	if (result == 0 && object->phase == WAN_PHASE_RUNNING) {
		note_bytes(object, packet, &picture);
		object->channels = picture.channels;
		object->bit_depth = picture.bit_depth;
	}
	received(object, result, picture.width_px, picture.height_px);
	return result;
}

/* What was under way is given up. */
static void stop(struct wan_object *object, const void *context, bool forget)
{
	if (!object)
		return;
	wan_operation_close(object, object->waiting ? WAN_END_DROPPED : WAN_END_STOPPED);
	object->waiting = 0;
	if (forget)
		wan_object_release(object, context);
}

WAN_AUDITED void avcodec_flush_buffers(struct context *context)
{
	struct wan_call call;
	WAN_FIND(call, context, FAMILY, avcodec_flush_buffers);
	stop(call.object, context, false);
	if (wan_real(call, avcodec_flush_buffers))
		wan_real(call, avcodec_flush_buffers)(context);
}

WAN_AUDITED int avcodec_close(struct context *context)
{
	struct wan_call call;
	WAN_FIND(call, context, FAMILY, avcodec_close);
	stop(call.object, context, true);
	if (!wan_real(call, avcodec_close))
		return -ENOSYS;
	return wan_real(call, avcodec_close)(context);
}

WAN_AUDITED void avcodec_free_context(struct context **context)
{
	struct wan_call call;
	WAN_FIND(call, context ? *context : NULL, FAMILY, avcodec_free_context);
	stop(call.object, context ? *context : NULL, true);
	if (wan_real(call, avcodec_free_context))
		wan_real(call, avcodec_free_context)(context);
}
