#include "kernels/losses/total_variation.h"

#include "kernels/losses/total_variation_ref.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class TotalVariationTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(TotalVariationTest);

constexpr TotalVariationShape kShapes[] = {{1, 1, 1, 1}, {1, 1, 7, 3}, {2, 5, 1, 1}, {3, 7, 11, 2}, {2, 40, 37, 3}};

/// v with the absolute values of the differences.
std::vector<double> magnitudes(const TotalVariationShape& s, const std::vector<float>& p)
{
    std::vector<double> sums;
    for (std::int64_t i = 0; i < s.size(); ++i) {
        const std::int64_t x = i / s.C % s.W, y = i / s.C / s.W % s.H, row = s.W * s.C;
        const auto to = [&](bool there, std::int64_t j) {
            return there ? std::abs(double(p[std::size_t(i)]) - double(p[std::size_t(j)])) : 0.0;
        };
        sums.push_back(to(x > 0, i - s.C) + to(x + 1 < s.W, i + s.C) + to(y > 0, i - row) + to(y + 1 < s.H, i + row));
    }
    return sums;
}

TEST_P(TotalVariationTest, anchors_by_hand)
{
    // Two pictures of 2 x 3:   1 2 4 / 0 2 9   and one that is flat.
    const View p = device().upload<float>({1, 2, 4, 0, 2, 9, 5, 5, 5, 5, 5, 5}), loss = device().poisoned<float>(1),
               d = device().poisoned<float>(12), upstream = device().upload<float>({3});
    const TotalVariationShape s{.N = 2, .H = 2, .W = 3};
    run(exec(), TotalVariationFwd{s, p, 4, loss}); // across 1 + 4 + 4 + 49, down 1 + 0 + 25
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{4 * 84.0f / 2});
    run(exec(), TotalVariationGrad{s, p, 4, upstream, {.out = d}});
    std::vector<float> want;
    for (const float sum : {1 - 2 + 1 - 0, 2 - 1 + 2 - 4 + 2 - 2, 4 - 2 + 4 - 9, 0 - 2 + 0 - 1, 2 - 0 + 2 - 9 + 2 - 2,
                            9 - 2 + 9 - 4, 0, 0, 0, 0, 0, 0})
        want.push_back(3 * 2 * 4 / 2 * sum);
    EXPECT_EQ(device().download<float>(d, 12), want);
}

TEST_P(TotalVariationTest, value_agrees_with_the_definition_and_repeats)
{
    for (const TotalVariationShape& s : kShapes) {
        const auto p = random_values(s.size(), 1);
        double want = 0;
        ref::total_variation_fwd(s, cast<double>(p).data(), 2.5, &want);
        const View pv = device().upload(p), loss = device().poisoned<float>(2);
        run_with_workspace(TotalVariationFwd{s, pv, 2.5f, loss});
        run(exec(), TotalVariationFwd{s, pv, 2.5f, {loss.as<float>() + 1}});
        const auto got = device().download<float>(loss, 2);
        EXPECT_TRUE(within(std::vector<float>{got[0]}, {want}, std::ldexp(want, -21))) << s.H << "x" << s.W;
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
    }
}

TEST_P(TotalVariationTest, gradient_agrees_with_the_definition_through_a_store)
{
    for (const TotalVariationShape& s : kShapes) {
        const auto p = random_values(s.size(), 1);
        std::vector<double> v(p.size()), bound;
        ref::total_variation_grad(s, cast<double>(p).data(), 2.5, double(0.7f), v.data());
        for (const double sum : magnitudes(s, p)) bound.push_back(std::ldexp(0.7 * 2 * 2.5 / double(s.N) * sum, -21));
        const View pv = device().upload(p), upstream = device().upload<float>({0.7f});
        expect_stores<float>(device(), v, bound, [&](const Store& store) {
            run(exec(), TotalVariationGrad{s, pv, 2.5f, upstream, store});
        });
    }
}

TEST(TotalVariation, gradient_is_the_slope_of_the_value)
{
    TestDevice cpu("cpu");
    const TotalVariationShape s{2, 3, 4, 2};
    auto p = random_values<double>(s.size(), 1);
    const View d = cpu.poisoned<double>(s.size());
    run(cpu.exec(), TotalVariationGrad{s, cpu.upload(p), 2, cpu.upload<double>({1.5}), {.out = d}});
    const auto value = [&] {
        const View loss = cpu.poisoned<double>(1);
        run(cpu.exec(), TotalVariationFwd{s, cpu.upload(p), 2, loss});
        return 1.5 * cpu.download<double>(loss, 1)[0];
    };
    // Exact for squares, but for rounding: 1e-14 / h
    const auto slope = central_differences(p, 1e-4, value);
    EXPECT_TRUE(within(cpu.download<double>(d, s.size()), slope, 1e-9));
}

TEST(TotalVariation, has_the_same_bits_for_any_thread_count)
{
    const TotalVariationShape s{2, 71, 67, 3};
    std::vector<float> loss;
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const View l = cpu.poisoned<float>(1);
        run(cpu.exec(), TotalVariationFwd{s, cpu.upload(random_values(s.size(), 1)), 1, l});
        loss.push_back(cpu.download<float>(l, 1)[0]);
    }
    EXPECT_EQ(loss, std::vector<float>(3, loss[0]));
}

TEST(TotalVariation, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1}), d = cpu.upload<double>({1});
    EXPECT_THROW(run(cpu.exec(), TotalVariationFwd{{.H = 0}, f, 1, f}), Error);
    EXPECT_THROW(run(cpu.exec(), TotalVariationGrad{{}, f, 1, f, {.out = d}}), Error);
}

} // namespace
