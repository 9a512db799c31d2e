// data/merge/compress.cpp - the marks of lossy compression for the face.
#include "data/merge/compress.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bifrons::data {

namespace {

constexpr std::int64_t kBlock = 8;
constexpr double kScale = 10; ///< of the tables at full strength: libjpeg's 50 / quality, for quality 5
using Table = std::array<double, kBlock * kBlock>;

// T.81, tables K.1 and K.2.
constexpr Table kLuma = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                         14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                         18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                         49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr Table kChroma = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
                           99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                           99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

/// Row k is the cosine of frequency k; its inverse is its transpose.
Table cosines()
{
    Table c;
    for (std::int64_t k = 0; k < kBlock; ++k)
        for (std::int64_t i = 0; i < kBlock; ++i)
            c[std::size_t(k * kBlock + i)] = std::sqrt((k == 0 ? 1.0 : 2.0) / kBlock) *
                                             std::cos(M_PI * double(k) * (2 * double(i) + 1) / (2 * kBlock));
    return c;
}

/// c x c^T, or c^T x c.
Table transformed(const Table& c, const Table& x, bool back)
{
    const auto at = [&](std::int64_t k, std::int64_t i) {
        return c[std::size_t(back ? i * kBlock + k : k * kBlock + i)];
    };
    Table half{}, whole{};
    for (std::int64_t i = 0; i < kBlock; ++i)
        for (std::int64_t j = 0; j < kBlock; ++j)
            for (std::int64_t k = 0; k < kBlock; ++k)
                half[std::size_t(i * kBlock + j)] += at(i, k) * x[std::size_t(k * kBlock + j)];
    for (std::int64_t i = 0; i < kBlock; ++i)
        for (std::int64_t j = 0; j < kBlock; ++j)
            for (std::int64_t k = 0; k < kBlock; ++k)
                whole[std::size_t(i * kBlock + j)] += half[std::size_t(i * kBlock + k)] * at(j, k);
    return whole;
}

void quantise(Table& block, const Table& steps, double scale)
{
    static const Table c = cosines();
    Table spectrum = transformed(c, block, false);
    for (std::size_t i = 0; i < spectrum.size(); ++i) {
        const double step = std::max(1.0, scale * steps[i]) / 255;
        spectrum[i] = step * std::round(spectrum[i] / step);
    }
    block = transformed(c, spectrum, true);
}

/// BT.601, full range, as JFIF has it.
std::array<double, 3> ycc_of(const float* bgr)
{
    const double b = bgr[0], g = bgr[1], r = bgr[2], y = 0.299 * r + 0.587 * g + 0.114 * b;
    return {y, (b - y) / 1.772, (r - y) / 1.402};
}

void set_bgr(float* bgr, double y, double cb, double cr)
{
    const double b = y + 1.772 * cb, r = y + 1.402 * cr;
    bgr[0] = float(b), bgr[1] = float((y - 0.299 * r - 0.114 * b) / 0.587), bgr[2] = float(r);
}

} // namespace

void compress(ImageF& picture, double strength, std::int64_t top, std::int64_t left)
{
    const auto before = [](std::int64_t at) { return -((at % kBlock + kBlock) % kBlock); }; // where a block begins
    for (std::int64_t y = before(top); y < picture.H; y += kBlock)
        for (std::int64_t x = before(left); x < picture.W; x += kBlock) {
            std::array<Table, 3> block;
            for (std::int64_t i = 0; i < kBlock * kBlock; ++i) {
                const auto v = std::clamp<std::int64_t>(y + i / kBlock, 0, picture.H - 1),
                           u = std::clamp<std::int64_t>(x + i % kBlock, 0, picture.W - 1);
                const std::array<double, 3> ycc = ycc_of(picture.at(v, u));
                for (std::size_t c = 0; c < 3; ++c) block[c][std::size_t(i)] = ycc[c];
            }
            for (std::size_t c = 0; c < 3; ++c) quantise(block[c], c == 0 ? kLuma : kChroma, kScale * strength);
            for (std::int64_t i = 0; i < kBlock * kBlock; ++i) {
                const std::int64_t v = y + i / kBlock, u = x + i % kBlock;
                if (v < 0 || u < 0 || v >= picture.H || u >= picture.W) continue;
                const auto n = std::size_t(i);
                set_bgr(picture.at(v, u), block[0][n], block[1][n], block[2][n]);
            }
        }
}

} // namespace bifrons::data
