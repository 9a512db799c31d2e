// tests/parity/torch_parity.cpp - our training step beside LibTorch's, from the same weights and the same batch.
//
//   in f64   outputs, losses, every gradient and three Adam steps: two programs for one definition
//   in f32   every gradient, and twenty steps' losses: what rounding alone may change
//
// LibTorch runs in double and without oneDNN, which ours uses. Bounds are propagated (tests/parity/rounding.h): twice
// the largest deviation of eight passes that round as badly as the operations' contracts say; twice, because both
// programs round.
#include "model/trainer.h"
#include "tests/parity/torch_model.h"
#include "tests/support/numerics.h"

#include <gtest/gtest.h>

namespace {

using namespace bifrons;
using namespace bifrons::parity;
using model::Settings;
using test::random_values;
using Tensors = std::map<std::string, torch::Tensor>; // by name, in double

constexpr double kUnit32 = 0x1p-24, kUnit64 = 0x1p-53, kPrograms = 2;
constexpr int kRuns = 8;

Settings settings(const std::string& architecture, int resolution, const std::string& downsample = "strided",
                  const std::string& upsample = "subpixel")
{
    Settings s;
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

torch::Tensor to_torch(const Shape& shape, const std::vector<double>& values)
{
    std::vector<std::int64_t> sizes;
    for (int i = 0; i < shape.rank(); ++i) sizes.push_back(shape[i]);
    return torch::tensor(values, torch::kFloat64).reshape(sizes);
}

/// Adam as `s` says, in the numbers that ours is given.
torch::optim::Adam adam_of(const Settings& s, const Tensors& leaves)
{
    std::vector<torch::Tensor> list;
    for (const auto& [name, leaf] : leaves) list.push_back(leaf);
    const kernels::UpdateOptions o = model::optimizer_of(s).update;
    return torch::optim::Adam(list, torch::optim::AdamOptions(double(float(s.learning_rate)))
                                        .betas({double(o.beta1), double(o.beta2)})
                                        .eps(double(o.eps)));
}

double largest(const torch::Tensor& x)
{
    return x.abs().max().item<double>();
}

/// Noise with a face-shaped hole in another place for each sample. f32 values.
struct Pictures {
    explicit Pictures(const Settings& s) : both(2 * s.batch_size), side(s.resolution)
    {
        input = random_values(both * side * side * 3, 1, 0, 1);
        target = random_values(both * side * side * 3, 2, 0, 1);
        for (std::int64_t i = 0; i < both * side * side; ++i) {
            const double n = double(i / (side * side)), y = double(i / side % side) / double(side) - 0.4 - 0.05 * n,
                         x = double(i % side) / double(side) - 0.6 + 0.04 * n;
            mask.push_back(x * x / 0.08 + y * y / 0.15 < 1 ? 1.0f : 0.0f);
        }
    }
    TorchBatch batch() const
    {
        const Shape rgb{both, side, side, 3}, grey{both, side, side, 1};
        return {to_torch(rgb, test::cast<double>(input)), to_torch(rgb, test::cast<double>(target)),
                to_torch(grey, test::cast<double>(mask))};
    }
    std::int64_t both, side;
    std::vector<float> input, target, mask;
};

/// The batch is filled once, by hand.
struct Untouched : BatchSource {
    void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
};

/// Our side: a trainer on the cpu with random weights, biases included.
class Ours {
  public:
    Ours(const Settings& s, DType dtype)
        : device_(kernels::open_device("cpu")), trainer_(*device_, s, source_, nullptr, dtype)
    {
        const Pictures pictures(s);
        trainer_.batch().input.upload(exec(), pictures.input);
        trainer_.batch().target.upload(exec(), pictures.target);
        trainer_.batch().mask.upload(exec(), pictures.mask);
        std::vector<float> arena = weights_arena<float>();
        for (const Parameters::Entry& e : params().entries()) {
            if (e.init.kind != Init::Kind::zeros) continue;
            const std::vector<float> bias = random_values(e.shape.size(), std::uint32_t(e.offset), -0.1, 0.1);
            std::copy(bias.begin(), bias.end(), arena.begin() + e.offset);
        }
        params().weights().upload(exec(), arena);
    }
    /// Moves every weight to one of its two neighbours in f32.
    void move_by_an_ulp(std::uint32_t seed)
    {
        std::vector<float> arena = weights_arena<float>();
        const std::vector<float> way = random_values(std::int64_t(arena.size()), seed);
        for (std::size_t i = 0; i < arena.size(); ++i) arena[i] = std::nextafter(arena[i], way[i] < 0 ? -9.0f : 9.0f);
        params().weights().upload(exec(), arena);
    }
    void step() { trainer_.step(); }
    /// Losses of the last step by name.
    std::map<std::string, double> losses()
    {
        const model::StepReport r = trainer_.report();
        EXPECT_FALSE(r.skipped);
        std::map<std::string, double> values;
        for (std::size_t i = 0; i < r.names.size(); ++i) values[r.names[i]] = r.values[i];
        return values;
    }
    Tensors weights() const { return by_name(&Parameters::value); }
    /// Of the last step.
    Tensors gradients() const { return by_name(&Parameters::grad); }
    std::array<TorchModel::Output, 2> outputs()
    {
        Pool pool(*device_);
        // Workspace as large as the planned step's: it has the same operations.
        const std::size_t bytes = trainer_.memory_use().workspace;
        void* scratch = pool.allocate(bytes);
        std::array<TorchModel::Output, 2> out;
        {
            Tape tape({device_.get(), {}, {scratch, bytes}}, pool, false);
            const auto both = trainer_.network().reconstruct(tape, Var(trainer_.batch().input));
            const auto get = [&](const Var& v) { return to_torch(v.shape(), v.value().download<double>(exec())); };
            out = {TorchModel::Output{get(both.src.face), get(both.src.mask)},
                   {get(both.dst.face), get(both.dst.mask)}};
        }
        pool.release(scratch);
        return out;
    }

  private:
    kernels::Exec exec() const { return trainer_.exec(); }
    const Parameters& params() const { return trainer_.parameters(); }
    template <class T>
    std::vector<T> weights_arena() const
    {
        return params().weights().download<T>(exec());
    }
    Tensors by_name(bifrons::Tensor (Parameters::*part)(int) const) const
    {
        Tensors all;
        for (std::size_t i = 0; i < params().entries().size(); ++i) {
            const Parameters::Entry& e = params().entries()[i];
            all[e.name] = to_torch(e.shape, (params().*part)(int(i)).template download<double>(exec()));
        }
        return all;
    }

    Untouched source_;
    std::unique_ptr<kernels::Device> device_;
    mutable model::Trainer trainer_;
};

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
Tensors compared(const Tensors& gradients, const std::map<std::string, torch::Tensor>& losses,
                 const std::array<TorchModel::Output, 2>& outputs)
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
Tensors compared(Ours& ours)
{
    const auto outputs = ours.outputs();
    ours.step();
    Tensors losses;
    for (const auto& [name, value] : ours.losses()) losses[name] = torch::scalar_tensor(value, torch::kFloat64);
    return compared(ours.gradients(), losses, outputs);
}

/// How far rounding with this unit may move each of what is compared, over the whole tensor; means cancel, so that what
/// the last operations round is added.
std::map<std::string, double> propagated(const Settings& s, const Tensors& weights, double unit)
{
    const Tensors exact = compared(Pass(s, weights));
    std::map<std::string, double> bounds;
    for (int run = 0; run < kRuns; ++run)
        for (const auto& [name, moved] : compared(Pass(s, weights, Rounding(unit, std::uint64_t(run + 1)))))
            bounds[name] =
                std::max(bounds[name], kPrograms * (largest(moved - exact.at(name)) + 8 * unit * largest(moved)));
    return bounds;
}

void expect_within(const Tensors& got, const Tensors& want, const std::map<std::string, double>& bounds)
{
    ASSERT_EQ(got.size(), want.size());
    for (const auto& [name, value] : want) {
        ASSERT_TRUE(got.count(name)) << name;
        ASSERT_EQ(got.at(name).sizes(), value.sizes()) << name;
        const double error = largest(got.at(name) - value);
        EXPECT_TRUE(error <= bounds.at(name))
            << name << ": off by " << error << ", bound " << bounds.at(name) << ", largest value " << largest(value);
    }
}

/// A bound that let everything pass would prove nothing.
void expect_tight(const std::map<std::string, double>& bounds, const Tensors& want, double share)
{
    for (const auto& [name, value] : want) EXPECT_LT(bounds.at(name), share * largest(value)) << name;
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
    Ours ours(settings(), DType::f64);
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
    Ours ours(settings(), DType::f64);
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
        std::map<std::string, double> update_bounds;
        for (const auto& [name, w] : before)
            update_bounds[name] = (1 + std::sqrt(3)) * lr * bounds.at(name) / eps + 8 * kUnit64 * (largest(w) + lr);
        expect_within(ours.gradients(), pass.gradients(), bounds);
        expect_within(ours.weights(), leaves, update_bounds);
        for (const auto& [name, bound] : update_bounds) EXPECT_LT(bound, 0.01 * lr) << name;
    }
}

TEST_P(Parity, outputs_losses_and_gradients_agree_in_f32)
{
    Ours ours(settings(), DType::f32);
    const Tensors weights = ours.weights(), want = compared(Pass(settings(), weights));
    const auto bounds = propagated(settings(), weights, kUnit32);
    expect_within(compared(ours), want, bounds);
    expect_tight(bounds, want, 0.25);
}

/// Losses of the first steps.
std::vector<double> curve(Ours& ours, int steps)
{
    std::vector<double> totals;
    for (int i = 0; i < steps; ++i) {
        ours.step();
        totals.push_back(ours.losses().at("total"));
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

TEST_P(Parity, twenty_steps_in_f32_stay_with_f64_as_well_as_one_ulp_allows)
{
    constexpr int kSteps = 20;
    Ours ours(settings(), DType::f32);
    const std::vector<double> want = curve(settings(), ours.weights(), kSteps), got = curve(ours, kSteps);
    std::vector<double> low(kSteps, 1e300), high(kSteps, -1e300);
    for (std::uint32_t run = 1; run <= kRuns; ++run) {
        Ours moved(settings(), DType::f32);
        moved.move_by_an_ulp(run);
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
