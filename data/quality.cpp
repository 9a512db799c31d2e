// data/quality.cpp - how near one picture is to another.
#include "data/quality.h"

#include "data/warp.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bifrons::data {

namespace {

constexpr std::int64_t kWindow = 11;
constexpr double kSigma = 1.5, kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;
constexpr double kRounding = 1.0 / 12 / (255 * 255); // mean square of what rounding to bytes takes away
constexpr double kRoundingOfDetail = 20 * kRounding; // 4^2 + 4 of them, independent

void check(const char* what, const ImageF& a, const ImageF& b, const ImageF& mask)
{
    BIFRONS_CHECK(shape, a.H == b.H && a.W == b.W && a.C == b.C, what, ": pictures of ", a.W, "x", a.H, "x", a.C,
                  " and ", b.W, "x", b.H, "x", b.C, "; expected the same size");
    BIFRONS_CHECK(shape, mask.pixels.empty() || (mask.H == a.H && mask.W == a.W && mask.C == 1), what, ": a mask of ",
                  mask.W, "x", mask.H, "x", mask.C, " for pictures of ", a.W, "x", a.H);
}

double weight_at(const ImageF& mask, std::int64_t y, std::int64_t x)
{
    return mask.pixels.empty() ? 1.0 : double(*mask.at(y, x));
}

/// Of a pixel and its four neighbours.
double least_weight(const ImageF& mask, std::int64_t y, std::int64_t x)
{
    return std::min({weight_at(mask, y, x), weight_at(mask, y - 1, x), weight_at(mask, y + 1, x),
                     weight_at(mask, y, x - 1), weight_at(mask, y, x + 1)});
}

using Weights = std::array<double, kWindow>;

Weights gaussian()
{
    Weights w;
    double sum = 0;
    for (std::int64_t i = 0; i < kWindow; ++i) {
        const double d = double(i - kWindow / 2) / kSigma;
        sum += w[std::size_t(i)] = std::exp(-d * d / 2);
    }
    for (double& value : w) value /= sum;
    return w;
}

/// Weighted means of every window inside the plane: [H,W] -> [H-10,W-10].
std::vector<double> filtered(const std::vector<double>& plane, std::int64_t H, std::int64_t W)
{
    static const Weights weights = gaussian();
    const std::int64_t h = H - kWindow + 1, w = W - kWindow + 1;
    std::vector<double> rows(std::size_t(H * w)), out(std::size_t(h * w));
    for (std::int64_t y = 0; y < H; ++y)
        for (std::int64_t x = 0; x < w; ++x)
            for (std::int64_t i = 0; i < kWindow; ++i)
                rows[std::size_t(y * w + x)] += weights[std::size_t(i)] * plane[std::size_t(y * W + x + i)];
    for (std::int64_t y = 0; y < h; ++y)
        for (std::int64_t i = 0; i < kWindow; ++i)
            for (std::int64_t x = 0; x < w; ++x)
                out[std::size_t(y * w + x)] += weights[std::size_t(i)] * rows[std::size_t((y + i) * w + x)];
    return out;
}

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b)
{
    std::vector<double> out(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) out[i] = a[i] * b[i];
    return out;
}

std::vector<double> channel(const ImageF& image, std::int64_t c)
{
    std::vector<double> plane(std::size_t(image.H * image.W));
    for (std::size_t i = 0; i < plane.size(); ++i)
        plane[i] = double(image.pixels[i * std::size_t(image.C) + std::size_t(c)]);
    return plane;
}

/// Over the channels of a pixel that has four neighbours.
double squared_laplacian(const ImageF& image, std::int64_t y, std::int64_t x)
{
    double sum = 0;
    for (std::int64_t c = 0; c < image.C; ++c) {
        const auto at = [&](std::int64_t i, std::int64_t j) { return double(image.at(y + i, x + j)[c]); };
        const double laplacian = 4 * at(0, 0) - at(-1, 0) - at(1, 0) - at(0, -1) - at(0, 1);
        sum += laplacian * laplacian;
    }
    return sum;
}

/// SSIM of every window, one channel.
std::vector<double> ssim_map(const std::vector<double>& a, const std::vector<double>& b, std::int64_t H, std::int64_t W)
{
    const auto mean_a = filtered(a, H, W), mean_b = filtered(b, H, W), square_a = filtered(product(a, a), H, W),
               square_b = filtered(product(b, b), H, W), both = filtered(product(a, b), H, W);
    std::vector<double> map(mean_a.size());
    for (std::size_t i = 0; i < map.size(); ++i) {
        const double ma = mean_a[i], mb = mean_b[i], cov = both[i] - ma * mb;
        const double variances = square_a[i] - ma * ma + square_b[i] - mb * mb;
        map[i] = (2 * ma * mb + kC1) * (2 * cov + kC2) / ((ma * ma + mb * mb + kC1) * (variances + kC2));
    }
    return map;
}

} // namespace

double psnr(const ImageF& a, const ImageF& b, const ImageF& mask)
{
    check("psnr", a, b, mask);
    double sum = 0, weights = 0;
    for (std::int64_t y = 0; y < a.H; ++y)
        for (std::int64_t x = 0; x < a.W; ++x) {
            const double m = weight_at(mask, y, x);
            weights += m * double(a.C);
            for (std::int64_t c = 0; c < a.C; ++c)
                sum += m * std::pow(double(a.at(y, x)[c]) - double(b.at(y, x)[c]), 2);
        }
    BIFRONS_CHECK(shape, weights > 0, "psnr: the mask leaves nothing to compare");
    const double error = sum / weights;
    return -10 * std::log10(error < kRounding ? kRounding : error); // one that is not a number stays
}

double ssim(const ImageF& a, const ImageF& b, const ImageF& mask)
{
    check("ssim", a, b, mask);
    BIFRONS_CHECK(shape, a.H >= kWindow && a.W >= kWindow, "ssim: pictures of ", a.W, "x", a.H, "; expected at least ",
                  kWindow, "x", kWindow);
    const std::int64_t w = a.W - kWindow + 1;
    double sum = 0, weights = 0;
    for (std::int64_t c = 0; c < a.C; ++c) {
        const std::vector<double> map = ssim_map(channel(a, c), channel(b, c), a.H, a.W);
        for (std::int64_t i = 0; i < std::int64_t(map.size()); ++i) {
            const double m = weight_at(mask, i / w + kWindow / 2, i % w + kWindow / 2);
            sum += m * map[std::size_t(i)];
            weights += m;
        }
    }
    BIFRONS_CHECK(shape, weights > 0, "ssim: the mask leaves no window to compare");
    return sum / weights;
}

double sharpness(const ImageF& a, const ImageF& b, const ImageF& mask)
{
    check("sharpness", a, b, mask);
    BIFRONS_CHECK(shape, a.H >= 3 && a.W >= 3, "sharpness: pictures of ", a.W, "x", a.H, "; expected at least 3x3");
    double of_a = 0, of_b = 0, weights = 0;
    for (std::int64_t y = 1; y + 1 < a.H; ++y)
        for (std::int64_t x = 1; x + 1 < a.W; ++x) {
            const double m = least_weight(mask, y, x);
            of_a += m * squared_laplacian(a, y, x);
            of_b += m * squared_laplacian(b, y, x);
            weights += m * double(a.C);
        }
    BIFRONS_CHECK(shape, weights > 0, "sharpness: the mask leaves nothing to compare");
    return std::sqrt((of_a / weights + kRoundingOfDetail) / (of_b / weights + kRoundingOfDetail));
}

bool comparable(const ImageF& mask)
{
    constexpr std::int64_t kEdge = kWindow / 2;
    for (std::int64_t y = kEdge; y < mask.H - kEdge; ++y)
        for (std::int64_t x = kEdge; x < mask.W - kEdge; ++x)
            if (least_weight(mask, y, x) > 0) return true;
    return false;
}

double laplacian_variance(const Image& picture, const Image& mask)
{
    const Image grey = to_grey(picture);
    double sum = 0, squares = 0, n = 0;
    for (std::int64_t y = 1; y + 1 < grey.H; ++y)
        for (std::int64_t x = 1; x + 1 < grey.W; ++x) {
            if (*mask.at(y, x) < 128) continue;
            const double v = *grey.at(y - 1, x) + *grey.at(y + 1, x) + *grey.at(y, x - 1) + *grey.at(y, x + 1) -
                             4.0 * *grey.at(y, x);
            sum += v;
            squares += v * v;
            n += 1;
        }
    return n > 0 ? squares / n - (sum / n) * (sum / n) : 0;
}

} // namespace bifrons::data
