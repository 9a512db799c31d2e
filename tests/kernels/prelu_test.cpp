#include "kernels/pointwise/prelu.h"

#include "kernels/pointwise/prelu_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <cmath>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class PreluTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(PreluTest);

TEST_P(PreluTest, anchors_by_hand)
{
    const View x = device().upload<float>({1, -2, -3, 4, 5, -6}), slope = device().upload<float>({0.5f, -1, 2}),
               add = device().upload<float>({-3, 1}), y = device().poisoned<float>(6);
    run(exec(), Prelu{{2, 3}, x, {}, slope, y});
    EXPECT_EQ(device().download<float>(y, 6), (std::vector<float>{1, 2, -6, 4, 5, -12}));
    run(exec(), Prelu{{2, 3, 1}, x, add, slope, y});
    EXPECT_EQ(device().download<float>(y, 6), (std::vector<float>{-1, 2, -6, 5, 5, -12})) << "one channel added to";
    run(exec(), Prelu{{2, 3}, x, {}, slope, x});
    EXPECT_EQ(device().download<float>(x, 6), (std::vector<float>{1, 2, -6, 4, 5, -12})) << "in place";
}

TEST_P(PreluTest, agrees_with_the_definition)
{
    for (const PreluShape& s : {PreluShape{1, 1}, PreluShape{70, 16, 16}, PreluShape{9, 32, 16}, PreluShape{130, 7, 3},
                                PreluShape{5, 64, 2}}) {
        SCOPED_TRACE(str(s.rows, " of ", s.C, ", ", s.A, " added to"));
        const auto x = random_values(s.rows * s.C, 1), add = random_values(s.rows * s.A, 2),
                   slope = random_values(s.C, 3);
        std::vector<double> want(x.size()), bound(x.size());
        ref::prelu(s, cast<double>(x).data(), cast<double>(add).data(), cast<double>(slope).data(), want.data());
        for (std::size_t i = 0; i < bound.size(); ++i) {
            const std::size_t row = i / std::size_t(s.C), c = i % std::size_t(s.C);
            const double added = c < std::size_t(s.A) ? add[row * std::size_t(s.A) + c] : 0;
            bound[i] = gamma32(2) * (std::abs(x[i]) + std::abs(added)) * std::max(1.0, std::abs(double(slope[c])));
        }
        const View y = device().poisoned<float>(s.rows * s.C);
        run(exec(), Prelu{s, device().upload(x), s.A > 0 ? device().upload(add) : View{}, device().upload(slope), y});
        EXPECT_TRUE(within(device().download<float>(y, s.rows * s.C), want, bound));
    }
}

TEST(Prelu, f64_runs_the_definition)
{
    TestDevice cpu("cpu");
    const auto x = random_values<double>(6, 1), slope = random_values<double>(3, 2);
    std::vector<double> want(6);
    ref::prelu<double>({2, 3}, x.data(), nullptr, slope.data(), want.data());
    const View y = cpu.poisoned<double>(6);
    run(cpu.exec(), Prelu{{2, 3}, cpu.upload(x), {}, cpu.upload(slope), y});
    EXPECT_EQ(cpu.download<double>(y, 6), want);
}

TEST(Prelu, refuses_what_does_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1, 2}), d = cpu.upload<double>({1});
    EXPECT_THROW(run(cpu.exec(), Prelu{{1, 1, 2}, f, f, f, f}), Error) << "more channels than x";
    EXPECT_THROW(run(cpu.exec(), Prelu{{1, 1, 1}, f, {}, f, f}), Error) << "nothing to add";
    EXPECT_THROW(run(cpu.exec(), Prelu{{1, 1}, f, {}, d, f}), Error);
    EXPECT_THROW(run(cpu.exec(), Prelu{{1, 1}, d, {}, d, f}), Error);
}

} // namespace
