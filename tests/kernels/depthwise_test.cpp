#include "kernels/conv2d/depthwise.h"

#include "kernels/conv2d/depthwise_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <cmath>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class DepthwiseTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(DepthwiseTest);

TEST_P(DepthwiseTest, pads_below_and_at_the_right_where_one_row_is_missing)
{
    // 2 x 4 pixels, one channel. With stride 2 the window begins at the first pixel and reaches one row beyond the
    // last.
    const View x = device().upload<float>({1, 2, 3, 4, 5, 6, 7, 8}),
               w = device().upload<float>({1, 10, 100, 1000, 1e4f, 1e5f, 7, 7, 7}),
               bias = device().upload<float>({0.5f}), y = device().poisoned<float>(2);
    run(exec(), Depthwise{{.H = 2, .W = 4, .stride = 2}, x, w, bias, y});
    EXPECT_EQ(device().download<float>(y, 2), (std::vector<float>{765321.5f, 87043.5f}));
}

TEST_P(DepthwiseTest, pads_evenly_with_stride_one)
{
    // Two channels: the second one's filter passes it through.
    const View x = device().upload<float>({1, -1, 2, -2, 3, -3}),
               w = device().upload<float>({0, 0, 0, 0, 0, 0, 1, 0, 10, 1, 100, 0, 0, 0, 0, 0, 0, 0}),
               y = device().poisoned<float>(6);
    run(exec(), Depthwise{{.W = 3, .C = 2}, x, w, {}, y});
    EXPECT_EQ(device().download<float>(y, 6), (std::vector<float>{210, -1, 321, -2, 32, -3}));
}

TEST_P(DepthwiseTest, agrees_with_the_definition)
{
    for (const DepthwiseShape& s :
         {DepthwiseShape{2, 5, 7, 3, 3, 1}, DepthwiseShape{1, 6, 5, 16, 3, 2}, DepthwiseShape{2, 7, 8, 20, 5, 2},
          DepthwiseShape{1, 4, 4, 33, 2, 3}, DepthwiseShape{1, 1, 1, 4, 3, 2}, DepthwiseShape{1, 3, 2, 1, 1, 2}}) {
        SCOPED_TRACE(str(s.H, "x", s.W, "x", s.C, ", window ", s.window, ", stride ", s.stride));
        const auto x = random_values(s.x_size(), 1), w = random_values(s.window * s.window * s.C, 2),
                   bias = random_values(s.C, 3);
        auto xd = cast<double>(x), wd = cast<double>(w), bd = cast<double>(bias);
        std::vector<double> want(std::size_t(s.y_size())), bound(want.size());
        ref::depthwise(s, xd.data(), wd.data(), bd.data(), want.data());
        for (auto* values : {&xd, &wd, &bd})
            for (double& value : *values) value = std::abs(value);
        ref::depthwise(s, xd.data(), wd.data(), bd.data(), bound.data());
        for (double& value : bound) value *= gamma32(double(s.window * s.window + 1));
        const View y = device().poisoned<float>(s.y_size());
        run(exec(), Depthwise{s, device().upload(x), device().upload(w), device().upload(bias), y});
        EXPECT_TRUE(within(device().download<float>(y, s.y_size()), want, bound));
    }
}

TEST(Depthwise, f64_agrees_with_the_definition)
{
    TestDevice cpu("cpu");
    const DepthwiseShape s{2, 5, 4, 19, 3, 2};
    const auto x = random_values<double>(s.x_size(), 1), w = random_values<double>(9 * s.C, 2);
    std::vector<double> want(std::size_t(s.y_size()));
    ref::depthwise<double>(s, x.data(), w.data(), nullptr, want.data());
    const View y = cpu.poisoned<double>(s.y_size());
    run(cpu.exec(), Depthwise{s, cpu.upload(x), cpu.upload(w), {}, y});
    EXPECT_EQ(cpu.download<double>(y, s.y_size()), want);
}

TEST(Depthwise, refuses_what_does_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1}), d = cpu.upload<double>({1}), y = cpu.poisoned<float>(1);
    EXPECT_THROW(run(cpu.exec(), Depthwise{{.window = 1, .stride = 0}, f, f, {}, y}), Error);
    EXPECT_THROW(run(cpu.exec(), Depthwise{{.window = 0}, f, f, {}, y}), Error);
    EXPECT_THROW(run(cpu.exec(), Depthwise{{.window = 1}, f, d, {}, y}), Error);
    EXPECT_THROW(run(cpu.exec(), Depthwise{{.window = 1}, f, f, d, y}), Error);
}

} // namespace
