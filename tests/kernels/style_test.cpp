#include "kernels/losses/style.h"

#include "kernels/losses/style_ref.h"
#include "kernels/pointwise/epilogue_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr double kUnit = 1.0 / (1 << 24); // half the spacing of f32 at 1

class StyleTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(StyleTest);

/// Pictures and what the definition says about them in double.
struct StyleCase {
    explicit StyleCase(const StyleShape& shape)
        : s(shape), x(random_values(s.size(), 1, 0, 1)), t(random_values(s.size(), 2, 0, 0.7)),
          moments(std::size_t(s.N * s.C * 4))
    {
        ref::style_fwd(s, cast<double>(x).data(), cast<double>(t).data(), double(scale), &loss, moments.data());
    }
    std::vector<double> grad(double upstream) const
    {
        std::vector<double> v(x.size());
        ref::style_grad(s, cast<double>(x).data(), moments.data(), double(scale), upstream, v.data());
        return v;
    }
    const double* moments_of(std::size_t i) const
    {
        const auto at = std::int64_t(i);
        return moments.data() + (at / (s.pixels * s.C) * s.C + at % s.C) * 4;
    }

    StyleShape s;
    float scale = 2.5f;
    std::vector<float> x, t;
    double loss = 0;
    std::vector<double> moments;
};

const StyleShape kShapes[] = {{1, 1, 1}, {1, 7, 3}, {2, 300, 3}, {3, 1031, 2}};

TEST_P(StyleTest, anchors_by_hand)
{
    // One picture of two pixels and two channels: 1, 3 (mean 2, deviation 1) and 0, 0; target 2, 6 (4, 2) and 3, 3.
    const View x = device().upload<float>({1, 0, 3, 0}), t = device().upload<float>({2, 3, 6, 3}),
               loss = device().poisoned<float>(1), moments = device().poisoned<float>(8);
    run(exec(), StyleFwd{{1, 2, 2}, x, t, 2, loss, moments});
    const auto m = device().download<float>(moments, 8);
    EXPECT_TRUE(
        within(m, {2, std::sqrt(1 + 1e-5), 4, std::sqrt(4 + 1e-5), 0, std::sqrt(1e-5), 3, std::sqrt(1e-5)}, 8 * kUnit));
    EXPECT_NEAR(device().download<float>(loss, 1)[0], 4 + 1 + 9, 1e-4); // 2 / (1 * 2) * (4 + 1 + 9 + 0)
    const View d = device().poisoned<float>(4);
    run(exec(), StyleGrad{{1, 2, 2}, x, moments, 2, device().upload<float>({3}), {.out = d}});
    // 3 * 2 * 2 / (2 * 2) = 3 times: -2 -+ (-1)(1)/1, and -3
    EXPECT_TRUE(within(device().download<float>(d, 4), {-3, -9, -9, -9}, 1e-3));
}

TEST_P(StyleTest, value_agrees_with_the_definition_and_repeats)
{
    for (const StyleShape& shape : kShapes) {
        const StyleCase c(shape);
        const View x = device().upload(c.x), t = device().upload(c.t), loss = device().poisoned<float>(2),
                   moments = device().poisoned<float>(shape.N * shape.C * 4);
        run(exec(), StyleFwd{shape, x, t, c.scale, loss, moments});
        run(exec(), StyleFwd{shape, x, t, c.scale, {loss.as<float>() + 1, DType::f32}, moments});
        EXPECT_TRUE(within(device().download<float>(moments, shape.N * shape.C * 4), c.moments, 2 * kUnit));
        // Each difference of two numbers below 1 is off by at most 2 units; their squares by 4 of it.
        const auto got = device().download<float>(loss, 2);
        EXPECT_NEAR(got[0], c.loss, c.scale * 16 * kUnit + 4 * kUnit * c.loss) << shape.N << "x" << shape.pixels;
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
    }
}

TEST_P(StyleTest, gradient_agrees_with_the_definition_through_a_store)
{
    for (const StyleShape& shape : kShapes) {
        const StyleCase c(shape);
        const std::int64_t n = shape.size();
        const auto add = random_values(n, 4), saved = random_values(n, 5);
        const auto v = c.grad(0.7f);
        std::vector<double> want(v.size()), bound(v.size());
        ref::store_gradient(n, v.data(), want.data(), cast<double>(add).data(), leaky(0.1f),
                            cast<double>(saved).data());
        const double factor = 0.7 * 2 * c.scale / double(n); // N C pixels
        for (std::size_t i = 0; i < bound.size(); ++i) {
            const double* m = c.moments_of(i);
            const double parts = m[0] + m[2] + (m[1] + m[3]) * (std::abs(c.x[i]) + m[0]) / m[1];
            bound[i] = factor * 8 * kUnit * parts + 4 * kUnit * (std::abs(v[i]) + std::abs(add[i]));
        }
        const View out = device().upload(add); // collected in place
        run(exec(), StyleGrad{shape,
                              device().upload(c.x),
                              device().upload(cast<float>(c.moments)),
                              c.scale,
                              device().upload<float>({0.7f}),
                              {.out = out, .add = out, .act = leaky(0.1f), .saved = device().upload(saved)}});
        EXPECT_TRUE(within(device().download<float>(out, n), want, bound)) << shape.N << "x" << shape.pixels;
    }
}

TEST(Style, gradient_is_the_slope_of_the_value)
{
    TestDevice cpu("cpu");
    const StyleShape s{2, 5, 2};
    auto x = random_values<double>(20, 1);
    const auto t = random_values<double>(20, 2);
    const View moments = cpu.poisoned<double>(16), d = cpu.poisoned<double>(20);
    const auto value = [&] {
        const View loss = cpu.poisoned<double>(1);
        run(cpu.exec(), StyleFwd{s, cpu.upload(x), cpu.upload(t), 2, loss, moments});
        return 1.5 * cpu.download<double>(loss, 1)[0];
    };
    value();
    run(cpu.exec(), StyleGrad{s, cpu.upload(x), moments, 2, cpu.upload<double>({1.5}), {.out = d}});
    const auto slope = central_differences(x, 1e-5, value);
    EXPECT_TRUE(within(cpu.download<double>(d, 20), slope, 1e-8)) << "h^2 times the third derivative";
}

TEST(Style, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1, 1, 1, 1}), d = cpu.upload<double>({1});
    EXPECT_THROW(run(cpu.exec(), StyleFwd{{1, 1, 1}, f, d, 1, f, f}), Error);
    EXPECT_THROW(run(cpu.exec(), StyleFwd{{0, 1, 1}, f, f, 1, f, f}), Error);
}

} // namespace
