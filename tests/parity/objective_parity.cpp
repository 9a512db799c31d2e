// tests/parity/objective_parity.cpp - the whole objective of adversarial training beside LibTorch's, from the same
// weights and the same batch: DSSIM, squared error, mask, eyes and mouth, VGG-16's features, a patch discriminator, and
// for df one of the latents. Each loss, each gradient of generator and discriminators, and the weights after three
// simultaneous updates. Bounds as in torch_parity.cpp.
#include "model/discriminator.h"
#include "tests/parity/our_training.h"
#include "tests/parity/torch_discriminator.h"
#include "tests/parity/torch_features.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace bifrons;
using namespace bifrons::parity;
using model::Settings;
using torch::Tensor;

constexpr int kSteps = 3;
// The deeper layers are perceptual_parity.cpp's.
const std::vector<std::pair<std::string, std::string>> kTaps = {{"relu1_1", ""}};

Settings settings(const std::string& architecture, const std::string& features)
{
    Settings s;
    s.precision = "f32"; // on CPUs that prefer bf16 too
    s.archi = architecture;
    s.resolution = 32;
    s.e_dims = 4, s.ae_dims = 10, s.d_dims = 6, s.d_mask_dims = 4;
    s.batch_size = 2;
    s.optimizer = "adam";
    s.learning_rate = 2e-4;
    s.eyes_mouth_prio = true;
    s.perceptual_weight = 2;
    s.perceptual_file = features;
    s.perceptual_taps = "relu1_1";
    s.gan_power = 0.5, s.gan_patch_size = 7, s.gan_dims = 4;
    if (architecture == "df-ud") s.true_face_power = 0.25;
    return s;
}

/// The objective from its descriptions (model/objective.h, adversary.h).
class TorchObjective {
  public:
    TorchObjective(const Settings& s, const test::FeatureTensors& features, const Weights& weights, Rounding& rounding)
        : settings_(s), weights_(weights), features_(features, rounding), rounding_(rounding)
    {
        for (const auto& [name, w] : weights) constants_[name] = w.detach();
    }
    /// By our names, weighted, "total" included.
    Tensors operator()(const TorchBatch& batch) const
    {
        std::vector<Tensor> latents;
        const TorchModel net(model::architecture_of(settings_), weights_, rounding_);
        const auto out = net.reconstruct(batch.input, &latents);
        const std::vector<Tensor> softs = soft_mask(batch.mask, int(settings_.resolution)).chunk(2),
                                  targets = batch.target.chunk(2), eyes_mouth = batch.eyes_mouth.chunk(2);
        Tensors values = parity::losses(out, batch, rounding_);
        for (const std::size_t i : {0, 1}) {
            const std::string side = i == 0 ? "src" : "dst";
            const Tensor difference = (targets[i] - out[i].face).abs();
            values[side + "_eyes_mouth"] = 300 * rounded(eyes_mouth[i] * difference, 2, rounding_).mean();
            values[side + "_perceptual"] =
                settings_.perceptual_weight * perceptual(softs[i] * out[i].face, softs[i] * targets[i]);
        }
        add_adversary(values, out[0].face, targets[0], softs[0]);
        if (settings_.true_face_power > 0) add_true_face(values, latents.at(0), latents.at(1));
        values["total"] = torch::zeros({}, torch::kFloat64);
        Tensor total = values.at("total");
        for (const auto& [name, value] : values)
            if (name.rfind("d_", 0) != 0) total = total + value;
        values["total"] = total;
        return values;
    }

  private:
    using Answers = std::vector<Tensor>;

    Tensor perceptual(const Tensor& a, const Tensor& b) const
    {
        const auto rgb = [](const Tensor& bgr) { return to_nchw(bgr).flip(1); };
        return features_.distance(features_.features(rgb(a)), features_.features(rgb(b)), kTaps);
    }
    /// Cross-entropy of all answers with a label.
    Tensor bce(const Answers& answers, double label) const
    {
        Tensor sum = torch::zeros({}, torch::kFloat64);
        for (const Tensor& a : answers) {
            const Tensor each =
                torch::binary_cross_entropy_with_logits(a, torch::full_like(a, label), {}, {}, at::Reduction::None);
            sum = sum + rounded(each, 4, rounding_).mean();
        }
        return sum;
    }
    Answers judged(const Weights& weights, const Tensor& picture) const
    {
        return TorchDiscriminator("discriminator", weights, rounding_)
            .patch(to_nchw(picture), model::patch_strides(int(settings_.gan_patch_size)));
    }
    void add_adversary(Tensors& values, const Tensor& made, const Tensor& real, const Tensor& soft) const
    {
        const auto variation = [&](int axis) { return rounded(made.diff(1, axis).square(), 2, rounding_).sum(); };
        values["src_gan"] = settings_.gan_power * bce(judged(constants_, soft * made), 1);
        values["src_variation"] = double(1e-6f) * (variation(1) + variation(2)) / double(made.size(0));
        values["src_background"] = double(0.02f) * rounded(((1 - soft) * (made - real)).square(), 4, rounding_).mean();
        values["d_gan"] =
            (bce(judged(weights_, soft * real), 1) + bce(judged(weights_, (soft * made).detach()), 0)) / 2;
    }
    void add_true_face(Tensors& values, const Tensor& src, const Tensor& dst) const
    {
        const auto judge = [&](const Weights& weights, const Tensor& latent) {
            return TorchDiscriminator("code_discriminator", weights, rounding_)
                .code(latent, 1 + int(latent.size(2)) / 8);
        };
        values["src_true_face"] = settings_.true_face_power * bce(judge(constants_, src), 1);
        values["d_code"] = (bce(judge(weights_, dst.detach()), 1) + bce(judge(weights_, src.detach()), 0)) / 2;
    }

    const Settings& settings_;
    const Weights& weights_;
    Weights constants_;
    const TorchVgg features_;
    Rounding& rounding_;
};

/// Their side: leaves, and passes from them.
class Theirs {
  public:
    Theirs(const Settings& s, const test::FeatureTensors& features, const Tensors& weights, const Rounding& rounding)
        : settings_(s), features_(features), rounding_(rounding), batch_(Pictures(s).batch())
    {
        for (const auto& [name, w] : weights) leaves_[name] = w.detach().clone().requires_grad_(true);
    }
    /// Losses and gradients: both sides' from one backward pass over the sum of what each makes small.
    Tensors pass()
    {
        for (auto& [name, leaf] : leaves_) leaf.mutable_grad() = Tensor();
        const Tensors losses = TorchObjective(settings_, features_, leaves_, rounding_)(batch_);
        Tensor root = losses.at("total") + losses.at("d_gan");
        if (losses.count("d_code")) root = root + losses.at("d_code");
        root.backward();
        Tensors all;
        for (const auto& [name, value] : losses) all["loss " + name] = value.detach();
        for (const auto& [name, leaf] : leaves_) all[name] = leaf.grad();
        return all;
    }
    /// The weights after steps of LibTorch's own Adam.
    Tensors trained(int steps)
    {
        torch::optim::Adam adam = adam_of(settings_, leaves_);
        for (int i = 0; i < steps; ++i) {
            pass();
            adam.step();
        }
        Tensors all;
        for (const auto& [name, leaf] : leaves_) all[name] = leaf.detach();
        return all;
    }

  private:
    const Settings settings_;
    const test::FeatureTensors& features_;
    Rounding rounding_;
    const TorchBatch batch_;
    Tensors leaves_;
};

/// Ours, after a step.
Tensors compared(OurTraining& ours)
{
    Tensors all = ours.gradients();
    for (const auto& [name, value] : ours.losses()) all["loss " + name] = value;
    return all;
}

class ObjectiveParity : public ::testing::TestWithParam<std::string> {
  protected:
    static void SetUpTestSuite() { at::globalContext().setUserEnabledMkldnn(false); }
    void SetUp() override
    {
        features_ = test::vgg16(1);
        features_.write(folder_ / "vgg16");
        settings_ = settings(GetParam(), folder_ / "vgg16");
    }
    Theirs theirs(const Tensors& weights, const Rounding& rounding = Rounding()) const
    {
        return {settings_, features_, weights, rounding};
    }
    void expect_agreement(DType dtype, double unit, double share)
    {
        OurTraining ours(settings_, dtype);
        const Tensors weights = ours.weights(), want = theirs(weights).pass();
        const Bounds bounds = propagated([&](const Rounding& r) { return theirs(weights, r).pass(); }, unit);
        ours.step();
        expect_within(compared(ours), want, bounds);
        expect_tight(bounds, want, share);
    }

    test::TempFolder folder_;
    test::FeatureTensors features_;
    Settings settings_;
};

INSTANTIATE_TEST_SUITE_P(Networks, ObjectiveParity, ::testing::Values("liae-ud", "df-ud"),
                         [](const auto& test) { return test.param.substr(0, test.param.find('-')) + "_ud"; });

TEST_P(ObjectiveParity, losses_and_gradients_agree_in_f64)
{
    expect_agreement(DType::f64, kUnit64, 1e-10);
}

TEST_P(ObjectiveParity, losses_and_gradients_agree_in_f32)
{
    expect_agreement(DType::f32, kUnit32, 0.25);
}

/// Either program goes its own way. What rounding does to one step's gradients, its updates carry into the next.
TEST_P(ObjectiveParity, weights_agree_after_three_simultaneous_updates_in_f64)
{
    OurTraining ours(settings_, DType::f64);
    const Tensors start = ours.weights(), want = theirs(start).trained(kSteps);
    const Bounds bounds = propagated([&](const Rounding& r) { return theirs(start, r).trained(kSteps); }, kUnit64);
    for (int i = 0; i < kSteps; ++i) ours.step();
    expect_within(ours.weights(), want, bounds);
    for (const auto& [name, bound] : bounds) {
        EXPECT_LT(bound, 0.01 * settings_.learning_rate) << name;
        EXPECT_GT(largest(want.at(name) - start.at(name)), settings_.learning_rate) << name << " has hardly moved";
    }
}

} // namespace
