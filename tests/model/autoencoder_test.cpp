#include "model/autoencoder.h"
#include "model/objective.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

std::int64_t parameter_count(const Architecture& arch)
{
    Parameters params;
    const Autoencoder net(params, arch);
    return params.count();
}

TEST(Autoencoder, has_exactly_DeepFaceLabs_parameters)
{
    EXPECT_EQ(parameter_count({.resolution = 128, .u = true, .d = true}), 54470998);
    EXPECT_EQ(parameter_count({.resolution = 256, .u = true, .d = true}), 82794838);
    EXPECT_EQ(parameter_count({.resolution = 128, .u = false, .d = false}), 57538432);
    EXPECT_EQ(parameter_count({.resolution = 128, .liae = true}), 82376555);
    // Sizes of the table in millions, to its two decimals.
    EXPECT_NEAR(double(parameter_count({.resolution = 96, .ae_dims = 128, .d_mask_dims = 16})) / 1e6, 38.29, 0.005);
    EXPECT_NEAR(double(parameter_count({.resolution = 256, .t = true})) / 1e6, 97.17, 0.005);
    EXPECT_NEAR(double(parameter_count({.resolution = 256, .liae = true})) / 1e6, 145.34, 0.005);
    EXPECT_NEAR(double(parameter_count({.resolution = 320, .liae = true, .t = true})) / 1e6, 121.66, 0.005);
    EXPECT_NEAR(
        double(parameter_count({.resolution = 224, .liae = true, .t = true, .ae_dims = 512, .d_mask_dims = 32})) / 1e6,
        179.63, 0.005);
}

TEST(Architecture, refuses_what_cannot_be_built)
{
    EXPECT_THROW((Architecture{.resolution = 80, .d = true}).check(), Error); // 80 = 5 * 16
    EXPECT_NO_THROW((Architecture{.resolution = 80, .d = false}).check());
    EXPECT_THROW((Architecture{.resolution = 80, .d = false, .t = true}).check(), Error);
    EXPECT_THROW((Architecture{.e_dims = 63}).check(), Error);
    EXPECT_THROW((Architecture{.resolution = 0}).check(), Error);
    EXPECT_EQ((Architecture{.u = true, .d = false, .t = true, .c = true}).name(), "df-utc");
    EXPECT_EQ((Architecture{.liae = true}).name(), "liae-ud");
}

/// A tiny network in f64 on the cpu, with a loss over a fixed random batch.
class TinyNet {
  public:
    explicit TinyNet(const Architecture& arch, const LossWeights& weights = {})
        : net_(params_, arch), objective_(arch, weights)
    {
        params_.allocate(ex(), DType::f64, pool_);
        params_.initialise(ex(), 3);
        const std::int64_t both = 2, R = arch.resolution;
        batch_ = {.input = filled({both, R, R, 3}, 1),
                  .target = filled({both, R, R, 3}, 2),
                  .mask = filled({both, R, R, 1}, 3),
                  .eyes_mouth = filled({both, R, R, 1}, 4)};
        report_ = Tensor::empty({std::int64_t(objective_.names().size())}, DType::f64, pool_);
        one_ = Tensor::empty({1}, DType::f64, pool_);
        one_.upload<double>(ex(), {1});
    }
    double loss(bool gradients)
    {
        Tape tape(ex(), pool_, gradients);
        const Var total = objective_(tape, net_.reconstruct(tape, Var(batch_.input)), batch_, report_);
        if (gradients) tape.backward(total, one_);
        return total.value().download<double>(ex())[0];
    }
    Parameters& params() { return params_; }
    double* weights() { return params_.weights().view().as<double>(); }
    const double* gradients() { return params_.gradients().view().as<double>(); }

  private:
    kernels::Exec ex() { return device_.exec(); }
    Tensor filled(const Shape& shape, std::uint32_t seed)
    {
        Tensor t = Tensor::empty(shape, DType::f64, pool_);
        t.upload(ex(), random_values<double>(shape.size(), seed, 0.1, 0.9));
        return t;
    }

    TestDevice device_{"cpu"};
    Pool pool_{device_.device()};
    Parameters params_;
    Autoencoder net_;
    Objective objective_;
    Batch batch_;
    Tensor report_, one_;
};

/// Compares the gradients with finite differences; one element in the middle of each parameter is moved. Networks here
/// have the smooth activation: with leaky ReLU some of the thousand arguments lie within h of the kink, where the
/// difference quotient is no derivative. (The leaky network is compared with LibTorch, in tests/parity.)
void expect_gradients(const Architecture& arch, const LossWeights& weights = {})
{
    TinyNet net(arch, weights);
    net.loss(true);
    const std::vector<double> g(net.gradients(), net.gradients() + net.params().arena_size());
    for (const auto& e : net.params().entries()) {
        double largest = 0;
        for (std::int64_t i = 0; i < e.shape.size(); ++i)
            largest = std::max(largest, std::abs(g[std::size_t(e.offset + i)]));
        const std::int64_t at = e.offset + e.shape.size() / 2;
        const double difference = central_difference(net.weights()[at], 1e-6, [&] { return net.loss(false); });
        // Truncation h^2 and rounding eps*loss/h are both below 1e-8; kinks of leaky ReLU within h of an argument are
        // rare and would show as a failure.
        EXPECT_NEAR(difference, g[std::size_t(at)], 1e-5 * largest + 2e-8) << arch.name() << " " << e.name;
        EXPECT_GT(largest, 0) << e.name << " gets no gradient";
    }
}

const Architecture kTiny{.resolution = 32, .c = true, .e_dims = 4, .ae_dims = 8, .d_dims = 4, .d_mask_dims = 4};

TEST(Autoencoder, gradients_agree_with_finite_differences_for_every_flag)
{
    for (const std::string f : {"", "u", "d", "t", "ud", "udt", "liae-ud"}) {
        Architecture arch = kTiny;
        arch.liae = f.find("liae") != f.npos;
        arch.u = f.find('u') != f.npos;
        arch.d = f.find('d') != f.npos;
        arch.t = f.find('t') != f.npos;
        expect_gradients(arch);
    }
}

TEST(Autoencoder, gradients_agree_with_finite_differences_for_every_variant)
{
    for (const Downsample down : {Downsample::strided, Downsample::maxpool})
        for (const Upsample up : {Upsample::subpixel, Upsample::transposed, Upsample::nearest}) {
            Architecture arch = kTiny;
            arch.downsample = down;
            arch.upsample = up;
            expect_gradients(arch, {.mse = 3, .dssim = 5, .mask = 7, .masked_training = false});
        }
}

TEST(Autoencoder, gradients_agree_with_finite_differences_for_every_loss)
{
    expect_gradients(kTiny, {.mse = 3, .dssim = 0, .mask = 7, .eyes_mouth = 300});
}

} // namespace
