"""Runs every folder's exported model in ONNX Runtime, checks it against the schema and prints what differs.

    python3 run_onnx.py FOLDER...     each with swap.dfm, half.dfm, all.onnx and parts (encoder.onnx, ...), and as f32:
                                      picture, mask_dst, face_src, mask_src, face_dst, code; centre and full, or answer;
                                      beside code_discriminator.onnx also latent and code_answer
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime

LIMIT, HALF_LIMIT = 1e-5, 5e-3


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Folder:
    def __init__(self, path):
        self.path = path
        self.faults = []

    def expect(self, good, what):
        if not good:
            self.faults.append(f"{self.path}: {what}")

    def values(self, name, shape=-1):
        return np.fromfile(f"{self.path}/{name}.f32", np.float32).reshape(shape)

    def session(self, file, inputs, outputs):
        """Inputs and outputs by name, with their sides; 0 is any number."""
        path = f"{self.path}/{file}"
        model = onnx.load_model_from_string(open(path, "rb").read())
        onnx.checker.check_model(model, full_check=True)
        self.expect([(o.domain, o.version) for o in model.opset_import] == [("", 12)], f"{file}: operators' version")
        self.expect(model.ir_version == 7, f"{file}: format's version {model.ir_version}")
        for kind, values, wanted in [("inputs", model.graph.input, inputs), ("outputs", model.graph.output, outputs)]:
            found = [(v.name, [d.dim_value for d in v.type.tensor_type.shape.dim]) for v in values]
            self.expect(found == wanted, f"{file}: {kind} {found}, expected {wanted}")
            self.expect(all(v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for v in values), f"{file}: {kind}")
        return open_session(path)

    def compare(self, what, found, expected, limit=LIMIT):
        difference = np.abs(found.ravel() - expected.ravel()).max() if found.size == expected.size else np.inf
        self.expect(difference < limit, f"{what}: differs by {difference}")
        print(f"{self.path} {what} {difference:.2g}")


def check(path):
    folder = Folder(path)
    R = int(round((folder.values("face_src").size / 6) ** 0.5))
    picture = folder.values("picture", (2, R, R, 3))
    face, mask = [0, R, R, 3], [0, R, R, 1]
    names = ["mask_dst", "face_src", "mask_src"]
    dfm = ["out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0"]
    for file, limit in [("swap.dfm", LIMIT), ("half.dfm", HALF_LIMIT)]:
        session = folder.session(file, [("in_face:0", face)], list(zip(dfm, [mask, face, mask])))
        for name, made in zip(names, session.run(None, {"in_face:0": picture})):
            folder.compare(f"{file} {name}", made, folder.values(name), limit)
        one = session.run(None, {"in_face:0": picture[1:]})[1]
        folder.compare(f"{file} of one picture", one, folder.values("face_src", (2, -1))[1], limit)
    folder.expect(os.path.getsize(f"{path}/half.dfm") < 0.6 * os.path.getsize(f"{path}/swap.dfm"), "half.dfm: is large")

    code = folder.values("code", (2, -1))
    outputs = [("code", [0, code.shape[1]]), ("face_src", face), ("mask_src", mask), ("face_dst", face), ("mask_dst", mask)]
    session = folder.session("all.onnx", [("picture", face)], outputs)
    for (name, _), made in zip(outputs, session.run(None, {"picture": picture})):
        folder.compare(f"all.onnx {name}", made, folder.values(name))

    def run(part, x):
        return open_session(f"{path}/{part}.onnx").run(None, x)

    def sides_of(name):
        """Of the square map of one channel that each of the two pictures gives."""
        side = int(round((folder.values(name).size / 2) ** 0.5))
        return [side, side, 1]

    (features,) = run("encoder", {"picture": picture})
    if os.path.exists(f"{path}/inter.onnx"):
        found, latent = run("inter", {"features": features})
        decoder = "decoder_src"
    else:
        found, latent = run("inter_AB", {"features": features})
        latent, decoder = np.concatenate([latent, latent], 3), "decoder"
    folder.compare("parts code", found, code)
    for name, made in zip(["face_src", "mask_src"], run(decoder, {"latent": latent})):
        folder.compare(f"parts {name}", made, folder.values(name))
    if os.path.exists(f"{path}/answer.f32"):
        answers = [("answer", [0, 1, 1, 1])]
    else:
        answers = [("centre", [0] + sides_of("centre")), ("full", mask)]
    session = folder.session("discriminator.onnx", [("picture", face)], answers)
    for (name, _), made in zip(answers, session.run(None, {"picture": picture})):
        folder.compare(f"discriminator {name}", made, folder.values(name), 1e-4)
    if os.path.exists(f"{path}/code_answer.f32"):
        latent = folder.values("latent", (2, *latent.shape[1:]))
        session = folder.session("code_discriminator.onnx", [("latent", [0, *latent.shape[1:]])],
                                 [("answer", [0] + sides_of("code_answer"))])
        folder.compare("code_discriminator", session.run(None, {"latent": latent})[0], folder.values("code_answer"), 1e-4)
    return folder.faults


faults = [fault for path in sys.argv[1:] for fault in check(path)]
print("\n".join(faults))
sys.exit(1 if faults else 0)
