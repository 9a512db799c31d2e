#!/usr/bin/env python3
"""One training step of the same network in PyTorch: the peer of `bifrons-bench --benchmark_filter=step`.

The network is Bifrons' df (flags u, d), its losses DSSIM + MSE + mask with masked training, Adam; the encoder runs once
over both identities. Prints one JSON line a configuration: median, p10 and p90 of the step in milliseconds.
Needs Debian's python3-torch; nothing is installed or fetched.

    bench/peer_pytorch_step.py --config 64,32,128,16,6,4 --config 96,64,256,64,22,4 --threads 2
"""
import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


def upscale(c, k):
    return nn.Sequential(nn.Conv2d(c, 4 * k, 3, padding=1), nn.LeakyReLU(0.1), nn.PixelShuffle(2))


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Conv2d(c, c, 3, padding=1)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x):
        return F.leaky_relu(x + self.conv2(F.leaky_relu(self.conv1(x), 0.2)), 0.2)


class Encoder(nn.Module):
    def __init__(self, e):
        super().__init__()
        widths = [3, e, 2 * e, 4 * e, 8 * e]
        layers = []
        for c, k in zip(widths, widths[1:]):
            layers += [nn.Conv2d(c, k, 5, stride=2, padding=2), nn.LeakyReLU(0.1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        x = self.layers(x).flatten(1)
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)


class Inter(nn.Module):
    def __init__(self, features, ae, side):
        super().__init__()
        self.ae, self.side = ae, side
        self.dense1 = nn.Linear(features, ae)
        self.dense2 = nn.Linear(ae, side * side * ae)
        self.up = upscale(ae, ae)

    def forward(self, x):
        x = self.dense2(self.dense1(x)).view(-1, self.ae, self.side, self.side)
        return self.up(x.contiguous(memory_format=torch.channels_last))


class Decoder(nn.Module):
    def __init__(self, ae, d, m):
        super().__init__()
        self.face = nn.Sequential(upscale(ae, 8 * d), Residual(8 * d), upscale(8 * d, 4 * d), Residual(4 * d),
                                  upscale(4 * d, 2 * d), Residual(2 * d))
        self.head1 = nn.Conv2d(2 * d, 3, 1)
        self.head3 = nn.Conv2d(2 * d, 9, 3, padding=1)
        self.mask = nn.Sequential(upscale(ae, 8 * m), upscale(8 * m, 4 * m), upscale(4 * m, 2 * m), upscale(2 * m, m),
                                  nn.Conv2d(m, 1, 1))

    def forward(self, x):
        y = self.face(x)
        phases = torch.cat([self.head1(y), self.head3(y)], 1)
        return torch.sigmoid(F.pixel_shuffle(phases, 2)), torch.sigmoid(self.mask(x))


def gaussian(window, sigma=1.5):
    d = torch.arange(window, dtype=torch.float32) - (window - 1) / 2
    g = torch.exp(-d * d / (2 * sigma * sigma))
    return g / g.sum()


def dssim(a, b, window):
    """Separable, all five maps in one pass of each direction."""
    g = gaussian(window)
    x = torch.cat([a, b, a * a + b * b, a * b], 1)
    c = x.shape[1]
    x = F.conv2d(x, g.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)
    x = F.conv2d(x, g.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)
    mu_a, mu_b, squares, product = x.chunk(4, 1)
    c1, c2 = 0.01 ** 2, 0.03 ** 2
    num0, den0 = 2 * mu_a * mu_b, mu_a * mu_a + mu_b * mu_b
    ssim = (num0 + c1) / (den0 + c1) * (2 * product - num0 + c2) / (squares - den0 + c2)
    return (1 - ssim).mean() / 2


def soft_mask(mask, resolution):
    sigma = max(1, resolution // 32)
    window = max(3, int(4 * sigma)) | 1
    g = gaussian(window, sigma)
    blurred = F.conv2d(F.conv2d(mask, g.view(1, 1, -1, 1), padding=(window // 2, 0)), g.view(1, 1, 1, -1),
                       padding=(0, window // 2))
    return blurred.clamp(0, 0.5) * 2


def measure(config, steps):
    r, e, ae, d, m, n = config
    torch.manual_seed(1)
    encoder, inter = Encoder(e), Inter((r // 16) ** 2 * 8 * e, ae, r // 32)
    decoders = [Decoder(ae, d, m), Decoder(ae, d, m)]
    blocks = [encoder, inter, *decoders]
    for block in blocks:
        block.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam([p for b in blocks for p in b.parameters()], lr=5e-5, betas=(0.5, 0.999), foreach=True)
    pictures = torch.rand(2 * n, 3, r, r).contiguous(memory_format=torch.channels_last)
    targets = torch.rand(2 * n, 3, r, r).contiguous(memory_format=torch.channels_last)
    masks = (torch.rand(2 * n, 1, r, r) > 0.5).float()
    window = int(r / 11.6)

    def step():
        optimizer.zero_grad(set_to_none=True)
        soft = soft_mask(masks, r)
        codes = inter(encoder(pictures)).chunk(2)
        loss = 0
        for code, decoder, target, mask, s in zip(codes, decoders, targets.chunk(2), masks.chunk(2), soft.chunk(2)):
            face, predicted = decoder(code)
            t, p = target * s, face * s
            loss = loss + 10 * dssim(p, t, window) + 10 * F.mse_loss(p, t) + 10 * F.mse_loss(predicted, mask)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(3):
        step()
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        assert math.isfinite(step().item())
        times.append((time.perf_counter() - begin) * 1e3)
    times.sort()
    return {
        "peer": "pytorch " + torch.__version__, "config": dict(zip(("resolution", "e", "ae", "d", "m", "batch"), config)),
        "threads": torch.get_num_threads(), "parameters": sum(p.numel() for b in blocks for p in b.parameters()),
        "median_ms": statistics.median(times), "p10_ms": times[len(times) // 10], "p90_ms": times[len(times) * 9 // 10],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", action="append", help="resolution,e,ae,d,m,batch; may be repeated")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for config in args.config or ["64,32,128,16,6,4"]:
        print(json.dumps(measure([int(v) for v in config.split(",")], args.steps)), flush=True)


if __name__ == "__main__":
    main()
