// data/merge/layer.cpp - what is drawn over a frame.
#include "data/merge/layer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bifrons::data {

namespace {

template <class T>
constexpr float kWhite = float(std::numeric_limits<T>::max());

template <class T>
T level_of(float value)
{
    return T(std::lround(std::clamp(value, 0.0f, 1.0f) * kWhite<T>));
}

/// visit(y, x of the frame, colour, weight) for each pixel of a layer that has weight, within H x W.
template <class Visit>
void for_each_pixel(const Layer& layer, std::int64_t H, std::int64_t W, const Visit& visit)
{
    for (std::int64_t y = std::max<std::int64_t>(0, -layer.top); y < std::min(layer.weight.H, H - layer.top); ++y)
        for (std::int64_t x = std::max<std::int64_t>(0, -layer.left); x < std::min(layer.weight.W, W - layer.left); ++x)
            if (const float weight = *layer.weight.at(y, x); weight > 0)
                visit(layer.top + y, layer.left + x, layer.colour.at(y, x), weight);
}

/// All as one layer of H x W.
Layer over_each_other(std::span<const Layer> layers, std::int64_t H, std::int64_t W)
{
    Layer all{.colour = ImageF(H, W, 3), .weight = ImageF(H, W, 1)};
    for (const Layer& layer : layers)
        for_each_pixel(layer, H, W, [&](std::int64_t y, std::int64_t x, const float* colour, float weight) {
            float &below = *all.weight.at(y, x), *mixed = all.colour.at(y, x);
            const float sum = weight + (1 - weight) * below;
            for (int c = 0; c < 3; ++c) mixed[c] += weight / sum * (colour[c] - mixed[c]);
            below = sum;
        });
    return all;
}

} // namespace

template <class T>
void lay_over(const Layer& layer, Picture<T>& frame)
{
    for_each_pixel(layer, frame.H, frame.W, [&](std::int64_t y, std::int64_t x, const float* colour, float weight) {
        T* out = frame.at(y, x);
        for (int c = 0; c < 3; ++c) {
            const float was = float(out[c]) / kWhite<T>;
            out[c] = level_of<T>(was + weight * (colour[c] - was));
        }
    });
}

template <class T>
Picture<T> flattened(std::span<const Layer> layers, std::int64_t H, std::int64_t W)
{
    Picture<T> picture(H, W, 4);
    for_each_pixel(over_each_other(layers, H, W), H, W,
                   [&](std::int64_t y, std::int64_t x, const float* colour, float weight) {
                       T* out = picture.at(y, x);
                       std::transform(colour, colour + 3, out, level_of<T>);
                       out[3] = level_of<T>(weight);
                   });
    return picture;
}

template <class T>
Picture<T> weights_of(std::span<const Layer> layers, std::int64_t H, std::int64_t W)
{
    Picture<T> picture(H, W, 3);
    for_each_pixel(over_each_other(layers, H, W), H, W,
                   [&](std::int64_t y, std::int64_t x, const float*, float weight) {
                       std::fill_n(picture.at(y, x), 3, level_of<T>(weight));
                   });
    return picture;
}

template void lay_over(const Layer&, Picture<std::uint8_t>&);
template void lay_over(const Layer&, Picture<std::uint16_t>&);
template Picture<std::uint8_t> flattened(std::span<const Layer>, std::int64_t, std::int64_t);
template Picture<std::uint16_t> flattened(std::span<const Layer>, std::int64_t, std::int64_t);
template Picture<std::uint8_t> weights_of(std::span<const Layer>, std::int64_t, std::int64_t);
template Picture<std::uint16_t> weights_of(std::span<const Layer>, std::int64_t, std::int64_t);

} // namespace bifrons::data
