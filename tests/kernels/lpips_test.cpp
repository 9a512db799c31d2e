#include "kernels/losses/lpips.h"

#include "kernels/losses/lpips_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr double kUnit = 1.0 / (1 << 24); // half the spacing of f32 at 1

class LpipsTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(LpipsTest);
class F64LpipsTest : public OnDevice {};
BIFRONS_ON_CPU(F64LpipsTest);
class Bf16LpipsTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16LpipsTest);

TEST_P(LpipsTest, anchors_by_hand)
{
    // Lengths 5 and 13, then 2 and 2: u = (.6,.8), (5/13,12/13), then (1,0), (0,1).
    const View a = device().upload<float>({3, 4, 2, 0}), b = device().upload<float>({5, 12, 0, 2}),
               w = device().upload<float>({2, 3}), loss = device().poisoned<float>(1);
    const double first = 0.6 - 5.0 / 13, second = 0.8 - 12.0 / 13;
    run(exec(), LpipsFwd{{2, 2}, a, b, {}, 4, loss});
    EXPECT_NEAR(device().download<float>(loss, 1)[0], 2 * (first * first + second * second + 2), 1e-6);
    run(exec(), LpipsFwd{{2, 2}, a, b, w, 4, loss});
    EXPECT_NEAR(device().download<float>(loss, 1)[0], 2 * (2 * first * first + 3 * second * second + 5), 1e-6);
    run(exec(), LpipsFwd{{2, 2}, a, a, w, 4, loss});
    EXPECT_EQ(device().download<float>(loss, 1)[0], 0.0f);

    // Second row: g = (2, -3), u = (1, 0): g - u <g,u> = (0, -3), over the length 2, times 2 * 4 * 0.5 / 2.
    const View d = device().poisoned<float>(4);
    run(exec(), LpipsGrad{{2, 2}, a, b, w, 4, device().upload<float>({0.5f}), {.out = d}});
    const auto got = device().download<float>(d, 4);
    EXPECT_NEAR(got[2], 0, 1e-6);
    EXPECT_NEAR(got[3], -3, 1e-6);
    EXPECT_NEAR(got[0] * 3 + got[1] * 4, 0, 1e-6) << "a longer vector points the same way";
}

/// Features as a rectifier leaves them, one place of a empty, with what the definition says in double.
template <class T>
struct LpipsCase {
    LpipsShape s;
    bool weighted;
    float scale = 2.5f, upstream = 0.7f;
    std::vector<T> a, b;
    std::vector<float> w;

    LpipsCase(LpipsShape shape, bool with_weights)
        : s(shape), weighted(with_weights), a(features(1)), b(features(2)), w(random_values(s.C, 3, 0, 2))
    {
        std::fill_n(a.begin(), s.C, element_of<T>(0));
    }
    std::vector<T> features(std::uint32_t seed) const
    {
        auto values = random_values<double>(s.rows * s.C, seed, -2, 3);
        for (double& v : values) v = std::max(v, 0.0);
        return cast<T>(values);
    }
    double weight(std::int64_t i) const { return weighted ? double(w[std::size_t(i % s.C)]) : 1.0; }
    const std::vector<double> a64() const { return cast<double>(a); }
    const std::vector<double> b64() const { return cast<double>(b); }
    /// Rounding of u_a and u_b in f32.
    double unit_error() const { return gamma32(double(s.C)) + 8 * kUnit; }

    double want_loss(double* bound) const
    {
        const auto wide = cast<double>(w);
        double loss = 0;
        ref::lpips_fwd(s, a64().data(), b64().data(), weighted ? wide.data() : nullptr, double(scale), &loss);
        double sum = 0;
        for (std::int64_t i = 0; i < s.rows * s.C; ++i) {
            const auto [ua, ub] = units(i);
            const double slack = unit_error() * (ua + ub);
            sum += weight(i) * slack * (2 * std::abs(ua - ub) + slack);
        }
        *bound = scale * sum / double(s.rows) + (gamma32(double(s.C)) + 8 * kUnit) * loss;
        return loss;
    }
    std::vector<double> want_grad(std::vector<double>* bound) const
    {
        const auto wide = cast<double>(w);
        std::vector<double> v(a.size());
        ref::lpips_grad(s, a64().data(), b64().data(), weighted ? wide.data() : nullptr, double(scale),
                        double(upstream), v.data());
        bound->assign(a.size(), 0);
        for (std::int64_t row = 0; row < s.rows; ++row) {
            double along = 0; // sum |g u_a| with the sizes of the rounding errors
            for (std::int64_t i = row * s.C; i < (row + 1) * s.C; ++i)
                along += weight(i) * (units(i).first + units(i).second) * units(i).first;
            const double length = ref::lpips_length(s.C, a64().data() + row * s.C);
            for (std::int64_t i = row * s.C; i < (row + 1) * s.C; ++i)
                (*bound)[std::size_t(i)] = 2 * scale * upstream / double(s.rows) / length * 4 * unit_error() *
                                           (weight(i) * (units(i).first + units(i).second) + units(i).first * along);
        }
        return v;
    }
    std::pair<double, double> units(std::int64_t i) const
    {
        const std::int64_t row = i / s.C * s.C;
        const auto unit = [&](const std::vector<T>& x) {
            double sum = kLpipsEps;
            for (std::int64_t k = row; k < row + s.C; ++k)
                sum += value_of(x[std::size_t(k)]) * value_of(x[std::size_t(k)]);
            return value_of(x[std::size_t(i)]) / std::sqrt(sum);
        };
        return {unit(a), unit(b)};
    }
};

template <class T>
void expect_agreement(TestDevice& device, const LpipsShape& s, bool weighted)
{
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    SCOPED_TRACE(str(s.rows, "x", s.C, weighted ? " weighted" : ""));
    const LpipsCase<T> c(s, weighted);
    const View a = device.upload(c.a), b = device.upload(c.b), w = weighted ? device.upload(cast<Wide>(c.w)) : View{};
    double bound = 0;
    const double want = c.want_loss(&bound);
    std::vector<Wide> got;
    for (int run = 0; run < 2; ++run) {
        const View loss = device.poisoned<Wide>(1);
        device.run_with_workspace(LpipsFwd{s, a, b, w, c.scale, loss});
        got.push_back(device.download<Wide>(loss, 1)[0]);
    }
    EXPECT_TRUE(within(std::vector<Wide>{got[0]}, {want}, bound));
    EXPECT_EQ(got[0], got[1]) << "repeats to the bit";

    std::vector<double> bounds;
    const std::vector<double> v = c.want_grad(&bounds);
    const View upstream = device.upload(std::vector<Wide>{Wide(c.upstream)});
    expect_stores<T>(device, v, bounds, [&](const Store& d) {
        run(device.exec(), LpipsGrad{s, a, b, w, c.scale, upstream, d});
    });
}

const LpipsShape kShapes[] = {{1, 1}, {2, 3}, {5, 32}, {37, 67}, {150, 16}};

TEST_P(LpipsTest, agrees_with_the_definition)
{
    for (const LpipsShape& s : kShapes)
        for (const bool weighted : {false, true}) expect_agreement<float>(device(), s, weighted);
}
TEST_P(F64LpipsTest, agrees_with_the_definition)
{
    for (const LpipsShape& s : kShapes)
        for (const bool weighted : {false, true}) expect_agreement<double>(device(), s, weighted);
}
TEST_P(Bf16LpipsTest, agrees_with_the_definition)
{
    for (const LpipsShape& s : kShapes) expect_agreement<bf16>(device(), s, true);
}

TEST(Lpips, gradient_is_the_slope_of_the_value)
{
    const LpipsShape s{3, 5};
    auto a = random_values<double>(15, 1);
    const auto b = random_values<double>(15, 2), w = random_values<double>(5, 3, 0, 1);
    std::vector<double> v(15);
    ref::lpips_grad(s, a.data(), b.data(), w.data(), 2.0, 1.5, v.data());
    const auto value = [&] {
        double loss = 0;
        ref::lpips_fwd(s, a.data(), b.data(), w.data(), 2.0, &loss);
        return 1.5 * loss;
    };
    const auto slope = central_differences(a, 1e-5, value);
    EXPECT_TRUE(within(v, slope, 1e-8)) << "h^2 times a third derivative of order 100";
}

TEST(Lpips, has_the_same_bits_for_any_thread_count)
{
    std::vector<float> loss;
    std::vector<std::vector<float>> gradient;
    const LpipsCase<float> c({1500, 13}, true);
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const View a = cpu.upload(c.a), b = cpu.upload(c.b), w = cpu.upload(c.w), l = cpu.poisoned<float>(1),
                   d = cpu.poisoned<float>(c.s.rows * c.s.C);
        run(cpu.exec(), LpipsFwd{c.s, a, b, w, c.scale, l});
        run(cpu.exec(), LpipsGrad{c.s, a, b, w, c.scale, l, {.out = d}});
        loss.push_back(cpu.download<float>(l, 1)[0]);
        gradient.push_back(cpu.download<float>(d, c.s.rows * c.s.C));
    }
    EXPECT_EQ(loss, std::vector<float>(3, loss[0]));
    EXPECT_EQ(gradient[0], gradient[1]);
    EXPECT_EQ(gradient[0], gradient[2]);
}

TEST(Lpips, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1}), d = cpu.upload<double>({1});
    EXPECT_THROW(run(cpu.exec(), LpipsFwd{{1, 1}, f, d, {}, 1, f}), Error);
    EXPECT_THROW(run(cpu.exec(), LpipsFwd{{1, 1}, f, f, d, 1, f}), Error);
    EXPECT_THROW(run(cpu.exec(), LpipsFwd{{0, 3}, f, f, {}, 1, f}), Error);
}

} // namespace
