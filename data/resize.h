// data/resize.h - a picture in the size of a faceset's: its edges are the edges.
#pragma once

#include "data/warp.h"

namespace bifrons::data {

inline Affine resizing(std::int64_t H, std::int64_t W, std::int64_t side)
{
    const double x = double(side) / double(W), y = double(side) / double(H);
    return {{x, 0, 0.5 * x - 0.5, 0, y, 0.5 * y - 0.5}};
}

inline Image resized(const Image& picture, std::int64_t side)
{
    return warp(picture, resizing(picture.H, picture.W, side), side, side);
}

} // namespace bifrons::data
