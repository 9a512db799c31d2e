#include "kernels/augment/soft_mask.h"

#include "kernels/augment/soft_mask_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class SoftMaskTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(SoftMaskTest);

TEST(SoftMask, window_follows_sigma)
{
    EXPECT_EQ((SoftMaskShape{.sigma = 4}).radius(), 8); // 128 px: 17 taps
    EXPECT_EQ((SoftMaskShape{.sigma = 2}).radius(), 4); // 64 px: 9 taps
    EXPECT_EQ((SoftMaskShape{.sigma = 0.5f}).radius(), 1);
}

TEST_P(SoftMaskTest, is_one_inside_half_at_a_straight_edge_and_zero_far_outside)
{
    // Left half of a 1x64x64 picture is face; the edge lies between columns 31 and 32.
    std::vector<float> mask(64 * 64, 0.0f);
    for (int i = 0; i < 64 * 64; ++i)
        if (i % 64 < 32) mask[std::size_t(i)] = 1;
    const View y = device().poisoned<float>(64 * 64);
    run(exec(), SoftMask{{.N = 1, .H = 64, .W = 64, .sigma = 2}, device().upload(mask), y});
    const auto got = device().download<float>(y, 64 * 64);
    const float* middle = got.data() + 32 * 64;
    EXPECT_EQ(middle[20], 1.0f);
    EXPECT_EQ(middle[31], 1.0f) << "blur above one half counts as inside";
    EXPECT_LT(middle[32], 1.0f);
    EXPECT_GT(middle[32], middle[33]);
    EXPECT_EQ(middle[32 + 4], 0.0f) << "beyond the window's four taps";
    EXPECT_LT(got[0], middle[0]) << "outside the picture there is no face";
}

TEST_P(SoftMaskTest, agrees_with_the_definition)
{
    for (const SoftMaskShape s : {SoftMaskShape{1, 1, 1, 1}, {2, 7, 13, 0.5f}, {3, 33, 20, 2}, {1, 10, 64, 4}}) {
        const auto mask = random_values(s.size(), 3, 0, 1);
        std::vector<double> want(mask.size());
        ref::soft_mask(s, cast<double>(mask).data(), want.data());
        const View y = device().poisoned<float>(s.size()), again = device().poisoned<float>(s.size()),
                   m = device().upload(mask);
        run_with_workspace(SoftMask{s, m, y});
        run_with_workspace(SoftMask{s, m, again});
        const double taps = 2 * s.radius() + 1;
        EXPECT_TRUE(within(device().download<float>(y, s.size()), want, 2 * gamma32(taps * taps)));
        EXPECT_EQ(device().download<float>(y, s.size()), device().download<float>(again, s.size()));
    }
}

} // namespace
