#include "kernels/augment/blur_outside.h"

#include "kernels/augment/blur_outside_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class BlurOutsideTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(BlurOutsideTest);

std::vector<float> run(TestDevice& device, const BlurOutsideShape& s, const std::vector<float>& mask,
                       const std::vector<float>& x)
{
    const View picture = device.upload(x);
    device.run_with_workspace(BlurOutside{s, device.upload(mask), picture});
    return device.download<float>(picture, 3 * s.pixels());
}

TEST_P(BlurOutsideTest, keeps_the_face_and_plain_surroundings)
{
    // The face's right neighbour must not see the face; a plain background stays what it is, up to the picture's edge.
    const BlurOutsideShape s{.N = 1, .H = 6, .W = 8, .sigma = 1};
    std::vector<float> mask(48), x(144, 0.25f);
    for (std::size_t i = 0; i < 48; ++i)
        if (i % 8 < 3) {
            mask[i] = 1;
            for (std::size_t c = 0; c < 3; ++c) x[3 * i + c] = 0.5f + 0.1f * float(c);
        }
    const auto y = run(device(), s, mask, x);
    EXPECT_TRUE(within(y, cast<double>(x), 3 * gamma32(25)));
    for (std::size_t i = 0; i < 48; ++i)
        if (mask[i] == 1) {
            EXPECT_EQ(y[3 * i + 1], x[3 * i + 1]) << "the face keeps its bits";
        }
    EXPECT_EQ(run(device(), s, std::vector<float>(48, 1.0f), x), x) << "nothing but face";
}

TEST_P(BlurOutsideTest, a_line_by_hand)
{
    // Taps 1, e = exp(-1/2), e^4 to either side; the middle pixel is face, so that the second's background is
    // (x0 e + x1 + x3 e^4) / (e + 1 + e^4).
    const double e = std::exp(-0.5), e4 = std::exp(-2.0);
    const std::vector<float> mask = {0, 0, 1, 0}, x = {0.1f, 0, 0, 0.2f, 0, 0, 1, 1, 1, 0.9f, 0, 0};
    const auto y = run(device(), {.N = 1, .H = 1, .W = 4, .sigma = 1}, mask, x);
    EXPECT_NEAR(y[3], (0.1 * e + 0.2 + 0.9 * e4) / (e + 1 + e4), 1e-6);
    EXPECT_NEAR(y[0], (0.1 + 0.2 * e) / (1 + e), 1e-6) << "the window ends two pixels on";
    EXPECT_EQ(y[6], 1);
}

TEST_P(BlurOutsideTest, agrees_with_the_definition_and_repeats)
{
    for (const BlurOutsideShape s :
         {BlurOutsideShape{1, 1, 1, 1}, {2, 7, 13, 0.25f}, {3, 16, 10, 2}, {1, 9, 33, 3.5f}}) {
        const auto mask = random_values(s.pixels(), 3, 0, 1), x = random_values(3 * s.pixels(), 4, 0, 1);
        std::vector<double> want(x.size());
        ref::blur_outside(s, cast<double>(mask).data(), cast<double>(x).data(), want.data());
        const auto got = run(device(), s, mask, x);
        const double taps = 2 * s.radius() + 1;
        EXPECT_TRUE(within(got, want, 3 * gamma32(taps * taps)));
        EXPECT_EQ(run(device(), s, mask, x), got);
    }
}

TEST(BlurOutside, has_the_same_bits_for_any_thread_count)
{
    const BlurOutsideShape s{2, 40, 30, 1.5f};
    const auto mask = random_values(s.pixels(), 3, 0, 1), x = random_values(3 * s.pixels(), 4, 0, 1);
    TestDevice one("cpu:1"), two("cpu:2");
    EXPECT_EQ(run(one, s, mask, x), run(two, s, mask, x));
    EXPECT_THROW(run(one, {0, 4, 4, 1}, mask, x), Error);
    EXPECT_THROW(run(one, {1, 4, 4, 50}, mask, x), Error);
}

} // namespace
