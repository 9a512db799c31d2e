#include "kernels/color/color.h"

#include "kernels/color/color_ref.h"
#include "kernels/color/gaussian_blur.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class ColorTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(ColorTest);

/// Bounds of n interleaved L, a, b values: see color.h.
std::vector<double> lab_bounds(std::int64_t n)
{
    std::vector<double> bounds;
    for (std::int64_t i = 0; i < n; ++i) bounds.insert(bounds.end(), {4e-5, 4e-4, 4e-4});
    return bounds;
}

TEST_P(ColorTest, lab_of_known_colours)
{
    // Pure red, green, blue of sRGB under D65, with the four-digit matrix as commonly published.
    const View bgr = device().upload<float>({0, 0, 1, 0, 1, 0, 1, 0, 0, 0.5f, 0.5f, 0.5f, 0, 0, 0, 1, 1, 1}),
               lab = device().poisoned<float>(18);
    run(exec(), BgrToLab{6, bgr, lab});
    const std::vector<double> want = {53.233, 80.109, 67.220, 87.737, -86.185, 83.181, 32.303, 79.197, -107.864,
                                      53.389, 0,      0,      0,      0,       0,      100,    0,      0};
    EXPECT_TRUE(within(device().download<float>(lab, 18), want, 0.02));
}

TEST_P(ColorTest, lab_agrees_with_the_definition_and_comes_back)
{
    const std::int64_t n = 5003;
    auto x = random_values(3 * n, 1, 0, 1);
    for (std::size_t i = 0; i < 300; ++i) x[i] *= 0.05f; // the linear piece of the curves
    std::vector<double> want(x.size());
    for (std::size_t i = 0; i < x.size(); i += 3) {
        const double bgr[3] = {x[i], x[i + 1], x[i + 2]};
        pixel_to_lab(bgr, &want[i]);
    }
    const View lab = device().upload(x);
    run(exec(), BgrToLab{n, lab, lab});
    EXPECT_TRUE(within(device().download<float>(lab, 3 * n), want, lab_bounds(n)));
    run(exec(), LabToBgr{n, lab, lab});
    EXPECT_TRUE(within(device().download<float>(lab, 3 * n), cast<double>(x), 1e-5));
}

TEST_P(ColorTest, statistics_count_masked_pixels_only_and_divide_by_their_weight)
{
    // Two pixels inside with weights 1 and 3; a wild one outside, which must not count.
    const View x = device().upload<float>({1, 10, 0, 5, 10, 4, 900, -900, 900}),
               mask = device().upload<float>({1, 3, 0}), got = device().poisoned<float>(6);
    run(exec(), ColorStatistics{3, x, mask, got});
    EXPECT_TRUE(within(device().download<float>(got, 6),
                       {4, 10, 3, std::sqrt((9.0 + 3 * 1) / 4), 0, std::sqrt((9.0 + 3 * 1) / 4)}, 1e-6));
}

TEST_P(ColorTest, statistics_agree_with_the_definition_and_repeat)
{
    for (const std::int64_t n : {1, 7, 1024, 20011}) {
        const auto x = random_values(3 * n, 2, -50, 90), mask = random_values(n, 3, 0, 1);
        std::vector<double> want(6);
        ref::color_statistics(n, cast<double>(x).data(), cast<double>(mask).data(), want.data());
        const View xs = device().upload(x), m = device().upload(mask), got = device().poisoned<float>(6),
                   again = device().poisoned<float>(6);
        run_with_workspace(ColorStatistics{n, xs, m, got});
        run_with_workspace(ColorStatistics{n, xs, m, again});
        EXPECT_TRUE(within(device().download<float>(got, 6), want, 90 * std::ldexp(1.0, -23))) << n;
        EXPECT_EQ(device().download<float>(got, 6), device().download<float>(again, 6));
    }
}

TEST_P(ColorTest, transfer_gives_the_statistics_of_the_target)
{
    // Colours well inside sRGB, so that nothing is clipped.
    const std::int64_t n = 4001;
    const auto x = random_values(3 * n, 4, 0.3, 0.5), mask = random_values(n, 6, 0, 1);
    auto target = random_values(3 * n, 5, 0.45, 0.7);
    for (std::size_t i = 0; i < target.size(); i += 3) target[i] -= 0.1f;
    const View t = device().upload(target), m = device().upload(mask), out = device().upload(x);
    run_with_workspace(ColorTransfer{n, out, t, m, 1.0f, out});
    const View got = device().poisoned<float>(6), want = device().poisoned<float>(6);
    for (const auto& [picture, statistics] : {std::pair{out, got}, {t, want}}) {
        run(exec(), BgrToLab{n, picture, picture});
        run_with_workspace(ColorStatistics{n, picture, m, statistics});
    }
    EXPECT_TRUE(within(device().download<float>(got, 6), cast<double>(device().download<float>(want, 6)), 2e-3));
}

TEST_P(ColorTest, transfer_agrees_with_the_definition)
{
    const std::int64_t n = 1009;
    const auto x = random_values(3 * n, 4, 0, 1), target = random_values(3 * n, 5, 0.2, 0.8),
               mask = random_values(n, 6, 0, 1);
    for (const float alpha : {0.0f, 0.4f, 1.0f}) {
        std::vector<double> want(x.size());
        ref::color_transfer<double>(n, cast<double>(x).data(), cast<double>(target).data(), cast<double>(mask).data(),
                                    double(alpha), want.data());
        const View out = device().poisoned<float>(3 * n);
        run_with_workspace(
            ColorTransfer{n, device().upload(x), device().upload(target), device().upload(mask), alpha, out});
        EXPECT_TRUE(within(device().download<float>(out, 3 * n), want, 4e-5)) << alpha;
        if (alpha == 0) {
            EXPECT_EQ(device().download<float>(out, 3 * n), x);
        }
    }
}

TEST_P(ColorTest, blur_of_a_point_is_the_kernel_on_both_axes)
{
    // A point near a corner of a 9x7 picture with two channels.
    const BlurShape s{9, 7, 2, 0.8f};
    std::vector<float> x(std::size_t(s.size()), 0.0f);
    x[(1 * 7 + 5) * 2 + 1] = 1;
    const View y = device().poisoned<float>(s.size());
    run_with_workspace(GaussianBlur{s, device().upload(x), y});
    const auto taps = ref::gaussian_taps(s);
    std::vector<double> want(x.size(), 0.0);
    for (std::int64_t h = 0; h < 9; ++h)
        for (std::int64_t w = 0; w < 7; ++w)
            if (std::abs(h - 1) <= 3 && std::abs(w - 5) <= 3)
                want[std::size_t((h * 7 + w) * 2 + 1)] = taps[std::size_t(h - 1 + 3)] * taps[std::size_t(w - 5 + 3)];
    EXPECT_TRUE(within(device().download<float>(y, s.size()), want, 2 * gamma32(7)));
}

TEST_P(ColorTest, blur_agrees_with_the_definition)
{
    for (const BlurShape s : {BlurShape{1, 1, 1, 0.1f},
                              {1, 13, 3, 2},
                              {17, 1, 1, 30},
                              {23, 31, 3, 2.5f},
                              {6, 7, 1, 9},
                              {5, 9, 3, 2, 3, 4}}) {
        const auto x = random_values(s.size(), 1);
        std::vector<double> want(x.size());
        ref::gaussian_blur(s, cast<double>(x).data(), want.data());
        const View y = device().upload(x);
        run_with_workspace(GaussianBlur{s, y, y});
        EXPECT_TRUE(within(device().download<float>(y, s.size()), want, 2 * gamma32(2 * s.radius() + 1)));
    }
}

TEST_P(ColorTest, light_agrees_with_the_definition)
{
    const LightShape s{33, 47, 5};
    const auto x = random_values(3 * s.pixels(), 1, 0.05, 1), target = random_values(3 * s.pixels(), 2, 0.05, 1);
    auto mask = random_values(s.pixels(), 3, 0, 1);
    for (std::size_t i = 0; i < mask.size(); ++i)
        if (i % 47 > 20) mask[i] = 0; // the right part is further from the mask than the Gaussian reaches
    for (const float beta : {0.0f, 0.5f, 1.0f}) {
        std::vector<double> want(x.size());
        ref::light_transfer<double>(s, cast<double>(x).data(), cast<double>(target).data(), cast<double>(mask).data(),
                                    double(beta), want.data());
        const View out = device().poisoned<float>(3 * s.pixels());
        run_with_workspace(
            LightTransfer{s, device().upload(x), device().upload(target), device().upload(mask), beta, out});
        // Both low-passes are of positive terms: relative error gamma32 of all taps, twice, and the power's.
        const auto got = device().download<float>(out, 3 * s.pixels());
        EXPECT_TRUE(within(got, want, 4 * gamma32(31 * 31))) << beta;
        EXPECT_EQ(got[46 * 3], x[46 * 3]) << "no mask in reach";
        if (beta == 0) {
            EXPECT_EQ(got, x);
        }
    }
}

TEST_P(ColorTest, light_doubles_what_is_half_as_bright_and_no_more)
{
    const LightShape s{20, 20, 3};
    const std::vector<float> dark(1200, 0.1f), mask(400, 1.0f), light(1200, 0.15f), glaring(1200, 0.9f);
    const View out = device().poisoned<float>(1200), m = device().upload(mask), x = device().upload(dark);
    run_with_workspace(LightTransfer{s, x, device().upload(light), m, 1.0f, out});
    EXPECT_TRUE(within(device().download<float>(out, 1200), std::vector<double>(1200, 0.1 * 0.151 / 0.101), 1e-6));
    run_with_workspace(LightTransfer{s, x, device().upload(glaring), m, 1.0f, out});
    EXPECT_TRUE(within(device().download<float>(out, 1200), std::vector<double>(1200, 0.2), 1e-6));
}

TEST_P(ColorTest, an_empty_mask_changes_nothing)
{
    const LightShape s{8, 5, 2};
    const auto x = random_values(120, 1, 0, 1);
    const View m = device().upload(std::vector<float>(40, 0.0f)), t = device().upload(random_values(120, 2, 0, 1)),
               out = device().poisoned<float>(120), statistics = device().poisoned<float>(6);
    run(exec(), ColorTransfer{40, device().upload(x), t, m, 1.0f, out});
    EXPECT_EQ(device().download<float>(out, 120), x);
    run_with_workspace(LightTransfer{s, device().upload(x), t, m, 1.0f, out});
    EXPECT_EQ(device().download<float>(out, 120), x);
    run(exec(), ColorStatistics{40, t, m, statistics});
    EXPECT_EQ(device().download<float>(statistics, 6), std::vector<float>(6, 0.0f));
}

TEST(Color, refuses_strengths_and_widths_out_of_range)
{
    TestDevice cpu("cpu");
    const View x = cpu.upload(std::vector<float>(12, 0.5f));
    EXPECT_THROW(run(cpu.exec(), ColorTransfer{4, x, x, x, 1.5f, x}), Error);
    EXPECT_THROW(run(cpu.exec(), LightTransfer{{2, 2, 1}, x, x, x, -0.1f, x}), Error);
    EXPECT_THROW(run(cpu.exec(), LightTransfer{{2, 2, 0}, x, x, x, 1, x}), Error);
    EXPECT_THROW(run(cpu.exec(), GaussianBlur{{2, 2, 3, 0.01f}, x, x}), Error);
}

} // namespace
