#!/usr/bin/env python3
"""make_corpora.py FOLDER: what the fuzz targets start from: FOLDER/NAME/* and the words FOLDER/NAME.dict."""
import json
import os
import re
import struct
import sys
import zlib
from pathlib import Path

MEAN_FACE = [  # landmarks 17-48 and 54, as in data/alignment.cpp, rounded
    (0.000, 0.106), (0.075, 0.039), (0.181, 0.019), (0.291, 0.034), (0.393, 0.077), (0.587, 0.077), (0.689, 0.034),
    (0.799, 0.019), (0.905, 0.039), (0.980, 0.106), (0.490, 0.203), (0.490, 0.307), (0.490, 0.410), (0.490, 0.516),
    (0.367, 0.587), (0.426, 0.609), (0.490, 0.628), (0.554, 0.609), (0.613, 0.587), (0.122, 0.216), (0.187, 0.179),
    (0.266, 0.180), (0.335, 0.232), (0.261, 0.245), (0.183, 0.244), (0.646, 0.232), (0.714, 0.180), (0.793, 0.179),
    (0.859, 0.216), (0.798, 0.244), (0.719, 0.245), (0.254, 0.780)]


def face(index, source=0):
    points = [(0.06 * i, 0.9 - 0.01 * abs(i - 8)) for i in range(17)] + MEAN_FACE
    points += [(0.3 + 0.02 * i, 0.75) for i in range(19)]
    points[54] = (0.726, 0.780)
    in_face = [round(16 * v) for p in points for v in p]  # short inputs are soon tried
    in_frame = [v + 9 + index for v in in_face]
    return {"file": f"images/a_{index}_0.png", "source": source, "frame": index, "rect": [60, 60, 140, 140], "score": 1,
            "landmarks_in_frame": in_frame, "landmarks": in_face, "matrix": [1, 0, -9 - index, 0, 1, -9 - index],
            "size": 100, "sharpness": 9, "pose": [0, 0.1, 0], "checksum": "0123456789abcdef"}


def source(**more):
    return {"name": "a", "path": "a.mp4", "frames": 9, "done": 2, "complete": True, "faces": 2, "ignored": 0,
            "low_score": 0, "empty": 0, "pictures": [], "fingerprints": [], "dropped": [], **more}


def manifest(faces, sources):
    return {"format": "bifrons-faceset", "version": 1, "face_type": "half", "side": 16, "detector": "hog",
            "sources": sources, "faces": faces}


def safetensors(header, data):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def corpora():
    dropped = [{"frame": 1, "reason": "low score", "score": 0.1, "rect": [1, 2, 3, 4]}]
    whole = manifest([face(0), face(1)], [source(pictures=["0.png", "1.png"], fingerprints=["a", "b"], dropped=dropped)])
    line = {"source": 0, "from": 1, "record": source(done=2), "faces": [face(1)]}
    before = manifest([face(0)], [source(done=1, complete=False)])
    short = json.dumps(before, separators=(",", ":"))
    yield "faceset", [json.dumps(whole), json.dumps(manifest([], [])), short,
                      short + "\n%%\n" + json.dumps(line, separators=(",", ":")) + "\n"]
    tensors = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
               "b": {"dtype": "F16", "shape": [1, 1], "data_offsets": [8, 10]},
               "c": {"dtype": "I64", "shape": [], "data_offsets": [10, 18]}}
    settings = {"settings": '{"resolution":64,"archi":"df-ud","learning_rate":5e-5}', "step": "3"}
    yield "safetensors", [safetensors({}, b""), safetensors(tensors, bytes(18)),
                          safetensors({"__metadata__": settings, "x": {"dtype": "BF16", "shape": [0], "data_offsets": [0, 0]}}, b""),
                          safetensors({"__metadata__": {"checksum": "xxh3:0123456789abcdef"}}, b"")]
    yield "settings", ["", "# words\nresolution = 64\nlearning_rate = 5e-4\nrandom_warp = false\n",
                       "archi = \"liae-ud\"\nfreeze = 'encoder'\n[preset]\nname = \"x\"\n",
                       "perceptual_file = \"/home/\u00e9\"\nbatch_size = [1, {a = 2}]\n", "a.b = 1979-05-27T07:32:00Z\n"]
    yield "pickle", list(pickles())
    yield "faceswap", list(faceswap_headers())
    stream = {"index": 0, "codec_type": "video", "codec_name": "h264", "pix_fmt": "yuv420p10le", "width": 64, "height": 48,
              "r_frame_rate": "25/1", "avg_frame_rate": "30000/1001", "sample_aspect_ratio": "16:15", "nb_frames": "3",
              "field_order": "tt", "color_space": "bt709", "bits_per_raw_sample": "10", "tags": {"timecode": "00:00:00:00"},
              "disposition": {"attached_pic": 0}, "side_data_list": [{"rotation": -90}]}
    sound = {"index": 1, "codec_type": "audio", "codec_name": "aac", "sample_rate": "48000", "tags": {"language": "eng"}}
    answer = json.dumps({"streams": [stream, sound], "chapters": [{"id": 0}], "format": {"format_name": "mov"}})
    yield "probe", [answer + "\n%%\n0.000,0.000,K_\n0.040,0.040,__\n0.080,N/A,_D\n",
                    answer + "\n%%\nN/A,N/A,K_\n", '{"streams":[],"format":{"format_name":"tty"}}']


def faceswap_headers():
    """As faceswap writes them into a PNG, and as JSON."""
    points = [list(point) for point in zip(*[iter(face(3)["landmarks_in_frame"])] * 2)]
    mask = {"mask": zlib.compress(bytes([255, 0, 0, 255])), "affine_matrix": [[0.5, 0.0, -3.0], [0.0, 0.5, -3.0]],
            "interpolator": 2, "stored_size": 2, "stored_centering": "face"}
    source = {"alignments_version": 2.4, "original_filename": "a_000001_0.png", "face_index": 0,
              "source_filename": "a_000001.mp4", "source_is_video": True, "source_frame_dims": (72, 128)}
    alignments = {"x": 1, "y": 2, "w": 3, "h": 4, "landmarks_xy": points, "mask": {}, "identity": {}}
    yield str({"alignments": {**alignments, "mask": {"components": mask, "vgg-clear": mask}}, "source": source})
    yield str({"alignments": {**alignments, "landmarks_xy": points + points[:30]}})
    yield json.dumps({"alignments": alignments, "source": {**source, "source_is_video": False}})
    yield repr(["it's", "a\x01\u00e9\U0001f600", b"\x00'\"\\", None, True, False, -1.5e-3, (), {}])


def pickles():
    """Of the files of tests/data/dfl: those alone, and those in the APP15 segments of JPEGs."""
    folder = Path(__file__).resolve().parents[1] / "data" / "dfl"
    for file in sorted(folder.glob("values.*")):
        yield file.read_bytes()
    for file in sorted(folder.glob("*.jpg")):
        data = file.read_bytes()
        at = data.index(b"\xff\xef") + 4
        yield data[at:at - 2 + struct.unpack(">H", data[at - 2:at])[0]]


def words_of(text):
    """Strings of JSON, and keys of TOML."""
    quoted = text.split('"')[1::2]
    return {word for word in quoted + text.split() if 1 < len(word) < 24 and word.isascii() and word.isprintable()}


def main():
    for name, seeds in corpora():
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        words = {"1e999", "-1", "1e308", "[[[[", "null", "18446744073709551615"}
        for number, seed in enumerate(seeds):
            data = seed.encode() if isinstance(seed, str) else seed
            with open(os.path.join(folder, f"seed-{number}"), "wb") as file:
                file.write(data)
            try:
                words |= words_of(data.decode())
            except UnicodeDecodeError:
                words |= set(re.findall(r"[A-Za-z_.]{3,23}", data.decode("latin-1")))
        with open(folder + ".dict", "w", encoding="ascii") as file:
            for word in sorted(words):
                quoted = word.replace("\\", "\\\\").replace('"', '\\"')
                file.write(f'"{quoted}"\n')


main()
