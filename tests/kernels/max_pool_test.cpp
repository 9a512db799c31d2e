#include "kernels/resample/max_pool.h"

#include "kernels/resample/max_pool_ref.h"
#include "tests/support/stores.h"

#include <limits>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class MaxPoolTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(MaxPoolTest);
class F64MaxPoolTest : public OnDevice {};
BIFRONS_ON_CPU(F64MaxPoolTest);
class Bf16MaxPoolTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16MaxPoolTest);

const MaxPoolShape kShapes[] = {{1, 1, 1, 1, 1, 1},
                                {2, 4, 6, 3, 2, 2},
                                {1, 7, 5, 67, 3, 2},
                                {3, 6, 7, 2, 3, 1},
                                {2, 8, 5, 1, 2, 3},
                                {2, 5, 6, 16, 3, 2},
                                // with windows that are cut off: below, at the right, both, none
                                {2, 6, 5, 3, 3, 2, true},
                                {1, 7, 8, 16, 3, 2, true},
                                {1, 4, 6, 5, 3, 2, true},
                                {2, 7, 5, 1, 3, 2, true},
                                {1, 4, 5, 2, 2, 3, true}};

TEST_P(MaxPoolTest, takes_the_first_maximum_of_each_window)
{
    // 4 x 6, one channel, a tie in the third window (5 twice) and its maximum elsewhere in each of the others.
    const View x = device().upload<float>({9, 1, 2, 8, 5, 0, //
                                           3, 4, 6, 7, 5, 1, //
                                           1, 2, 0, 0, 4, 3, //
                                           9, 3, 0, 5, 2, 1});
    const View y = device().poisoned<float>(6), index = device().poisoned<std::uint8_t>(6),
               dx = device().poisoned<float>(24);
    const MaxPoolShape s{.H = 4, .W = 6};
    run(exec(), MaxPoolFwd{s, x, y, index});
    EXPECT_EQ(device().download<float>(y, 6), (std::vector<float>{9, 8, 5, 9, 5, 4}));
    EXPECT_EQ(device().download<std::uint8_t>(index, 6), (std::vector<std::uint8_t>{0, 1, 0, 2, 3, 0}));
    run(exec(), MaxPoolGrad{s, device().upload<float>({1, 2, 3, 4, 5, 6}), index, {.out = dx}});
    EXPECT_EQ(device().download<float>(dx, 24), (std::vector<float>{1, 0, 0, 2, 3, 0, //
                                                                    0, 0, 0, 0, 0, 0, //
                                                                    0, 0, 0, 0, 6, 0, //
                                                                    4, 0, 0, 5, 0, 0}));
}

TEST_P(MaxPoolTest, takes_a_window_as_far_as_the_picture_goes)
{
    // 4 x 6, windows of 3 with stride 2: the third column of windows has two columns, the second row two rows.
    const View x = device().upload<float>({9, 1, 2, 8, 5, 0, //
                                           3, 4, 6, 7, 5, 1, //
                                           1, 2, 0, 0, 4, 3, //
                                           2, 3, 1, 5, 2, 7});
    const MaxPoolShape s{.H = 4, .W = 6, .window = 3, .stride = 2, .ceil = true};
    ASSERT_EQ(s.P(), 2);
    ASSERT_EQ(s.Q(), 3);
    const View y = device().poisoned<float>(6), index = device().poisoned<std::uint8_t>(6),
               dx = device().poisoned<float>(24);
    run(exec(), MaxPoolFwd{s, x, y, index});
    EXPECT_EQ(device().download<float>(y, 6), (std::vector<float>{9, 8, 5, 3, 5, 7}));
    EXPECT_EQ(device().download<std::uint8_t>(index, 6), (std::vector<std::uint8_t>{0, 1, 0, 4, 4, 4}));
    run(exec(), MaxPoolGrad{s, device().upload<float>({1, 2, 3, 4, 5, 6}), index, {.out = dx}});
    EXPECT_EQ(device().download<float>(dx, 24), (std::vector<float>{1, 0, 0, 2, 3, 0, //
                                                                    0, 0, 0, 0, 0, 0, //
                                                                    0, 0, 0, 0, 0, 0, //
                                                                    0, 4, 0, 5, 0, 6}));
}

TEST(MaxPool, counts_windows_as_pytorch_does)
{
    const auto windows = [](std::int64_t side, std::int64_t window, std::int64_t stride) {
        return MaxPoolShape{.window = window, .stride = stride, .ceil = true}.windows(side);
    };
    EXPECT_EQ(windows(31, 3, 2), 15);
    EXPECT_EQ(windows(32, 3, 2), 16);
    EXPECT_EQ(windows(4, 2, 3), 2) << "the second begins at 3, the last position";
    EXPECT_EQ(windows(3, 2, 3), 1) << "a second would begin beyond the picture";
}

template <class T>
void expect_agreement(TestDevice& device, const MaxPoolShape& s)
{
    const auto x = random_values<T>(s.x_size(), 1);
    std::vector<double> want(std::size_t(s.y_size()));
    std::vector<std::uint8_t> from(want.size());
    ref::max_pool_fwd(s, cast<double>(x).data(), want.data(), from.data());
    const View y = device.poisoned<T>(s.y_size()), index = device.poisoned<std::uint8_t>(s.y_size());
    run(device.exec(), MaxPoolFwd{s, device.upload(x), y, index});
    EXPECT_EQ(cast<double>(device.download<T>(y, s.y_size())), want);
    EXPECT_EQ(device.download<std::uint8_t>(index, s.y_size()), from);
}

TEST_P(MaxPoolTest, agrees_with_the_definition)
{
    for (const MaxPoolShape& s : kShapes) expect_agreement<float>(device(), s);
}
TEST_P(Bf16MaxPoolTest, agrees_with_the_definition)
{
    for (const MaxPoolShape& s : kShapes) expect_agreement<bf16>(device(), s);
}

template <class T>
void expect_gradient(TestDevice& device, const MaxPoolShape& s)
{
    const auto x = random_values<T>(s.x_size(), 2), dy = random_values<T>(s.y_size(), 3);
    std::vector<double> y(std::size_t(s.y_size())), v(std::size_t(s.x_size())), magnitude(v);
    std::vector<std::uint8_t> from(y.size());
    ref::max_pool_fwd(s, cast<double>(x).data(), y.data(), from.data());
    auto wide = cast<double>(dy);
    ref::max_pool_grad(s, wide.data(), from.data(), v.data());
    EXPECT_NEAR(dot(dy, y), dot(v, x), 1e-9) << "<dy, max(x)> is linear where the maxima stay where they are";
    for (double& value : wide) value = std::abs(value);
    ref::max_pool_grad(s, wide.data(), from.data(), magnitude.data());
    for (double& value : magnitude) value *= gamma32(double(s.window * s.window));
    const View dyv = device.upload(dy), index = device.upload(from);
    expect_stores<T>(device, v, magnitude, [&](const Store& d) { run(device.exec(), MaxPoolGrad{s, dyv, index, d}); });
}

TEST_P(MaxPoolTest, gradient_goes_where_the_maximum_came_from)
{
    for (const MaxPoolShape& s : kShapes) expect_gradient<float>(device(), s);
}
TEST_P(F64MaxPoolTest, gradient_goes_where_the_maximum_came_from)
{
    for (const MaxPoolShape& s : kShapes) expect_gradient<double>(device(), s);
}
TEST_P(Bf16MaxPoolTest, gradient_goes_where_the_maximum_came_from)
{
    for (const MaxPoolShape& s : kShapes) expect_gradient<bf16>(device(), s);
}

TEST_P(MaxPoolTest, a_nan_is_not_lost)
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (int at = 0; at < 4; ++at) {
        std::vector<float> x = {1, 2, 3, 4};
        x[std::size_t(at)] = nan;
        const View y = device().upload<float>({0}), index = device().poisoned<std::uint8_t>(1);
        run(exec(), MaxPoolFwd{{.H = 2, .W = 2}, device().upload(x), y, index});
        EXPECT_TRUE(std::isnan(device().download<float>(y, 1)[0])) << at;
        EXPECT_EQ(device().download<std::uint8_t>(index, 1)[0], at);
    }
}

TEST(MaxPool, refuses_a_window_larger_than_the_picture)
{
    TestDevice cpu("cpu");
    const View x = cpu.upload<float>({1, 2, 3, 4}), index = cpu.poisoned<std::uint8_t>(1);
    EXPECT_THROW(run(cpu.exec(), MaxPoolFwd{{.H = 2, .W = 2, .window = 3}, x, x, index}), Error);
    EXPECT_THROW(run(cpu.exec(), MaxPoolFwd{{.H = 2, .W = 2}, x, x, x}), Error) << "index must be u8";
}

} // namespace
