// Adversarial training of tiny networks in double on the cpu: who gets which gradient, and what the losses are worth.
#include "model/adversary.h"

#include "model/objective.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

using Part = Objective::Part;
using Kind = AdversaryOptions::Kind;
using Loss = AdversaryOptions::Loss;

// The smooth activation: see autoencoder_test.cpp. Discriminators have kinks, of which few are met.
const Architecture kTiny{.resolution = 32, .c = true, .e_dims = 4, .ae_dims = 8, .d_dims = 4, .d_mask_dims = 4};
const AdversaryOptions kBoth{.gan_power = 0.5f, .true_face_power = 0.25f, .patch = 7, .dims = 4};

AdversaryOptions with(Kind kind, Loss loss)
{
    AdversaryOptions o = kBoth;
    o.kind = kind;
    o.loss = loss;
    return o;
}

class Duel {
  public:
    explicit Duel(const AdversaryOptions& options, bool masked_training = true)
        : net_(params_, kTiny), adversary_(params_, kTiny, options),
          objective_(kTiny, {.masked_training = masked_training}, nullptr, &adversary_)
    {
        params_.allocate(ex(), DType::f64, pool_);
        params_.initialise(ex(), 3);
        const std::int64_t both = 2, R = kTiny.resolution;
        batch_.input = filled({both, R, R, 3}, 1);
        batch_.target = filled({both, R, R, 3}, 2);
        batch_.mask = filled({both, R, R, 1}, 3);
        report_ = filled({std::int64_t(objective_.names().size())}, 4);
        one_ = Tensor::empty({1}, DType::f64, pool_);
        one_.upload<double>(ex(), {1});
    }
    /// Losses by name; with gradients, if wanted.
    std::map<std::string, double> losses(bool gradients, Part part = Part::all)
    {
        ex().device->fill({}, params_.gradients().view().data, 0, params_.gradients().bytes());
        Tape tape(ex(), pool_, gradients);
        const Var root = objective_(tape, net_.reconstruct(tape, Var(batch_.input)), batch_, report_, part);
        if (gradients) tape.backward(root, one_);
        const std::vector<double> values = report_.download<double>(ex());
        std::map<std::string, double> named;
        for (std::size_t i = 0; i < values.size(); ++i) named[objective_.names()[i]] = values[i];
        return named;
    }
    Parameters& params() { return params_; }
    const Objective& objective() const { return objective_; }
    double* weights() { return params_.weights().view().as<double>(); }
    /// Of the generator, or of the discriminators.
    std::vector<double> gradients(bool of_generator) const
    {
        const double* const g = params_.gradients().view().as<double>();
        const std::int64_t split = params_.groups().at(1).begin;
        return of_generator ? std::vector<double>(g, g + split)
                            : std::vector<double>(g + split, g + params_.arena_size());
    }

  private:
    kernels::Exec ex() { return device_.exec(); }
    Tensor filled(const Shape& shape, std::uint32_t seed)
    {
        Tensor t = Tensor::empty(shape, DType::f64, pool_);
        t.upload(ex(), random_values<double>(shape.size(), seed, 0.1, 0.9));
        return t;
    }

    TestDevice device_{"cpu:1"};
    Pool pool_{device_.device()};
    Parameters params_;
    Autoencoder net_;
    Adversary adversary_;
    Objective objective_;
    Batch batch_;
    Tensor report_, one_;
};

std::vector<double> zeros(const std::vector<double>& like)
{
    return std::vector<double>(like.size(), 0.0);
}

TEST(Adversary, names_its_losses)
{
    const std::vector<std::string> names = {"src_dssim", "src_mse", "src_mask",      "dst_dssim",     "dst_mse",
                                            "dst_mask",  "src_gan", "src_true_face", "src_variation", "src_background",
                                            "d_gan",     "d_code",  "total"};
    EXPECT_EQ(Duel(kBoth).objective().names(), names);
    EXPECT_EQ(Duel(kBoth).objective().generator_count(), 10u);
    AdversaryOptions code_alone = kBoth;
    code_alone.gan_power = 0;
    const std::vector<std::string> fewer = {"src_dssim", "src_mse",       "src_mask", "dst_dssim", "dst_mse",
                                            "dst_mask",  "src_true_face", "d_code",   "total"};
    EXPECT_EQ(Duel(code_alone, false).objective().names(), fewer);
}

TEST(Adversary, the_total_is_what_the_generator_makes_small)
{
    Duel duel(kBoth);
    const auto losses = duel.losses(false);
    double sum = 0;
    for (const auto& [name, value] : losses)
        if (name != "total" && name.rfind("d_", 0) != 0) sum += value;
    EXPECT_NEAR(losses.at("total"), sum, 1e-12 * sum);
    EXPECT_GT(losses.at("src_gan"), 0);
    EXPECT_GT(losses.at("src_variation"), 0);
    EXPECT_GT(losses.at("src_background"), 0);
}

TEST(Adversary, each_side_gets_its_own_gradients_and_nothing_of_the_others)
{
    for (const auto& [kind, loss] :
         {std::pair{Kind::patch, Loss::bce}, {Kind::fc, Loss::hinge}, {Kind::patch, Loss::least_squares}}) {
        Duel duel(with(kind, loss));
        duel.losses(true);
        const auto generator = duel.gradients(true), discriminators = duel.gradients(false);
        const auto apart = duel.losses(true, Part::generator);
        EXPECT_EQ(duel.gradients(true), generator) << "to the bit: the discriminators' terms do not reach it";
        EXPECT_EQ(duel.gradients(false), zeros(discriminators));
        EXPECT_EQ(apart, duel.losses(true, Part::discriminators)) << "the same values, all of them in place";
        EXPECT_EQ(duel.gradients(false), discriminators) << "to the bit: the generator's terms do not reach them";
        EXPECT_EQ(duel.gradients(true), zeros(generator));
        EXPECT_NE(generator, zeros(generator));
        EXPECT_NE(discriminators, zeros(discriminators));
    }
}

/// One element in the middle of each parameter is moved; the generator's gradients are the slopes of "total" alone, the
/// discriminators' those of their own losses.
void expect_slopes(const AdversaryOptions& options, bool masked_training)
{
    Duel duel(options, masked_training);
    duel.losses(true);
    const auto generator = duel.gradients(true), discriminators = duel.gradients(false);
    const auto value = [&](bool of_generator) {
        double sum = 0;
        for (const auto& [name, loss] : duel.losses(false))
            if (of_generator ? name == "total" : name.rfind("d_", 0) == 0) sum += loss;
        return sum;
    };
    const std::int64_t split = duel.params().groups().at(1).begin;
    for (const auto& e : duel.params().entries()) {
        const bool of_generator = e.offset < split;
        const auto& g = of_generator ? generator : discriminators;
        const std::int64_t first = e.offset - (of_generator ? 0 : split), at = e.shape.size() / 2;
        double largest = 0;
        for (std::int64_t i = 0; i < e.shape.size(); ++i)
            largest = std::max(largest, std::abs(g[std::size_t(first + i)]));
        const double slope =
            central_difference(duel.weights()[e.offset + at], 1e-6, [&] { return value(of_generator); });
        // As in autoencoder_test.cpp.
        EXPECT_NEAR(slope, g[std::size_t(first + at)], 1e-5 * largest + 2e-8) << e.name;
        EXPECT_GT(largest, 0) << e.name << " gets no gradient";
    }
}

TEST(Adversary, gradients_agree_with_finite_differences)
{
    expect_slopes(kBoth, true);
    expect_slopes(with(Kind::fc, Loss::least_squares), false);
}

} // namespace
