// tests/parity/torch_discriminator.h - the discriminators once more, written in LibTorch from their descriptions
// (model/discriminator.h) and fed with our weights. Pictures and answers NCHW.
#pragma once

#include "tests/parity/torch_model.h"

namespace bifrons::parity {

class TorchDiscriminator {
  public:
    /// name: what its weights' names begin with.
    TorchDiscriminator(const std::string& name, const Weights& weights, Rounding& rounding)
        : name_(name + "."), weights_(weights), rounding_(rounding)
    {
    }

    std::vector<Tensor> fc(Tensor x) const
    {
        for (int i = 1; x.size(2) > 4; ++i) x = leaky(conv("down" + std::to_string(i), x, 2), 0.2f);
        x = to_nhwc(x).flatten(1).unsqueeze(2).unsqueeze(3);
        const Tensor w = weight("dense.weight").unsqueeze(2).unsqueeze(3);
        x = leaky(convolution(x, w, weight("dense.bias"), {}, rounding_), 0.2f);
        return {conv("out", x)};
    }
    std::vector<Tensor> patch(const Tensor& picture, const std::vector<int>& strides) const
    {
        std::vector<Tensor> down = {leaky(conv("in", picture), 0.2f)};
        for (std::size_t i = 0; i < strides.size(); ++i)
            down.push_back(leaky(conv("down" + std::to_string(i + 1), down.back(), strides[i]), 0.2f));
        Tensor x = leaky(conv("bottom", down.back()), 0.2f);
        for (std::size_t i = strides.size(); i > 0; --i) {
            const std::string name = "up" + std::to_string(i);
            const Geometry geometry{strides[i - 1], 1, true, strides[i - 1] - 1};
            const Tensor up =
                convolution(x, to_nchw(weight(name + ".weight")), weight(name + ".bias"), geometry, rounding_);
            x = torch::cat({down[i - 1], leaky(up, 0.2f)}, 1);
        }
        return {conv("centre", down.back()), conv("full", x)};
    }
    std::vector<Tensor> code(Tensor x, int layers) const
    {
        for (int i = 1; i <= layers; ++i) x = leaky(conv("down" + std::to_string(i), x, 2), 0.1f);
        return {conv("out", x)};
    }

  private:
    const Tensor& weight(const std::string& name) const { return weights_.at(name_ + name); }
    Tensor leaky(const Tensor& x, float slope) const
    {
        return rounded(torch::leaky_relu(x, double(slope)), 1, rounding_);
    }
    Tensor conv(const std::string& name, const Tensor& x, std::int64_t stride = 1) const
    {
        const Tensor w = to_nchw(weight(name + ".weight"));
        return convolution(x, w, weight(name + ".bias"), {stride, w.size(2) / 2}, rounding_);
    }

    const std::string name_;
    const Weights& weights_;
    Rounding& rounding_;
};

} // namespace bifrons::parity
