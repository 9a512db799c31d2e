#include "model/latent_transfer.h"

#include "tests/support/devices.h"
#include "tests/support/numerics.h"
#include "tests/support/temp_folder.h"

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

using Values = std::vector<double>;

/// Mean and covariance (divided by n) of codes [n,p].
struct Moments {
    Values mean, covariance;
};
Moments moments(const Values& codes, std::size_t p)
{
    const std::size_t n = codes.size() / p;
    Moments m{Values(p), Values(p * p)};
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t i = 0; i < p; ++i) m.mean[i] += codes[k * p + i] / double(n);
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t i = 0; i < p; ++i)
            for (std::size_t j = 0; j < p; ++j)
                m.covariance[i * p + j] += (codes[k * p + i] - m.mean[i]) * (codes[k * p + j] - m.mean[j]) / double(n);
    return m;
}

Values apply(const LatentMap& map, const Values& codes)
{
    const auto p = std::size_t(map.dims);
    Values out(codes.size());
    for (std::size_t k = 0; k < codes.size() / p; ++k)
        for (std::size_t i = 0; i < p; ++i) {
            out[k * p + i] = map.bias[i];
            for (std::size_t j = 0; j < p; ++j) out[k * p + i] += map.weight[i * p + j] * codes[k * p + j];
        }
    return out;
}

/// Codes whose coordinates depend on each other.
Values correlated(std::size_t n, std::size_t p, std::uint32_t seed)
{
    const Values noise = random_values<double>(std::int64_t(n * p), seed),
                 mix = random_values<double>(std::int64_t(p * p), seed + 1);
    Values codes(n * p);
    for (std::size_t k = 0; k < n; ++k)
        for (std::size_t i = 0; i < p; ++i) {
            codes[k * p + i] = double(seed) + double(i);
            for (std::size_t j = 0; j < p; ++j) codes[k * p + i] += mix[i * p + j] * noise[k * p + j];
        }
    return codes;
}

TEST(LatentMap, of_one_number_scales_the_deviation)
{
    // Two codes each: their squares equal the variance, so nothing is shrunk. dst 1, 3: mean 2, deviation 1;
    // src 10, 16: mean 13, deviation 3.
    const LatentMap map = fit_latent_map(1, {1, 3}, {10, 16});
    EXPECT_EQ(map.dst_shrinkage, 1); // of one number nothing can be shrunk: S = m I
    EXPECT_NEAR(map.weight[0], 3, 1e-12);
    EXPECT_NEAR(map.bias[0], 7, 1e-11);
}

TEST(LatentMap, carries_mean_and_covariance_where_codes_are_many)
{
    constexpr std::size_t p = 5;
    const Values dst = correlated(20000, p, 3), src = correlated(20000, p, 8);
    const LatentMap map = fit_latent_map(p, dst, src);
    EXPECT_LT(map.dst_shrinkage, 0.01);
    const Moments got = moments(apply(map, dst), p), want = moments(src, p);
    double scale = 0;
    for (std::size_t i = 0; i < p; ++i) scale += want.covariance[i * p + i] / p;
    for (std::size_t i = 0; i < p; ++i) EXPECT_NEAR(got.mean[i], want.mean[i], 1e-9);
    // What shrinkage moves: both covariances by at most r times their distance from m I.
    for (std::size_t i = 0; i < p * p; ++i) EXPECT_NEAR(got.covariance[i], want.covariance[i], 0.05 * scale);
    for (std::size_t i = 0; i < p; ++i)
        for (std::size_t j = 0; j < p; ++j) // of all such maps the one that moves least is symmetric
            EXPECT_NEAR(map.weight[i * p + j], map.weight[j * p + i], 1e-9);
}

TEST(LatentMap, of_fewer_codes_than_numbers_stays_tame)
{
    constexpr std::size_t p = 40;
    const Values dst = correlated(10, p, 3), src = correlated(12, p, 8);
    const LatentMap map = fit_latent_map(p, dst, src);
    EXPECT_GT(map.dst_shrinkage, 0);
    EXPECT_LE(map.dst_shrinkage, 1);
    const Moments got = moments(apply(map, dst), p), want = moments(src, p);
    for (std::size_t i = 0; i < p; ++i) EXPECT_NEAR(got.mean[i], want.mean[i], 1e-8 * (1 + std::abs(want.mean[i])));
    double largest = 0;
    for (const double w : map.weight) largest = std::max(largest, std::abs(w));
    EXPECT_LT(largest, 10) << "a direction in which the clip did not move is not blown up";
}

TEST(LatentMap, of_the_same_codes_changes_nothing)
{
    const Values codes = correlated(30, 4, 5);
    const LatentMap map = fit_latent_map(4, codes, codes);
    const Values moved = apply(map, codes);
    for (std::size_t i = 0; i < codes.size(); ++i) EXPECT_NEAR(moved[i], codes[i], 1e-9);
}

TEST(LatentMap, refuses_codes_that_say_nothing)
{
    EXPECT_THROW(fit_latent_map(2, {1, 2}, {1, 2, 3, 4}), Error);
    EXPECT_THROW(fit_latent_map(2, {1, 2, 1, 2}, {1, 2, 3, 4}), Error);
}

TEST(LatentMap, is_kept_to_the_bit_and_refused_where_it_does_not_belong)
{
    const TempFolder folder;
    const std::string path = latent_map_path(folder.path());
    LatentMap map = fit_latent_map(3, correlated(9, 3, 1), correlated(7, 3, 2));
    map.step = 1234;
    save_latent_map(path, map);
    const LatentMap back = load_latent_map(path, 3);
    EXPECT_EQ(back.weight, map.weight);
    EXPECT_EQ(back.bias, map.bias);
    EXPECT_EQ(back.step, 1234);
    EXPECT_EQ(back.dst_faces, 9);
    EXPECT_EQ(back.src_faces, 7);
    EXPECT_THROW(load_latent_map(path, 4), Error);
    write_safetensors(path, {{"weight", DType::f64, {3, 3}, map.weight.data()}}, {{"format", "other"}});
    EXPECT_THROW(load_latent_map(path, 3), Error);
}

class LatentMapOnDevices : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(LatentMapOnDevices);

TEST_P(LatentMapOnDevices, moves_codes_by_its_strength)
{
    Pool pool(device().device());
    const LatentMap map = fit_latent_map(2, {1, 0, 3, 1, 2, 5}, {7, 1, 9, 2, 4, 4});
    for (const double strength : {0.0, 0.25, 1.0}) {
        const CodeMap code = code_map(exec(), pool, map, strength, Precision::f32);
        const auto w = code.weight.download<double>(exec()), b = code.bias.download<double>(exec());
        for (std::size_t i = 0; i < 4; ++i)
            EXPECT_NEAR(w[i], (1 - strength) * (i % 3 == 0) + strength * map.weight[i], 1e-6);
        for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(b[i], strength * map.bias[i], 1e-6);
    }
    EXPECT_THROW(code_map(exec(), pool, map, 1.5, Precision::f32), Error);
}

} // namespace
