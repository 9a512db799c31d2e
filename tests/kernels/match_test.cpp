#include "kernels/color/match.h"

#include "kernels/color/match_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <algorithm>
#include <array>
#include <cstring>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr ColorMatch kKinds[] = {ColorMatch::rct, ColorMatch::lct, ColorMatch::mkl, ColorMatch::idt, ColorMatch::sot};

/// Pictures [N,H,W,3] around a mean, channels of unlike spread that hang together.
std::vector<float> pictures(const MatchShape& s, std::uint32_t seed, std::array<double, 3> mean, double spread)
{
    const auto u = random_values<double>(3 * s.N * s.pixels(), seed);
    std::vector<float> v(u.size());
    for (std::size_t i = 0; i < v.size(); i += 3) {
        const double a = u[i], b = u[i + 1], c = u[i + 2];
        v[i] = float(mean[0] + spread * a);
        v[i + 1] = float(mean[1] + spread * (0.4 * a + 0.5 * b));
        v[i + 2] = float(mean[2] + spread * (0.2 * a - 0.3 * b + 0.3 * c));
    }
    return v;
}
std::vector<float> first_pictures(const MatchShape& s)
{
    return pictures(s, 1, {0.4, 0.5, 0.3}, 0.1);
}
std::vector<float> second_pictures(const MatchShape& s)
{
    return pictures(s, 2, {0.6, 0.4, 0.55}, 0.2);
}

std::vector<float> match(TestDevice& device, const MatchShape& s, const std::vector<float>& x,
                         const std::vector<float>& y, const std::vector<float>& mask = {}, std::uint64_t step = 0)
{
    const View out = device.poisoned<float>(std::int64_t(x.size()));
    const StepState state{.seed = 5, .step = step};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
    const View where = device.upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state));
    device.run_with_workspace(MatchColors{s, device.upload(x), device.upload(y),
                                          mask.empty() ? View{} : device.upload(mask),
                                          static_cast<const StepState*>(where.data), out});
    return device.download<float>(out, std::int64_t(x.size()));
}

/// Weighted mean and covariance of one picture.
struct Moments {
    double mean[3] = {}, cov[3][3] = {};

    Moments(const float* v, std::int64_t n, const float* mask = nullptr)
    {
        double weight = 0;
        for (std::int64_t i = 0; i < n; ++i) {
            const double m = mask ? double(mask[i]) : 1;
            weight += m;
            for (int c = 0; c < 3; ++c) mean[c] += m * double(v[3 * i + c]);
        }
        for (double& m : mean) m /= weight;
        for (std::int64_t i = 0; i < n; ++i)
            for (int a = 0; a < 3; ++a)
                for (int b = 0; b < 3; ++b)
                    cov[a][b] += (mask ? double(mask[i]) : 1) * (double(v[3 * i + a]) - mean[a]) *
                                 (double(v[3 * i + b]) - mean[b]) / weight;
    }
};

class MatchTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(MatchTest);

TEST_P(MatchTest, lct_and_mkl_carry_mean_and_covariance)
{
    const MatchShape base{.N = 2, .H = 9, .W = 11};
    const auto x = first_pictures(base), y = second_pictures(base), mask = random_values(2 * base.pixels(), 3, 0, 1);
    for (const ColorMatch kind : {ColorMatch::lct, ColorMatch::mkl})
        for (const bool masked : {false, true}) {
            MatchShape s = base;
            s.kind = kind;
            const auto out = match(device(), s, x, y, masked ? mask : std::vector<float>{});
            for (std::int64_t n = 0; n < s.N; ++n) {
                const float* m = masked ? mask.data() + n * s.pixels() : nullptr;
                const Moments got(out.data() + 3 * n * s.pixels(), s.pixels(), m),
                    from(x.data() + 3 * n * s.pixels(), s.pixels(), m),
                    to(y.data() + 3 * n * s.pixels(), s.pixels(), m);
                // A (Sx + r) A^T = Sy + r, so that A Sx A^T misses Sy by r (A A^T - 1); |A|^2 is below 2 * 4 here (the
                // spreads are as 2 to 1), r = 1e-5.
                for (int a = 0; a < 3; ++a) {
                    EXPECT_NEAR(got.mean[a], to.mean[a], 1e-6);
                    for (int b = 0; b < 3; ++b) {
                        EXPECT_NEAR(got.cov[a][b], to.cov[a][b], 8e-5) << a << b;
                        if (a == b) {
                            EXPECT_GT(std::abs(from.cov[a][b] - to.cov[a][b]), 1e-3) << "nothing to do";
                        }
                    }
                }
            }
        }
}

TEST_P(MatchTest, pictures_by_hand)
{
    // Two grey pixels 0.4 and 0.6 become 0.3 and 0.7: twice the deviation, along grey; mean 0.5 in both.
    const std::vector<float> x = {0.4f, 0.4f, 0.4f, 0.6f, 0.6f, 0.6f}, y = {0.3f, 0.3f, 0.3f, 0.7f, 0.7f, 0.7f};
    for (const ColorMatch kind : {ColorMatch::lct, ColorMatch::mkl}) {
        const auto out = match(device(), {.W = 2, .kind = kind}, x, y);
        // Of the variances 0.03 and 0.12 along grey, 1e-5 each: the ratio of deviations is 2 (1 - 1.25e-4).
        EXPECT_TRUE(within(out, {0.3, 0.3, 0.3, 0.7, 0.7, 0.7}, 4e-5));
    }
    // A picture of one colour becomes the other's mean, whatever that one's spread.
    for (const ColorMatch kind : {ColorMatch::rct, ColorMatch::lct, ColorMatch::mkl}) {
        const auto out = match(device(), {.W = 2, .kind = kind}, {0.2f, 0.3f, 0.4f, 0.2f, 0.3f, 0.4f},
                               {0.5f, 0.6f, 0.7f, 0.5f, 0.6f, 0.7f});
        EXPECT_TRUE(within(out, {0.5, 0.6, 0.7, 0.5, 0.6, 0.7}, 1e-4));
    }
    // Transport between one pixel and one pixel, whose mean way is a third for each direction that is tried: sot's ten
    // rounds leave (2/3)^10 = 2 % of it on average; idt's twenty, which go 1/20 along three axes, (19/20)^20 = 36 %.
    const auto idt = match(device(), {.kind = ColorMatch::idt}, {0.2f, 0.4f, 0.6f}, {0.7f, 0.4f, 0.4f});
    const double left = std::pow(0.95, 20);
    EXPECT_TRUE(within(idt, {0.7 - 0.5 * left, 0.4, 0.4 + 0.2 * left}, 20 * 3 * 0.05 * std::sqrt(3) / 4096));
    const auto sot = match(device(), {.kind = ColorMatch::sot}, {0.2f, 0.4f, 0.6f}, {0.7f, 0.4f, 0.4f});
    EXPECT_TRUE(within(sot, {0.7, 0.4, 0.4}, 0.1));
}

TEST_P(MatchTest, agrees_with_the_processor_and_repeats)
{
    TestDevice cpu("cpu:1");
    const MatchShape base{.N = 2, .H = 8, .W = 13, .purpose = 4};
    const auto x = first_pictures(base), y = second_pictures(base), mask = random_values(2 * base.pixels(), 3, 0, 1);
    for (const ColorMatch kind : kKinds) {
        MatchShape s = base;
        s.kind = kind;
        const auto want = match(cpu, s, x, y, mask, 3), got = match(device(), s, x, y, mask, 3);
        // rct: either may be off by its bound. Maps: A's rows sum up to less than 8 here. sot: the blur's two sums.
        const double bound = kind == ColorMatch::rct ? 8e-5 : kind == ColorMatch::idt ? 0 : 16 * std::ldexp(1.0, -20);
        EXPECT_TRUE(within(got, cast<double>(want), bound)) << int(kind);
        EXPECT_EQ(match(device(), s, x, y, mask, 3), got) << int(kind);
        const bool random = kind == ColorMatch::idt || kind == ColorMatch::sot;
        EXPECT_EQ(match(device(), s, x, y, mask, 4) != got, random) << int(kind);
    }
}

TEST_P(MatchTest, nothing_in_the_mask_is_nothing_done)
{
    for (const ColorMatch kind : kKinds) {
        const MatchShape s{.H = 4, .W = 5, .kind = kind};
        const auto x = first_pictures(s), out = match(device(), s, x, second_pictures(s), std::vector<float>(20, 0.0f));
        EXPECT_TRUE(within(out, cast<double>(x), 1e-6)) << int(kind);
    }
}

/// The direction's pixels by bins: counting against sorting, one round.
TEST(Match, counting_is_sorting_within_half_a_bin_on_the_mean)
{
    const MatchShape s{.H = 20, .W = 20, .kind = ColorMatch::sot};
    const auto x = first_pictures(s), y = second_pictures(s);
    std::vector<std::size_t> all(400);
    std::iota(all.begin(), all.end(), std::size_t(0));
    const Rng random(5, 0, 0, 0);
    for (int which = 0; which < 5; ++which) {
        Slice slice;
        float d[3];
        draw_direction(random, s.kind, 0, which, d);
        slice.aim(d);
        std::vector<std::uint32_t> of_x(Slice::kBins), below(Slice::kBins), sums(Slice::kBins);
        for (std::size_t i = 0; i < 400; ++i) {
            ++of_x[std::size_t(slice.bin_of(slice.project(&x[3 * i])))];
            ++below[std::size_t(slice.bin_of(slice.project(&y[3 * i])))];
        }
        for (std::size_t b = 0; b < Slice::kBins; ++b) {
            sums[b] = below[b] * std::uint32_t(2 * b + 1) + (b > 0 ? sums[b - 1] : 0);
            below[b] += b > 0 ? below[b - 1] : 0;
        }
        EXPECT_EQ(below.back(), 400u);
        const auto from = ref::sorted_by_projection(all, cast<double>(x), d),
                   to = ref::sorted_by_projection(all, cast<double>(y), d);
        const auto project = [&](const std::vector<float>& v, std::size_t i) {
            return double(slice.project(&v[3 * i]));
        };
        const double half_bin = 0.5 / double(slice.bins_a_unit);
        std::uint32_t rank = 0;
        int shared = 0;
        for (int b = 0; b < Slice::kBins; ++b) {
            const std::uint32_t n = of_x[std::size_t(b)];
            double sum = 0;
            for (std::uint32_t k = 0; k < n; ++k) {
                ASSERT_EQ(slice.bin_of(slice.project(&x[3 * from[rank + k]])), b);
                sum += project(y, to[rank + k]);
            }
            if (n > 0) {
                EXPECT_NEAR(goal_of_bin(slice, b, rank, rank + n, below.data(), sums.data()), sum / n, half_bin + 1e-6);
            }
            shared += n > 1;
            rank += n;
        }
        EXPECT_GT(shared, 10) << "bins with several pixels are what this is about";
    }
}

TEST(Match, transports_as_sorting_does)
{
    TestDevice cpu("cpu");
    const Rng random(5, 0, 0, 0);
    for (const ColorMatch kind : {ColorMatch::idt, ColorMatch::sot}) {
        const MatchShape s{.H = 16, .W = 16, .kind = kind};
        const auto x = first_pictures(s), y = second_pictures(s);
        std::vector<std::size_t> all(256);
        std::iota(all.begin(), all.end(), std::size_t(0));
        auto want = ref::sliced_transport(kind, slicing_of(kind).rounds, all, cast<double>(x), cast<double>(y), random);
        if (kind == ColorMatch::sot) want = ref::smooth_way(s, cast<double>(x), want, std::vector<double>(256, 1.0));
        const auto got = match(cpu, s, x, y);
        // A pixel's way is off by up to a bin where it shares one; over the rounds 1/5 or 1/20 of that for each
        // direction.
        double mean = 0;
        for (std::size_t i = 0; i < got.size(); ++i) mean += std::abs(double(got[i]) - want[i]) / double(got.size());
        const double bin = std::sqrt(3) / Slice::kBins;
        EXPECT_LT(mean, bin * (kind == ColorMatch::sot ? 10 : 20 * 3 / 20.0));
        if (kind == ColorMatch::idt) continue;
        // What it is for: the mean comes over. (1/5 along each of 5 directions is a third of the way: 2 % are left.)
        const Moments to(y.data(), 256), now(got.data(), 256), before(x.data(), 256);
        for (int c = 0; c < 3; ++c)
            EXPECT_LT(std::abs(now.mean[c] - to.mean[c]), 0.1 * std::abs(before.mean[c] - to.mean[c]) + 0.01);
    }
}

TEST(Match, directions_are_unit_and_rotations_orthogonal)
{
    double mean[3] = {}, square[3] = {};
    for (std::uint64_t n = 0; n < 2000; ++n) {
        float a[3][3];
        for (int k = 0; k < 3; ++k) draw_direction(Rng(1, 0, n, 0), ColorMatch::idt, 3, k, a[k]);
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j) {
                const double dot = double(a[i][0]) * a[j][0] + double(a[i][1]) * a[j][1] + double(a[i][2]) * a[j][2];
                // What is across the first leaves 4 * 2^-24 over its length, of which the least of 2000 is about 1/30.
                EXPECT_NEAR(dot, i == j, 4 * 60 * std::ldexp(1.0, -24));
            }
        float d[3];
        draw_direction(Rng(1, 0, n, 0), ColorMatch::sot, 3, 1, d);
        for (int c = 0; c < 3; ++c) mean[c] += double(d[c]) / 2000, square[c] += double(d[c]) * double(d[c]) / 2000;
    }
    for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(mean[c], 0, 4 * std::sqrt(1.0 / 3 / 2000));
        EXPECT_NEAR(square[c], 1.0 / 3, 4 * std::sqrt(4.0 / 45 / 2000)); // variance of a square: 1/5 - 1/9
    }
}

TEST(Match, one_and_two_threads_give_the_same_bits)
{
    TestDevice one("cpu:1"), two("cpu:2");
    for (const ColorMatch kind : kKinds) {
        const MatchShape s{.N = 3, .H = 40, .W = 50, .kind = kind};
        const auto x = first_pictures(s), y = second_pictures(s);
        EXPECT_EQ(match(one, s, x, y), match(two, s, x, y)) << int(kind);
    }
}

TEST(Match, names_what_it_cannot_use)
{
    TestDevice cpu("cpu");
    const View v = cpu.upload<float>({1, 2, 3});
    EXPECT_THROW(run(cpu.exec(), MatchColors{{.H = 1024, .W = 1024, .kind = ColorMatch::lct}, v, v, {}, nullptr, v}),
                 Error);
    EXPECT_THROW(run(cpu.exec(), MatchColors{{}, v, v, {}, nullptr, v}), Error);
}

} // namespace
