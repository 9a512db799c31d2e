// data/warp.cpp - pictures under an affine map, without aliasing.
#include "data/warp.h"

#include "kernels/base/clones.h"
#include "kernels/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace bifrons::data {

namespace {

float cubic(float d)
{
    d = std::abs(d);
    const float near = (1.5f * d - 2.5f) * d * d + 1, far = ((-0.5f * d + 2.5f) * d - 4) * d + 2;
    return d < 1 ? near : d < 2 ? far : 0; // without branches, for wide registers
}

std::size_t most_taps(double radius)
{
    return std::size_t(std::floor(4 * radius)) + 1;
}

/// Of cubic() over the radius around s: they sum to 1. Returns the first one's place.
template <class Weights>
std::int64_t set_weights(Weights& weights, double s, double radius)
{
    const auto first = std::int64_t(std::ceil(s - 2 * radius));
    const float inverse = float(1 / radius), start = float((double(first) - s) / radius);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = cubic(start + inverse * float(i));
    const float sum = std::accumulate(weights.begin(), weights.end(), 0.0f);
    for (float& w : weights) w /= sum;
    return first;
}

/// The input pixels first .. first + weights.size() - 1 of one axis around s. The weights sum to 1.
struct FourTaps {
    std::int64_t first = 0;
    std::array<float, 4> weights = {};

    /// cubic() at 1 + t, t, 1 - t, 2 - t: they sum to 1 as they are.
    void around(double s, double)
    {
        const double whole = std::floor(s);
        first = std::int64_t(whole) - 1;
        const float t = float(s - whole), u = 1 - t;
        weights[0] = -0.5f * t * u * u;
        weights[1] = (1.5f * t - 2.5f) * t * t + 1;
        weights[2] = (1.5f * u - 2.5f) * u * u + 1;
        weights[3] = -0.5f * u * t * t;
    }
};

/// cubic() over a radius: as many taps as it ever has, or more, whose weights are 0. A number that the compiler knows
/// makes these loops several times as fast.
template <std::size_t n>
struct WideTaps {
    std::int64_t first = 0;
    std::array<float, n> weights = {};

    void around(double s, double radius) { first = set_weights(weights, s, radius); }
};

struct ManyTaps {
    std::int64_t first = 0;
    std::vector<float> weights = {};

    void around(double s, double radius)
    {
        weights.resize(most_taps(radius));
        first = set_weights(weights, s, radius);
    }
};

template <class Taps>
bool inside(const Taps& taps, std::int64_t size)
{
    return taps.first >= 0 && taps.first + std::int64_t(taps.weights.size()) <= size;
}

/// The input pixels that make one output pixel.
template <int C, class T>
struct Patch {
    const Picture<T>& in;
    std::vector<T> line = {};        ///< that reaches over the border
    std::vector<float> columns = {}; ///< sums down each column and channel
};

/// The line at y from across.first on, continued by the picture's border.
template <int C, class T, class Taps>
const T* continued_line(Patch<C, T>& patch, const Taps& across, std::int64_t y)
{
    const Picture<T>& in = patch.in;
    const T* line = in.at(std::clamp<std::int64_t>(y, 0, in.H - 1), 0);
    patch.line.resize(C * across.weights.size());
    for (std::size_t j = 0; j < across.weights.size(); ++j) {
        const std::int64_t x = std::clamp<std::int64_t>(across.first + std::int64_t(j), 0, in.W - 1);
        std::copy_n(line + C * x, C, &patch.line[C * j]);
    }
    return patch.line.data();
}

/// Down the columns first: neighbours in memory, which wide registers add at once.
template <int C, class T, class Taps>
void sample(Patch<C, T>& patch, const Taps& across, const Taps& down, float* columns, float* sum)
{
    const std::size_t values = C * across.weights.size();
    const bool is_inside = inside(across, patch.in.W) && inside(down, patch.in.H);
    std::fill_n(columns, values, 0.0f);
    for (std::size_t i = 0; i < down.weights.size(); ++i) {
        const std::int64_t y = down.first + std::int64_t(i);
        const T* line = is_inside ? patch.in.at(y, across.first) : continued_line(patch, across, y);
        for (std::size_t k = 0; k < values; ++k) columns[k] += down.weights[i] * float(line[k]);
    }
    std::fill_n(sum, C, 0.0f);
    for (std::size_t j = 0; j < across.weights.size(); ++j)
        for (int c = 0; c < C; ++c) sum[c] += across.weights[j] * columns[C * j + std::size_t(c)];
}

template <int C, class T, class Taps>
void sample(Patch<C, T>& patch, const Taps& across, const Taps& down, float* sum)
{
    float columns[C * std::tuple_size_v<decltype(Taps::weights)>];
    sample(patch, across, down, columns, sum);
}

template <int C, class T>
void sample(Patch<C, T>& patch, const ManyTaps& across, const ManyTaps& down, float* sum)
{
    patch.columns.resize(C * across.weights.size());
    sample(patch, across, down, patch.columns.data(), sum);
}

void store(float value, std::uint8_t& to)
{
    to = std::uint8_t(std::clamp(value + 0.5f, 0.0f, 255.0f));
}

void store(float value, float& to)
{
    to = value;
}

template <int C, class Taps, class T>
void warp_channels(const Picture<T>& in, const Affine& in_from_out, Picture<T>& out)
{
    const double radius = std::max(1.0, in_from_out.scale());
    Patch<C, T> patch{in};
    Taps across, down;
    float sum[C];
    for (std::int64_t y = 0; y < out.H; ++y)
        for (std::int64_t x = 0; x < out.W; ++x) {
            const Point s = in_from_out(Point{double(x), double(y)});
            // Far outside, the border's value is all there is: keep the index small.
            across.around(std::clamp(s.x, -4 * radius, double(in.W) + 4 * radius), radius);
            down.around(std::clamp(s.y, -4 * radius, double(in.H) + 4 * radius), radius);
            sample(patch, across, down, sum);
            for (int c = 0; c < C; ++c) store(sum[c], out.at(y, x)[c]);
        }
}

template <class Taps, class T>
void warp_by(const Picture<T>& in, const Affine& in_from_out, Picture<T>& out)
{
    in.C == 3 ? warp_channels<3, Taps>(in, in_from_out, out) : warp_channels<1, Taps>(in, in_from_out, out);
}

__attribute__((flatten)) BIFRONS_CLONES void enlarge(const Image& in, const Affine& in_from_out, Image& out)
{
    warp_by<FourTaps>(in, in_from_out, out);
}

__attribute__((flatten)) BIFRONS_CLONES void enlarge(const ImageF& in, const Affine& in_from_out, ImageF& out)
{
    warp_by<FourTaps>(in, in_from_out, out);
}

template <class T>
void shrink_by(const Picture<T>& in, const Affine& in_from_out, Picture<T>& out)
{
    const std::size_t taps = most_taps(in_from_out.scale());
    if (taps <= 6) return warp_by<WideTaps<6>>(in, in_from_out, out);
    if (taps <= 8) return warp_by<WideTaps<8>>(in, in_from_out, out);
    warp_by<ManyTaps>(in, in_from_out, out);
}

__attribute__((flatten)) BIFRONS_CLONES void shrink(const Image& in, const Affine& in_from_out, Image& out)
{
    shrink_by(in, in_from_out, out);
}

__attribute__((flatten)) BIFRONS_CLONES void shrink(const ImageF& in, const Affine& in_from_out, ImageF& out)
{
    shrink_by(in, in_from_out, out);
}

/// Of others the taps would be endless, or lie anywhere in memory.
template <class T>
void check_map(const Picture<T>& in, const Affine& out_from_in, const Affine& in_from_out)
{
    const auto finite = [](const Affine& map) {
        return std::all_of(map.m.begin(), map.m.end(), [](double v) { return std::isfinite(v); });
    };
    const double most = 4 * double(std::max(in.H, in.W));
    BIFRONS_CHECK(data, finite(out_from_in) && finite(in_from_out) && in_from_out.scale() <= most, "warp: the map [",
                  out_from_in.m[0], ", ", out_from_in.m[1], ", ", out_from_in.m[2], ", ", out_from_in.m[3], ", ",
                  out_from_in.m[4], ", ", out_from_in.m[5], "] of a picture of ", in.W, "x", in.H,
                  " is not finite or too small; expected the map of a face. Its landmarks are wrong.");
}

template <class T>
Picture<T> warp_any(const Picture<T>& in, const Affine& out_from_in, std::int64_t H, std::int64_t W)
{
    Picture<T> out(H, W, in.C);
    const Affine in_from_out = out_from_in.inverse();
    check_map(in, out_from_in, in_from_out);
    in_from_out.scale() > 1 ? shrink(in, in_from_out, out) : enlarge(in, in_from_out, out);
    return out;
}

} // namespace

Image warp(const Image& in, const Affine& out_from_in, std::int64_t H, std::int64_t W)
{
    return warp_any(in, out_from_in, H, W);
}

ImageF warp(const ImageF& in, const Affine& out_from_in, std::int64_t H, std::int64_t W)
{
    return warp_any(in, out_from_in, H, W);
}

Image to_grey(const Image& bgr)
{
    if (bgr.C == 1) return bgr;
    Image grey(bgr.H, bgr.W, 1);
    for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
        const std::uint8_t* p = &bgr.pixels[3 * i];
        grey.pixels[i] = std::uint8_t((29 * p[0] + 150 * p[1] + 77 * p[2] + 128) >> 8);
    }
    return grey;
}

ImageF to_grey(const ImageF& bgr)
{
    if (bgr.C == 1) return bgr;
    ImageF grey(bgr.H, bgr.W, 1);
    for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
        const float* p = &bgr.pixels[3 * i];
        grey.pixels[i] = 0.114f * p[0] + 0.587f * p[1] + 0.299f * p[2];
    }
    return grey;
}

} // namespace bifrons::data
