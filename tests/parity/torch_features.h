// tests/parity/torch_features.h - the feature networks and the perceptual distance once more, written in LibTorch from
// their descriptions (model/feature_file.h, perceptual.h).
#pragma once

#include "tests/parity/compare.h"
#include "tests/support/feature_files.h"

namespace bifrons::parity {

/// NCHW features by tap of an RGB picture.
class TorchFeatures {
  public:
    TorchFeatures(const test::FeatureTensors& tensors, Rounding& rounding) : rounding_(rounding)
    {
        for (const test::FeatureTensors::Entry& t : tensors.list)
            weights_[t.name] = to_torch(t.shape, {t.values.begin(), t.values.end()});
    }
    virtual ~TorchFeatures() = default;
    virtual Tensors features(torch::Tensor rgb) const = 0;

    /// The distance at the taps, heads where the file has them.
    torch::Tensor distance(const Tensors& a, const Tensors& b,
                           const std::vector<std::pair<std::string, std::string>>& taps) const
    {
        torch::Tensor sum = torch::zeros({}, torch::kFloat64);
        for (const auto& [tap, head] : taps) {
            const torch::Tensor square = (unit(a.at(tap)) - unit(b.at(tap))).square();
            sum = sum + (head.empty() ? square : square * weights_.at(head)).sum(1).mean();
        }
        return sum;
    }

  protected:
    torch::Tensor conv(const std::string& name, const torch::Tensor& x, std::int64_t stride, std::int64_t pad) const
    {
        return torch::relu(convolution(x, weights_.at(name + ".weight"), weights_.at(name + ".bias"),
                                       {stride, pad, false}, rounding_));
    }
    torch::Tensor normalised(const torch::Tensor& rgb) const
    {
        const auto per_channel = [](double r, double g, double b) {
            return torch::tensor({r, g, b}, torch::kFloat64).reshape({1, 3, 1, 1});
        };
        return rounded((rgb - per_channel(0.485, 0.456, 0.406)) / per_channel(0.229, 0.224, 0.225), 4, rounding_);
    }
    torch::Tensor unit(const torch::Tensor& x) const
    {
        return rounded(x / (x.square().sum(1, true) + 1e-8).sqrt(), double(x.size(1)), rounding_);
    }
    Tensors weights_;
    Rounding& rounding_;
};

struct TorchVgg : TorchFeatures {
    using TorchFeatures::TorchFeatures;
    Tensors features(torch::Tensor rgb) const override
    {
        const bool reflect = weights_.count("conv1_1.weight");
        torch::Tensor x = reflect ? 255 * rgb.flip(1) -
                                        torch::tensor({103.939, 116.779, 123.68}, torch::kFloat64).reshape({1, 3, 1, 1})
                                  : normalised(rgb);
        Tensors found;
        const char* const names[][3] = {{"relu1_1", "features.0", "conv1_1"},
                                        {"relu1_2", "features.2", "conv1_2"},
                                        {"relu2_1", "features.5", "conv2_1"},
                                        {"relu2_2", "features.7", "conv2_2"}};
        for (int i = 0; i < 4 && weights_.count(std::string(names[i][reflect ? 2 : 1]) + ".weight"); ++i) {
            if (i == 2) x = torch::max_pool2d(x, 2);
            if (reflect)
                x = torch::nn::functional::pad(
                    x, torch::nn::functional::PadFuncOptions({1, 1, 1, 1}).mode(torch::kReflect));
            x = conv(names[i][reflect ? 2 : 1], x, 1, reflect ? 0 : 1);
            found[names[i][0]] = x;
        }
        return found;
    }
};

struct TorchSqueezeNet : TorchFeatures {
    using TorchFeatures::TorchFeatures;
    torch::Tensor fire(int index, const torch::Tensor& x) const
    {
        const std::string name = "features." + std::to_string(index) + ".";
        const torch::Tensor s = conv(name + "squeeze", x, 1, 0);
        return torch::cat({conv(name + "expand1x1", s, 1, 0), conv(name + "expand3x3", s, 1, 1)}, 1);
    }
    static torch::Tensor pool(const torch::Tensor& x) { return torch::max_pool2d(x, 3, 2, 0, 1, true); }
    Tensors features(torch::Tensor rgb) const override
    {
        Tensors found;
        torch::Tensor x = found["relu1"] = conv("features.0", normalised(rgb), 2, 0);
        x = fire(3, pool(x));
        x = found["fire3"] = fire(4, x);
        x = fire(6, pool(x));
        x = found["fire5"] = fire(7, x);
        x = found["fire6"] = fire(9, pool(x));
        x = found["fire7"] = fire(10, x);
        x = found["fire8"] = fire(11, x);
        found["fire9"] = fire(12, x);
        return found;
    }
};

} // namespace bifrons::parity
