#!/usr/bin/env python3
"""make_corpora.py FOLDER: what the fuzz targets start from: FOLDER/NAME/* and the words FOLDER/NAME.dict."""
import io
import json
import os
import re
import struct
import sys
import tarfile
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
    yield "pack", list(packs())
    yield "dfm", [dfm("df"), dfm("liae-t"), AMP]
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


def packs():
    """As bifrons writes them, with a name that takes a header of its own, and cut off."""
    def pack(folder, faces, files):
        memory = io.BytesIO()
        contents = {"faceset.json": json.dumps(manifest(faces, [source()]), separators=(",", ":")), **files}
        with tarfile.open(fileobj=memory, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, text in contents.items():
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
        whole = memory.getvalue()
        return whole[:(len(whole.rstrip(b"\0")) + 511) // 512 * 512]
    whole = pack("x", [{**face(0), "mask": "m.png"}], {"images/a_0_0.png": "png", "m.png": ""})
    yield whole
    yield pack("\u00e9" * 120, [], {})
    yield whole[:1600]


def field(number, value):
    """A field of protocol buffers."""
    def varint(n):
        return bytes([n & 127 | 128]) + varint(n >> 7) if n > 127 else bytes([n])
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


AMP = field(7, b"".join(field(11, field(1, name)) for name in ["in_face:0", "morph_value:0"]))


def dfm(archi):
    """The operators of a network, in onnx.proto's fields, around weights that are too few."""
    liae, t = archi.startswith("liae"), archi.endswith("t")
    parts = []

    def node(op, *inputs, **attributes):
        made = str(len(parts))
        text = b"".join(field(1, name) for name in inputs) + field(2, made) + field(4, op)
        for name, value in attributes.items():
            is_list = isinstance(value, list)
            numbers = b"".join(field(8, v) for v in value) if is_list else field(3, value)
            text += field(5, field(1, name) + numbers + field(20, 7 if is_list else 2))
        parts.append(field(1, text))
        return made

    def tensor(*sides):
        made, size = str(len(parts)), 1
        for side in sides:
            size *= side
        parts.append(field(5, b"".join(field(1, side) for side in sides) + field(2, 10) + field(8, made) +
                           field(9, bytes(2 * size))))
        return made

    def conv(x, outputs=1, inputs=1):
        return node("Conv", x, tensor(outputs, inputs, 1, 1), tensor(outputs))

    def dense(x, outputs):
        return node("Gemm", x, tensor(outputs, 1), tensor(outputs), transB=1)

    def residual(x):
        return node("LeakyRelu", node("Add", x, conv(node("LeakyRelu", conv(x)))))

    def upscale(x, outputs=1):
        return node("DepthToSpace", node("LeakyRelu", conv(x, outputs)))

    def inter(x):
        x = node("Transpose", node("Reshape", dense(dense(x, 8), 1)), perm=[0, 3, 1, 2])
        return x if t else upscale(x)

    def face(x):
        for i in range(4 if t else 3):
            x = residual(upscale(x, 32 if i == (3 if t else 2) else 1))
        return node("Sigmoid", conv(x))

    def mask(x):
        for i in range(4 if t else 3):
            x = upscale(x)
        return node("Sigmoid", conv(x, 1, 8))

    x = node("Transpose", "in_face:0", perm=[0, 3, 1, 2])
    for i in range(5 if t else 4):
        x = node("LeakyRelu", conv(x, 4 if i == 0 else 1))
        if t and i in (0, 4):
            x = residual(x)
    x = node("Reshape", node("Transpose", x, perm=[0, 2, 3, 1]))
    src = dst = inter(x)
    if liae:
        src, dst = node("Concat", src, src), node("Concat", inter(x), src)
    outputs = [mask(dst), face(src), mask(src)]
    shape = b"".join(field(1, field(1, side)) for side in (1, 64, 64, 3))
    ends = field(11, field(1, "in_face:0") + field(2, field(1, field(1, 1) + field(2, shape))))
    ends += b"".join(field(12, field(1, name)) for name in outputs)
    return field(7, b"".join(parts) + ends) + field(14, field(1, "face_type") + field(2, "head"))


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
