#include "kernels/color/color_affine.h"

#include "kernels/color/color_affine_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class ColorAffineTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(ColorAffineTest);
class F64ColorAffineTest : public OnDevice {};
BIFRONS_ON_CPU(F64ColorAffineTest);
class Bf16ColorAffineTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16ColorAffineTest);

const ColorAffine kMap{{{0.5, -1, 2}, {0, 3, 0.25}, {-4, 0, 1}}, {10, -20, 30}};

/// The magnitudes that errors are measured by: all signs dropped.
ColorAffine magnitudes(const ColorAffine& map)
{
    ColorAffine m = map;
    for (int k = 0; k < 3; ++k) {
        m.b[k] = std::abs(m.b[k]);
        for (double& a : m.A[k]) a = std::abs(a);
    }
    return m;
}

TEST_P(ColorAffineTest, anchors_by_hand)
{
    const View x = device().upload<float>({1, 2, 3, 4, 5, 6}), mask = device().upload<float>({1, 0.5f}),
               y = device().poisoned<float>(6), d = device().poisoned<float>(6);
    run(exec(), ColorAffineFwd{2, kMap, x, mask, y});
    EXPECT_EQ(device().download<float>(y, 6),
              (std::vector<float>{0.5f - 2 + 6 + 10, 6 + 0.75f - 20, -4 + 3 + 30, //
                                  0.5f * (2 - 5 + 12) + 10, 0.5f * (15 + 1.5f) - 20, 0.5f * (-16 + 6) + 30}));
    run(exec(), ColorAffineGrad{2, kMap, device().upload<float>({1, 2, 3, 4, 5, 6}), mask, {.out = d}});
    EXPECT_EQ(device().download<float>(d, 6),
              (std::vector<float>{0.5f - 12, -1 + 6, 2 + 0.5f + 3, //
                                  0.5f * (2 - 24), 0.5f * (-4 + 15), 0.5f * (8 + 1.25f + 6)}));
}

/// Pictures of type T, mapped ones of type Y.
template <class T, class Y>
void expect_agreement(TestDevice& device, std::int64_t pixels, bool masked)
{
    const auto x = random_values<T>(3 * pixels, 1), mask = random_values<T>(pixels, 2, 0, 1);
    const auto dy = random_values<Y>(3 * pixels, 3);
    const View mask_view = masked ? device.upload(mask) : View{};
    const auto wide_mask = cast<double>(mask);
    const double* const m = masked ? wide_mask.data() : nullptr;
    const ColorAffine sizes = magnitudes(kMap);
    const auto absolute = [](std::vector<double> values) {
        for (double& v : values) v = std::abs(v);
        return values;
    };

    std::vector<double> want(x.size()), bound(x.size());
    ref::color_affine_fwd(pixels, kMap, cast<double>(x).data(), m, want.data());
    ref::color_affine_fwd(pixels, sizes, absolute(cast<double>(x)).data(), m, bound.data());
    for (std::size_t i = 0; i < bound.size(); ++i)
        bound[i] = gamma32(4) * bound[i] + store_rounding<Y>() * std::abs(want[i]) * (1 + gamma32(4));
    const View y = device.poisoned<Y>(3 * pixels), xv = device.upload(x);
    run(device.exec(), ColorAffineFwd{pixels, kMap, xv, mask_view, y});
    const auto got = device.download<Y>(y, 3 * pixels);
    EXPECT_TRUE(within(got, want, bound));
    run(device.exec(), ColorAffineFwd{pixels, kMap, xv, mask_view, y});
    EXPECT_EQ(bits_of(got), bits_of(device.download<Y>(y, 3 * pixels))) << "repeats to the bit";

    std::vector<double> v(x.size()), magnitude(x.size());
    ref::color_affine_grad(pixels, kMap, cast<double>(dy).data(), m, v.data());
    ref::color_affine_grad(pixels, sizes, absolute(cast<double>(dy)).data(), m, magnitude.data());
    for (double& value : magnitude) value *= gamma32(4);
    const View dyv = device.upload(dy);
    expect_stores<T>(device, v, magnitude, [&](const Store& d) {
        run(device.exec(), ColorAffineGrad{pixels, kMap, dyv, mask_view, d});
    });
}

TEST_P(ColorAffineTest, agrees_with_the_definition)
{
    for (const std::int64_t pixels : {1, 7, 300})
        for (const bool masked : {false, true}) expect_agreement<float, float>(device(), pixels, masked);
}
TEST_P(F64ColorAffineTest, agrees_with_the_definition)
{
    for (const bool masked : {false, true}) expect_agreement<double, double>(device(), 300, masked);
}
TEST_P(Bf16ColorAffineTest, agrees_with_the_definition)
{
    for (const bool masked : {false, true}) expect_agreement<float, bf16>(device(), 300, masked);
}

TEST(ColorAffine, gradient_is_the_adjoint)
{
    ColorAffine linear = kMap;
    for (double& b : linear.b) b = 0;
    const auto x = random_values<double>(15, 1), mask = random_values<double>(5, 2), dy = random_values<double>(15, 3);
    std::vector<double> y(15), v(15);
    ref::color_affine_fwd(5, linear, x.data(), mask.data(), y.data());
    ref::color_affine_grad(5, linear, dy.data(), mask.data(), v.data());
    EXPECT_NEAR(dot(dy, y), dot(v, x), 1e-12);
}

TEST(ColorAffine, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1, 2, 3}), d = cpu.upload<double>({1, 2, 3});
    EXPECT_THROW(run(cpu.exec(), ColorAffineFwd{1, kMap, f, {}, d}), Error);
    EXPECT_THROW(run(cpu.exec(), ColorAffineFwd{1, kMap, f, d, f}), Error);
    EXPECT_THROW(run(cpu.exec(), ColorAffineFwd{0, kMap, f, {}, f}), Error);
}

} // namespace
