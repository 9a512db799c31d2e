// data/merge/layer.h - what is drawn over a frame: colours, and how much of a pixel they take.
//
//   frame' = frame + w (colour - frame), rounded once, in the frame's own depth
//
// Layers over each other are one (Porter & Duff 1984, SIGGRAPH, 253-259, "over"):
//   w = w2 + (1 - w2) w1,   colour = (w2 colour2 + (1 - w2) w1 colour1) / w
//
// T: std::uint8_t or std::uint16_t, whose largest value is white. Tests tests/data/layer_test.cpp
#pragma once

#include "data/image.h"

#include <span>

namespace bifrons::data {

struct Layer {
    std::int64_t top = 0, left = 0; ///< where its first pixel lies in the frame; it may reach over the frame's edge
    ImageF colour = {0, 0, 3};      ///< BGR 0..1
    ImageF weight = {0, 0, 1};      ///< 0..1
};

/// Pixels without weight keep their bits.
template <class T>
void lay_over(const Layer& layer, Picture<T>& frame);

/// Layers, the first lowest, as a picture of a frame's size: BGR and alpha, not multiplied by it. Laid over the frame
/// it gives what the layers give, within what rounding leaves.
template <class T>
Picture<T> flattened(std::span<const Layer> layers, std::int64_t H, std::int64_t W);

/// Its alpha alone, as grey in three channels.
template <class T>
Picture<T> weights_of(std::span<const Layer> layers, std::int64_t H, std::int64_t W);

} // namespace bifrons::data
