#include "kernels/losses/adversarial.h"

#include "kernels/losses/adversarial_ref.h"
#include "tests/support/stores.h"

#include <limits>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class AdversarialTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(AdversarialTest);

constexpr AdversarialLoss kLosses[] = {AdversarialLoss::least_squares, AdversarialLoss::hinge};
constexpr Verdict kVerdicts[] = {Verdict::real, Verdict::fake, Verdict::fool};
constexpr std::int64_t kSizes[] = {1, 7, 1024, 4099};

template <class Use>
void for_each_case(const Use& use)
{
    for (const std::int64_t n : kSizes)
        for (const AdversarialLoss loss : kLosses)
            for (const Verdict wanted : kVerdicts) {
                SCOPED_TRACE(::testing::Message() << n << " answers, loss " << int(loss) << ", wanted " << int(wanted));
                use(AdversarialShape{n, loss, wanted});
            }
}

TEST_P(AdversarialTest, anchors_by_hand)
{
    struct Anchor {
        AdversarialLoss loss;
        Verdict wanted;
        double value;
        std::vector<float> slope; // upstream 10, scale 3
    };
    const View x = device().upload<float>({0.5f, 3, -2}), upstream = device().upload<float>({10});
    for (const Anchor& a : {Anchor{AdversarialLoss::least_squares, Verdict::real, 0.25 + 4 + 9, {-10, 40, -60}},
                            {AdversarialLoss::least_squares, Verdict::fake, 0.25 + 9 + 4, {10, 60, -40}},
                            {AdversarialLoss::least_squares, Verdict::fool, 0.25 + 4 + 9, {-10, 40, -60}},
                            {AdversarialLoss::hinge, Verdict::real, 0.5 + 0 + 3, {-10, 0, -10}},
                            {AdversarialLoss::hinge, Verdict::fake, 1.5 + 4 + 0, {10, 10, 0}},
                            {AdversarialLoss::hinge, Verdict::fool, -0.5 - 3 + 2, {-10, -10, -10}}}) {
        const View loss = device().poisoned<float>(1), d = device().poisoned<float>(3);
        run(exec(), AdversarialFwd{{3, a.loss, a.wanted}, x, 3, loss});
        EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{float(a.value)}) << int(a.wanted);
        run(exec(), AdversarialGrad{{3, a.loss, a.wanted}, x, 3, upstream, {.out = d}});
        EXPECT_EQ(device().download<float>(d, 3), a.slope) << int(a.wanted);
    }
}

TEST_P(AdversarialTest, an_answer_that_is_no_number_is_told)
{
    const View x = device().upload<float>({1, std::numeric_limits<float>::quiet_NaN()});
    for (const AdversarialLoss kind : kLosses)
        for (const Verdict wanted : kVerdicts) {
            const View loss = device().upload<float>({0});
            run(exec(), AdversarialFwd{{2, kind, wanted}, x, 1, loss});
            EXPECT_TRUE(std::isnan(device().download<float>(loss, 1)[0])) << int(kind) << " " << int(wanted);
        }
}

TEST_P(AdversarialTest, value_agrees_with_the_definition_and_repeats)
{
    constexpr float kScale = 2.5f;
    for_each_case([&](const AdversarialShape& s) {
        const auto x = random_values(s.n, 1, -3, 3);
        double want = 0, magnitude = 0;
        ref::adversarial_fwd(s, cast<double>(x).data(), double(kScale), &want);
        for (const float answer : x) magnitude += std::abs(ref::adversarial(s.loss, s.wanted, double(answer)));
        const View xv = device().upload(x), loss = device().poisoned<float>(2);
        run_with_workspace(AdversarialFwd{s, xv, kScale, loss});
        run(exec(), AdversarialFwd{s, xv, kScale, {loss.as<float>() + 1}});
        const auto got = device().download<float>(loss, 2);
        EXPECT_TRUE(within(std::vector<float>{got[0]}, {want}, std::ldexp(kScale * magnitude / double(s.n), -22)));
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
    });
}

TEST_P(AdversarialTest, gradient_agrees_with_the_definition_through_a_store)
{
    for_each_case([&](const AdversarialShape& s) {
        const auto x = random_values(s.n, 1, -3, 3);
        std::vector<double> v(x.size()), bound;
        ref::adversarial_grad(s, cast<double>(x).data(), 2.5, double(0.7f), v.data());
        for (const double slope : v) bound.push_back(std::ldexp(std::abs(slope), -21));
        const View xv = device().upload(x), upstream = device().upload<float>({0.7f});
        expect_stores<float>(device(), v, bound, [&](const Store& store) {
            run(exec(), AdversarialGrad{s, xv, 2.5f, upstream, store});
        });
    });
}

TEST(Adversarial, gradient_is_the_slope_of_the_value)
{
    TestDevice cpu("cpu");
    constexpr double h = 1e-4;
    for (const AdversarialLoss loss : kLosses)
        for (const Verdict wanted : kVerdicts) {
            const AdversarialShape s{9, loss, wanted};
            auto x = random_values<double>(9, 1, -3, 3);
            for (const double answer : x) ASSERT_GT(std::abs(std::abs(answer) - 1), h) << "too near to a corner";
            const View d = cpu.poisoned<double>(9);
            run(cpu.exec(), AdversarialGrad{s, cpu.upload(x), 2, cpu.upload<double>({1.5}), {.out = d}});
            const auto value = [&] {
                const View l = cpu.poisoned<double>(1);
                run(cpu.exec(), AdversarialFwd{s, cpu.upload(x), 2, l});
                return 1.5 * cpu.download<double>(l, 1)[0];
            };
            // Exact but for rounding: 1e-15 / h
            const auto slope = central_differences(x, h, value);
            EXPECT_TRUE(within(cpu.download<double>(d, 9), slope, 1e-10)) << int(loss) << " " << int(wanted);
        }
}

TEST(Adversarial, has_the_same_bits_for_any_thread_count)
{
    const AdversarialShape s{40'009, AdversarialLoss::hinge, Verdict::real};
    std::vector<float> loss;
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const View l = cpu.poisoned<float>(1);
        run(cpu.exec(), AdversarialFwd{s, cpu.upload(random_values(s.n, 1, -3, 3)), 1, l});
        loss.push_back(cpu.download<float>(l, 1)[0]);
    }
    EXPECT_EQ(loss, std::vector<float>(3, loss[0]));
}

TEST(Adversarial, refuses_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload<float>({1}), d = cpu.upload<double>({1});
    EXPECT_THROW(run(cpu.exec(), AdversarialFwd{{.n = 0}, f, 1, f}), Error);
    EXPECT_THROW(run(cpu.exec(), AdversarialGrad{{.n = 1}, f, 1, f, {.out = d}}), Error);
}

} // namespace
