# SPDX-License-Identifier: MIT
"""wan-startend and bad input: one sentence, the right status, little time and memory, no file left.

Arguments: wan-startend, wanprof, [TEST NAME PART...]
"""
import os
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from startend_support import (another_user, chunk, environment, flat_png, fresh, good, ihdr, kind,
                              listed, noise_png, noise_rows, nothing_left, one_sentence, png,
                              read, run, write)
from tap import Skip, check, equal, main, test

MIB_KIB = 1024
SIZE = "--size", "64x48"


def usual_kib():
    """What a run takes that has almost nothing to do."""
    if not usual_kib.value:
        usual_kib.value = good("-q", "--start", write(noise_png()), *SIZE, "-o", fresh()).rss_kib
    return usual_kib.value


usual_kib.value = 0


def cheap(done, what):
    check(done.cpu_s < 1, f"{what}: {done.cpu_s} s of CPU")
    check(done.rss_kib < usual_kib() + 64 * MIB_KIB, f"{what}: {done.rss_kib} KiB")


def refused(path, status, *parts, **more):
    """A picture that is not used."""
    out = fresh()
    done = run("-q", "--start", path, *SIZE, "-o", out, **more)
    one_sentence(done, status, path, *parts)
    cheap(done, path)
    nothing_left(out)
    return done


def usage_error(*arguments, parts=()):
    done = run(*arguments)
    one_sentence(done, 64, *parts)
    equal(done.out, "", "stdout")


def pair_list(content):
    out, path = fresh(), write(content, ".tsv")
    return path, out, run("-q", "--list", path, *SIZE, "-o", out)


@test
def what_is_no_file_of_an_image_is_refused():
    place, pipe = fresh(), fresh()
    os.mkdir(place)
    os.mkfifo(pipe)
    refused("/no/such/file.png", 66, "check the path")
    refused(write(noise_png()) + "/x", 66)
    refused(f"{write(b'')[:-1]}/../{'n' * 150}", 66)
    one_sentence(run("--start", "n" * 300, *SIZE, "-o", fresh()), 66, "n" * 255)
    refused(write(b""), 65, "is empty")
    refused(place, 65, "is a folder")
    refused(pipe, 65, "pipe")
    refused("/dev/zero", 65, "device")
    refused("/dev/null", 65, "device")
    loop = fresh()
    os.symlink(loop, loop)
    refused(loop, 66)


@test
def an_empty_path_is_refused():
    out = fresh()
    done = run("--start", "", *SIZE, "-o", out)
    check(done.status in (64, 66), done)
    one_sentence(done, done.status)
    nothing_left(out)


@test
def a_picture_that_may_not_be_read_is_refused():
    user = another_user()
    path, out = write(noise_png()), fresh()
    os.chmod(path, 0)
    os.mkdir(out)
    os.chmod(out, 0o777)
    done = run("-q", "--start", path, *SIZE, "-o", out, **user)
    one_sentence(done, 66, path, "permission")
    cheap(done, path)
    nothing_left(out)


@test
def text_and_random_bytes_are_no_image():
    refused(write("just text\n" * 50, ".png"), 65, "any image format")
    refused(write("x", ".jpg"), 65)
    refused(write(bytes(range(256)) * 100, ".jpg"), 65, "any image format")


def truncated(path):
    content = read(path)
    size = len(content)
    places = sorted({0, 1, 2, 3, 7, 8, 9, 20, 33, 40, size - 1, size - 2, size - 5, size - 12,
                     size - 13} | {size * i // 46 for i in range(1, 46)})
    equal(len(places), 60, "places")
    cut = fresh(path[-4:])
    statuses = {}
    for place in places:
        with open(cut, "wb") as file:
            file.write(content[:place])
        out = fresh()
        done = run("-q", "--start", cut, *SIZE, "-o", out)
        statuses[place] = done.status
        cheap(done, place)
        if done.status == 0:  # nothing but the end mark is missing
            equal((done.err, len(listed(out))), ("", 3), f"cut at {place}")
        else:
            one_sentence(done, 65, cut)
            nothing_left(out)
    return size, statuses


@test
def a_truncated_png_is_refused_wherever_it_ends():
    for name in "rgb.png", "interlaced.png":
        size, statuses = truncated(kind(name))
        equal([place for place, status in statuses.items() if status == 0 and place < size - 12],
              [], f"{name} of {size} bytes: accepted")


@test
def a_truncated_jpeg_is_refused_wherever_it_ends():
    for name in "baseline.jpg", "progressive.jpg":
        size, statuses = truncated(kind(name))
        equal([place for place, status in statuses.items() if status == 0 and place < size - 5],
              [], f"{name} of {size} bytes: accepted")


@test
def hostile_png_headers_cost_nothing():
    data = zlib.compress(b"\0" * 100)
    for width, height in ((0, 5), (5, 0), (0, 0), (2**31, 5), (5, 2**31), (2**32 - 1, 2**32 - 1),
                          (2**31 - 1, 2**31 - 1), (65535, 65535), (300000, 20)):
        refused(write(png(ihdr(width, height), data)), 65)
        refused(write(png(ihdr(width, height))), 65)
    refused(write(png(ihdr(65535, 65535))[:33]), 65)
    refused(write(png(ihdr(300, 300, crc=1), data)), 65)
    for depth, colour in ((3, 0), (16, 3), (1, 2), (4, 4), (2, 6), (8, 1), (8, 5), (0, 0), (32, 2)):
        refused(write(png(ihdr(300, 300, depth, colour), data)), 65)
    refused(write(png(ihdr(300, 300, interlace=2), data)), 65)
    refused(write(png(ihdr(300, 300, colour=3), data)), 65)  # no palette
    refused(write(png(ihdr(300, 300))), 65)  # no pixels
    refused(write(png(chunk(b"IHDR", b"\0" * 5), data)), 65)
    refused(write(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31) + b"IHDR" + b"\0" * 40), 65)
    bad = bytearray(zlib.compress(noise_rows(300, 300), 1))
    bad[1000] ^= 1
    refused(write(png(ihdr(300, 300), bytes(bad))), 65)
    filters = noise_rows(300, 300).replace(b"\0", b"\x09", 1)
    refused(write(png(ihdr(300, 300), zlib.compress(filters, 1))), 65)
    refused(write(png(ihdr(300, 300), b"", *[chunk(b"tEXt", b"a\0b")] * 5000)), 65)


def frame_at(jpeg):
    """Where the frame header of a JPEG is."""
    at = 2
    while jpeg[at + 1] not in (0xc0, 0xc1, 0xc2):
        at += 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
    return at


def with_frame(jpeg, offset, value):
    changed, at = bytearray(jpeg), frame_at(jpeg) + offset
    changed[at:at + len(value)] = value
    return bytes(changed)


@test
def hostile_jpeg_headers_cost_nothing():
    jpeg = read(kind("baseline.jpg"))
    huge = struct.pack(">HH", 65535, 65535)
    refused(write(with_frame(jpeg, 5, b"\0\0\0\0")), 65)
    refused(write(with_frame(jpeg, 5, b"\0\0")), 65)
    refused(write(with_frame(jpeg, 7, b"\0\0")), 65)
    refused(write(with_frame(jpeg, 5, huge)), 65)
    refused(write(with_frame(jpeg, 5, huge)[:900]), 65)
    refused(write(with_frame(read(kind("progressive.jpg")), 5, huge)[:900]), 65)
    refused(write(with_frame(jpeg, 9, b"\xff")), 65)
    refused(write(with_frame(jpeg, 9, b"\0")), 65)
    refused(write(with_frame(jpeg, 4, b"\x10")), 65)
    refused(write(with_frame(jpeg, 11, b"\xff")), 65)  # sampling factors 15
    refused(write(with_frame(jpeg, 2, b"\0\0")), 65)
    refused(write(jpeg[:frame_at(jpeg)] + b"\xff\xd9"), 65)
    refused(write(b"\xff\xd8\xff\xd8\xff\xd9"), 65)
    refused(write(b"\xff\xd8" + b"\xff\xfe\0\x02" * 70000), 65)


@test
def many_scans_are_refused():
    jpeg = read(kind("progressive.jpg"))
    last = jpeg.rindex(b"\xff\xda")
    for scans in 150, 1100:
        refused(write(jpeg[:-2] + jpeg[last:-2] * scans + b"\xff\xd9"), 65, "scans")
    # A large picture with few bytes: each scan would cost the time of all its pixels.
    wide = with_frame(jpeg, 5, struct.pack(">HH", 16000, 16000))
    refused(write(wide[:-2] + jpeg[last:-2] * 150 + b"\0" * 100000 + b"\xff\xd9"), 65)


@test
def a_decompression_bomb_is_refused_from_its_header():
    refused(write(flat_png(20000, 20000)), 65, "pixels")
    # Within the limit of pixels, and 1/1000 of them in the file: only the first rows are there.
    few = flat_png(12000, 50)
    idat = few[few.index(b"IDAT") + 4:-16]
    refused(write(png(ihdr(12000, 12000), idat + b"\0" * 450000)), 65)
    press = zlib.compressobj(9)
    packed = b"".join(press.compress(b"\0" * 1000000) for _ in range(50)) + press.flush()
    text = chunk(b"zTXt", b"a\0\0" + packed)
    picture = noise_png()
    refused_or_used = run("-q", "--start", write(picture[:33] + text + picture[33:]), *SIZE, "-o",
                          fresh())
    check(refused_or_used.status in (0, 65), refused_or_used)
    cheap(refused_or_used, "text bomb")


@test
def other_formats_are_named_with_the_command_that_converts_them():
    ftyp = struct.pack(">I", 24) + b"ftyp"
    for content, name, command in (
            (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP", "dwebp"),
            (b"BM" + struct.pack("<IIIIii", 70, 0, 54, 40, 300, 300), "BMP", "magick"),
            (b"GIF89a\x2c\x01\x2c\x01", "GIF", "magick"),
            (b"II*\0\x08\0\0\0", "TIFF", "magick"), (b"MM\0*\0\0\0\x08", "TIFF", "magick"),
            (ftyp + b"heic\0\0\0\0mif1heic", "HEIF", "heif-convert"),
            (ftyp + b"avif\0\0\0\0mif1avif", "AVIF", "avifdec")):
        done = refused(write(content + b"\0" * 100, ".png"), 65, name, command)
        check("damaged" not in done.err and "corrupt" not in done.err, done.err)


@test
def a_picture_that_is_too_small_is_refused_by_name():
    refused(write(noise_png(100, 100)), 65, "256")


def not_written(out, status=73, **more):
    done = run("-q", "--start", write(noise_png()), *SIZE, "-o", out, **more)
    one_sentence(done, status, out)
    cheap(done, out)


@test
def an_output_folder_is_made_with_its_parents():
    out = os.path.join(fresh(), "below", "it")
    good("-q", "--start", write(noise_png()), *SIZE, "-o", out)
    check("start.png" in os.listdir(out), os.listdir(out))


@test
def an_output_folder_that_cannot_be_had_ends_with_73():
    plain = write("a file")
    not_written(plain)
    equal(read(plain), b"a file", "content")
    not_written(plain + "/below")
    not_written(plain + "/below/it")
    not_written("/proc/nothing")
    not_written(fresh() + "n" * 300)
    usage_error("--start", write(noise_png()), *SIZE, "-o", "", parts=["-o"])


@test
def a_folder_without_permission_ends_with_73():
    user = another_user()
    out = fresh()
    os.mkdir(out, 0o755)
    not_written(out, **user)
    nothing_left(out)
    os.chmod(out, 0o777)
    os.mkdir(f"{out}/start.png")
    done = run("-q", "--start", write(noise_png()), *SIZE, "-o", out, "--force")
    one_sentence(done, 73, "start.png", "is a folder")
    equal(listed(out), ["start.png"])


@test
def a_full_disk_ends_with_73_and_nothing_half_written():
    out = fresh()
    os.mkdir(out)
    for size in "20k", "300k":
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", out],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if mounted.returncode != 0:
            raise Skip(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
        try:
            done = run("-q", "--start", write(noise_png()), "--size", "320x256", "-o", out,
                       "--json", f"{out}/profile.json")
            equal(done.status, 73, done.err)
            check("the disk is full" in done.err.splitlines()[0], done.err)
            check(out in done.err.splitlines()[0], done.err)
            for name in listed(out):
                content = read(f"{out}/{name}")
                check(name == "start.png" and content.endswith(b"IEND\xaeB`\x82") or
                      name == "profile.json" and content.endswith(b"}\n"), f"{name} is left")
        finally:
            subprocess.run(["umount", out], check=True)


@test
def file_size_limits_end_with_73():
    import resource  # pylint: disable=import-outside-toplevel
    out = fresh()
    done = run("-q", "--start", write(noise_png()), "--size", "320x256", "-o", out,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000)))
    one_sentence(done, 73, out)
    equal([name for name in listed(out) if name != "start.png"], [], "left")


@test
def standard_output_that_is_full_ends_with_73():
    for more in [], ["--json", "-"]:
        with open("/dev/full", "wb") as full:
            done = run("--start", write(noise_png()), *SIZE, "-o", fresh(), *more, stdout=full)
        one_sentence(done, 73, "standard output")


@test
def wrong_usage_ends_with_64_before_anything_is_made():
    picture, out = write(noise_png()), fresh()
    fine = "--start", picture, "-o", out
    usage_error(parts=["--start"])
    usage_error(*fine, *SIZE, "--colour", parts=["--colour"])
    usage_error(*fine, *SIZE, "--thumnail", "9", parts=["--thumnail", "did you mean --thumbnail"])
    usage_error(*fine, *SIZE, "-Z", parts=["-Z"])
    usage_error(*fine, *SIZE, "-qZ", parts=["Z"])
    usage_error(*fine, "--size", parts=["--size", "argument"])
    usage_error("--start", picture, *SIZE, "-o", parts=["-o", "argument"])
    usage_error(*fine, *SIZE, "--force=yes", parts=["--force"])
    for size in ("", "64", "64x", "x64", "64x64x64", "-64x64", "64X64", "0x0", "1e3x64", "64x64 ",
                 " 64x64", "99999999999999999999x64", "17000x64"):
        usage_error(*fine, "--size", size, parts=["WIDTHxHEIGHT"])
    for size in "854x480", "64x50", "17x16":
        usage_error(*fine, "--size", size, parts=["16"])
    usage_error(*fine, *SIZE, "--fit", "squeeze", parts=["squeeze", "cover"])
    usage_error(*fine, *SIZE, "--filter", "magic", parts=["magic", "lanczos"])
    usage_error(*fine, *SIZE, "--thumbnail", "1", parts=["1"])
    usage_error(*fine, *SIZE, "--list", picture, parts=["--list"])
    usage_error("--list", picture, "--end", picture, *SIZE, "-o", out, parts=["--end"])
    usage_error(*fine, *SIZE, "stray.png", parts=["stray.png"])
    usage_error("--start", picture, *SIZE, parts=["-o"])
    usage_error(*fine, parts=["--size"])
    usage_error(*fine, *SIZE, "a\nb\x1b[2J", parts=["a?b?[2J"])
    check(not os.path.exists(out), "the folder is made")


@test
def a_wrong_setting_of_the_environment_is_told_and_ignored():
    done = run("--start", write(noise_png()), *SIZE, "-o", fresh(),
               env=environment(WAN_CACHE_LIMIT="much"))
    one_sentence(done, 0, "WAN_CACHE_LIMIT", "much")
    check("of 256 MB" in done.out, done.out)


@test
def a_wrong_configuration_file_ends_with_64_and_names_the_line():
    place, out = fresh(), fresh()
    os.makedirs(f"{place}/wanrt")
    with open(f"{place}/wanrt/wanrt.conf", "w", encoding="ascii") as file:
        file.write("# mine\ncache.limt = 8M\n")
    done = run("-q", "--start", write(noise_png()), *SIZE, "-o", out,
               env=environment(XDG_CONFIG_HOME=place))
    one_sentence(done, 64, "wanrt.conf", "2", "cache.limit")
    check(not os.path.exists(out), "the folder is made")


@test
def a_list_that_cannot_be_read_is_refused():
    out = fresh()
    for path, parts in (("/no/such/list", ["cannot be opened"]), ("/dev/zero", ["regular"]),
                        ("/", ["regular"])):
        done = run("-q", "--list", path, *SIZE, "-o", out)
        one_sentence(done, 66, path, *parts)
        cheap(done, path)
    check(not os.path.exists(out), "the folder is made")


@test
def a_list_that_is_no_list_is_refused_with_the_line():
    picture = write(noise_png())
    for content, parts in (
            ("", ["names no pair"]), ("# only\n\n# comments\n", ["names no pair"]),
            (noise_png(), ["is no text"]), (b"\0" * 5000, [":1: ", "0"]),
            (f"{picture}\t-\n{picture}\0.png\t-\n", [":2: ", "0"]),
            (f"{picture}\t-\n" + "x" * 100000, [":2: ", "too long"]),
            ("x" * 4000000, [":1: ", "too long"]),
            (f"{picture}\t-\ta\tb\n", [":1: ", "three"]), (f"\t{picture}\n", [":1: ", "no start"]),
            (f"{picture}\t-\t../up\n", [":1: ", "name"]), (f"{picture}\t-\t\n", [":1: ", "name"]),
            (f"{picture}\t-\t.hidden\n", [":1: ", "name"])):
        path, out, done = pair_list(content)
        one_sentence(done, 64, path, *parts)
        cheap(done, path)
        check(not os.path.exists(out), "the folder is made")


@test
def a_line_with_a_path_or_name_beyond_the_kernels_limit_is_one_sentence():
    picture = write(noise_png())
    _, out, done = pair_list("/" + "x/" * 3000 + "\t-\n")
    one_sentence(done, 66)
    nothing_left(out)
    _, out, done = pair_list(f"{picture}\t-\t{'n' * 300}\n{picture}\t-\t{'n' * 5000}\n")
    equal((done.status, done.err.count("\n")), (73, 2), done.err)
    nothing_left(out)


@test
def names_that_would_move_the_terminal_are_made_harmless():
    place = fresh("\x1b[31m\n")
    os.rename(write(noise_png()), place)
    out = fresh()
    done = good("--start", place, *SIZE, "-o", out)
    check("\x1b" not in done.out + done.err, repr(done.out))
    picture, path = write(noise_png()), fresh()
    done = good("--list", write(f"{picture}\t-\tna\x1b[31mme\n"), *SIZE, "-o", path)
    check("\x1b" not in done.out, repr(done.out))
    os.truncate(place, 1000)
    done = run("-q", "--start", place, *SIZE, "-o", fresh())
    one_sentence(done, 65)


main(sys.argv[3:])
