# SPDX-License-Identifier: MIT
"""libavcodec's own JPEG and PNG codecs, with and without threads of their own."""
from recorded import (CHOSEN, HEIGHT, JPEG, PNG, PROGRESSIVE, TRUNCATED_PNG, WIDTH, check, equal,
                      expect, main, need, os, record, subprocess, test, write)

SIZE = (WIDTH, HEIGHT)


def ffmpeg(*arguments, name="ffmpeg", **how):
    need("ffmpeg")
    return record(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *arguments], name, **how)


def operation(name, status="ok", size=SIZE):
    return (name, "libavcodec", *size, status)


@test
def png_to_jpeg_with_one_thread():
    seen = ffmpeg("-threads", "1", "-i", PNG, "-bitexact", "-threads", "1", "out.jpg")
    expect(seen, operation("png.decode"), operation("jpeg.encode"))
    decode, encode = sorted(seen.operations, key=lambda o: o["name"], reverse=True)
    equal(decode["file_bytes"], os.path.getsize(PNG), "bytes in")
    check(0 < encode["file_bytes"] <= len(seen.outcome.files["out.jpg"]), "bytes out")
    for one in decode, encode:
        equal((one["channels"], one["depth"]), (3, 8), "samples")
        check(one["cpu_ns"] != "unknown", one)
        check(one["inside_ns"] * 2 > one["span_ns"], one)


@test
def threads_of_the_codec_claim_no_cpu():
    seen = ffmpeg("-threads", "2", "-i", PNG, "-bitexact", "-threads", "2", "out.png")
    expect(seen, operation("png.decode"), operation("png.encode"))
    for one in seen.operations:
        equal(one["cpu_ns"], "unknown", one)
        check(one["inside_ns"] * 2 > one["span_ns"], one)


@test
def every_frame_of_a_film_is_a_picture():
    movie = os.path.join(os.path.dirname(PNG), "film.avi")
    need("ffmpeg")
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-loop", "1", "-i", JPEG,
                    "-frames:v", "7", "-c:v", "mjpeg", "-bitexact", movie], check=True)
    seen = ffmpeg("-i", movie, "-s", "320x180", "-bitexact", "out%d.png")
    expect(seen, *[operation("jpeg.decode")] * 7, *[operation("png.encode", size=(320, 180))] * 7)


@test
def progressive_sources_are_told():
    seen = ffmpeg("-threads", "1", "-i", PROGRESSIVE, "-f", "rawvideo", "out.raw")
    expect(seen, operation("jpeg.decode"))
    equal(seen.of("aggregate")[0]["flags"], 4, "flags")


@test
def pictures_that_are_refused():
    seen = ffmpeg("-threads", "1", "-i", TRUNCATED_PNG, "out.jpg",
                  same=lambda outcome: (outcome.status, outcome.files))
    equal({(o["name"], o["status"]) for o in seen.operations}, {("png.decode", "failed")}, "seen")
    nonsense = write("nonsense.png", b"\x89PNG\r\n\x1a\n" + bytes(range(200)))
    seen = ffmpeg("-i", nonsense, "out.jpg", same=lambda outcome: (outcome.status, outcome.files))
    check(seen.outcome.status != 0, seen.outcome.status)
    check({o["status"] for o in seen.operations} <= {"failed"}, seen.operations)


@test
def other_codecs_are_no_operations():
    seen = ffmpeg("-f", "lavfi", "-i", "testsrc=duration=0.2:size=64x64", "-c:v", "mpeg4",
                  "-bitexact", "out.avi")
    equal(seen.operations, [], "operations")


if __name__ == "__main__":
    main(CHOSEN)
