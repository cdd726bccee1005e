/* SPDX-License-Identifier: MIT */
/*
 * The recording: one mapped file per process, written so that a SIGKILL at any instruction loses
 * no completed record and tears none.
 *
 *   0 KiB      header, anchors, lane directory          (prefaulted)
 *   8 KiB      64 counter blocks of 64 words            (prefaulted)
 *   40 KiB     strings, append only                      (first 24 KiB prefaulted)
 *   128 KiB    units of 16 KiB: a lane takes four in a row, a chunk of 255 records one
 *
 * A lane has one writer at a time (a thread claims it, gives it back at exit; the next thread goes
 * on with it), so nothing in it needs a lock. Records of a chunk that is about to be used again are
 * first folded into the lane's aggregates: two copies, the generation word is stored last and says
 * which one holds, and each copy says up to which sequence number it has folded. So aggregates +
 * records beyond are always exactly everything, whenever the process died.
 *
 * A family (the processes of one run) is the concatenation of recordings, each starting at a
 * multiple of 4096 and used_bytes long; there is no other container format. Little endian.
 */
#ifndef WAN_RECORD_LAYOUT_H
#define WAN_RECORD_LAYOUT_H

#include <stdint.h>

#define WAN_RECORD_MAGIC         0x31464f52504e4157u /* "WANPROF1" */
#define WAN_RECORD_VERSION       1u
#define WAN_RECORD_ENDIAN        0x01020304u
#define WAN_RECORD_PAGE          4096u
#define WAN_RECORD_UNIT          16384u
#define WAN_RECORD_INITIAL       (1024u * 1024u)
#define WAN_RECORD_STEP          (1024u * 1024u)
#define WAN_RECORD_ANCHORS_AT    2048u /* 48 anchors of 32 bytes */
#define WAN_RECORD_ANCHORS       48u
#define WAN_RECORD_LANE_DIR_AT   4096u /* uint32_t per lane: first unit + 1; 0: free slot */
#define WAN_RECORD_LANES         1024u
#define WAN_RECORD_COUNTERS_AT   8192u
#define WAN_RECORD_COUNTERS      64u
#define WAN_RECORD_STRINGS_AT    (40u * 1024u)
#define WAN_RECORD_STRINGS_BYTES (88u * 1024u)
#define WAN_RECORD_UNITS_AT      (128u * 1024u)
#define WAN_RECORD_PREFAULT      (64u * 1024u)
#define WAN_RECORD_CHUNK_RECORDS 255u
#define WAN_RECORD_LANE_UNITS    4u
#define WAN_RECORD_INFLIGHT      8u
#define WAN_RECORD_AGGREGATES    103u
#define WAN_RECORD_NOTABLE       32u /* slowest, and as many failed, kept apart per lane */
#define WAN_RECORD_HISTOGRAM     36u
/* No recording is larger: 1024 lanes with a chunk each and about 780 000 records beside them. */
#define WAN_RECORD_MAXIMUM (128u * 1024u * 1024u)

enum wan_run_state {
	WAN_RUN_RUNNING =
		1, /* or died without anybody to note it: the reader looks at pid and start */
	WAN_RUN_EXITED,
	WAN_RUN_SIGNALLED,
	WAN_RUN_KILLED_FOR_MEMORY,
	WAN_RUN_UNKNOWN,
};

enum wan_record_role {
	WAN_ROLE_PRELOADED = 1,
	WAN_ROLE_LINKED,
	WAN_ROLE_PARENT, /* wanprof run itself: samples, outcome of the command */
};

enum wan_audited_state {
	WAN_AUDITED_UNKNOWN, /* no hooks, or an older recording */
	WAN_AUDITED_NO,
	WAN_AUDITED_YES,
};

struct wan_record_anchor {
	uint64_t ticks, monotonic_ns, realtime_ns;
	uint64_t
		seal; /* sequence number | check of the other words << 32, stored last; 0: unused */
};

/* First 2048 bytes. Fixed after creation unless said otherwise. */
struct wan_record_header {
	uint64_t magic;
	uint32_t version, endian;
	uint32_t header_bytes, record_bytes; /* 2048, 64 */
	uint32_t role;                       /* enum wan_record_role */
	uint32_t pid, parent_pid;
	uint32_t state;           /* enum wan_run_state; written by the parent or at exit */
	uint64_t pid_start_ticks; /* field 22 of /proc/PID/stat */
	uint64_t used_bytes;      /* grows; multiple of WAN_RECORD_PAGE */
	uint64_t units;           /* claimed so far, atomic */
	uint64_t strings_used;    /* bytes, atomic */
	uint64_t dropped;         /* operations that could not be recorded, atomic */
	uint64_t capacity;        /* records */
	double ns_per_tick;
	int32_t exit_status, signal; /* valid by state */
	uint64_t end_realtime_ns;    /* 0: not known */
	uint64_t estimate_ns;
	uint8_t run_id[16];
	uint32_t allocator_active;  /* enum wan_heap_source: whose counters passed the self-test */
	uint32_t overhead_start_us; /* what our own start-up cost */
	char job[128];
	char program[256]; /* executable path */
	char command[768]; /* arguments, separated by \x1f, cut */
	char allocator[64];
	char libraries[256]; /* "libjpeg-turbo 2.1.5;libpng 1.6.39" as seen, grows */
	uint64_t check; /* wan_mix32 over the constant identity: magic..pid, pid_start, run_id */
	/* the machine at the start; since 0.2, zeros before */
	char cpu[64];               /* the processor's own name of itself */
	char kernel[64];            /* "Linux 6.1.0 x86_64" */
	uint32_t cpus, cpus_usable; /* online; in the process's affinity mask */
	uint64_t memory_bytes;
	uint32_t audited; /* enum wan_audited_state: did the audit companion stand beside the hooks?
			   */
};

/* 64 words of statistics, each word atomic by itself; see schema.def for the meaning of each. */
enum wan_counters_kind {
	WAN_COUNTERS_CACHE = 1,
	WAN_COUNTERS_MEMORY,
	WAN_COUNTERS_TRACKER,
	WAN_COUNTERS_MONITOR,
	WAN_COUNTERS_RUNTIME,
	WAN_COUNTERS_COVERAGE, /* preload: calls seen per library */
	WAN_COUNTERS_CUDA,     /* preload: device memory and work, "device N" or "all" */
	WAN_COUNTERS_OVERHEAD, /* preload: what the hooks cost */
	WAN_COUNTERS_HOST,     /* wanprof run: the machine as the command began */
};
/* Words of a coverage block, as in schema.def. */
enum wan_cover {
	WAN_COVER_OBJECTS,    /* codec objects created, probes included */
	WAN_COVER_OPERATIONS, /* recorded */
	WAN_COVER_UNRESOLVED, /* the real function could not be found */
	WAN_COVER_SWITCHED_OFF,
	WAN_COVER_OUT_OF_REACH, /* loaded, and nothing of its work can be seen */
	WAN_COVER_COUNT
};
struct wan_record_counters {
	uint32_t kind; /* 0: free; stored last */
	uint32_t name; /* string id */
	uint64_t words[63];
};

/* Strings: id = offset / 4 from WAN_RECORD_STRINGS_AT + 1 ; 0 is "none". */
struct wan_record_string {
	uint16_t bytes; /* stored last; then the characters, padded to 4 */
	char text[];
};

enum wan_record_kind {
	WAN_RECORD_OPERATION = 1,
	WAN_RECORD_SAMPLE,
	WAN_RECORD_ALERT,
	WAN_RECORD_ACTION,
	WAN_RECORD_PHASE,
	WAN_RECORD_DETAIL,       /* of the operation that began at its ticks on its thread */
	WAN_RECORD_VRAM,         /* what the process has allocated on a device */
	WAN_RECORD_ALERT_DETAIL, /* of the alert of its id */
	WAN_RECORD_HEAP,         /* what the process holds at the end of an iteration */
	WAN_RECORD_SENSORS,      /* heat, power and throttling, of the SAMPLE just before */
};

enum wan_record_library {
	WAN_LIBRARY_NONE,
	WAN_LIBRARY_LIBJPEG,
	WAN_LIBRARY_TURBOJPEG,
	WAN_LIBRARY_LIBPNG,
	WAN_LIBRARY_WANRT,
	WAN_LIBRARY_CUDA,
	WAN_LIBRARY_PYTHON,
	WAN_LIBRARY_PROGRAM, /* named by the instrumented program itself */
	WAN_LIBRARY_PILLOW,  /* its own PNG code */
	WAN_LIBRARY_OPENCV,  /* codecs inside its Python module */
	WAN_LIBRARY_AVCODEC,
	WAN_LIBRARY_NVTX, /* ranges that a program names for NVIDIA's tools; memory: the device's */
};

enum wan_record_flags {
	WAN_FLAG_CHILD = 1, /* inside another recorded operation: not counted in totals */
	WAN_FLAG_PEAK_UPPER_BOUND = 2, /* memory summed over several threads */
	WAN_FLAG_PROGRESSIVE = 4,      /* or interlaced */
	WAN_FLAG_SCALED = 8,           /* decoder asked for a smaller size */
	WAN_FLAG_LOSSLESS = 16,        /* transform without decoding */
};

#define WAN_CPU_UNKNOWN    UINT32_MAX
#define WAN_BYTES_UNKNOWN  UINT32_MAX
#define WAN_MEMORY_UNKNOWN INT32_MIN

/* 64 bytes. seal = low 32 bits of the lane's sequence number (never 0), stored last. */
struct wan_record_operation {
	uint32_t seal, check;
	uint64_t start_ticks;
	uint64_t span_ticks;
	uint32_t cpu_us; /* WAN_CPU_UNKNOWN */
	uint32_t width_px, height_px;
	uint32_t thread;
	uint32_t file_bytes; /* saturates at UINT32_MAX - 1; WAN_BYTES_UNKNOWN */
	int32_t memory_kib;  /* net; WAN_MEMORY_UNKNOWN */
	uint32_t peak_kib;   /* WAN_BYTES_UNKNOWN */
	uint16_t inside;     /* share of span inside the library, 65535 = all */
	uint16_t name, file; /* string ids */
	uint8_t channels;
	uint8_t kind_status; /* enum wan_record_kind << 4 | enum wan_op_status */
	uint8_t bit_depth;
	uint8_t library;
	uint16_t flags;
};

/* Any other record: same seal, check, kind byte at the same place. */
struct wan_record_event {
	uint32_t seal, check;
	uint64_t ticks;
	uint64_t values[4];
	uint16_t name, text; /* string ids */
	uint32_t code;       /* alert type and severity, action, phase: see schema.def */
	uint16_t reserved;
	uint8_t reserved_too;
	uint8_t kind_status;
	uint32_t thread;
};

/*
 * What a thread is doing now; eight deep. sequence is 0 when the entry is empty, and the entry
 * counts for nothing until start_ticks is set. Entries with an object may outlive the frame and the
 * thread that made them; those without one are frames and go when an outer frame goes.
 */
struct wan_record_inflight {
	uint64_t start_ticks;
	uint64_t file_bytes; /* UINT64_MAX: unknown */
	uint64_t object;     /* address of the codec object, to tell two apart; never followed */
	uint32_t width_px, height_px;
	uint32_t rows_done;
	uint32_t thread;
	uint16_t name, file;
	uint8_t library, channels, bit_depth, reserved;
	uint32_t sequence;
	uint32_t reserved_too[3];
};

/* Key: name, library, status, flags, size bucket. Sums over the operations folded so far. */
struct wan_record_aggregate {
	uint16_t name;
	uint8_t library, status;
	uint16_t flags;
	uint8_t size_bucket; /* floor(log2(pixels)) + 1; 0: no size */
	uint8_t reserved;
	uint32_t cpu_known, file_known;
	uint64_t count;
	uint64_t span_ticks, inside_ticks, cpu_us, pixels, file_bytes;
	int64_t memory_kib;
	uint32_t memory_known, peak_kib; /* peak: maximum */
	uint64_t min_ticks, max_ticks;   /* of inside */
	uint64_t reserved_too[2];
	uint32_t histogram[WAN_RECORD_HISTOGRAM]; /* of inside time, see wan_histogram_edge_ns() */
};

struct wan_record_fold {
	uint64_t generation;
	uint64_t folded_sequence; /* operations with a smaller or equal sequence are in here */
	uint32_t aggregate_count, merged; /* merged: operations put under name 0 for lack of room */
	uint32_t slow_count, failed_count;
	uint32_t check; /* wan_record_sum over the parts in use, with check 0 */
	uint32_t reserved[7];
	struct wan_record_aggregate aggregates[WAN_RECORD_AGGREGATES];
	struct wan_record_operation slowest[WAN_RECORD_NOTABLE];
	struct wan_record_operation failed[WAN_RECORD_NOTABLE];
};

/* First page of a lane's 64 KiB; then the two folds of 30 KiB. */
struct wan_record_lane {
	uint32_t magic; /* WAN_RECORD_LANE_MAGIC */
	uint32_t index;
	uint32_t held; /* 1 while a thread writes here */
	uint32_t thread;
	uint64_t sequence;   /* records sealed */
	uint64_t generation; /* of the fold that holds: folds[generation & 1]; stored last; 0: none
			      */
	struct wan_record_inflight inflight[WAN_RECORD_INFLIGHT];
};

struct wan_record_chunk {
	uint32_t magic; /* WAN_RECORD_CHUNK_MAGIC */
	uint32_t lane;
	uint64_t check; /* wan_record_chunk_check(lane, unit) */
	uint64_t reserved[6];
	/* then WAN_RECORD_CHUNK_RECORDS records of 64 bytes */
};

/*
 * A unit of sums that a lane keeps in place, for calls too many to have a record each (millions of
 * kernel launches). Its words are stored one by one by the lane's thread, so sums need no seal: a
 * kill leaves at most one call half counted (in the histogram, not in count, which comes last).
 * Of each aggregate name, library, status and flags never change; span_ticks and file_known are not
 * kept up: span is inside, and file_known is 1 where bytes are known of every call. Operations that
 * have a record of their own are not in here.
 */
#define WAN_RECORD_SUMS 63u
struct wan_record_sums {
	uint32_t magic; /* WAN_RECORD_SUMS_MAGIC */
	uint32_t lane;
	uint64_t check; /* wan_record_sums_check(lane, unit) */
	uint64_t reserved[6];
	struct wan_record_aggregate sums[WAN_RECORD_SUMS];
};

/*
 * A unit with the latencies of one tracker: those of the counter block named here, whose word
 * "histogram" names the unit. Its job begins it anew.
 */
#define WAN_RECORD_LATENCY_BUCKETS 2176u
struct wan_record_latency {
	uint32_t magic; /* WAN_RECORD_LATENCY_MAGIC, stored last */
	uint32_t block;
	uint64_t check; /* wan_record_latency_check(block, unit) */
	uint32_t shift; /* counted are units of 2^shift ticks */
	uint32_t reserved[11];
	uint32_t counts[WAN_RECORD_LATENCY_BUCKETS]; /* see latency.h */
};

#define WAN_RECORD_LATENCY_MAGIC 0x5954414cu
#define WAN_RECORD_LANE_MAGIC    0x454e414cu
#define WAN_RECORD_SUMS_MAGIC    0x534d5553u
#define WAN_RECORD_CHUNK_MAGIC   0x4b4e4843u
#define WAN_RECORD_FOLD_BYTES    30720u

_Static_assert(sizeof(struct wan_record_operation) == 64, "record size");
_Static_assert(sizeof(struct wan_record_event) == 64, "record size");
_Static_assert(sizeof(struct wan_record_inflight) == 64, "in-flight size");
_Static_assert(sizeof(struct wan_record_aggregate) == 256, "aggregate size");
_Static_assert(sizeof(struct wan_record_sums) <= WAN_RECORD_UNIT, "sums size");
_Static_assert(sizeof(struct wan_record_latency) <= WAN_RECORD_UNIT, "latency size");
_Static_assert(sizeof(struct wan_record_fold) <= WAN_RECORD_FOLD_BYTES, "fold size");
_Static_assert(sizeof(struct wan_record_counters) == 512, "counters size");
_Static_assert(sizeof(struct wan_record_chunk) == 64, "chunk header size");
_Static_assert(sizeof(struct wan_record_header) <= WAN_RECORD_ANCHORS_AT, "header size");

#endif
