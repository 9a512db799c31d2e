#include "model/perceptual.h"

#include "tests/model/tiny_training.h"
#include "tests/support/devices.h"
#include "tests/support/feature_files.h"
#include "tests/support/temp_folder.h"

#include <algorithm>

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

/// A network and two pictures that differ, under a mask.
struct Problem {
    std::string name;
    FeatureTensors tensors;
    std::string taps;
    std::int64_t N = 2, H = 4, W = 5;
    int downscale = 1;

    std::vector<double> prediction() const { return cast<double>(random_values(N * H * W * 3, 1, 0.1, 0.9)); }
    std::vector<double> target() const { return cast<double>(random_values(N * H * W * 3, 2, 0.1, 0.9)); }
    std::vector<double> mask() const { return cast<double>(random_values(N * H * W, 3, 0.2, 1)); }
};

std::vector<Problem> problems()
{
    FeatureTensors mirrored = vgg16(2, false);
    mirrored.metadata["padding"] = "reflect";
    return {{"vgg", vgg16(2), "relu1_2:0.5, relu1_1"},
            {"mirrored", mirrored, "relu1_2"},
            {"halved", vgg16(2), "relu1_2", 2, 8, 6, 2},
            {"squeezenet", squeezenet(), "", 1, 15, 16}};
}

struct Answer {
    double loss = 0;
    std::vector<double> gradient;
};

/// Loss of the prediction and its gradient.
Answer answer(const std::string& device_name, const Problem& p, const std::string& path, Precision precision,
              DType dtype, const std::vector<double>& prediction)
{
    TestDevice device(device_name, std::size_t(8) << 20);
    Pool pool(device.device());
    const Perceptual perceptual(device.device(), path, p.taps, precision, dtype, p.downscale);
    const kernels::Exec ex = device.exec();
    const auto place = [&](const Shape& shape, const std::vector<double>& values) {
        const Tensor t = Tensor::empty(shape, dtype, pool);
        t.upload(ex, values);
        return t;
    };
    const Shape rgb{p.N, p.H, p.W, 3};
    const Tensor shown = place(rgb, prediction), gradient = place(rgb, prediction), target = place(rgb, p.target()),
                 mask = place({p.N, p.H, p.W, 1}, p.mask()), one = place({1}, {1.0});
    Tape tape(ex, pool, true, precision);
    const Var loss = perceptual(tape, tape.parameter(shown, gradient), target, mask, 2.5f);
    Answer a{loss.value().download<double>(ex)[0], {}};
    tape.backward(loss, one);
    a.gradient = gradient.download<double>(ex);
    return a;
}

class PerceptualTest : public ::testing::Test {
  protected:
    std::string file_of(const Problem& p)
    {
        p.tensors.write(folder_ / p.name);
        return folder_ / p.name;
    }
    TempFolder folder_;
};

TEST_F(PerceptualTest, gradient_is_the_slope_of_the_value)
{
    for (const Problem& p : problems()) {
        SCOPED_TRACE(p.name);
        const std::string path = file_of(p);
        const std::vector<double> x = p.prediction();
        const Answer here = answer("cpu", p, path, Precision::f32, DType::f64, x);
        EXPECT_GT(here.loss, 0.01);
        double largest = 0;
        for (const double g : here.gradient) largest = std::max(largest, std::abs(g));
        // Along random directions: a rectifier's kink between the two points would show in one, not in all.
        int close = 0;
        constexpr int kDirections = 4;
        for (std::uint32_t i = 0; i < kDirections; ++i) {
            const std::vector<double> way = random_values<double>(std::int64_t(x.size()), 50 + i);
            const auto value = [&](double h) {
                std::vector<double> moved = x;
                for (std::size_t j = 0; j < x.size(); ++j) moved[j] += h * way[j];
                return answer("cpu", p, path, Precision::f32, DType::f64, moved).loss;
            };
            constexpr double h = 1e-6;
            close += std::abs((value(h) - value(-h)) / (2 * h) - dot(here.gradient, way)) < 1e-5 * largest;
        }
        EXPECT_GE(close, kDirections - 1);
    }
}

TEST_F(PerceptualTest, is_zero_for_the_target_itself_and_counts_taps_by_their_weights)
{
    const Problem p = problems()[0];
    const std::string path = file_of(p);
    EXPECT_EQ(answer("cpu", p, path, Precision::f32, DType::f64, p.target()).loss, 0);
    const auto loss = [&](const std::string& taps) {
        Problem other = p;
        other.taps = taps;
        return answer("cpu", other, path, Precision::f32, DType::f64, p.prediction()).loss;
    };
    EXPECT_NEAR(loss("relu1_2:0.5, relu1_1:3"), 0.5 * loss("relu1_2") + 3 * loss("relu1_1"), 1e-12);
}

/// The means over squares of 2 px of a picture [N,H,W,3] times its mask.
std::vector<double> halved(const Problem& p, const std::vector<double>& picture)
{
    std::vector<double> small(picture.size() / 4);
    const std::vector<double> mask = p.mask();
    for (std::int64_t i = 0; i < std::int64_t(picture.size()); ++i) {
        const std::int64_t c = i % 3, x = i / 3 % p.W, y = i / 3 / p.W % p.H, n = i / 3 / p.W / p.H;
        small[std::size_t(((n * p.H / 2 + y / 2) * (p.W / 2) + x / 2) * 3 + c)] +=
            mask[std::size_t(i / 3)] * picture[std::size_t(i)] / 4;
    }
    return small;
}

TEST_F(PerceptualTest, of_a_smaller_scale_is_that_of_the_smaller_pictures)
{
    const Problem p{"halved", vgg16(2), "relu1_2, relu1_1", 2, 8, 6, 2};
    const Answer got = answer("cpu", p, file_of(p), Precision::f32, DType::f64, p.prediction());
    TestDevice device("cpu");
    Pool pool(device.device());
    const Perceptual perceptual(device.device(), folder_ / p.name, p.taps, Precision::f32, DType::f64);
    const Shape small{p.N, p.H / 2, p.W / 2, 3};
    const Tensor a = Tensor::wrap(device.upload(halved(p, p.prediction())), small),
                 b = Tensor::wrap(device.upload(halved(p, p.target())), small);
    Tape tape(device.exec(), pool, false);
    const double want = perceptual(tape, Var(a), b, {}, 2.5f).value().download<double>(device.exec())[0];
    EXPECT_NEAR(got.loss, want, 1e-12 * want);
    Problem whole = p;
    whole.downscale = 1;
    EXPECT_GT(std::abs(answer("cpu", whole, folder_ / p.name, Precision::f32, DType::f64, p.prediction()).loss - want),
              0.01 * want);
}

TEST_F(PerceptualTest, masked_places_do_not_count)
{
    // With an input map without a constant, a mask of 0 makes pictures equal there.
    Problem p = problems()[0];
    p.tensors.add("pre_1x1.weight", {3, 3, 1, 1}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
    p.tensors.add("pre_1x1.bias", {3}, {0, 0, 0});
    const std::string path = file_of(p);
    TestDevice device("cpu");
    const Perceptual perceptual(device.device(), path, "relu1_1", Precision::f32, DType::f64);
    Pool pool(device.device());
    const Tensor a = Tensor::wrap(device.upload(p.prediction()), {p.N, p.H, p.W, 3}),
                 b = Tensor::wrap(device.upload(p.target()), a.shape()),
                 none = Tensor::wrap(device.upload(std::vector<double>(p.mask().size())), {p.N, p.H, p.W, 1});
    Tape tape(device.exec(), pool, false);
    EXPECT_EQ(perceptual(tape, Var(a), b, none, 1).value().download<double>(device.exec())[0], 0);
    EXPECT_GT(perceptual(tape, Var(a), b, {}, 1).value().download<double>(device.exec())[0], 0);
}

/// What rounding of this size does, found by doing it to the picture and the weights of the double network.
Answer propagated(const Problem& p, const std::string& scratch, double unit, const Answer& exact)
{
    Answer bound{8 * unit * exact.loss, std::vector<double>(exact.gradient.size())};
    double largest = 0;
    std::uint32_t seed = 1000;
    for (int run = 0; run < 8; ++run) {
        FeatureTensors moved = p.tensors;
        for (FeatureTensors::Entry& entry : moved.list) {
            const auto sign = random_values(std::int64_t(entry.values.size()), ++seed);
            for (std::size_t k = 0; k < sign.size(); ++k) entry.values[k] *= float(1 + (sign[k] > 0 ? unit : -unit));
        }
        moved.write(scratch);
        std::vector<double> picture = p.prediction();
        const auto sign = random_values(std::int64_t(picture.size()), ++seed);
        for (std::size_t k = 0; k < picture.size(); ++k) picture[k] *= 1 + (sign[k] > 0 ? unit : -unit);
        const Answer other = answer("cpu", p, scratch, Precision::f32, DType::f64, picture);
        bound.loss = std::max(bound.loss, 4 * std::abs(other.loss - exact.loss) + 8 * unit * exact.loss);
        for (std::size_t k = 0; k < picture.size(); ++k)
            largest = std::max(largest, std::abs(other.gradient[k] - exact.gradient[k]));
    }
    std::fill(bound.gradient.begin(), bound.gradient.end(), 4 * largest);
    return bound;
}

class PerceptualOnDevices : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Devices, PerceptualOnDevices, ::testing::Values("cpu", "sim", "cuda"), device_test_name);

TEST_P(PerceptualOnDevices, loss_and_gradient_are_the_double_networks)
{
    if (const std::string why = absent(GetParam()); !why.empty()) GTEST_SKIP() << why;
    TempFolder folder;
    for (const Problem& p : problems())
        for (const Precision precision : {Precision::f32, Precision::bf16}) {
            SCOPED_TRACE(p.name + (precision == Precision::bf16 ? " bf16" : " f32"));
            p.tensors.write(folder / "net");
            const Answer exact = answer("cpu", p, folder / "net", Precision::f32, DType::f64, p.prediction());
            const double unit = std::ldexp(1.0, precision == Precision::bf16 ? -8 : -21);
            const Answer bound = propagated(p, folder / "moved", unit, exact);
            const Answer got = answer(GetParam(), p, folder / "net", precision, DType::f32, p.prediction());
            EXPECT_NEAR(got.loss, exact.loss, bound.loss);
            EXPECT_LT(bound.loss, 0.1 * exact.loss) << "the bound says little";
            EXPECT_TRUE(within(got.gradient, exact.gradient, bound.gradient));
            double error = 0, norm = 0;
            for (std::size_t i = 0; i < exact.gradient.size(); ++i) {
                error += std::pow(got.gradient[i] - exact.gradient[i], 2);
                norm += std::pow(exact.gradient[i], 2);
            }
            EXPECT_LT(std::sqrt(error / norm), 32 * unit) << "the gradient's direction";
            const Answer again = answer(GetParam(), p, folder / "net", precision, DType::f32, p.prediction());
            EXPECT_EQ(again.loss, got.loss);
            EXPECT_EQ(again.gradient, got.gradient) << "repeats to the bit";
        }
}

/// A tiny training with the perceptual loss of the first two convolutions of VGG-16.
Settings with_perceptual(const std::string& file)
{
    Settings s = tiny();
    s.perceptual_weight = 2;
    s.perceptual_file = file;
    s.perceptual_taps = "relu1_1";
    return s;
}

TEST(PerceptualTraining, reports_the_loss_of_both_sides_and_plans_what_it_takes)
{
    TempFolder folder;
    vgg16(2).write(folder / "vgg");
    TestDevice device("cpu", 256);
    Faces faces(device.device());
    Trainer plain(device.device(), tiny(), faces, nullptr),
        trainer(device.device(), with_perceptual(folder / "vgg"), faces, nullptr);
    const MemoryUse planned = trainer.memory_use();
    EXPECT_EQ(planned.perceptual, 4u * (64 * 27 + 64));
    EXPECT_EQ(plain.memory_use().perceptual, 0u);
    Settings smaller = with_perceptual(folder / "vgg");
    smaller.perceptual_downscale = 2;
    const std::size_t without = plain.memory_use().activations,
                      less = Trainer(device.device(), smaller, faces, nullptr).memory_use().activations;
    EXPECT_LT(double(less - without), 0.3 * double(planned.activations - without)) << "a quarter, and the pictures";
    double flops = 0;
    for (const auto& [path, cost] : trainer.costs())
        if (path.find("objective.perceptual.features.features.0/") != std::string::npos) flops += cost.flops;
    EXPECT_EQ(flops, 4 * 2 * 2.0 * 32 * 32 * 64 * 27) << "two pictures a side, prediction and target";

    std::map<std::string, double> first;
    double last = 0;
    for (int step = 0; step < 20; ++step) {
        plain.step();
        trainer.step();
        const StepReport r = trainer.report();
        ASSERT_FALSE(r.skipped);
        double sum = 0;
        for (std::size_t i = 0; i < r.names.size(); ++i) {
            if (step == 0) first[r.names[i]] = r.values[i];
            if (r.names[i].ends_with("_perceptual")) last += r.values[i] * (step == 19);
            if (r.names[i] != "total") sum += r.values[i];
        }
        EXPECT_NEAR(sum, r.total(), 1e-5 * r.total());
    }
    EXPECT_GT(first.at("src_perceptual"), 0);
    EXPECT_GT(first.at("dst_perceptual"), 0);
    EXPECT_LT(last, first.at("src_perceptual") + first.at("dst_perceptual")) << "it learns";
    EXPECT_NE(plain.parameters().weights().download(plain.exec()),
              trainer.parameters().weights().download(trainer.exec()));
    EXPECT_EQ(trainer.slab_bytes(), planned.activations + planned.workspace);
}

TEST(PerceptualTraining, is_refused_without_its_file)
{
    TempFolder folder;
    TestDevice device("cpu", 256);
    Faces faces(device.device());
    EXPECT_THROW(check(with_perceptual("")), Error);
    EXPECT_NO_THROW(check(with_perceptual("named")));
    EXPECT_THROW(Trainer(device.device(), with_perceptual(folder / "gone"), faces, nullptr), Error);
    whole_squeezenet().write(folder / "squeezenet");
    Settings tight = with_perceptual(folder / "squeezenet");
    tight.perceptual_taps = "";
    EXPECT_NO_THROW(Trainer(device.device(), tight, faces, nullptr).reserve());
    tight.perceptual_downscale = 2;
    EXPECT_THROW(Trainer(device.device(), tight, faces, nullptr), Error);
    tight.perceptual_taps = "fire4";
    EXPECT_NO_THROW(Trainer(device.device(), tight, faces, nullptr).reserve());
    Settings wrong = with_perceptual("named");
    wrong.perceptual_taps = "relu1_1:much";
    EXPECT_THROW(check(wrong), Error);
}

TEST(LpipsMeasure, wants_heads_and_pictures_of_some_size)
{
    TempFolder folder;
    TestDevice cpu("cpu", 256);
    vgg16(2).write(folder / "vgg");
    EXPECT_THROW(Lpips(cpu.device(), folder / "vgg"), Error);
    squeezenet().write(folder / "squeezenet");
    Lpips lpips(cpu.device(), folder / "squeezenet");
    const std::vector<float> a = random_values(33 * 40 * 3, 1, 0, 1), b = random_values(33 * 40 * 3, 2, 0, 1);
    EXPECT_THROW(lpips(31, 40, a, a), Error);
    EXPECT_EQ(lpips(33, 40, a, a), 0);
    const double first = lpips(33, 40, a, b);
    EXPECT_GT(first, 0);
    const std::vector<float> small = random_values(32 * 32 * 3, 3, 0, 1);
    EXPECT_GT(lpips(32, 32, small, std::vector<float>(small.size())), 0) << "pictures may change their size";
    EXPECT_EQ(lpips(33, 40, a, b), first);
}

} // namespace
