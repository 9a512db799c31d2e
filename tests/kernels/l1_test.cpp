#include "kernels/losses/l1.h"

#include "kernels/losses/l1_ref.h"
#include "kernels/pointwise/epilogue_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr double kUnit = 1.0 / (1 << 24); // half the spacing of f32 at 1

class L1Test : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(L1Test);

/// Pictures, mask, and what the definition says about them in double.
struct L1Case {
    L1Shape s;
    bool masked;
    float scale = 2.5f;
    std::vector<float> a, b, mask;

    L1Case(L1Shape shape, bool with_mask)
        : s(shape), masked(with_mask), a(random_values(s.rows * s.C, 1)), b(random_values(s.rows * s.C, 2)),
          mask(random_values(s.rows, 3, 0, 1))
    {
    }
    double want_loss() const
    {
        double loss = 0;
        ref::l1_fwd(s, cast<double>(a).data(), cast<double>(b).data(), masked ? cast<double>(mask).data() : nullptr,
                    double(scale), &loss);
        return loss;
    }
    std::vector<double> want_grad(double upstream) const
    {
        std::vector<double> v(a.size());
        ref::l1_grad(s, cast<double>(a).data(), cast<double>(b).data(), masked ? cast<double>(mask).data() : nullptr,
                     double(scale), upstream, v.data());
        return v;
    }
    /// Rounding of the differences; the sum is formed in f64.
    double loss_bound() const { return 4 * kUnit * want_loss(); }
};

const L1Case kCases[] = {{{1, 1}, false}, {{1, 1}, true},     {{7, 3}, true},      {{5, 2000}, true},
                         {{13, 1}, true}, {{4099, 3}, false}, {{30011, 3}, false}, {{30011, 3}, true}};

TEST_P(L1Test, anchors_by_hand)
{
    // Two rows of three: differences 1, -2, 3 and 0.5, 0, -1; magnitudes 6 and 1.5.
    const View a = device().upload<float>({2, 1, 5, 1.5f, 7, 0}), b = device().upload<float>({1, 3, 2, 1, 7, 1}),
               mask = device().upload<float>({0.5f, 2}), loss = device().poisoned<float>(1);
    l1_fwd(exec(), {2, 3}, a, b, {}, 6.0f, loss);
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{7.5f});
    l1_fwd(exec(), {2, 3}, a, b, mask, 6.0f, loss);
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{0.5f * 6 + 2 * 1.5f});

    const View d = device().poisoned<float>(6), upstream = device().upload<float>({3});
    l1_grad(exec(), {2, 3}, a, b, mask, 6.0f, upstream, {.out = d});
    EXPECT_EQ(device().download<float>(d, 6), (std::vector<float>{1.5f, -1.5f, 1.5f, 6, 0, -6}));
}

TEST_P(L1Test, neighbouring_numbers_have_a_sign)
{
    const float tiny = std::ldexp(1.0f, -140), one = std::nextafter(1.0f, 2.0f); // their differences are subnormal, ulp
    const View a = device().upload<float>({tiny, 1, -tiny, one}), b = device().upload<float>({0, one, 0, 1}),
               mask = device().upload<float>({0.25f, 0.5f, 0.125f, 0}), d = device().poisoned<float>(4);
    l1_grad(exec(), {4, 1}, a, b, mask, 4, device().upload<float>({1}), {.out = d});
    EXPECT_EQ(device().download<float>(d, 4), (std::vector<float>{0.25f, -0.5f, -0.125f, 0}));
}

TEST_P(L1Test, value_agrees_with_the_definition_and_repeats)
{
    for (const L1Case& c : kCases) {
        const View a = device().upload(c.a), b = device().upload(c.b), loss = device().poisoned<float>(2);
        const ConstView mask = c.masked ? ConstView(device().upload(c.mask)) : ConstView{};
        l1_fwd(exec(l1_fwd_cost(c.s, DType::f32, c.masked, target())), c.s, a, b, mask, c.scale, loss);
        l1_fwd(exec(), c.s, a, b, mask, c.scale, {loss.as<float>() + 1});
        const auto got = device().download<float>(loss, 2);
        EXPECT_TRUE(within(std::vector<float>{got[0]}, {c.want_loss()}, c.loss_bound())) << c.s.rows << "x" << c.s.C;
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
    }
}

TEST_P(L1Test, gradient_agrees_with_the_definition_through_a_store)
{
    for (const L1Case& c : kCases) {
        const std::int64_t n = c.s.rows * c.s.C;
        const auto add = random_values(n, 4), saved = random_values(n, 5);
        auto v = c.want_grad(0.7f);
        std::vector<double> want(v.size()), bound(v.size());
        ref::store_gradient(n, v.data(), want.data(), cast<double>(add).data(), leaky(0.1f),
                            cast<double>(saved).data());
        for (std::size_t i = 0; i < bound.size(); ++i) // the factor and the mask; then one sum, one slope
            bound[i] = 8 * kUnit * std::abs(v[i]) + 3 * kUnit * (std::abs(v[i]) + std::abs(add[i]));
        const View out = device().upload(add); // collected in place
        const ConstView mask = c.masked ? ConstView(device().upload(c.mask)) : ConstView{};
        l1_grad(exec(), c.s, device().upload(c.a), device().upload(c.b), mask, c.scale, device().upload<float>({0.7f}),
                {.out = out, .add = out, .act = leaky(0.1f), .saved = device().upload(saved)});
        EXPECT_TRUE(within(device().download<float>(out, n), want, bound)) << c.s.rows << "x" << c.s.C;
    }
}

TEST(L1, gradient_is_the_slope_of_the_value)
{
    TestDevice cpu("cpu");
    const L1Shape s{5, 3};
    const auto b = random_values<double>(15, 2), mask = random_values<double>(5, 3, 0, 1);
    auto a = random_values<double>(15, 1);
    const View d = cpu.poisoned<double>(15);
    l1_grad(cpu.exec(), s, cpu.upload(a), cpu.upload(b), cpu.upload(mask), 2, cpu.upload<double>({1.5}), {.out = d});
    const auto value = [&] {
        const View loss = cpu.poisoned<double>(1);
        l1_fwd(cpu.exec(), s, cpu.upload(a), cpu.upload(b), cpu.upload(mask), 2, loss);
        return cpu.download<double>(loss, 1)[0];
    };
    std::vector<double> slope;
    for (double& x : a) {
        const double h = 1e-4, middle = x;
        x = middle + h;
        const double above = value();
        x = middle - h;
        slope.push_back(1.5 * (above - value()) / (2 * h)); // exact but for rounding: 1e-15 / h; no kink within h
        x = middle;
    }
    EXPECT_TRUE(within(cpu.download<double>(d, 15), slope, 1e-10));
}

TEST(L1, has_the_same_bits_for_any_thread_count)
{
    std::vector<float> loss;
    std::vector<std::vector<float>> gradient;
    const L1Case c({30011, 3}, true);
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const View a = cpu.upload(c.a), b = cpu.upload(c.b), mask = cpu.upload(c.mask), l = cpu.poisoned<float>(1),
                   d = cpu.poisoned<float>(c.s.rows * c.s.C);
        l1_fwd(cpu.exec(), c.s, a, b, mask, c.scale, l);
        l1_grad(cpu.exec(), c.s, a, b, mask, c.scale, l, {.out = d});
        loss.push_back(cpu.download<float>(l, 1)[0]);
        gradient.push_back(cpu.download<float>(d, c.s.rows * c.s.C));
    }
    EXPECT_EQ(loss, std::vector<float>(3, loss[0]));
    EXPECT_EQ(gradient[0], gradient[1]);
    EXPECT_EQ(gradient[0], gradient[2]);
}

TEST(L1, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1}), d = cpu.upload<double>({1});
    EXPECT_THROW(l1_fwd(cpu.exec(), {1, 1}, f, d, {}, 1, f), Error);
    EXPECT_THROW(l1_fwd(cpu.exec(), {0, 3}, f, f, {}, 1, f), Error);
    EXPECT_THROW(l1_grad(cpu.exec(), {1, 1}, f, f, {}, 1, f, {.out = f, .act = {Act::relu}}), Error);
}

} // namespace
