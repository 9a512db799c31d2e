#include "kernels/losses/mse.h"

#include "kernels/losses/mse_ref.h"
#include "tests/kernels/picture_pair.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

struct MseLoss {
    using Fwd = MseFwd;
    using Grad = MseGrad;
    static constexpr auto ref_fwd = ref::mse_fwd<double>;
    static constexpr auto ref_grad = ref::mse_grad<double>;
    /// Rounding of m a - m b, when formed in f32.
    static double rounding(double m, double a, double b) { return 3 * kUnit * m * (std::abs(a) + std::abs(b)); }
    static double value_error(double m, double a, double b)
    {
        return rounding(m, a, b) * (2 * m * std::abs(a - b) + rounding(m, a, b));
    }
    static double slope_error(double m, double a, double b) { return 2 * m * rounding(m, a, b); }
};

class MseTest : public PairTest<MseLoss> {};
BIFRONS_ON_ALL_DEVICES(MseTest);

TEST_P(MseTest, anchors_by_hand)
{
    // Two rows of three: differences 1, -2, 3 and 0.5, 0, -1; squares 14 and 1.25.
    const View a = device().upload<float>({2, 1, 5, 1.5f, 7, 0}), b = device().upload<float>({1, 3, 2, 1, 7, 1}),
               mask = device().upload<float>({0.5f, 2}), loss = device().poisoned<float>(1);
    run(exec(), MseFwd{{2, 3}, a, b, {}, 6.0f, loss});
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{15.25f});
    run(exec(), MseFwd{{2, 3}, a, b, mask, 6.0f, loss});
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{0.25f * 14 + 4 * 1.25f});

    const View d = device().poisoned<float>(6), upstream = device().upload<float>({3});
    run(exec(), MseGrad{{2, 3}, a, b, mask, 6.0f, upstream, {.out = d}});
    EXPECT_EQ(device().download<float>(d, 6), (std::vector<float>{1.5f, -3, 4.5f, 12, 0, -24}));
}

TEST_P(MseTest, value_agrees_with_the_definition_and_repeats)
{
    expect_values();
}

TEST_P(MseTest, gradient_agrees_with_the_definition_through_a_store)
{
    expect_stored_gradients();
}

TEST(Mse, gradient_is_the_slope_of_the_value)
{
    expect_slopes_of_the_value<MseLoss>();
}

TEST(Mse, has_the_same_bits_for_any_thread_count)
{
    expect_the_same_bits_for_any_thread_count<MseLoss>();
}

TEST(Mse, refuses_operands_that_do_not_fit)
{
    expect_refusals<MseLoss>();
}

} // namespace
