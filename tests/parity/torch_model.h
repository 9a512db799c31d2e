// tests/parity/torch_model.h - the network and its objective once more, written in LibTorch from their descriptions
// (model/encoder.h, inter.h, decoder.h, blocks.h, objective.h) and fed with our weights.
//
// Pictures, features and filters come and go in our layouts (NHWC, KRSC) and are permuted here, so that LibTorch's
// gradients have our layout too.
#pragma once

#include "model/architecture.h"
#include "tests/parity/rounding.h"

#include <map>
#include <string>
#include <vector>

namespace bifrons::parity {

using Weights = std::map<std::string, Tensor>; // by our names, in our layouts

inline Tensor to_nchw(const Tensor& x)
{
    return x.permute({0, 3, 1, 2});
}
inline Tensor to_nhwc(const Tensor& x)
{
    return x.permute({0, 2, 3, 1});
}

/// [N,4C,P,Q] -> [N,C,2P,2Q]: TensorFlow's order, channel (i*2+j)*C + c goes to sub-pixel (i,j).
inline Tensor depth_to_space(const Tensor& x)
{
    const std::int64_t N = x.size(0), C = x.size(1) / 4, P = x.size(2), Q = x.size(3);
    return x.reshape({N, 2, 2, C, P, Q}).permute({0, 3, 4, 1, 5, 2}).reshape({N, C, 2 * P, 2 * Q});
}

class TorchModel {
  public:
    struct Output {
        Tensor face, mask; // NHWC
    };

    TorchModel(const model::Architecture& arch, Weights weights, Rounding& rounding)
        : arch_(arch), weights_(std::move(weights)), rounding_(rounding)
    {
    }
    /// pictures [2N,R,R,3]: the first half as the source, the second as the destination. latents, where they are
    /// wanted (df): either's map, NCHW.
    std::array<Output, 2> reconstruct(const Tensor& pictures, std::vector<Tensor>* latents = nullptr) const
    {
        const Tensor features = encoder(to_nchw(pictures));
        if (arch_.liae) return reconstruct_liae(features.chunk(2));
        const std::vector<Tensor> halves = inter("inter", features).chunk(2);
        if (latents) *latents = halves;
        return {decoder("decoder_src", halves[0]), decoder("decoder_dst", halves[1])};
    }

  private:
    const Tensor& weight(const std::string& name) const { return weights_.at(name); }

    Tensor act(const Tensor& x, float slope) const
    {
        return rounded(arch_.c ? x * x.cos() : torch::leaky_relu(x, double(slope)), 1, rounding_);
    }
    Tensor conv(const std::string& name, const Tensor& x, std::int64_t stride = 1) const
    {
        const Tensor w = to_nchw(weight(name + ".weight"));
        return convolution(x, w, weight(name + ".bias"), {stride, (w.size(2) - 1) / 2, false}, rounding_);
    }
    Tensor dense(const std::string& name, const Tensor& x) const
    {
        const Tensor w = weight(name + ".weight");
        return convolution(x.unsqueeze(2).unsqueeze(3), w.unsqueeze(2).unsqueeze(3), weight(name + ".bias"), {},
                           rounding_)
            .flatten(1);
    }
    Tensor down(const std::string& name, const Tensor& x) const
    {
        if (arch_.downsample == model::Downsample::strided) return act(conv(name, x, 2), 0.1f);
        return torch::max_pool2d(act(conv(name, x), 0.1f), 2);
    }
    Tensor up(const std::string& name, const Tensor& x) const
    {
        switch (arch_.upsample) {
        case model::Upsample::subpixel:
            return depth_to_space(act(conv(name, x), 0.1f));
        case model::Upsample::nearest:
            return act(conv(name, x.repeat_interleave(2, 2).repeat_interleave(2, 3)), 0.1f);
        case model::Upsample::transposed:
            return act(
                convolution(x, to_nchw(weight(name + ".weight")), weight(name + ".bias"), {2, 1, true}, rounding_),
                0.1f);
        }
        return {};
    }
    Tensor residual(const std::string& name, const Tensor& x) const
    {
        return act(x + conv(name + ".conv2", act(conv(name + ".conv1", x), 0.2f)), 0.2f);
    }

    Tensor encoder(Tensor x) const
    {
        x = down("encoder.down1", x);
        if (arch_.t) x = residual("encoder.res1", x);
        for (int i = 2; i <= (arch_.t ? 5 : 4); ++i) x = down("encoder.down" + std::to_string(i), x);
        if (arch_.t) x = residual("encoder.res5", x);
        x = to_nhwc(x).flatten(1);
        if (!arch_.u) return x;
        return rounded(x * torch::rsqrt(x.square().mean(1, true) + 1e-6), 4, rounding_);
    }
    std::array<Output, 2> reconstruct_liae(const std::vector<Tensor>& features) const
    {
        const Tensor src = inter("inter_AB", features[0]), dst = inter("inter_AB", features[1]);
        return {decoder("decoder", torch::cat({src, src}, 1)),
                decoder("decoder", torch::cat({inter("inter_B", features[1]), dst}, 1))};
    }
    Tensor inter(const std::string& name, Tensor x) const
    {
        const std::int64_t side = arch_.dense_side();
        x = dense(name + ".dense2", dense(name + ".dense1", x));
        x = to_nchw(x.reshape({-1, side, side, arch_.liae ? 2 * arch_.ae_dims : arch_.ae_dims}));
        return arch_.t ? x : up(name + ".upscale1", x);
    }
    Output decoder(const std::string& name, const Tensor& latent) const
    {
        const int ups = arch_.t ? 4 : 3;
        Tensor x = latent, m = latent;
        for (int i = 0; i < ups; ++i) {
            const std::string level = std::to_string(i);
            x = residual(name + ".res" + level, up(name + ".up" + level, x));
        }
        for (int i = 0; i < ups + arch_.d; ++i) m = up(name + ".mask_up" + std::to_string(i), m);
        Tensor face = conv(name + ".out", x);
        if (arch_.d) face = depth_to_space(torch::cat({face, conv(name + ".out3", x)}, 1));
        return {to_nhwc(probability(face)), to_nhwc(probability(conv(name + ".mask_out", m)))};
    }
    Tensor probability(const Tensor& x) const { return rounded(torch::sigmoid(x), 1, rounding_); }

    const model::Architecture arch_;
    const Weights weights_;
    Rounding& rounding_;
};

/// [1,1,n,n], sum 1.
inline Tensor gaussian_window(int n, double sigma)
{
    const Tensor x = torch::arange(n, torch::kFloat64) - (n - 1) / 2.0;
    const Tensor g = torch::exp(-x * x / (2 * sigma * sigma));
    const Tensor window = g.unsqueeze(1) * g.unsqueeze(0);
    return (window / window.sum()).reshape({1, 1, n, n});
}

/// mean of (1 - ssim) / 2 over all windows, each taken in full. a, b NHWC.
inline Tensor dssim(const Tensor& a, const Tensor& b, int window, Rounding& rounding)
{
    const Tensor g = gaussian_window(window, 1.5);
    const auto mean = [&](const Tensor& x) {
        const Tensor maps = to_nchw(x).reshape({-1, 1, x.size(1), x.size(2)});
        return rounded(torch::conv2d(maps, g), 2 * window, rounding);
    };
    constexpr double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    const Tensor mean_a = mean(a), mean_b = mean(b);
    const Tensor var_a = mean(a * a) - mean_a * mean_a, var_b = mean(b * b) - mean_b * mean_b,
                 cov = mean(a * b) - mean_a * mean_b;
    const Tensor ssim =
        (2 * mean_a * mean_b + c1) * (2 * cov + c2) / ((mean_a * mean_a + mean_b * mean_b + c1) * (var_a + var_b + c2));
    return rounded((1 - ssim) / 2, 1, rounding).mean();
}

/// min(blur(mask), 1/2) * 2. mask NHWC.
inline Tensor soft_mask(const Tensor& mask, int resolution)
{
    const int sigma = std::max(1, resolution / 32), window = std::max(3, 4 * sigma) / 2 * 2 + 1;
    return to_nhwc(torch::conv2d(to_nchw(mask), gaussian_window(window, sigma), {}, 1, window / 2)).clamp_max(0.5) * 2;
}

struct TorchBatch {
    Tensor input, target, mask, eyes_mouth; // NHWC, source rows first
};

/// The objective's values by our names, weighted, "total" included; DeepFaceLab's weights, masked training.
inline std::map<std::string, Tensor> losses(const std::array<TorchModel::Output, 2>& out, const TorchBatch& batch,
                                            Rounding& rounding)
{
    const int resolution = int(batch.input.size(1));
    const std::vector<Tensor> targets = batch.target.chunk(2), masks = batch.mask.chunk(2),
                              softs = soft_mask(batch.mask, resolution).chunk(2);
    std::map<std::string, Tensor> values;
    Tensor total = torch::zeros({}, torch::kFloat64);
    for (const std::size_t i : {0, 1}) {
        const std::string side = i == 0 ? "src" : "dst";
        const Tensor face = softs[i] * out[i].face, target = softs[i] * targets[i];
        values[side + "_dssim"] = 10 * dssim(face, target, int(resolution / 11.6), rounding);
        values[side + "_mse"] = 10 * rounded((target - face).square(), 2, rounding).mean();
        values[side + "_mask"] = 10 * rounded((masks[i] - out[i].mask).square(), 2, rounding).mean();
    }
    for (const auto& [name, value] : values) total = total + value;
    values["total"] = total;
    return values;
}

} // namespace bifrons::parity
