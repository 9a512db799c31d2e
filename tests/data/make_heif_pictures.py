#!/usr/bin/env python3
"""make_heif_pictures.py FOLDER: the files of tests/data/heif. Needs heif-enc (libheif-examples 1.15) and Little CMS 2.

heif-enc codes the pixels; the boxes around them are written here, so that a file can say what none of its encoders would.
"""
import ctypes
import ctypes.util
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

RED, GREEN, BLUE, YELLOW = (200, 40, 40), (40, 200, 40), (40, 40, 200), (220, 220, 40)


def png(rows, depth=8):
    """`rows` of pixels, which are tuples of three channels or four."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    color = {3: 2, 4: 6}[len(rows[0][0])]
    form = ">B" if depth == 8 else ">H"
    raw = b"".join(b"\0" + b"".join(struct.pack(form, v) for pixel in row for v in pixel) for row in rows)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), depth, color, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def flat(color, side=64):
    return [[color] * side for _ in range(side)]


def encoded(rows, ending, *options, depth=8):
    """As heif-enc writes it: in YCbCr of full resolution, without further loss."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "a.png", Path(folder) / f"a.{ending}"
        source.write_bytes(png(rows, depth))
        subprocess.run(["heif-enc", "-L", "-p", "chroma=444", *options, "-o", out, source],
                       check=True, stdout=subprocess.DEVNULL)
        return out.read_bytes()


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind, version, flags, *parts):
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def box_in(file, kind):
    at = file.index(kind) - 4
    return file[at:at + struct.unpack(">I", file[at:at + 4])[0]]


class Coded:
    """A picture: its kind of item, configuration, and coded data."""
    def __init__(self, file):
        config = b"hvcC" if b"hvcC" in file else b"av1C"
        self.kind = {b"hvcC": b"hvc1", b"av1C": b"av01"}[config]
        self.config, self.data = box_in(file, config), box_in(file, b"mdat")[8:]


def ispe(width, height):
    return full_box(b"ispe", 0, 0, struct.pack(">II", width, height))


def pixi(bits):
    return full_box(b"pixi", 0, 0, bytes([3, bits, bits, bits]))


PIXI = pixi(8)


def nclx(primaries, transfer):
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, 6, 128))


def heif(brand, items, primary, references=()):
    """items: (kind, data, properties) each, numbered from 1; those behind the primary one are hidden, but Exif."""
    properties = []
    for _, _, own in items:
        properties += [p for p in own if p not in properties]
    infos, places, uses, data = b"", b"", b"", b""
    for n, (kind, content, own) in enumerate(items, 1):
        hidden = n != primary and kind != b"Exif"
        infos += full_box(b"infe", 2, hidden, struct.pack(">HH4sB", n, 0, kind, 0))
        places += struct.pack(">HHHII", n, 0, 1, len(data), len(content))
        uses += struct.pack(">HB", n, len(own)) + bytes(0x80 | 1 + properties.index(p) for p in own)
        data += content
    links = b"".join(box(kind, struct.pack(f">HH{len(to)}H", of, len(to), *to)) for kind, of, to in references)

    def meta(offset):
        at = b"".join(places[i:i + 6] + struct.pack(">I", struct.unpack(">I", places[i + 6:i + 10])[0] + offset) +
                      places[i + 10:i + 14] for i in range(0, len(places), 14))
        return full_box(
            b"meta", 0, 0, full_box(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", 0, 0, struct.pack(">H", primary)), full_box(b"iinf", 0, 0, struct.pack(">H", len(items)), infos),
            full_box(b"iref", 0, 0, links) if links else b"",
            box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", 0, 0, struct.pack(">I", len(items)), uses)),
            full_box(b"iloc", 0, 0, struct.pack(">HH", 0x4400, len(items)), at))
    start = box(b"ftyp", brand, bytes(4), b"mif1", brand)
    return start + meta(len(start) + len(meta(0)) + 8) + box(b"mdat", data)


def display_p3():
    lcms = ctypes.CDLL(ctypes.util.find_library("lcms2"))
    pointer, double = ctypes.c_void_p, ctypes.c_double
    lcms.cmsBuildParametricToneCurve.restype = lcms.cmsCreateRGBProfile.restype = pointer
    lcms.cmsCreateRGBProfile.argtypes = [pointer, pointer, pointer * 3]
    lcms.cmsSaveProfileToMem.argtypes = [pointer, pointer, pointer]
    curve = lcms.cmsBuildParametricToneCurve(None, 4, (double * 5)(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    white = (double * 3)(0.3127, 0.3290, 1)
    primaries = (double * 9)(0.680, 0.320, 1, 0.265, 0.690, 1, 0.150, 0.060, 1)
    profile = lcms.cmsCreateRGBProfile(white, primaries, (pointer * 3)(curve, curve, curve))
    size = ctypes.c_uint32()
    lcms.cmsSaveProfileToMem(profile, None, ctypes.byref(size))
    icc = ctypes.create_string_buffer(size.value)
    lcms.cmsSaveProfileToMem(profile, icc, ctypes.byref(size))
    return icc.raw[:24] + struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + icc.raw[36:]  # not the time of today


def tiles():
    """2x2 tiles, of which the last ones are cut, turned by a quarter to the left; Exif says another turn."""
    parts = [Coded(encoded(flat(color), "heic")) for color in (RED, GREEN, BLUE, YELLOW)]
    hevc = [p.config for p in parts]
    assert all(config == hevc[0] for config in hevc)
    own = [hevc[0], ispe(64, 64), PIXI, nclx(1, 13)]
    turn = box(b"irot", b"\1")
    exif = bytes(4) + b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x112, 3, 1, 6) + bytes(4)
    items = [(b"grid", struct.pack(">BBBBHH", 0, 0, 1, 1, 112, 96), [ispe(112, 96), PIXI, nclx(1, 13), turn])]
    items += [(p.kind, p.data, own) for p in parts] + [(b"Exif", exif, [])]
    return heif(b"heic", items, 1, [(b"dimg", 1, (2, 3, 4, 5)), (b"cdsc", 6, (1,))])


def one(coded, size, *properties):
    return heif(b"heic" if coded.kind == b"hvc1" else b"avif", [(coded.kind, coded.data, [coded.config, ispe(*size), *properties])], 1)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)

    def write(name, data):
        (folder / name).write_bytes(data)

    write("tiles.heic", tiles())
    halves = Coded(encoded([[RED] * 32 + [BLUE] * 32] * 32 + [[GREEN] * 64] * 32, "avif"))
    write("mirrored.avif", one(halves, (64, 64), PIXI, nclx(1, 13), box(b"imir", b"\1")))
    skin = Coded(encoded(flat((150, 40, 60)), "avif"))
    write("p3.avif", one(skin, (64, 64), PIXI, nclx(12, 13)))
    write("p3-icc.avif", one(skin, (64, 64), PIXI, box(b"colr", b"prof", display_p3()), nclx(1, 13)))
    write("alpha.avif", encoded([[(10, 20, 30, 128)] * 32 + [(40, 50, 60, 255)] * 32] * 64, "avif"))
    write("multiplied.avif", encoded(flat((50, 100, 30, 128)), "avif", "--premultiplied-alpha"))
    deep = [[(level << 6,) * 3 for level in [7] * 24 + [255] * 24 + [1019] * 16]] * 64  # grey: no matrix rounds it
    write("deep.heic", encoded(deep, "heic", "-b", "10", depth=16))
    pq = [[(448 << 6, 400 << 6, 600 << 6)] * 64] * 64
    write("pq.heic", one(Coded(encoded(pq, "heic", "-b", "10", depth=16)), (64, 64), pixi(10), nclx(9, 16)))
    large = Coded(encoded(flat(RED, 512), "heic"))
    write("larger.heic", one(large, (64, 64), PIXI, nclx(1, 13)))
    write("circle.heic", heif(b"heic", [(b"iden", b"", [ispe(64, 64)])], 1, [(b"dimg", 1, (1,))]))


if __name__ == "__main__":
    main()
