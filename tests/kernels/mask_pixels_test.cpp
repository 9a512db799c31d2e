#include "kernels/pointwise/mask_pixels.h"

#include "kernels/pointwise/mask_pixels_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class MaskPixelsTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(MaskPixelsTest);

constexpr MaskShape kShapes[] = {
    {1, 1}, {7, 3}, {1, 4}, {5, 2000, MaskSide::outside}, {1025, 3}, {1025, 3, MaskSide::outside}};

TEST_P(MaskPixelsTest, anchors_by_hand)
{
    const View x = device().upload<float>({1, 2, 3, 4, 5, 6}), m = device().upload<float>({0.25f, 1}),
               d = device().poisoned<float>(6);
    run(exec(), MaskPixels{{2, 3}, x, m, {.out = d}});
    EXPECT_EQ(device().download<float>(d, 6), (std::vector<float>{0.25f, 0.5f, 0.75f, 4, 5, 6}));
    run(exec(), MaskPixels{{2, 3, MaskSide::outside}, x, m, {.out = d}});
    EXPECT_EQ(device().download<float>(d, 6), (std::vector<float>{0.75f, 1.5f, 2.25f, 0, 0, 0}));
}

TEST_P(MaskPixelsTest, agrees_with_the_definition_through_a_store)
{
    for (const MaskShape& s : kShapes) {
        const auto x = random_values(s.rows * s.C, 1), m = random_values(s.rows, 2, 0, 1);
        std::vector<double> v(x.size()), bound;
        ref::mask_pixels(s, cast<double>(x).data(), cast<double>(m).data(), v.data());
        for (const float element : x) bound.push_back(std::ldexp(std::abs(double(element)), -23));
        const View xv = device().upload(x), mv = device().upload(m);
        expect_stores<float>(device(), v, bound, [&](const Store& d) { run(exec(), MaskPixels{s, xv, mv, d}); });
    }
}

TEST(MaskPixels, is_its_own_adjoint)
{
    TestDevice cpu("cpu");
    for (const MaskSide side : {MaskSide::inside, MaskSide::outside}) {
        const auto x = random_values<double>(33, 1), y = random_values<double>(33, 2), m = random_values<double>(11, 3);
        const View mx = cpu.poisoned<double>(33), my = cpu.poisoned<double>(33), mask = cpu.upload(m);
        run(cpu.exec(), MaskPixels{{11, 3, side}, cpu.upload(x), mask, {.out = mx}});
        run(cpu.exec(), MaskPixels{{11, 3, side}, cpu.upload(y), mask, {.out = my}});
        EXPECT_NEAR(dot(cpu.download<double>(mx, 33), y), dot(x, cpu.download<double>(my, 33)), 1e-14);
    }
}

TEST(MaskPixels, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1}), d = cpu.upload<double>({1});
    EXPECT_THROW(run(cpu.exec(), MaskPixels{{1, 1}, f, d, {.out = f}}), Error);
    EXPECT_THROW(run(cpu.exec(), MaskPixels{{0, 1}, f, f, {.out = f}}), Error);
    EXPECT_THROW(run(cpu.exec(), MaskPixels{{1, 1}, f, f, {.out = d}}), Error);
}

} // namespace
