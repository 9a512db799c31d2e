#!/usr/bin/env python3
"""make_dfl_models.py DEEPFACELAB FOLDER [MODELS]: the files of tests/data/dfl_models, recorded from DeepFaceLab's code.

DEEPFACELAB is a checkout of https://github.com/iperov/DeepFaceLab. Needs TensorFlow, numpy, opencv-python, numexpr,
scipy, colorama and tqdm. Of each architecture FOLDER gets

  NAME.txt   what a model's files hold: file, variable and shape a line
  NAME.f32   what a tiny network of it makes of a picture: every fifth value of swapped face, its mask, destination's mask

and discriminators.f32, the answers of df's discriminators. Weights and pictures are not stored: they follow from their
names (drawn, below, and again in tests/support/dfl_models.h). Two files are kept as DeepFaceLab writes them:
tiny_SAEHD_data.dat and tiny_SAEHD_inter.npy. With MODELS, whole models are written there.
"""
import os
import pickle
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

sys.path.insert(0, sys.argv[1])
from core.leras import nn  # DeepFaceLab's

nn.initialize(nn.DeviceConfig.CPU(), data_format="NHWC")
tf = nn.tf

ARCHIS = ["df", "df-ud", "df-ut", "df-dc", "df-udtc", "liae", "liae-ud", "liae-udt"]
DIMS = {"ae_dims": 8, "e_dims": 4, "d_dims": 4, "d_mask_dims": 6}
SIDE = 64


def uniform(name, n):
    """n numbers in 0..1 that follow from the name."""
    h = 2166136261
    for c in name.encode():
        h = (h ^ c) * 16777619 & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.uint32(h) + np.arange(n, dtype=np.uint32) * np.uint32(2654435761)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x7FEB352D)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) / 2**24


def drawn(name, shape):
    n = int(np.prod(shape))
    limit = np.sqrt(4.5 / (n // shape[-1])) if len(shape) > 1 else 0.1
    return ((2 * uniform(name, n) - 1) * limit).astype(np.float32).reshape(shape)


def with_drawn_weights(model):
    weights = model.get_weights()
    nn.batch_set_value([(w, drawn(w.name.replace(":0", ""), w.shape.as_list())) for w in weights])
    return model


def picture():
    return uniform("picture", SIDE * SIDE * 3).astype(np.float32).reshape(1, SIDE, SIDE, 3)


def record(path, arrays):
    np.concatenate([a.reshape(-1)[::5] for a in arrays]).astype("<f4").tofile(path)


def build(archi):
    """The blocks by name, and the tensors of swapped face, its mask, and the destination's mask."""
    kind, flags = (archi.split("-") + [""])[:2]
    net = nn.DeepFakeArchi(SIDE, opts=flags)
    ae = DIMS["ae_dims"]
    blocks = {"encoder": net.Encoder(in_ch=3, e_ch=DIMS["e_dims"], name="encoder")}
    features = blocks["encoder"].get_out_ch() * blocks["encoder"].get_out_res(SIDE) ** 2
    decoder = {"d_ch": DIMS["d_dims"], "d_mask_ch": DIMS["d_mask_dims"]}
    if kind == "df":
        blocks["inter"] = net.Inter(in_ch=features, ae_ch=ae, ae_out_ch=ae, name="inter")
        for name in ("decoder_src", "decoder_dst"):
            blocks[name] = net.Decoder(in_ch=ae, name=name, **decoder)
    else:
        for name in ("inter_AB", "inter_B"):
            blocks[name] = net.Inter(in_ch=features, ae_ch=ae, ae_out_ch=2 * ae, name=name)
        blocks["decoder"] = net.Decoder(in_ch=4 * ae, name="decoder", **decoder)
    seen = tf.placeholder(tf.float32, (None, SIDE, SIDE, 3))
    code = blocks["encoder"](seen)
    if kind == "df":
        code = blocks["inter"](code)
        face, mask = blocks["decoder_src"](code)
        _, dst_mask = blocks["decoder_dst"](code)
    else:
        ab, b = blocks["inter_AB"](code), blocks["inter_B"](code)
        face, mask = blocks["decoder"](tf.concat([ab, ab], nn.conv2d_ch_axis))
        _, dst_mask = blocks["decoder"](tf.concat([b, ab], nn.conv2d_ch_axis))
    for block in blocks.values():
        with_drawn_weights(block)
    return blocks, seen, (face, mask, dst_mask)


def options(archi):
    """As SAEHD's dialogue leaves them: what passed np.clip is numpy's."""
    return {"resolution": np.int64(SIDE), "face_type": "wf", "models_opt_on_gpu": True, "archi": archi,
            **{name: np.int64(value) for name, value in DIMS.items()}, "masked_training": True, "eyes_mouth_prio": True,
            "uniform_yaw": False, "blur_out_mask": True, "adabelief": True, "lr_dropout": "y", "random_warp": True,
            "random_hsv_power": np.float64(0.05), "true_face_power": np.float64(0.01 if "df" in archi else 0),
            "face_style_power": np.float64(0), "bg_style_power": np.float64(0), "ct_mode": "rct", "clipgrad": True,
            "pretrain": False, "autobackup_hour": 1, "write_preview_history": False, "target_iter": 0,
            "random_src_flip": False, "random_dst_flip": True, "batch_size": 4, "gan_power": np.float64(0.1),
            "gan_patch_size": np.int64(8), "gan_dims": np.int64(4)}


def optimizer(name, weights):
    """AdaBelief's state after 1000 steps: means that equal the weights, and their squares."""
    opt = nn.AdaBelief(lr=5e-5, name=name)
    opt.initialize_variables(weights)
    nn.init_weights([opt.iterations])
    values = [(opt.iterations, 1000)]
    for v in opt.get_weights()[1:]:
        kind, weight = v.name.split("/", 1)[1].split("_", 1)  # ms_encoder/.../weight_0:0
        value = drawn(weight.replace("_0:0", ""), v.shape.as_list())
        values.append((v, value if kind == "ms" else value * value))
    nn.batch_set_value(values)
    return opt


def parts_of(archi, blocks, gan, code):
    """What the trainer saves, by file."""
    parts = {**blocks, "GAN": gan, "GAN_opt": optimizer("GAN_opt", gan.get_weights()),
             "src_dst_opt": optimizer("src_dst_opt", sum([b.get_weights() for b in blocks.values()], []))}
    if "df" in archi:
        parts["code_discriminator"] = code
        parts["D_code_opt"] = optimizer("D_code_opt", code.get_weights())
    return parts


def write_data(path, archi):
    # Python 3.6, DeepFaceLab's, pickles with protocol 3 where none is named.
    preview = np.zeros((2, 4, 4, 3), np.float32)
    path.write_bytes(pickle.dumps(
        {"iter": 1000, "options": options(archi), "loss_history": [[0.5, 0.25], [0.4, 0.125]],
         "sample_for_preview": [(preview, preview), (preview, preview)], "choosed_gpu_indexes": [0]}, 3))


def main():
    out = Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for archi in ARCHIS:
        nn.reset_session()
        blocks, seen, made = build(archi)
        record(out / f"{archi}.f32", nn.tf_sess.run(made, {seen: picture()}))
        gan = with_drawn_weights(nn.UNetPatchDiscriminator(patch_size=8, in_ch=3, base_ch=4, name="D_src"))
        side = blocks["inter" if "df" in archi else "inter_AB"].get_out_res()
        code = with_drawn_weights(nn.CodeDiscriminator(DIMS["ae_dims"], code_res=side, name="dis"))
        if archi == "df":
            latent = uniform("latent", side * side * DIMS["ae_dims"]).astype(np.float32)
            latent = latent.reshape(1, side, side, DIMS["ae_dims"])
            record(out / "discriminators.f32",
                   nn.tf_sess.run([*gan(tf.constant(picture())), code(tf.constant(latent))]))
        parts = parts_of(archi, blocks, gan, code)
        (out / f"{archi}.txt").write_text("".join(
            f"{file} {w.name} {' '.join(map(str, w.shape.as_list()))}".rstrip() + "\n"
            for file, part in parts.items() for w in part.get_weights()))
        if archi == "df-ud":
            blocks["inter"].save_weights(str(out / "tiny_SAEHD_inter.npy"))
            write_data(out / "tiny_SAEHD_data.dat", archi)
        if len(sys.argv) > 3:
            models = Path(sys.argv[3])
            models.mkdir(parents=True, exist_ok=True)
            for file, part in parts.items():
                part.save_weights(str(models / f"{archi}_SAEHD_{file}.npy"))
            write_data(models / f"{archi}_SAEHD_data.dat", archi)


main()
