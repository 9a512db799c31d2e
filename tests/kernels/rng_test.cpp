#include "kernels/base/rng.h"

#include "kernels/device/dispatch.h"
#include "tests/kernels/rng_kernel.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <algorithm>
#include <array>

using namespace bifrons::kernels;

namespace {

using Words = std::array<std::uint32_t, 4>;

Words philox(Words c, std::uint64_t key)
{
    const Philox4 out = philox4x32({{c[0], c[1], c[2], c[3]}}, key);
    return {out.v[0], out.v[1], out.v[2], out.v[3]};
}

/// Largest distance between the empirical distribution of the values and cdf. Under the hypothesis sqrt(n) times it
/// exceeds 1.95 with probability 0.001 (Kolmogorov); the numbers are fixed, so the test is not a matter of luck.
template <class Cdf>
double kolmogorov_distance(std::vector<float> values, const Cdf& cdf)
{
    std::sort(values.begin(), values.end());
    const double n = double(values.size());
    double distance = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double p = cdf(double(values[i]));
        distance = std::max({distance, std::abs(p - double(i) / n), std::abs(p - double(i + 1) / n)});
    }
    return distance;
}

double normal_cdf(double z)
{
    return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

class RngTest : public bifrons::test::OnDevice {};
BIFRONS_ON_GPU_DEVICES(RngTest);

TEST_P(RngTest, a_kernel_draws_the_same_bits_as_the_host)
{
    const std::int64_t n = 1000;
    const View draws = device().poisoned<float>(5 * n);
    on_gpu(exec(), "draw_streams", [&](const auto& gpu) { draw_streams(gpu, n, draws); });
    const auto got = device().download<float>(draws, 5 * n);
    for (std::int64_t i = 0; i < n; ++i) {
        const RngDraws want = draws_of_stream(i);
        ASSERT_EQ(std::vector<float>(got.begin() + 5 * i, got.begin() + 5 * i + 5),
                  (std::vector<float>{want.integer, want.uniform, want.normal, want.truncated, want.sine}))
            << "stream " << i;
    }
}

TEST(Rng, philox_gives_the_published_vectors)
{
    // Random123's kat_vectors, philox4x32 with 10 rounds.
    EXPECT_EQ(philox({0, 0, 0, 0}, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, ~std::uint64_t(0)), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
              (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, streams_differ_in_each_part_of_their_name)
{
    const auto first = [](std::uint64_t seed, std::uint64_t step, std::uint64_t sample, std::uint32_t purpose) {
        return Rng(seed, step, sample, purpose).bits();
    };
    std::vector<std::uint32_t> words = {first(0, 0, 0, 0), first(1, 0, 0, 0),          first(1ull << 32, 0, 0, 0),
                                        first(0, 1, 0, 0), first(0, 1ull << 32, 0, 0), first(0, 0, 1, 0),
                                        first(0, 0, 0, 1)};
    EXPECT_EQ(first(3, 5, 7, 11), first(3, 5, 7, 11));
    std::sort(words.begin(), words.end());
    EXPECT_EQ(std::unique(words.begin(), words.end()), words.end());
}

TEST(Rng, skipping_leaves_words_out)
{
    for (std::uint32_t drawn = 0; drawn < 6; ++drawn)
        for (std::uint32_t skipped = 0; skipped < 11; ++skipped) {
            Rng one(5, 3, 2, 1), other(5, 3, 2, 1);
            for (std::uint32_t i = 0; i < drawn + skipped; ++i) one.bits();
            for (std::uint32_t i = 0; i < drawn; ++i) other.bits();
            other.skip(skipped);
            for (int i = 0; i < 5; ++i) ASSERT_EQ(one.bits(), other.bits()) << drawn << " " << skipped << " " << i;
        }
}

TEST(Rng, logarithm_and_sine_are_within_their_bounds)
{
    Rng rng(1, 0, 0, 0);
    for (int i = 0; i < 100000; ++i) {
        const float x = std::ldexp(1 + rng.uniform(), int(rng.below(60)) - 50);
        const double want = std::log(double(x));
        ASSERT_LE(std::abs(double(exact_log(x)) - want), 3 * std::ldexp(std::abs(want), -23)) << x;
    }
    for (const std::uint32_t edge : {0u, 0x1FFFFFFFu, 0x20000000u, 0x60000000u, 0xA0000000u, 0xE0000000u, ~0u}) {
        for (int i = 0; i < 20000; ++i) {
            const std::uint32_t angle = edge + std::uint32_t(i ? rng.below(1 << 20) : 0);
            const double turns = std::ldexp(double(angle), -32), pi = std::acos(-1.0);
            const SinCos got = exact_sincos(angle);
            ASSERT_LE(std::abs(got.sin - std::sin(2 * pi * turns)), std::ldexp(1.0, -22)) << angle;
            ASSERT_LE(std::abs(got.cos - std::cos(2 * pi * turns)), std::ldexp(1.0, -22)) << angle;
        }
    }
    for (int i = 0; i < 100000; ++i) {
        const float x = rng.uniform(-1, 1) * float(1 << rng.below(21));
        const SinCos got = exact_sincos_of_radians(x);
        ASSERT_LE(std::abs(got.sin - std::sin(double(x))), 3 * std::ldexp(1.0, -23)) << x;
        ASSERT_LE(std::abs(got.cos - std::cos(double(x))), 3 * std::ldexp(1.0, -23)) << x;
    }
    EXPECT_EQ(exact_sincos(0).sin, 0);
    EXPECT_EQ(exact_sincos(0).cos, 1);
    EXPECT_EQ(exact_sincos(0x40000000u).sin, 1);
}

TEST(Rng, uniform_numbers_are_uniform)
{
    const std::size_t n = 200000;
    Rng rng(42, 7, 3, 1);
    std::vector<float> u(n);
    for (float& v : u) v = rng.uniform();
    EXPECT_GE(*std::min_element(u.begin(), u.end()), 0);
    EXPECT_LT(*std::max_element(u.begin(), u.end()), 1);
    EXPECT_LE(kolmogorov_distance(u, [](double x) { return x; }), 1.95 / std::sqrt(double(n)));

    std::array<int, 7> histogram{};
    for (std::size_t i = 0; i < n; ++i) ++histogram[std::size_t(rng.below(7))];
    for (int count : histogram) EXPECT_NEAR(count, double(n) / 7, 4 * std::sqrt(double(n) / 7));
}

TEST(Rng, normal_numbers_follow_the_error_function)
{
    const std::size_t n = 200000;
    std::vector<float> z(n);
    for (std::size_t i = 0; i < n; ++i) z[i] = Rng(9, 0, i, 2).normal(); // one stream each, as weights are drawn
    EXPECT_LE(kolmogorov_distance(z, normal_cdf), 1.95 / std::sqrt(double(n)));

    double moment[5] = {}; // E z^k = 0, 1, 0, 3 with variances 1, 2, 15, 96
    for (float v : z)
        for (int k = 1; k <= 4; ++k) moment[k] += std::pow(double(v), k) / double(n);
    EXPECT_NEAR(moment[1], 0, 4 * std::sqrt(1 / double(n)));
    EXPECT_NEAR(moment[2], 1, 4 * std::sqrt(2 / double(n)));
    EXPECT_NEAR(moment[3], 0, 4 * std::sqrt(15 / double(n)));
    EXPECT_NEAR(moment[4], 3, 4 * std::sqrt(96 / double(n)));
}

TEST(Rng, truncated_normals_stay_within_their_limit_and_keep_their_shape)
{
    const std::size_t n = 100000;
    const double limit = 2.5, inside = normal_cdf(limit) - normal_cdf(-limit);
    Rng rng(5, 1, 0, 0);
    std::vector<float> z(n);
    for (float& v : z) v = rng.truncated_normal(2.5f);
    EXPECT_GE(*std::min_element(z.begin(), z.end()), -limit);
    EXPECT_LE(*std::max_element(z.begin(), z.end()), limit);
    const auto cdf = [&](double x) { return (normal_cdf(x) - normal_cdf(-limit)) / inside; };
    EXPECT_LE(kolmogorov_distance(z, cdf), 1.95 / std::sqrt(double(n)));
}

TEST(Rng, bits_of_the_first_numbers_are_recorded)
{
    // Recorded once; another device, compiler or option must give these very bits.
    const auto bits_of = [](float x) {
        std::uint32_t bits;
        std::memcpy(&bits, &x, 4);
        return bits;
    };
    Rng rng(1234567890123, 99, 3, 1);
    const std::vector<std::uint32_t> got = {rng.bits(), bits_of(rng.uniform()), bits_of(rng.normal()),
                                            bits_of(rng.normal()), bits_of(rng.uniform(-0.15f, 0.15f))};
    EXPECT_EQ(got, (std::vector<std::uint32_t>{3305271360, 1057679671, 3212942019, 1056576617, 3188147263}));
}

} // namespace
