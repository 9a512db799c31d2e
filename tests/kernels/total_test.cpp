#include "kernels/losses/total.h"

#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <limits>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class TotalTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(TotalTest);

TEST_P(TotalTest, sums_weighted_terms_of_any_number)
{
    const View total = device().poisoned<float>(1);
    LossTerms terms;
    run(exec(), WeightedSum{terms, total});
    EXPECT_EQ(device().download<float>(total, 1)[0], 0);
    double want = 0;
    for (int i = 0; i < LossTerms::kMax; ++i) {
        terms.add(device().upload<float>({float(std::ldexp(1.0, i))}), 0.5f - float(i));
        want += std::ldexp(0.5 - i, i);
        run(exec(), WeightedSum{terms, total});
        EXPECT_EQ(device().download<float>(total, 1)[0], float(want)) << i + 1 << " terms"; // exact in f64
    }
    EXPECT_THROW(terms.add(total, 1), Error);
}

TEST_P(TotalTest, sums_in_f64)
{
    LossTerms terms;
    for (const float x : {1e8f, 1.0f, -1e8f}) terms.add(device().upload<float>({x}), 1);
    const View total = device().poisoned<float>(1);
    run(exec(), WeightedSum{terms, total});
    EXPECT_EQ(device().download<float>(total, 1)[0], 1);
}

TEST_P(TotalTest, a_term_that_is_not_finite_shows_even_with_weight_0)
{
    LossTerms terms;
    terms.add(device().upload<float>({1}), 1);
    terms.add(device().upload<float>({std::numeric_limits<float>::infinity()}), 0);
    const View total = device().poisoned<float>(1);
    run(exec(), WeightedSum{terms, total});
    EXPECT_TRUE(std::isnan(device().download<float>(total, 1)[0]));
}

TEST_P(TotalTest, lists_terms_without_their_weights)
{
    LossTerms terms;
    for (const float x : {3.0f, -0.25f, 7.0f}) terms.add(device().upload<float>({x}), 2);
    const View list = device().poisoned<float>(4);
    run(exec(), ListTerms{terms, list});
    const auto listed = device().download<float>(list, 4);
    EXPECT_EQ(std::vector(listed.begin(), listed.begin() + 3), (std::vector<float>{3, -0.25f, 7}));
    EXPECT_TRUE(std::isnan(listed[3])) << "written behind the last term";
}

TEST_P(TotalTest, a_term_receives_its_weight)
{
    const View upstream = device().upload<float>({3}), d = device().poisoned<float>(1),
               saved = device().upload<float>({-1});
    run(exec(), ScaleScalar{upstream, -0.5f, {.out = d}});
    EXPECT_EQ(device().download<float>(d, 1)[0], -1.5f);
    run(exec(), ScaleScalar{upstream, 2, {.out = d, .add = d, .act = leaky(0.5f), .saved = saved}});
    EXPECT_EQ(device().download<float>(d, 1)[0], 2.25f) << "half of 6 - 1.5";
}

TEST(Total, f64_keeps_its_precision)
{
    TestDevice cpu("cpu");
    LossTerms terms;
    terms.add(cpu.upload<double>({1}), 3);
    terms.add(cpu.upload<double>({1e-12}), 2);
    const View total = cpu.poisoned<double>(1), d = cpu.poisoned<double>(1);
    run(cpu.exec(), WeightedSum{terms, total});
    EXPECT_EQ(cpu.download<double>(total, 1)[0], 3 + 2e-12);
    run(cpu.exec(), ScaleScalar{total, 2, {.out = d}});
    EXPECT_EQ(cpu.download<double>(d, 1)[0], 6 + 4e-12);
    EXPECT_THROW(run(cpu.exec(), WeightedSum{terms, cpu.poisoned<float>(1)}), Error);
}

} // namespace
