// tests/parity/torch_parity.cpp - our training step beside LibTorch's, from the same weights and the same batch.
//
//   in f64   outputs, losses, every gradient and three Adam steps: two programs for one definition
//   in f32   every gradient, and twenty steps' losses: what rounding alone may change
//
// LibTorch runs in double and without oneDNN, which ours uses. Bounds are propagated (tests/parity/rounding.h): twice
// the largest deviation of eight passes that round as badly as the operations' contracts say; twice, because both
// programs round.
#include "tests/parity/our_training.h"

namespace {

using namespace bifrons;
using namespace bifrons::parity;
using model::Settings;

Settings settings(const std::string& architecture, int resolution, const std::string& downsample = "strided",
                  const std::string& upsample = "subpixel")
{
    Settings s;
    s.precision = "f32"; // on CPUs that prefer bf16 too
    s.archi = architecture;
    s.optimizer = "adam";
    s.resolution = resolution;
    s.downsample = downsample;
    s.upsample = upsample;
    s.e_dims = 4, s.ae_dims = 10, s.d_dims = 6, s.d_mask_dims = 4;
    s.batch_size = 2;
    s.learning_rate = 2e-4;
    return s;
}

/// Their side: one pass from given weights.
struct Pass {
    Pass(const Settings& s, const Tensors& weights, Rounding rounding = Rounding())
    {
        for (const auto& [name, w] : weights) leaves[name] = w.detach().clone().requires_grad_(true);
        const TorchModel net(model::architecture_of(s), leaves, rounding);
        const TorchBatch batch = Pictures(s).batch();
        outputs = net.reconstruct(batch.input);
        losses = parity::losses(outputs, batch, rounding);
        losses.at("total").backward();
    }
    Tensors gradients() const
    {
        Tensors all;
        for (const auto& [name, leaf] : leaves) all[name] = leaf.grad();
        return all;
    }
    Tensors leaves, losses;
    std::array<TorchModel::Output, 2> outputs;
};

/// Everything that is compared, by name.
Tensors compared(const Tensors& gradients, const Tensors& losses, const std::array<TorchModel::Output, 2>& outputs)
{
    Tensors all = gradients;
    for (const auto& [name, value] : losses) all["loss " + name] = value.detach();
    for (const std::size_t i : {0, 1}) {
        all[i == 0 ? "src face" : "dst face"] = outputs[i].face.detach();
        all[i == 0 ? "src mask" : "dst mask"] = outputs[i].mask.detach();
    }
    return all;
}

Tensors compared(const Pass& pass)
{
    return compared(pass.gradients(), pass.losses, pass.outputs);
}

/// Ours, after its first step; outputs were taken before it.
Tensors compared(OurTraining& ours)
{
    const auto outputs = ours.outputs();
    ours.step();
    return compared(ours.gradients(), ours.losses(), outputs);
}

Bounds propagated(const Settings& s, const Tensors& weights, double unit)
{
    return parity::propagated([&](const Rounding& rounding) { return compared(Pass(s, weights, rounding)); }, unit);
}

struct Network {
    std::string name;
    Settings settings;
};
void PrintTo(const Network& network, std::ostream* out)
{
    *out << network.name;
}

class Parity : public ::testing::TestWithParam<Network> {
  protected:
    static void SetUpTestSuite() { at::globalContext().setUserEnabledMkldnn(false); }
    const Settings& settings() const { return GetParam().settings; }
};

INSTANTIATE_TEST_SUITE_P(
    Networks, Parity,
    ::testing::Values(Network{"df", ::settings("df", 48)}, Network{"df_ud", ::settings("df-ud", 64)},
                      Network{"df_udt", ::settings("df-udt", 64)}, Network{"df_udc", ::settings("df-udc", 64)},
                      Network{"liae_ud", ::settings("liae-ud", 64)}, Network{"liae_ut", ::settings("liae-ut", 64)},
                      Network{"maxpool", ::settings("df-ud", 32, "maxpool")},
                      Network{"transposed", ::settings("df-u", 48, "strided", "transposed")},
                      Network{"nearest", ::settings("df-d", 32, "maxpool", "nearest")}),
    [](const auto& network) { return network.param.name; });

TEST_P(Parity, outputs_losses_and_gradients_agree_in_f64)
{
    OurTraining ours(settings(), DType::f64);
    const Tensors weights = ours.weights(), want = compared(Pass(settings(), weights));
    const auto bounds = propagated(settings(), weights, kUnit64);
    expect_within(compared(ours), want, bounds);
    expect_tight(bounds, want, 1e-11);
}

/// A gradient off by delta moves m and sqrt(v) by at most delta, and m / (sqrt(v) + eps) is at most sqrt(3) within
/// three steps (Cauchy-Schwarz on their weights); so an update moves by at most (1 + sqrt(3)) lr delta / eps.
TEST_P(Parity, three_steps_of_adam_agree_in_f64)
{
    const double lr = double(float(settings().learning_rate)), eps = double(model::optimizer_of(settings()).update.eps);
    OurTraining ours(settings(), DType::f64);
    const auto bounds = propagated(settings(), ours.weights(), kUnit64);
    Tensors leaves = ours.weights();
    torch::optim::Adam adam = adam_of(settings(), leaves);
    for (int step = 1; step <= 3; ++step) {
        SCOPED_TRACE(step);
        const Tensors before = ours.weights();
        const Pass pass(settings(), before);
        for (auto& [name, leaf] : leaves) {
            leaf.copy_(before.at(name));
            leaf.mutable_grad() = pass.gradients().at(name);
        }
        adam.step();
        ours.step();
        Bounds update_bounds;
        for (const auto& [name, w] : before)
            update_bounds[name] = (1 + std::sqrt(3)) * lr * bounds.at(name) / eps + 8 * kUnit64 * (largest(w) + lr);
        expect_within(ours.gradients(), pass.gradients(), bounds);
        expect_within(ours.weights(), leaves, update_bounds);
        for (const auto& [name, bound] : update_bounds) EXPECT_LT(bound, 0.01 * lr) << name;
    }
}

TEST_P(Parity, outputs_losses_and_gradients_agree_in_f32)
{
    OurTraining ours(settings(), DType::f32);
    const Tensors weights = ours.weights(), want = compared(Pass(settings(), weights));
    const auto bounds = propagated(settings(), weights, kUnit32);
    expect_within(compared(ours), want, bounds);
    expect_tight(bounds, want, 0.25);
}

/// Losses of the first steps.
std::vector<double> curve(OurTraining& ours, int steps)
{
    std::vector<double> totals;
    for (int i = 0; i < steps; ++i) {
        ours.step();
        totals.push_back(ours.losses().at("total").item<double>());
    }
    return totals;
}

/// The same in LibTorch, with its own Adam all the way.
std::vector<double> curve(const Settings& s, Tensors leaves, int steps)
{
    torch::optim::Adam adam = adam_of(s, leaves);
    std::vector<double> totals;
    for (int i = 0; i < steps; ++i) {
        const Pass pass(s, leaves);
        for (auto& [name, leaf] : leaves) leaf.mutable_grad() = pass.gradients().at(name);
        adam.step();
        totals.push_back(pass.losses.at("total").item<double>());
    }
    return totals;
}

/// A total is a sum of six numbers that were rounded to f32, rounded after each addition.
double reading_error(double total)
{
    return 12 * kUnit32 * total;
}

TEST_P(Parity, twenty_steps_in_f32_stay_with_f64_as_well_as_four_ulps_allow)
{
    constexpr int kSteps = 20;
    // A sum of hundreds of products in f32 is as wrong as one of exact products of weights that are some ulps off. A
    // single ulp is lost in the rounding of Adam's steps: on processors without AVX-512 df-ud's losses stay the same
    // with it.
    constexpr int kUlps = 4;
    OurTraining ours(settings(), DType::f32);
    const std::vector<double> want = curve(settings(), ours.weights(), kSteps), got = curve(ours, kSteps);
    std::vector<double> low(kSteps, 1e300), high(kSteps, -1e300);
    for (std::uint32_t run = 1; run <= kRuns; ++run) {
        OurTraining moved(settings(), DType::f32);
        moved.move_by_ulps(kUlps, run);
        const std::vector<double> totals = curve(moved, kSteps);
        for (std::size_t i = 0; i < kSteps; ++i)
            low[i] = std::min(low[i], totals[i]), high[i] = std::max(high[i], totals[i]);
    }
    for (std::size_t i = 0; i < kSteps; ++i)
        EXPECT_TRUE(std::abs(got[i] - want[i]) <= 4 * (high[i] - low[i]) + reading_error(want[i]))
            << "step " << i + 1 << ": " << got[i] << ", in f64 " << want[i] << ", spread " << high[i] - low[i];
    EXPECT_LT(want.back(), want.front()) << "it learns";
}

} // namespace
