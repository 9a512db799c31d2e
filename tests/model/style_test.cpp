#include "model/style.h"

#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

const Architecture kTiny{.resolution = 32, .c = true, .e_dims = 4, .ae_dims = 8, .d_dims = 4, .d_mask_dims = 4};

/// A tiny network in f64 on the cpu and the style terms of one batch.
class StyledNet {
  public:
    StyledNet(const Architecture& arch, const StyleWeights& weights) : weights_(weights), net_(params_, arch)
    {
        params_.allocate(device_.exec(), DType::f64, pool_);
        params_.initialise(device_.exec(), 3);
        input_ = filled({4, 32, 32, 3}, 1);
        target_ = filled({2, 32, 32, 3}, 2);
        one_ = filled({1}, 3);
        one_.upload<double>(device_.exec(), {1});
    }
    double loss(bool gradients)
    {
        Tape tape(device_.exec(), pool_, true);
        const auto out = net_.reconstruct(tape, Var(input_));
        std::vector<Var> values;
        for (const Term& term : style_terms(tape, weights_, net_, out, target_)) values.push_back(term.value);
        const Var sum = total(tape, values, std::vector<float>(values.size(), 1));
        if (gradients) tape.backward(sum, one_);
        return sum.value().download<double>(device_.exec())[0];
    }
    Parameters& params() { return params_; }

  private:
    Tensor filled(const Shape& shape, std::uint32_t seed)
    {
        Tensor t = Tensor::empty(shape, DType::f64, pool_);
        t.upload(device_.exec(), random_values<double>(shape.size(), seed, 0.1, 0.9));
        return t;
    }

    TestDevice device_{"cpu"};
    Pool pool_{device_.device()};
    StyleWeights weights_;
    Parameters params_;
    Autoencoder net_;
    Tensor input_, target_, one_;
};

/// The decoder's last face layer reaches the terms only through the swapped face, so that its difference quotient is
/// the gradient; the encoder gets none, and neither do the masks.
TEST(Style, gradients_reach_the_sources_decoder_alone)
{
    for (const bool liae : {false, true})
        for (const StyleWeights weights : {StyleWeights{3, 0}, StyleWeights{0, 200}}) {
            Architecture arch = kTiny;
            arch.liae = liae;
            StyledNet net(arch, weights);
            EXPECT_GT(net.loss(true), 0);
            const std::string decoder = liae ? "decoder" : "decoder_src";
            const auto gradient = [&](const std::string& name) {
                const int i = net.params().find(name);
                double largest = 0;
                const double* g = net.params().grad(i).view().as<double>();
                for (std::int64_t k = 0; k < net.params().grad(i).size(); ++k)
                    largest = std::max(largest, std::abs(g[k]));
                return largest;
            };
            EXPECT_GT(gradient(decoder + ".out3.weight"), 0);
            EXPECT_EQ(gradient("encoder.down1.weight"), 0);
            EXPECT_EQ(gradient(decoder + ".mask_out.weight"), 0);
            if (liae) continue; // there the same layer makes the reconstruction, which is a constant of the terms
            const int bias = net.params().find(decoder + ".out3.bias");
            double& w = net.params().value(bias).view().as<double>()[1];
            const double kept = w, h = 1e-6, g = net.params().grad(bias).view().as<double>()[1];
            w = kept + h;
            const double above = net.loss(false);
            w = kept - h;
            const double below = net.loss(false);
            w = kept;
            EXPECT_NEAR((above - below) / (2 * h), g, 1e-5 * std::abs(g) + 1e-8) << weights.face;
        }
}

TEST(Style, has_no_terms_unless_they_are_wanted)
{
    EXPECT_TRUE(style_names({}).empty());
    EXPECT_EQ(style_names({1, 1}), (std::vector<std::string>{"swap_style", "swap_bg_style"}));
}

} // namespace
