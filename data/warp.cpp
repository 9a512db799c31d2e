// data/warp.cpp - pictures under an affine map, without aliasing.
#include "data/warp.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bifrons::data {

namespace {

float cubic(float d)
{
    d = std::abs(d);
    if (d < 1) return (1.5f * d - 2.5f) * d * d + 1;
    if (d < 2) return ((-0.5f * d + 2.5f) * d - 4) * d + 2;
    return 0;
}

/// The input pixels first .. first + weights.size() - 1 of one axis around s. The weights sum to 1.
struct Taps {
    std::int64_t first = 0;
    std::vector<float> weights = {};

    void around(double s, double radius) { radius == 1 ? four_around(s) : many_around(s, radius); }
    bool inside(std::int64_t size) const { return first >= 0 && first + std::int64_t(weights.size()) <= size; }

  private:
    /// cubic() at 1 + t, t, 1 - t, 2 - t: they sum to 1 as they are.
    void four_around(double s)
    {
        const double whole = std::floor(s);
        first = std::int64_t(whole) - 1;
        const float t = float(s - whole), u = 1 - t;
        weights.resize(4);
        weights[0] = -0.5f * t * u * u;
        weights[1] = (1.5f * t - 2.5f) * t * t + 1;
        weights[2] = (1.5f * u - 2.5f) * u * u + 1;
        weights[3] = -0.5f * u * t * t;
    }

    void many_around(double s, double radius)
    {
        const double reach = 2 * radius;
        first = std::int64_t(std::ceil(s - reach));
        const std::int64_t last = std::int64_t(std::floor(s + reach));
        weights.resize(std::size_t(last - first + 1));
        const float inverse = float(1 / radius), start = float((double(first) - s) / radius);
        float sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] = cubic(start + inverse * float(i));
        for (float& w : weights) w /= sum;
    }
};

/// kTaps: along either axis, where the compiler may know it; else 0.
template <int C, bool kInside, std::size_t kTaps, class T>
void sample(const Picture<T>& in, const Taps& across, const Taps& down, float* sum)
{
    const std::size_t rows = kTaps ? kTaps : down.weights.size(), columns = kTaps ? kTaps : across.weights.size();
    std::fill_n(sum, C, 0.0f);
    for (std::size_t i = 0; i < rows; ++i) {
        const std::int64_t y = down.first + std::int64_t(i);
        const T* line = in.at(kInside ? y : std::clamp<std::int64_t>(y, 0, in.H - 1), 0);
        float part[C] = {};
        for (std::size_t j = 0; j < columns; ++j) {
            const std::int64_t x = across.first + std::int64_t(j);
            const T* p = line + C * (kInside ? x : std::clamp<std::int64_t>(x, 0, in.W - 1));
            for (int c = 0; c < C; ++c) part[c] += across.weights[j] * float(p[c]);
        }
        for (int c = 0; c < C; ++c) sum[c] += down.weights[i] * part[c];
    }
}

void store(float value, std::uint8_t& to)
{
    to = std::uint8_t(std::clamp(value + 0.5f, 0.0f, 255.0f));
}

void store(float value, float& to)
{
    to = value;
}

template <int C, class T>
void warp_channels(const Picture<T>& in, const Affine& in_from_out, Picture<T>& out)
{
    const double radius = std::max(1.0, in_from_out.scale());
    Taps across, down;
    float sum[C];
    for (std::int64_t y = 0; y < out.H; ++y)
        for (std::int64_t x = 0; x < out.W; ++x) {
            const Point s = in_from_out(Point{double(x), double(y)});
            // Far outside, the border's value is all there is: keep the index small.
            across.around(std::clamp(s.x, -4 * radius, double(in.W) + 4 * radius), radius);
            down.around(std::clamp(s.y, -4 * radius, double(in.H) + 4 * radius), radius);
            const bool inside = across.inside(in.W) && down.inside(in.H);
            if (!inside)
                sample<C, false, 0>(in, across, down, sum);
            else if (radius == 1)
                sample<C, true, 4>(in, across, down, sum);
            else
                sample<C, true, 0>(in, across, down, sum);
            for (int c = 0; c < C; ++c) store(sum[c], out.at(y, x)[c]);
        }
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
    in.C == 3 ? warp_channels<3>(in, in_from_out, out) : warp_channels<1>(in, in_from_out, out);
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

} // namespace bifrons::data
