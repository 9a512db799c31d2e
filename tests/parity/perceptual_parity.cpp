// tests/parity/perceptual_parity.cpp - the frozen feature networks and the perceptual loss beside LibTorch's: features
// at each tap, the loss, and its gradient with respect to the picture. Bounds as in torch_parity.cpp.
#include "model/perceptual.h"
#include "tests/parity/rounding.h"
#include "tests/support/devices.h"
#include "tests/support/feature_files.h"
#include "tests/support/temp_folder.h"

#include <gtest/gtest.h>

namespace {

using namespace bifrons;
using namespace bifrons::parity;
using namespace bifrons::test;
using Tensors = std::map<std::string, torch::Tensor>;
namespace nn = torch::nn::functional;

constexpr double kPrograms = 2;
constexpr int kRuns = 8;
constexpr std::int64_t kPictures = 2;

torch::Tensor to_torch(const std::vector<std::int64_t>& shape, const std::vector<double>& values)
{
    return torch::tensor(values, torch::kFloat64).reshape(shape);
}

/// LibTorch's side of one network: NCHW features by tap.
class TheirNetwork {
  public:
    TheirNetwork(const FeatureTensors& tensors, Rounding& rounding) : rounding_(rounding)
    {
        for (const FeatureTensors::Entry& t : tensors.list)
            weights_[t.name] = to_torch(t.shape, {t.values.begin(), t.values.end()});
    }
    virtual ~TheirNetwork() = default;
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

struct TheirVgg : TheirNetwork {
    using TheirNetwork::TheirNetwork;
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
        for (int i = 0; i < 4; ++i) {
            if (i == 2) x = torch::max_pool2d(x, 2);
            if (reflect) x = nn::pad(x, nn::PadFuncOptions({1, 1, 1, 1}).mode(torch::kReflect));
            x = conv(names[i][reflect ? 2 : 1], x, 1, reflect ? 0 : 1);
            found[names[i][0]] = x;
        }
        return found;
    }
};

struct TheirSqueezeNet : TheirNetwork {
    using TheirNetwork::TheirNetwork;
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

struct Network {
    std::string name;
    FeatureTensors tensors;
    std::vector<std::pair<std::string, std::string>> taps; // with their heads
    std::int64_t H, W;

    std::string taps_text() const
    {
        std::string text;
        for (const auto& [tap, head] : taps) text += (text.empty() ? "" : ",") + tap;
        return text;
    }
    std::vector<float> picture(std::uint32_t seed) const { return random_values(kPictures * H * W * 3, seed, 0, 1); }
    std::unique_ptr<TheirNetwork> theirs(Rounding& rounding) const
    {
        if (name == "squeezenet") return std::make_unique<TheirSqueezeNet>(tensors, rounding);
        return std::make_unique<TheirVgg>(tensors, rounding);
    }
};

std::vector<Network> networks()
{
    FeatureTensors mirrored = vgg16(4, false);
    mirrored.metadata["padding"] = "reflect";
    std::vector<std::pair<std::string, std::string>> of_squeezenet;
    int head = 0;
    for (const char* tap : {"relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9"})
        of_squeezenet.emplace_back(tap, "lpips.lin" + std::to_string(head++) + ".model.1.weight");
    return {{"vgg16", vgg16(4), {{"relu1_1", ""}, {"relu1_2", ""}, {"relu2_2", ""}}, 10, 12},
            {"mirrored", mirrored, {{"relu1_1", ""}, {"relu2_1", ""}, {"relu2_2", ""}}, 12, 10},
            {"squeezenet", whole_squeezenet(), of_squeezenet, 32, 37}};
}

/// Features (of the prediction), loss and gradient in our layout.
Tensors theirs(const Network& network, Rounding rounding = Rounding())
{
    const auto picture = [&](std::uint32_t seed) {
        const std::vector<float> values = network.picture(seed);
        return to_torch({kPictures, network.H, network.W, 3}, {values.begin(), values.end()});
    };
    const auto net = network.theirs(rounding);
    const torch::Tensor shown = picture(1).requires_grad_(true), target = picture(2);
    const auto rgb = [](const torch::Tensor& bgr) { return bgr.permute({0, 3, 1, 2}).flip(1); };
    const Tensors features = net->features(rgb(shown)), wanted = net->features(rgb(target));
    const torch::Tensor loss = net->distance(features, wanted, network.taps);
    loss.backward();
    Tensors all{{"loss", loss.detach()}, {"gradient", shown.grad()}};
    for (const auto& [tap, head] : network.taps) all[tap] = features.at(tap).detach().permute({0, 2, 3, 1});
    return all;
}

Tensors ours(const Network& network, DType dtype)
{
    TempFolder folder;
    network.tensors.write(folder / "net");
    TestDevice device("cpu");
    Pool pool(device.device());
    const kernels::Exec ex = device.exec();
    const model::Perceptual perceptual(device.device(), folder / "net", network.taps_text(), Precision::f32, dtype);
    const auto place = [&](const Shape& shape, const std::vector<float>& values) {
        const bifrons::Tensor t = bifrons::Tensor::empty(shape, dtype, pool);
        t.upload(ex, values);
        return t;
    };
    const auto get = [&](const bifrons::Tensor& t) {
        std::vector<std::int64_t> shape;
        for (int i = 0; i < t.shape().rank(); ++i) shape.push_back(t.shape()[i]);
        return to_torch(shape, t.download<double>(ex));
    };
    const Shape rgb{kPictures, network.H, network.W, 3};
    const auto shown = place(rgb, network.picture(1)), gradient = place(rgb, network.picture(1)),
               target = place(rgb, network.picture(2)), one = place({1}, {1});
    Tensors all;
    {
        Tape tape(ex, pool, false);
        const std::vector<Var> features = perceptual.network()(tape, Var(shown));
        for (std::size_t i = 0; i < features.size(); ++i) all[network.taps[i].first] = get(features[i].value());
    }
    Tape tape(ex, pool);
    const Var loss = perceptual(tape, tape.parameter(shown, gradient), target, {}, 1);
    all["loss"] = get(loss.value()).reshape({});
    tape.backward(loss, one);
    all["gradient"] = get(gradient);
    return all;
}

double largest(const torch::Tensor& x)
{
    return x.abs().max().item<double>();
}

class PerceptualParity : public ::testing::TestWithParam<int> {
  protected:
    static void SetUpTestSuite() { at::globalContext().setUserEnabledMkldnn(false); }
    void expect_agreement(DType dtype, double unit, double tight)
    {
        const Network network = networks()[std::size_t(GetParam())];
        SCOPED_TRACE(network.name);
        const Tensors want = theirs(network), got = ours(network, dtype);
        std::map<std::string, double> bounds;
        for (int run = 0; run < kRuns; ++run)
            for (const auto& [name, moved] : theirs(network, Rounding(unit, std::uint64_t(run + 1))))
                bounds[name] =
                    std::max(bounds[name], kPrograms * (largest(moved - want.at(name)) + 8 * unit * largest(moved)));
        ASSERT_EQ(got.size(), want.size());
        for (const auto& [name, value] : want) {
            ASSERT_EQ(got.at(name).sizes(), value.sizes()) << name;
            const double error = largest(got.at(name) - value);
            EXPECT_TRUE(error <= bounds.at(name)) << name << ": off by " << error << ", bound " << bounds.at(name)
                                                  << ", largest value " << largest(value);
            EXPECT_LT(bounds.at(name), tight * largest(value)) << name << ": the bound says little";
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Networks, PerceptualParity, ::testing::Range(0, 3),
                         [](const auto& index) { return networks()[std::size_t(index.param)].name; });

TEST_P(PerceptualParity, features_loss_and_gradient_agree_in_f64)
{
    expect_agreement(DType::f64, 0x1p-53, 1e-11);
}
TEST_P(PerceptualParity, features_loss_and_gradient_agree_in_f32)
{
    expect_agreement(DType::f32, 0x1p-24, 0.25);
}

} // namespace
