#!/usr/bin/env python3
"""One training step of the same network in PyTorch: the peer of `bifrons-bench --filter training_step`.

The network is Bifrons' df (flags u, d), its losses DSSIM + MSE + mask with masked training, Adam; the encoder runs once
over both identities. Prints one JSON line a configuration: the fastest variant with median, p10 and p90 of the step in
milliseconds, and the medians of the other variants. On a GPU the variants are eager, compiled, and each as one CUDA
graph, all channels_last, with cudnn.benchmark and a fused Adam. Nothing is installed or fetched.

    bench/peer_pytorch_step.py --config 64,32,128,16,6,4 --config 96,64,256,64,22,4 --threads 2
    bench/peer_pytorch_step.py --config 256,64,256,64,22,8 --device cuda --precision bf16
    bench/peer_pytorch_step.py --config 64,32,128,16,6,4 --gan 2,1,1

--gan adds a patch discriminator whose convolutions have these strides (model/discriminator.h), 16 channels and up, and
DeepFaceLab's losses with it; both sides' gradients come from the one forward pass of the generator.

With --serve it times one more block of steps for every line on its standard input, until that ends.
"""
import argparse
import json
import math
import statistics
import sys
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


class PatchDiscriminator(nn.Module):
    def __init__(self, strides, dims=16):
        super().__init__()
        widths = [min(512, dims << i) for i in range(len(strides) + 1)]
        act = nn.LeakyReLU(0.2)
        self.first = nn.Sequential(nn.Conv2d(3, dims, 1), act)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, stride in enumerate(strides):
            c, k, last = widths[i], widths[i + 1], i + 1 == len(strides)
            self.down.append(nn.Sequential(nn.Conv2d(c, k, 3, stride=stride, padding=1), act))
            self.up.append(nn.Sequential(nn.ConvTranspose2d(k if last else 2 * k, c, 3, stride=stride, padding=1,
                                                            output_padding=stride - 1), act))
        self.bottom = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 1), act)
        self.centre, self.full = nn.Conv2d(widths[-1], 1, 1), nn.Conv2d(2 * dims, 1, 1)

    def forward(self, x):
        on_the_way = [self.first(x)]
        for down in self.down:
            on_the_way.append(down(on_the_way[-1]))
        deepest = on_the_way.pop()
        x = self.bottom(deepest)
        for skip, up in zip(reversed(on_the_way), reversed(self.up)):
            x = torch.cat([skip, up(x)], 1)
        return self.centre(deepest), self.full(x)


def bce(answers, label):
    return sum(F.binary_cross_entropy_with_logits(a.float(), torch.full_like(a, label, dtype=torch.float32))
               for a in answers)


def variation(x):
    return (x.diff(dim=2).square().sum() + x.diff(dim=3).square().sum()) / x.shape[0]


def gaussian(window, device, sigma=1.5):
    d = torch.arange(window, dtype=torch.float32, device=device) - (window - 1) / 2
    g = torch.exp(-d * d / (2 * sigma * sigma))
    return g / g.sum()


def dssim(a, b, window):
    """Separable, all five maps in one pass of each direction."""
    g = gaussian(window, a.device)
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
    g = gaussian(window, mask.device, sigma)
    blurred = F.conv2d(F.conv2d(mask, g.view(1, 1, -1, 1), padding=(window // 2, 0)), g.view(1, 1, 1, -1),
                       padding=(0, window // 2))
    return blurred.clamp(0, 0.5) * 2


class TrainingStep:
    """Network, batch and optimizer of one variant; run() does one step."""

    def __init__(self, config, device, precision, variant, strides):
        r, e, ae, d, m, n = config
        torch.manual_seed(1)
        self.device, self.precision = device, precision
        self.r = r
        self.windows = [int(r / 11.6)] if r < 256 else [int(r / 11.6), int(r / 23.2)]  # two scales share the weight
        encoder, inter = Encoder(e), Inter((r // 16) ** 2 * 8 * e, ae, r // 32)
        generator = [encoder, inter, Decoder(ae, d, m), Decoder(ae, d, m)]
        self.judge = PatchDiscriminator(strides) if strides else None
        self.blocks = generator + ([self.judge] if strides else [])
        for block in self.blocks:
            block.to(device=device, memory_format=torch.channels_last)
        self.generator_weights = [p for b in generator for p in b.parameters()]
        fast = dict(fused=True, capturable=True) if device == "cuda" else dict(foreach=True)
        self.optimizer = torch.optim.Adam([p for b in self.blocks for p in b.parameters()], lr=5e-5, betas=(0.5, 0.999),
                                          **fast)
        picture = lambda: torch.rand(2 * n, 3, r, r, device=device).contiguous(memory_format=torch.channels_last)
        self.pictures, self.targets = picture(), picture()
        self.masks = (torch.rand(2 * n, 1, r, r, device=device) > 0.5).float()
        objective = self.objective
        if "compile" in variant:
            mode = "max-autotune-no-cudagraphs" if variant == "compile+graph" else "default"
            objective = torch.compile(objective, mode=mode)
        self.run = lambda: self.step(objective)
        if "graph" in variant:
            self.run = self.graph(self.run)

    def objective(self):
        encoder, inter, *decoders = self.blocks[:4]
        soft = soft_mask(self.masks, self.r)
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            codes = inter(encoder(self.pictures)).chunk(2)
            faces = [decoder(code) for code, decoder in zip(codes, decoders)]
        loss = 0
        for (face, predicted), target, mask, s in zip(faces, self.targets.chunk(2), self.masks.chunk(2), soft.chunk(2)):
            t, p = target * s, face.float() * s
            similar = sum(dssim(p, t, window) for window in self.windows) / len(self.windows)
            loss = loss + 10 * similar + 10 * F.mse_loss(p, t) + 10 * F.mse_loss(predicted.float(), mask)
        if not self.judge:
            return loss, None
        fooling, telling = self.adversarial(faces[0][0].float(), self.targets.chunk(2)[0], soft.chunk(2)[0])
        return loss + fooling, telling

    def adversarial(self, made, real, soft):
        """What the source's picture is worth to the generator, and to the discriminator."""
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            fooled, told = self.judge(made * soft), (self.judge(real * soft), self.judge((made * soft).detach()))
        outside = ((1 - soft) * (made - real)).square().mean()
        return (0.1 * bce(fooled, 1.0) + 1e-6 * variation(made) + 0.02 * outside,
                (bce(told[0], 1.0) + bce(told[1], 0.0)) / 2)

    def step(self, objective):
        # A graph keeps the gradients where they are.
        self.optimizer.zero_grad(set_to_none=self.device == "cpu")
        loss, telling = objective()
        if telling is None:
            loss.backward()
        else:
            torch.autograd.backward(loss, inputs=self.generator_weights)
            torch.autograd.backward(telling, inputs=list(self.judge.parameters()))
        self.optimizer.step()
        return loss

    def graph(self, run):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(5):
                run()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = run()

        def replay():
            graph.replay()
            return loss

        return replay

    def times(self, steps):
        """Milliseconds of each of some steps."""
        times = []
        for _ in range(steps):
            self.synchronize()
            begin = time.perf_counter()
            loss = self.run()
            self.synchronize()
            times.append((time.perf_counter() - begin) * 1e3)
            assert math.isfinite(loss.item())
        return sorted(times)

    def synchronize(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def parameters(self):
        return sum(p.numel() for b in self.blocks for p in b.parameters())


def variants(device):
    if device == "cpu":
        return ["eager"]
    return ["eager", "graph"] + (["compile", "compile+graph"] if hasattr(torch, "compile") else [])


def fastest(config, device, precision, steps, strides):
    """The fastest variant's step, and what is known of all."""
    medians, best = {}, None
    for variant in variants(device):
        try:
            step = TrainingStep(config, device, precision, variant, strides)
            step.times(3)
            medians[variant] = statistics.median(step.times(steps))
        except Exception as e:  # a variant that this PyTorch or this GPU cannot run
            medians[variant] = str(e).split("\n")[0][:160]
            continue
        if best is None or medians[variant] < best[0]:
            best = medians[variant], variant, step
    if best is None:
        raise RuntimeError("no variant runs: " + str(medians))
    about = {"peer": f"pytorch {torch.__version__}, {precision}, {best[1]}", "variants_ms": medians,
             "config": dict(zip(("resolution", "e", "ae", "d", "m", "batch"), config)),
             "threads": torch.get_num_threads(), "parameters": best[2].parameters()}
    return best[2], about


def summary(times):
    return {"median_ms": statistics.median(times), "p10_ms": times[len(times) // 10],
            "p90_ms": times[len(times) * 9 // 10]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", action="append", help="resolution,e,ae,d,m,batch; may be repeated")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["bf16", "tf32", "f32"], default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--gan", default="", help="strides of a patch discriminator")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--serve", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.precision != "f32"
    strides = [int(v) for v in args.gan.split(",") if v]
    for text in args.config or ["64,32,128,16,6,4"]:
        try:
            step, about = fastest([int(v) for v in text.split(",")], args.device, args.precision, args.steps, strides)
        except Exception as e:
            print(json.dumps({"error": str(e).split("\n")[0][:300]}), flush=True)
            sys.exit(1)
        print(json.dumps({**about, **summary(step.times(args.steps))}), flush=True)
        for _ in sys.stdin if args.serve else ():
            print(json.dumps(summary(step.times(args.steps))), flush=True)


if __name__ == "__main__":
    main()
