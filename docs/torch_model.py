"""A checkpoint's network in PyTorch: python3 torch_model.py CHECKPOINT.safetensors PICTURES.npy FACES.npy

PICTURES [N,R,R,3], BGR 0..1, of aligned faces become FACES of the source. Names and shapes: docs/checkpoint.md.
"""
import json
import sys

import torch
from safetensors import safe_open
from torch.nn.functional import conv2d, leaky_relu, linear


class Model:
    def __init__(self, path):
        with safe_open(path, "pt") as file:
            self.settings = json.loads(file.metadata()["settings"])
            self.w = {name: file.get_tensor(name) for name in file.keys()}
        self.w.update({name[4:]: w for name, w in self.w.items() if name.startswith("ema.")})  # averaged weights
        self.kind, _, flags = self.settings["archi"].partition("-")
        self.u, self.d, self.t, self.c = (flag in flags for flag in "udtc")

    def act(self, x, slope=0.1):
        return x * torch.cos(x) if self.c else leaky_relu(x, slope)

    def conv(self, x, name, stride=1):
        w = self.w[name + ".weight"].permute(0, 3, 1, 2)
        return conv2d(x, w, self.w[name + ".bias"], stride, padding=w.shape[2] // 2)

    def shuffle(self, x):
        N, C, H, W = x.shape
        return x.reshape(N, 2, 2, C // 4, H, W).permute(0, 3, 4, 1, 5, 2).reshape(N, C // 4, 2 * H, 2 * W)

    def up(self, x, name):
        return self.shuffle(self.act(self.conv(x, name)))

    def residual(self, x, name):
        return self.act(x + self.conv(self.act(self.conv(x, name + ".conv1"), 0.2), name + ".conv2"), 0.2)

    def encoder(self, x):
        for i in range(1, 6 if self.t else 5):
            x = self.act(self.conv(x, f"encoder.down{i}", stride=2))
            if self.t and i in (1, 5):
                x = self.residual(x, f"encoder.res{i}")
        x = x.permute(0, 2, 3, 1).flatten(1)
        return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-6) if self.u else x

    def inter(self, x, name):
        for dense in (".dense1", ".dense2"):
            x = linear(x, self.w[name + dense + ".weight"], self.w[name + dense + ".bias"])
        side = self.settings["resolution"] // (32 if self.d else 16)
        x = x.reshape(len(x), side, side, -1).permute(0, 3, 1, 2)
        return x if self.t else self.up(x, name + ".upscale1")

    def decoder(self, x, name):
        ups, mask = 4 if self.t else 3, x
        for i in range(ups):
            x = self.residual(self.up(x, f"{name}.up{i}"), f"{name}.res{i}")
        for i in range(ups + self.d):
            mask = self.up(mask, f"{name}.mask_up{i}")
        face = self.conv(x, name + ".out")
        if self.d:
            face = self.shuffle(torch.cat([face, self.conv(x, name + ".out3")], 1))
        return [torch.sigmoid(y).permute(0, 2, 3, 1) for y in (face, self.conv(mask, name + ".mask_out"))]

    def as_src(self, pictures):
        """Face [N,R,R,3] and mask [N,R,R,1] of the source for pictures of anybody."""
        features = self.encoder(pictures.permute(0, 3, 1, 2))
        if self.kind == "df":
            return self.decoder(self.inter(features, "inter"), "decoder_src")
        latent = self.inter(features, "inter_AB")
        return self.decoder(torch.cat([latent, latent], 1), "decoder")


if __name__ == "__main__":
    import numpy

    with torch.no_grad():
        face, mask = Model(sys.argv[1]).as_src(torch.from_numpy(numpy.load(sys.argv[2])))
    numpy.save(sys.argv[3], face.numpy())
