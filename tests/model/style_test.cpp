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
    void clear(const std::string& name)
    {
        const Tensor& value = params_.value(params_.find(name));
        device_.device().fill({}, value.view().data, 0, value.bytes());
    }
    /// The largest of a parameter's gradient.
    double gradient(const std::string& name)
    {
        double largest = 0;
        for (const double g : params_.grad(params_.find(name)).download<double>(device_.exec()))
            largest = std::max(largest, std::abs(g));
        return largest;
    }
    /// Difference quotient of the terms by value `k` of a parameter, and its gradient as it was left.
    std::pair<double, double> slope_and_gradient(const std::string& name, std::int64_t k)
    {
        const int i = params_.find(name);
        const double g = params_.grad(i).view().as<double>()[k];
        double& w = params_.value(i).view().as<double>()[k];
        return {central_difference(w, 1e-6, [&] { return loss(false); }), g};
    }

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
/// the gradient. The encoder hears of the surroundings alone, and the masks of nothing.
TEST(Style, of_the_face_reaches_the_sources_decoder_and_of_the_surroundings_the_encoder_too)
{
    for (const bool liae : {false, true})
        for (const StyleWeights weights : {StyleWeights{3, 0}, StyleWeights{0, 200}}) {
            Architecture arch = kTiny;
            arch.liae = liae;
            StyledNet net(arch, weights);
            EXPECT_GT(net.loss(true), 0);
            const bool surroundings = weights.background > 0;
            const std::string decoder = liae ? "decoder" : "decoder_src";
            EXPECT_GT(net.gradient(decoder + ".out3.weight"), 0);
            EXPECT_EQ(net.gradient(decoder + ".mask_out.weight"), 0);
            EXPECT_EQ(net.gradient("encoder.down1.weight") > 0, surroundings);
            EXPECT_EQ(net.gradient(liae ? "inter_AB.dense1.weight" : "inter.dense1.weight") > 0, surroundings);
            if (liae) { // there the same layer makes the reconstruction, which is a constant of the terms
                EXPECT_EQ(net.gradient("inter_B.dense1.weight"), 0);
                continue;
            }
            const auto [slope, gradient] = net.slope_and_gradient(decoder + ".out3.bias", 1);
            EXPECT_NEAR(slope, gradient, 1e-5 * std::abs(gradient) + 1e-8) << weights.face;
        }
}

/// Masks that do not follow the picture leave the swapped face as the one way from the encoder to the surroundings.
TEST(Style, of_the_surroundings_has_its_slope_in_the_encoder)
{
    for (const bool liae : {false, true}) {
        Architecture arch = kTiny;
        arch.liae = liae;
        StyledNet net(arch, {0, 200});
        for (const char* decoder : {"decoder", "decoder_src", "decoder_dst"})
            if (!net.params().block(decoder).empty()) net.clear(str(decoder, ".mask_out.weight"));
        net.loss(true);
        for (const char* bias : {"encoder.down1.bias", "encoder.down4.bias"}) {
            const auto [slope, gradient] = net.slope_and_gradient(bias, 1);
            EXPECT_NE(gradient, 0);
            EXPECT_NEAR(slope, gradient, 1e-5 * std::abs(gradient) + 1e-8) << bias;
        }
    }
}

TEST(Style, has_no_terms_unless_they_are_wanted)
{
    EXPECT_TRUE(style_names({}).empty());
    EXPECT_EQ(style_names({1, 1}), (std::vector<std::string>{"swap_style", "swap_bg_style"}));
}

} // namespace
