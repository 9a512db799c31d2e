#include "model/discriminator.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

using Strides = std::vector<int>;

template <class Kind, class... Arguments>
std::int64_t parameter_count(const Arguments&... arguments)
{
    Parameters params;
    const Kind discriminator(params, "discriminator", arguments...);
    return params.count();
}

TEST(PatchDiscriminator, finds_DeepFaceLabs_layers)
{
    struct Row {
        int patch, field;
        Strides strides;
    };
    for (const Row& row : {Row{16, 15, {2, 2, 2}},
                           {32, 31, {2, 2, 2, 2}},
                           {28, 27, {2, 1, 2, 1, 2}},
                           {40, 39, {2, 2, 1, 2, 2}},
                           {3, 3, {2}},
                           {5, 3, {2}}, // as far from 3 as from 7: the smaller
                           {11, 11, {2, 1, 2}},
                           {640, 639, {2, 2, 2, 2, 2, 2, 1, 2, 2}}}) {
        EXPECT_EQ(patch_strides(row.patch), row.strides) << row.patch;
        EXPECT_EQ(receptive_field(row.strides), row.field);
    }
}

TEST(PatchDiscriminator, has_DeepFaceLabs_parameters)
{
    // 16: in 3*16, down 9*(16*32 + 32*64 + 64*128), up 9*(128*64 + 128*32 + 64*16), centre 128, bottom 128^2, full 32;
    // biases 16 + 224 + 112 + 1 + 128 + 1
    EXPECT_EQ(parameter_count<PatchDiscriminator>(16, 16), 48 + 96768 + 119808 + 128 + 16384 + 32 + 482);
    // The others likewise; 0.95, 3.80, 9.68 and 3.80 million.
    EXPECT_EQ(parameter_count<PatchDiscriminator>(32, 16), 946994);
    EXPECT_EQ(parameter_count<PatchDiscriminator>(28, 16), 3799090);
    EXPECT_EQ(parameter_count<PatchDiscriminator>(28, 32), 9684578) << "channels end at 512";
    EXPECT_EQ(parameter_count<PatchDiscriminator>(40, 16), 3799090);
}

TEST(CodeDiscriminator, has_DeepFaceLabs_parameters)
{
    EXPECT_EQ(parameter_count<CodeDiscriminator>(8, 256), 4 * 4 * 256 * 256 + 256 + 9 * 256 * 512 + 512 + 512 + 1);
    EXPECT_NEAR(double(parameter_count<CodeDiscriminator>(8, 256)) / 1e6, 2.23, 0.005);
    EXPECT_NEAR(double(parameter_count<CodeDiscriminator>(16, 256)) / 1e6, 6.95, 0.005);
}

TEST(FcDiscriminator, has_the_parameters_that_its_description_says)
{
    // 128 px: five convolutions to 4 x 4 x 256, dense to 256, dense to 1
    EXPECT_EQ(parameter_count<FcDiscriminator>(128, 16),
              25 * (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128 + 128 * 256) + 496 + 4096 * 256 + 256 + 256 + 1);
    // 80 px: 40, 20, 10, 5, 3; an odd side is halved upwards
    EXPECT_EQ(parameter_count<FcDiscriminator>(80, 4),
              25 * (3 * 4 + 4 * 8 + 8 * 16 + 16 * 32 + 32 * 64) + 124 + 9 * 64 * 64 + 64 + 64 + 1);
}

/// A discriminator in f64 on the cpu, and two kinds of noise to be told apart: bright and dark.
template <class Kind>
class Trained {
  public:
    template <class... Arguments>
    explicit Trained(const Shape& shape, const Arguments&... arguments)
        : net_(params_, "discriminator", arguments...), real_(picture(shape, 1, 0.5, 1)),
          fake_(picture(shape, 2, 0, 0.5)), one_(picture({1}, 0, 1, 1))
    {
        params_.allocate(ex(), DType::f64, pool_);
        params_.initialise(ex(), 5);
    }
    /// Shapes of the answers.
    std::vector<Shape> answers()
    {
        Tape tape(ex(), pool_, false);
        std::vector<Shape> shapes;
        for (const Var& answer : net_(tape, Var(real_))) shapes.push_back(answer.shape());
        return shapes;
    }
    /// The discriminator's loss, after which it takes a step down its gradient.
    double step(double rate)
    {
        Tape tape(ex(), pool_);
        std::vector<Var> losses;
        for (const Var& answer : net_(tape, Var(real_))) losses.push_back(bce(tape, answer, 1, 0.5f));
        for (const Var& answer : net_(tape, Var(fake_))) losses.push_back(bce(tape, answer, 0, 0.5f));
        const Var loss = total(tape, losses, std::vector<float>(losses.size(), 1.0f));
        tape.backward(loss, one_);
        double* const weights = params_.weights().view().template as<double>();
        const double* const gradients = params_.gradients().view().template as<double>();
        for (std::int64_t i = 0; i < params_.arena_size(); ++i) weights[i] -= rate * gradients[i];
        return loss.value().template download<double>(ex())[0];
    }

  private:
    kernels::Exec ex() { return device_.exec(); }
    Tensor picture(const Shape& shape, std::uint32_t seed, double low, double high)
    {
        Tensor t = Tensor::empty(shape, DType::f64, pool_);
        t.upload(ex(), random_values<double>(shape.size(), seed, low, high));
        return t;
    }

    TestDevice device_{"cpu:1"};
    Pool pool_{device_.device()};
    Parameters params_;
    Kind net_;
    Tensor real_, fake_, one_;
};

const Shape kPicture{2, 16, 16, 3};

TEST(Discriminator, answers_for_what_it_says)
{
    using Shapes = std::vector<Shape>;
    EXPECT_EQ((Trained<FcDiscriminator>(kPicture, 16, 4).answers()), (Shapes{{2, 1, 1, 1}}));
    EXPECT_EQ((Trained<PatchDiscriminator>(kPicture, 11, 4).answers()), (Shapes{{2, 4, 4, 1}, {2, 16, 16, 1}}))
        << "strides 2, 1, 2";
    EXPECT_EQ((Trained<CodeDiscriminator>({2, 8, 8, 6}, 8, 6).answers()), (Shapes{{2, 3, 3, 1}})) << "8, 5, 3";
}

template <class Kind>
void expect_learns(Trained<Kind> trained, double rate)
{
    const double first = trained.step(rate);
    double last = first;
    for (int i = 0; i < 40; ++i) last = trained.step(rate);
    EXPECT_LT(last, 0.5 * first);
    EXPECT_GT(last, 0);
}

TEST(Discriminator, learns_to_tell)
{
    expect_learns(Trained<FcDiscriminator>(kPicture, 16, 4), 0.3);
    expect_learns(Trained<PatchDiscriminator>(kPicture, 11, 4), 0.3);
    expect_learns(Trained<CodeDiscriminator>({2, 2, 2, 6}, 2, 6), 0.3);
}

} // namespace
