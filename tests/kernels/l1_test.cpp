#include "kernels/losses/l1.h"

#include "kernels/losses/l1_ref.h"
#include "tests/kernels/picture_pair.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

struct L1Loss {
    using Fwd = L1Fwd;
    using Grad = L1Grad;
    static constexpr auto ref_fwd = ref::l1_fwd<double>;
    static constexpr auto ref_grad = ref::l1_grad<double>;
    /// The differences are rounded, which the bounds of results count, and the sign is exact.
    static double value_error(double, double, double) { return 0; }
    static double slope_error(double, double, double) { return 0; }
};

class L1Test : public PairTest<L1Loss> {};
BIFRONS_ON_ALL_DEVICES(L1Test);

TEST_P(L1Test, anchors_by_hand)
{
    // Two rows of three: differences 1, -2, 3 and 0.5, 0, -1; magnitudes 6 and 1.5.
    const View a = device().upload<float>({2, 1, 5, 1.5f, 7, 0}), b = device().upload<float>({1, 3, 2, 1, 7, 1}),
               mask = device().upload<float>({0.5f, 2}), loss = device().poisoned<float>(1);
    run(exec(), L1Fwd{{2, 3}, a, b, {}, 6.0f, loss});
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{7.5f});
    run(exec(), L1Fwd{{2, 3}, a, b, mask, 6.0f, loss});
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{0.5f * 6 + 2 * 1.5f});

    const View d = device().poisoned<float>(6), upstream = device().upload<float>({3});
    run(exec(), L1Grad{{2, 3}, a, b, mask, 6.0f, upstream, {.out = d}});
    EXPECT_EQ(device().download<float>(d, 6), (std::vector<float>{1.5f, -1.5f, 1.5f, 6, 0, -6}));
}

TEST_P(L1Test, neighbouring_numbers_have_a_sign)
{
    const float tiny = std::ldexp(1.0f, -140), one = std::nextafter(1.0f, 2.0f); // their differences are subnormal, ulp
    const View a = device().upload<float>({tiny, 1, -tiny, one}), b = device().upload<float>({0, one, 0, 1}),
               mask = device().upload<float>({0.25f, 0.5f, 0.125f, 0}), d = device().poisoned<float>(4);
    run(exec(), L1Grad{{4, 1}, a, b, mask, 4, device().upload<float>({1}), {.out = d}});
    EXPECT_EQ(device().download<float>(d, 4), (std::vector<float>{0.25f, -0.5f, -0.125f, 0}));
}

TEST_P(L1Test, value_agrees_with_the_definition_and_repeats)
{
    expect_values();
}

TEST_P(L1Test, gradient_agrees_with_the_definition_through_a_store)
{
    expect_stored_gradients();
}

TEST(L1, gradient_is_the_slope_of_the_value)
{
    expect_slopes_of_the_value<L1Loss>();
}

TEST(L1, has_the_same_bits_for_any_thread_count)
{
    expect_the_same_bits_for_any_thread_count<L1Loss>();
}

TEST(L1, refuses_operands_that_do_not_fit)
{
    expect_refusals<L1Loss>();
}

} // namespace
