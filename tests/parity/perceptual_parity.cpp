// tests/parity/perceptual_parity.cpp - the frozen feature networks and the perceptual loss beside LibTorch's: features
// at each tap, the loss, and its gradient with respect to the picture. Bounds as in torch_parity.cpp.
#include "model/perceptual.h"
#include "tests/parity/compare.h"
#include "tests/parity/torch_features.h"
#include "tests/support/devices.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace bifrons;
using namespace bifrons::parity;
using namespace bifrons::test;

constexpr std::int64_t kPictures = 2;

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
    std::unique_ptr<TorchFeatures> theirs(Rounding& rounding) const
    {
        if (name == "squeezenet") return std::make_unique<TorchSqueezeNet>(tensors, rounding);
        return std::make_unique<TorchVgg>(tensors, rounding);
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
        return to_torch(Shape{kPictures, network.H, network.W, 3}, cast<double>(values));
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
    const auto get = [&](const bifrons::Tensor& t) { return to_torch(t.shape(), t.download<double>(ex)); };
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

class PerceptualParity : public ::testing::TestWithParam<int> {
  protected:
    static void SetUpTestSuite() { at::globalContext().setUserEnabledMkldnn(false); }
    void expect_agreement(DType dtype, double unit, double tight)
    {
        const Network network = networks()[std::size_t(GetParam())];
        SCOPED_TRACE(network.name);
        const Tensors want = theirs(network);
        const Bounds bounds = propagated([&](const Rounding& rounding) { return theirs(network, rounding); }, unit);
        expect_within(ours(network, dtype), want, bounds);
        expect_tight(bounds, want, tight);
    }
};
INSTANTIATE_TEST_SUITE_P(Networks, PerceptualParity, ::testing::Range(0, 3),
                         [](const auto& index) { return networks()[std::size_t(index.param)].name; });

TEST_P(PerceptualParity, features_loss_and_gradient_agree_in_f64)
{
    expect_agreement(DType::f64, kUnit64, 1e-11);
}
TEST_P(PerceptualParity, features_loss_and_gradient_agree_in_f32)
{
    expect_agreement(DType::f32, kUnit32, 0.25);
}

} // namespace
