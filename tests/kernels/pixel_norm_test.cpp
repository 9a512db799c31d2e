#include "kernels/pointwise/pixel_norm.h"

#include "kernels/pointwise/pixel_norm_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class PixelNormTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(PixelNormTest);
class F64PixelNormTest : public OnDevice {};
BIFRONS_ON_CPU(F64PixelNormTest);
class Bf16PixelNormTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16PixelNormTest);

const PixelNormShape kShapes[] = {{1, 1}, {2, 3}, {5, 127}, {2, 4097}, {2, 8192}};

TEST_P(F64PixelNormTest, each_sample_gets_its_own_scale)
{
    // Root mean squares 5 and 1/1000: the second is of the size of the epsilon, r = 1 / sqrt(2e-6).
    const View y = device().poisoned<double>(4);
    run(exec(), PixelNormFwd{{.N = 2, .F = 2}, device().upload<double>({1, 7, -0.001, 0.001}), y});
    const double r = 1 / std::sqrt(25 + 1e-6), tiny = 1 / std::sqrt(2e-6);
    EXPECT_TRUE(within(device().download<double>(y, 4), {r, 7 * r, -0.001 * tiny, 0.001 * tiny}, 1e-15));
}

template <class T>
void expect_agreement(TestDevice& device, const PixelNormShape& s)
{
    const auto x = random_values<T>(s.size(), 1, -2, 2);
    std::vector<double> want(x.size()), bound;
    ref::pixel_norm_fwd(s, cast<double>(x).data(), want.data());
    for (const double y : want) bound.push_back((3 * std::ldexp(1.0, -23) + store_rounding<T>()) * std::abs(y));
    const View xv = device.upload(x), y = device.poisoned<T>(s.size());
    device.run_with_workspace(PixelNormFwd{s, xv, y});
    const auto got = device.download<T>(y, s.size());
    EXPECT_TRUE(within(got, want, bound));
    run(device.exec(), PixelNormFwd{s, xv, xv});
    EXPECT_EQ(bits_of(device.download<T>(xv, s.size())), bits_of(got)) << "in place";
}

TEST_P(PixelNormTest, agrees_with_the_definition)
{
    for (const PixelNormShape& s : kShapes) expect_agreement<float>(device(), s);
}
TEST_P(Bf16PixelNormTest, agrees_with_the_definition)
{
    for (const PixelNormShape& s : kShapes) expect_agreement<bf16>(device(), s);
}

TEST_P(F64PixelNormTest, gradient_agrees_with_finite_differences)
{
    const PixelNormShape s{2, 7};
    const auto x = random_values<double>(s.size(), 2), dy = random_values<double>(s.size(), 3);
    const View out = device().poisoned<double>(s.size());
    run(exec(), PixelNormGrad{s, device().upload(dy), device().upload(x), {.out = out}});
    const auto got = device().download<double>(out, s.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double h = 1e-5;
        auto up = x, down = x;
        up[i] += h, down[i] -= h;
        std::vector<double> high(x.size()), low(x.size());
        ref::pixel_norm_fwd(s, up.data(), high.data());
        ref::pixel_norm_fwd(s, down.data(), low.data());
        // Truncation h^2/6 times a third derivative below 6 r^3 sum |dy| ~ 1e2 r^3; rounding 1e-16 / h.
        EXPECT_NEAR(got[i], (dot(dy, high) - dot(dy, low)) / (2 * h), 1e-8) << i;
    }
}

template <class T>
void expect_gradient(TestDevice& device, const PixelNormShape& s)
{
    const auto x = random_values<T>(s.size(), 4), dy = random_values<T>(s.size(), 5);
    const auto x64 = cast<double>(x), dy64 = cast<double>(dy);
    std::vector<double> v(x.size()), bound;
    ref::pixel_norm_grad(s, dy64.data(), x64.data(), v.data());
    for (std::int64_t sample = 0; sample < s.size(); sample += s.F) {
        const double r = ref::inverse_rms(s.F, x64.data() + sample);
        const double along = ref::mean_of_products(s.F, dy64.data() + sample, x64.data() + sample);
        for (std::int64_t i = sample; i < sample + s.F; ++i)
            bound.push_back(std::ldexp(r, -22) *
                            (std::abs(dy64[std::size_t(i)]) + std::abs(x64[std::size_t(i)] * r * r * along)));
    }
    const View dyv = device.upload(dy), xv = device.upload(x);
    expect_stores<T>(device, v, bound, [&](const Store& d) {
        device.run_with_workspace(PixelNormGrad{s, dyv, xv, d});
    });
}

TEST_P(PixelNormTest, gradient_agrees_with_the_definition)
{
    for (const PixelNormShape& s : kShapes) expect_gradient<float>(device(), s);
}
TEST_P(F64PixelNormTest, gradient_agrees_with_the_definition)
{
    for (const PixelNormShape& s : kShapes) expect_gradient<double>(device(), s);
}
TEST_P(Bf16PixelNormTest, gradient_agrees_with_the_definition)
{
    for (const PixelNormShape& s : kShapes) expect_gradient<bf16>(device(), s);
}

} // namespace
