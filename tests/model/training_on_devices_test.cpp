// A whole training step of small networks on every device, beside the same step in double on the cpu: from identical
// weights, losses and gradients within what rounding may do; over 20 steps
// (4 in the simulator's slow precisions), curves within the band of runs that start
// one rounding apart.
#include "tests/model/tiny_training.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <functional>

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

struct Case {
    std::string name, device;
    Settings settings;
};
void PrintTo(const Case& c, std::ostream* out)
{
    *out << c.name;
}

/// A trainer with its device and samples.
class Training {
  public:
    Training(const std::string& device, const Settings& settings, DType dtype = DType::f32)
        : device_(device, 256), faces_(device_.device()), trainer_(device_.device(), settings, faces_, nullptr, dtype)
    {
    }
    Trainer& operator*() { return trainer_; }
    Trainer* operator->() { return &trainer_; }
    std::vector<double> weights() { return trainer_.parameters().weights().download<double>(trainer_.exec()); }
    void set_weights(const std::vector<double>& values)
    {
        trainer_.parameters().weights().upload(trainer_.exec(), values);
        trainer_.parameters().pack(trainer_.exec());
    }
    std::vector<double> gradient(int i) { return trainer_.parameters().grad(i).download<double>(trainer_.exec()); }
    std::vector<double> curve(int steps)
    {
        std::vector<double> totals;
        for (int i = 0; i < steps; ++i) {
            trainer_.step();
            totals.push_back(trainer_.report().total());
        }
        return totals;
    }

  private:
    TestDevice device_;
    Faces faces_;
    Trainer trainer_;
};

/// Unit roundoff of what is stored or multiplied.
double unit_of(const Settings& s)
{
    return std::ldexp(1.0, s.precision == "bf16" ? -8 : s.precision == "tf32" ? -11 : -24);
}

/// The same weights, each moved by `unit`, relatively, up or down.
std::vector<double> moved(std::vector<double> weights, double unit, std::uint32_t seed)
{
    const std::vector<double> sign = random_values<double>(std::int64_t(weights.size()), seed);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= 1 + (sign[i] > 0 ? unit : -unit);
    return weights;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b)
{
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

double largest(const std::vector<double>& values)
{
    return largest_difference(values, std::vector<double>(values.size(), 0.0));
}

/// Losses, then the gradient of each parameter, after one step.
std::vector<std::vector<double>> first_step(Training& t)
{
    t->step();
    std::vector<std::vector<double>> all = {t->report().values};
    for (std::size_t i = 0; i < t->parameters().entries().size(); ++i) all.push_back(t.gradient(int(i)));
    return all;
}

class TrainingOnDevices : public ::testing::TestWithParam<Case> {
  protected:
    void SetUp() override
    {
        if (const std::string why = absent(GetParam().device); !why.empty()) GTEST_SKIP() << why;
    }
    /// The settings of the run in double.
    static Settings exact_settings()
    {
        Settings s = GetParam().settings;
        s.precision = "f32";
        return s;
    }
};

TEST_P(TrainingOnDevices, losses_and_gradients_of_a_step_are_the_double_networks)
{
    const Settings& s = GetParam().settings;
    Training exact("cpu:1", exact_settings(), DType::f64);
    const std::vector<double> weights = exact.weights();
    const auto want = first_step(exact);

    // What rounding of this size does, found by doing it to the weights of the cpu's f32 network. The factor: another
    // program's sums, and the luck of eight draws.
    constexpr int kRuns = 8;
    const double moves = s.precision == "f32" ? 8 * unit_of(s) : unit_of(s);
    std::vector<double> bound(want.size());
    for (int run = 0; run < kRuns; ++run) {
        Training other("cpu:1", exact_settings());
        other.set_weights(moved(weights, moves, std::uint32_t(run)));
        const auto got = first_step(other);
        for (std::size_t i = 0; i < want.size(); ++i)
            bound[i] = std::max(bound[i], 4 * largest_difference(got[i], want[i]) + 8 * unit_of(s) * largest(want[i]));
    }

    Training ours(GetParam().device, s);
    const auto got = first_step(ours);
    double error = 0, norm = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const std::string name = i == 0 ? "losses" : ours->parameters().entries()[i - 1].name;
        EXPECT_TRUE(within(got[i], want[i], bound[i])) << name;
        if (s.precision == "f32") {
            EXPECT_LT(bound[i], 0.02 * largest(want[i])) << name << ": the bound says little";
        }
        for (std::size_t j = 0; i > 0 && j < want[i].size(); ++j) {
            error += (got[i][j] - want[i][j]) * (got[i][j] - want[i][j]);
            norm += want[i][j] * want[i][j];
        }
    }
    // Of a network that has learnt nothing single gradients are ill-conditioned; the direction as a whole is not.
    EXPECT_LT(std::sqrt(error / norm), 32 * unit_of(s) * std::sqrt(double(want.size())));
}

TEST_P(TrainingOnDevices, curves_stay_in_the_band_and_repeat_to_the_bit)
{
    constexpr int kRuns = 8;
    const Settings& s = GetParam().settings;
    // The simulator multiplies a thousand times slower than a tensor core's lane.
    const bool slow = GetParam().device == "sim" && (s.precision != "f32" || s.gan_power > 0);
    const int steps = slow ? 4 : 20;
    Training exact("cpu:1", exact_settings(), DType::f64);
    const std::vector<double> weights = exact.weights(), want = exact.curve(steps);
    std::vector<double> band(want.size());
    for (int run = 0; run < kRuns; ++run) {
        Training other("cpu:1", exact_settings());
        other.set_weights(moved(weights, 2 * unit_of(s), std::uint32_t(run))); // an ulp
        const std::vector<double> curve = other.curve(steps);
        for (std::size_t i = 0; i < want.size(); ++i) band[i] = std::max(band[i], std::abs(curve[i] - want[i]));
    }
    for (std::size_t i = 1; i < band.size(); ++i) band[i] = std::max(band[i], band[i - 1]); // a band does not narrow

    Training ours(GetParam().device, s), again(GetParam().device, s);
    const std::vector<double> got = ours.curve(steps);
    for (std::size_t i = 0; i < want.size(); ++i)
        EXPECT_NEAR(got[i], want[i], 4 * band[i] + 8 * unit_of(s) * want[i]) << "step " << i;
    EXPECT_LT(got.back(), got.front());
    EXPECT_EQ(again.curve(steps), got);
    EXPECT_EQ(again.weights(), ours.weights());
}

TEST_P(TrainingOnDevices, takes_the_memory_that_was_planned)
{
    Training ours(GetParam().device, GetParam().settings);
    const MemoryUse planned = ours->memory_use();
    ours->step();
    EXPECT_EQ(ours->slab_bytes(), planned.activations + planned.workspace);
    EXPECT_EQ(planned.packed, GetParam().settings.precision == "bf16" ? planned.weights / 2 : 0);
}

std::vector<Case> cases()
{
    std::vector<Case> list;
    const auto add = [&](const std::string& name, const std::string& device, const std::string& precision,
                         const std::function<void(Settings&)>& change) {
        if (device == "cpu" && precision != "bf16") return; // f32 is what the bounds come from
        Settings s = tiny();
        s.precision = precision;
        s.learning_rate = 2e-4; // at 1e-3 curves of nets with max pooling part within 14 steps on any two programs
        change(s);
        list.push_back({name + "_" + precision, device, s});
    };
    const auto none = [](Settings&) {};
    for (const std::string device : {"cpu", "sim", "cuda"}) {
        for (const std::string precision : {"f32", "tf32", "bf16"}) add(device + "_df_ud", device, precision, none);
        add(device + "_df_t_maxpool_nearest", device, "f32", [](Settings& s) {
            s.archi = "df-t";
            s.downsample = "maxpool";
            s.upsample = "nearest";
        });
        for (const std::string precision : {"f32", "bf16"})
            add(device + "_liae_ud", device, precision, [](Settings& s) { s.archi = "liae-ud"; });
        const auto adversaries = [](Settings& s) {
            s.gan_power = 0.1, s.gan_patch_size = 7, s.gan_dims = 4;
            s.true_face_power = 0.01;
        };
        for (const std::string precision : {"f32", "bf16"})
            add(device + "_adversaries", device, precision, adversaries);
        add(device + "_fc_least_squares", device, "f32", [](Settings& s) {
            s.discriminator = "fc", s.gan_power = 0.1, s.gan_dims = 4;
            s.gan_loss = "least_squares";
        });
        add(device + "_df_uc_transposed", device, "bf16", [](Settings& s) {
            s.archi = "df-uc";
            s.upsample = "transposed";
        });
    }
    return list;
}

INSTANTIATE_TEST_SUITE_P(Networks, TrainingOnDevices, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

} // namespace
