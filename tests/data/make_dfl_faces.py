#!/usr/bin/env python3
"""make_dfl_faces.py FOLDER: the files of tests/data/dfl, written as DeepFaceLab writes them. Needs numpy and Pillow.

Drawn faces of 64 px: 00001_0.jpg without a mask, 00002_0.jpg with an XSeg mask, 00003_0.jpg with polygons, and
faceset.pak with the first two. The pickles are Python's own, of protocol 3, 4 and 2; values.2 to values.5 are some more.
"""
import io
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 64
# A face's 68 points in a unit square: jaw, brows, nose, eyes, mouth.
JAW = [(0.5 + 0.42 * np.cos(a), 0.42 + 0.5 * np.sin(a)) for a in np.linspace(np.pi * 1.02, -np.pi * 0.02, 17)]
BROWS = [(0.16 + 0.06 * i, 0.3 - 0.02 * (2 - abs(i - 2))) for i in range(5)] + \
        [(0.60 + 0.06 * i, 0.3 - 0.02 * (2 - abs(i - 2))) for i in range(5)]
NOSE = [(0.5, 0.38 + 0.06 * i) for i in range(4)] + [(0.42 + 0.04 * i, 0.6) for i in range(5)]


def ring(n, x, y, rx, ry):
    return [(x - rx * np.cos(2 * np.pi * i / n), y - ry * np.sin(2 * np.pi * i / n)) for i in range(n)]


EYES = ring(6, 0.3, 0.38, 0.07, 0.03) + ring(6, 0.7, 0.38, 0.07, 0.03)
MOUTH = ring(12, 0.5, 0.75, 0.15, 0.06) + ring(8, 0.5, 0.75, 0.1, 0.02)
POINTS = np.array(JAW + BROWS + NOSE + EYES + MOUTH) * (SIDE * 0.6) + SIDE * 0.2


def picture(n):
    image = Image.new("RGB", (SIDE, SIDE), (90, 60 + 20 * n, 50))
    draw = ImageDraw.Draw(image)
    draw.ellipse([SIDE * 0.2, SIDE * 0.1, SIDE * 0.8, SIDE * 0.95], fill=(220, 180, 160))
    for x, y in POINTS[17:]:
        draw.point((round(x), round(y)), fill=(30, 20, 20))
    return image


def face(n, protocol, more):
    # The frame is twice as large as the picture, and the face lies at (100 n, 40) in it.
    in_frame = POINTS * 2 + [100 * n, 40]
    return pickle.dumps({
        "face_type": "whole_face", "landmarks": POINTS.tolist(), "source_filename": f"{n:05d}.png",
        "source_rect": [100 * n, 40, 100 * n + 2 * SIDE, 40 + 2 * SIDE], "source_landmarks": in_frame.tolist(),
        "image_to_face_mat": np.array([[0.5, 0, -50 * n], [0, 0.5, -20]], dtype=np.float32), **more}, protocol)


def jpeg(n, protocol, more):
    file = io.BytesIO()
    picture(n).save(file, "JPEG", quality=90)
    data = file.getvalue()
    pickled = face(n, protocol, more)
    end = 2 + 2 + struct.unpack(">H", data[4:6])[0]  # of the first segment, APP0
    return data[:end] + b"\xff\xef" + struct.pack(">H", len(pickled) + 2) + pickled + data[end:]


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 10:22] = 255
    encoded = io.BytesIO()
    Image.fromarray(mask).save(encoded, "PNG")
    square = np.array([[16, 20], [47, 20], [47, 51], [16, 51]], dtype=np.float32)
    hole = np.array([[24, 28], [39, 28], [39, 43], [24, 43]], dtype=np.float32)
    faces = [
        jpeg(1, 3, {}),
        jpeg(2, 4, {"xseg_mask": np.frombuffer(encoded.getvalue(), np.uint8), "eyebrows_expand_mod": 1.0}),
        jpeg(3, 2, {"seg_ie_polys": {"polys": [{"type": 0, "pts": hole}, {"type": 1, "pts": square}]}}),
    ]
    for n, data in enumerate(faces, 1):
        (folder / f"{n:05d}_0.jpg").write_bytes(data)
    listed = pickle.dumps([{"filename": f"{n:05d}_0.jpg", "face_type": 4, "shape": (SIDE, SIDE, 3), "person_name": None,
                            "landmarks": POINTS.astype(np.float32)} for n in (1, 2)], 4)
    begin = 16 + len(listed) + 3 * 8
    offsets = [0, len(faces[0]), begin + len(faces[0]) + len(faces[1])]  # DeepFaceLab counts the last one from the file's start
    (folder / "faceset.pak").write_bytes(struct.pack("<QQ", 1, len(listed)) + listed + struct.pack("<3Q", *offsets) +
                                         faces[0] + faces[1])
    values = {
        "numbers": [1, -2, 70000, -(2**40), 2.5, True, False], "none": None, "text": "\u00e9", "bytes": b"\x00\xff",
        "tuple": (1, (2, 3)), "set": {7}, "big endian": np.arange(6, dtype=">f4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)), "scalar": np.float64(0.25),
        "flags": np.array([True, False]), "empty": np.zeros((0, 2), np.uint8)}
    for protocol in range(2, 6):
        (folder / f"values.{protocol}").write_bytes(pickle.dumps(values, protocol))


main()
