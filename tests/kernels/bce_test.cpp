#include "kernels/losses/bce.h"

#include "kernels/losses/bce_ref.h"
#include "tests/support/stores.h"

#include <limits>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class BceTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(BceTest);

struct BceCase {
    BceShape s;
    bool with_target, masked;
    float scale = 2.5f;
    std::vector<float> x, target, mask;

    BceCase(BceShape shape, bool targeted, bool with_mask)
        : s(shape), with_target(targeted), masked(with_mask), x(random_values(s.rows * s.C, 1, -12, 12)),
          target(random_values(s.rows * s.C, 2, 0, 1)), mask(random_values(s.rows, 3, 0, 1))
    {
    }
    std::int64_t size() const { return s.rows * s.C; }
    double m(std::size_t i) const { return masked ? double(mask[i / std::size_t(s.C)]) : 1.0; }
    struct Doubles {
        std::vector<double> x, target, mask;
        const double *t, *m;
    };
    Doubles doubles() const
    {
        Doubles d{cast<double>(x), cast<double>(target), cast<double>(mask), nullptr, nullptr};
        d.t = with_target ? d.target.data() : nullptr;
        d.m = masked ? d.mask.data() : nullptr;
        return d;
    }
    ConstView target_on(TestDevice& device) const { return with_target ? device.upload(target) : View{}; }
    ConstView mask_on(TestDevice& device) const { return masked ? device.upload(mask) : View{}; }
};

const BceCase kCases[] = {{{1, 1, 0}, false, false},      {{1, 1}, true, true},     {{7, 3}, true, true},
                          {{5, 2000, 0.9f}, false, true}, {{1024, 4}, true, false}, {{4099, 3}, true, true}};

TEST_P(BceTest, anchors_by_hand)
{
    // p = 1/2, 3/4, 1/4 with targets 1, 0, 1/2: log 2, log 4 and (log 4 + log 4/3) / 2.
    const float log3 = std::log(3.0f);
    const View x = device().upload<float>({0, log3, -log3}), t = device().upload<float>({1, 0, 0.5f}),
               loss = device().poisoned<float>(1), d = device().poisoned<float>(3);
    run(exec(), BceFwd{{3, 1}, x, t, {}, 3, loss});
    const double want = std::log(2.0) + std::log(4.0) + (std::log(4.0) + std::log(4.0 / 3)) / 2;
    EXPECT_TRUE(within(device().download<float>(loss, 1), {want}, 1e-6));
    run(exec(), BceGrad{{3, 1}, x, t, device().upload<float>({1, 2, 4}), 3, device().upload<float>({10}), {.out = d}});
    EXPECT_TRUE(within(device().download<float>(d, 3), {-5, 15, -10}, 1e-5));
}

TEST_P(BceTest, one_label_stands_for_a_target_of_equal_values)
{
    const auto x = random_values(21, 4, -5, 5);
    const View xv = device().upload(x), t = device().upload(std::vector<float>(21, 0.75f)),
               loss = device().poisoned<float>(2);
    run(exec(), BceFwd{{7, 3}, xv, t, {}, 1, loss});
    run(exec(), BceFwd{{7, 3, 0.75f}, xv, {}, {}, 1, {loss.as<float>() + 1}});
    const auto got = device().download<float>(loss, 2);
    EXPECT_EQ(got[0], got[1]);
}

TEST_P(BceTest, large_logits_neither_overflow_nor_vanish)
{
    const float largest = std::numeric_limits<float>::max();
    struct Extreme {
        float x, label;
        double loss, slope;
    };
    // -100 for a real one costs 100; +100 costs exp(-100), which f32 still holds (as a subnormal or nothing).
    for (const Extreme& e : {Extreme{-100, 1, 100, -1},
                             {100, 1, std::exp(-100.0), 0},
                             {100, 0, 100, 1},
                             {-100, 0, std::exp(-100.0), 0},
                             {20, 1, std::exp(-20.0), -std::exp(-20.0)},
                             {largest, 1, 0, 0},
                             {-largest, 0, 0, 0},
                             {largest, 0, double(largest), 1}}) {
        const View x = device().upload<float>({e.x}), loss = device().poisoned<float>(1),
                   d = device().poisoned<float>(1), one = device().upload<float>({1});
        run(exec(), BceFwd{{1, 1, e.label}, x, {}, {}, 1, loss});
        run(exec(), BceGrad{{1, 1, e.label}, x, {}, {}, 1, one, {.out = d}});
        EXPECT_TRUE(within(device().download<float>(loss, 1), {e.loss}, 1e-6 * e.loss + 1e-43))
            << e.x << " " << e.label;
        EXPECT_TRUE(within(device().download<float>(d, 1), {e.slope}, std::ldexp(1.0, -23))) << e.x << " " << e.label;
    }
    const View x = device().upload<float>({std::numeric_limits<float>::quiet_NaN()}),
               loss = device().upload<float>({0});
    run(exec(), BceFwd{{1, 1}, x, {}, {}, 1, loss});
    EXPECT_TRUE(std::isnan(device().download<float>(loss, 1)[0]));
}

TEST_P(BceTest, value_agrees_with_the_definition_and_repeats)
{
    for (const BceCase& c : kCases) {
        const auto d = c.doubles();
        double want = 0, bound = 0;
        ref::bce_fwd(c.s, d.x.data(), d.t, d.m, double(c.scale), &want);
        for (std::size_t i = 0; i < c.x.size(); ++i) bound += c.m(i) * std::ldexp(1 + std::abs(d.x[i]), -21);
        bound = c.scale * bound / double(c.size()) + std::ldexp(std::abs(want), -23);
        const View x = device().upload(c.x), loss = device().poisoned<float>(2);
        const ConstView target = c.target_on(device()), mask = c.mask_on(device());
        run_with_workspace(BceFwd{c.s, x, target, mask, c.scale, loss});
        run(exec(), BceFwd{c.s, x, target, mask, c.scale, {loss.as<float>() + 1}});
        const auto got = device().download<float>(loss, 2);
        EXPECT_TRUE(within(std::vector<float>{got[0]}, {want}, bound)) << c.s.rows << "x" << c.s.C;
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
    }
}

TEST_P(BceTest, gradient_agrees_with_the_definition_through_a_store)
{
    for (const BceCase& c : kCases) {
        const auto d = c.doubles();
        std::vector<double> v(c.x.size()), bound;
        ref::bce_grad(c.s, d.x.data(), d.t, d.m, double(c.scale), double(0.7f), v.data());
        for (std::size_t i = 0; i < v.size(); ++i)
            bound.push_back(std::ldexp(0.7 * c.scale * c.m(i) / double(c.size()), -21));
        const View x = device().upload(c.x), upstream = device().upload<float>({0.7f});
        const ConstView target = c.target_on(device()), mask = c.mask_on(device());
        expect_stores<float>(device(), v, bound, [&](const Store& store) {
            run(exec(), BceGrad{c.s, x, target, mask, c.scale, upstream, store});
        });
    }
}

TEST(Bce, gradient_is_the_slope_of_the_value)
{
    TestDevice cpu("cpu");
    const BceShape s{5, 3};
    const auto t = random_values<double>(15, 2, 0, 1), mask = random_values<double>(5, 3, 0, 1);
    auto x = random_values<double>(15, 1, -4, 4);
    const View d = cpu.poisoned<double>(15);
    run(cpu.exec(),
        BceGrad{s, cpu.upload(x), cpu.upload(t), cpu.upload(mask), 2, cpu.upload<double>({1.5}), {.out = d}});
    const auto value = [&] {
        const View loss = cpu.poisoned<double>(1);
        run(cpu.exec(), BceFwd{s, cpu.upload(x), cpu.upload(t), cpu.upload(mask), 2, loss});
        return 1.5 * cpu.download<double>(loss, 1)[0];
    };
    const auto slope = central_differences(x, 1e-4, value);
    // The third derivative is below 1/8, of which h^2 / 6 and the weight 0.2 remain; rounding 1e-15 / h.
    EXPECT_TRUE(within(cpu.download<double>(d, 15), slope, 1e-9));
}

TEST(Bce, has_the_same_bits_for_any_thread_count)
{
    const BceCase c({4099, 3}, true, true);
    std::vector<float> loss;
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const View l = cpu.poisoned<float>(1);
        run(cpu.exec(), BceFwd{c.s, cpu.upload(c.x), cpu.upload(c.target), cpu.upload(c.mask), c.scale, l});
        loss.push_back(cpu.download<float>(l, 1)[0]);
    }
    EXPECT_EQ(loss, std::vector<float>(3, loss[0]));
}

TEST(Bce, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1}), d = cpu.upload<double>({1});
    EXPECT_THROW(run(cpu.exec(), BceFwd{{1, 1}, f, d, {}, 1, f}), Error);
    EXPECT_THROW(run(cpu.exec(), BceFwd{{0, 3}, f, f, {}, 1, f}), Error);
    EXPECT_THROW(run(cpu.exec(), BceFwd{{1, 1, 2}, f, {}, {}, 1, f}), Error) << "a label above 1";
    EXPECT_THROW(run(cpu.exec(), BceGrad{{1, 1}, f, f, {}, 1, f, {.out = f, .act = {Act::relu}}}), Error);
}

} // namespace
