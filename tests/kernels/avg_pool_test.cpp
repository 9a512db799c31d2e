#include "kernels/resample/avg_pool.h"

#include "kernels/resample/avg_pool_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class AvgPoolTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(AvgPoolTest);
class F64AvgPoolTest : public OnDevice {};
BIFRONS_ON_CPU(F64AvgPoolTest);
class Bf16AvgPoolTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16AvgPoolTest);

const AvgPoolShape kShapes[] = {{1, 1, 1, 1, 1, 1}, {2, 4, 6, 3, 2, 2}, {1, 7, 5, 67, 3, 2},
                                {3, 6, 7, 2, 3, 1}, {2, 8, 5, 1, 2, 3}, {2, 5, 6, 16, 3, 2}};

TEST_P(AvgPoolTest, takes_the_mean_of_each_window)
{
    // 3 x 5, windows of 2 every 2: the last row and column belong to none.
    const View x = device().upload<float>({4, 0, 1, 3, 9, //
                                           8, 4, 2, 6, 9, //
                                           9, 9, 9, 9, 9});
    const View y = device().poisoned<float>(2), dx = device().poisoned<float>(15);
    const AvgPoolShape s{.H = 3, .W = 5};
    run(exec(), AvgPoolFwd{s, x, y});
    EXPECT_EQ(device().download<float>(y, 2), (std::vector<float>{4, 3}));
    run(exec(), AvgPoolGrad{s, device().upload<float>({4, 8}), {.out = dx}});
    EXPECT_EQ(device().download<float>(dx, 15), (std::vector<float>{1, 1, 2, 2, 0, //
                                                                    1, 1, 2, 2, 0, //
                                                                    0, 0, 0, 0, 0}));
}

TEST_P(AvgPoolTest, overlapping_windows_share_their_pixels)
{
    // Windows of 2 every 1 in 2 x 3: the middle column counts twice.
    const View y = device().poisoned<float>(2), dx = device().poisoned<float>(6);
    const AvgPoolShape s{.H = 2, .W = 3, .stride = 1};
    run(exec(), AvgPoolFwd{s, device().upload<float>({1, 2, 4, 5, 8, 2}), y});
    EXPECT_EQ(device().download<float>(y, 2), (std::vector<float>{4, 4}));
    run(exec(), AvgPoolGrad{s, device().upload<float>({4, 8}), {.out = dx}});
    EXPECT_EQ(device().download<float>(dx, 6), (std::vector<float>{1, 3, 2, 1, 3, 2}));
}

template <class T>
void expect_agreement(TestDevice& device, const AvgPoolShape& s)
{
    const auto x = random_values<T>(s.x_size(), 1), dy = random_values<T>(s.y_size(), 2);
    std::vector<double> want(std::size_t(s.y_size())), bound(want), v(std::size_t(s.x_size())), magnitude(v);
    ref::avg_pool_fwd(s, cast<double>(x).data(), want.data());
    const double rounding = gamma32(double(s.window * s.window));
    std::vector<double> sizes = cast<double>(x);
    for (double& value : sizes) value = std::abs(value);
    ref::avg_pool_fwd(s, sizes.data(), bound.data());
    for (double& value : bound) value *= rounding + store_rounding<T>();
    const View xv = device.upload(x), y = device.poisoned<T>(s.y_size());
    run(device.exec(), AvgPoolFwd{s, xv, y});
    const std::vector<T> first = device.download<T>(y, s.y_size());
    EXPECT_TRUE(within(first, want, bound));
    run(device.exec(), AvgPoolFwd{s, xv, y});
    EXPECT_EQ(bits_of(first), bits_of(device.download<T>(y, s.y_size()))) << "repeats to the bit";

    auto wide = cast<double>(dy);
    ref::avg_pool_grad(s, wide.data(), v.data());
    EXPECT_NEAR(dot(dy, want), dot(v, x), 1e-9) << "adjoint";
    for (double& value : wide) value = std::abs(value);
    ref::avg_pool_grad(s, wide.data(), magnitude.data());
    for (double& value : magnitude) value *= rounding;
    const View dyv = device.upload(dy);
    expect_stores<T>(device, v, magnitude, [&](const Store& d) { run(device.exec(), AvgPoolGrad{s, dyv, d}); });
}

TEST_P(AvgPoolTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const AvgPoolShape& s : kShapes) expect_agreement<float>(device(), s);
}
TEST_P(F64AvgPoolTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const AvgPoolShape& s : kShapes) expect_agreement<double>(device(), s);
}
TEST_P(Bf16AvgPoolTest, agrees_with_the_definition_and_its_adjoint)
{
    for (const AvgPoolShape& s : kShapes) expect_agreement<bf16>(device(), s);
}

TEST(AvgPool, refuses_a_window_larger_than_the_picture)
{
    TestDevice cpu("cpu");
    const View x = cpu.upload<float>({1, 2, 3, 4});
    EXPECT_THROW(run(cpu.exec(), AvgPoolFwd{{.H = 2, .W = 2, .window = 3}, x, x}), Error);
    EXPECT_THROW(run(cpu.exec(), AvgPoolFwd{{.H = 2, .W = 2, .window = 0}, x, x}), Error);
    EXPECT_THROW(run(cpu.exec(), AvgPoolFwd{{.H = 2, .W = 2, .stride = 0}, x, x}), Error);
}

} // namespace
