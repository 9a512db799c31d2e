// data/extract/dlib_image.h - a grey picture as dlib takes it.
#pragma once

#include "data/image.h"

#include <dlib/array2d.h>

#include <algorithm>

namespace bifrons::data {

/// Each pixel `repeat` times in both directions.
inline dlib::array2d<unsigned char> to_dlib(const Image& grey, std::int64_t repeat = 1)
{
    dlib::array2d<unsigned char> out(grey.H * repeat, grey.W * repeat);
    for (std::int64_t y = 0; y < grey.H; ++y) {
        unsigned char* line = &out[y * repeat][0];
        for (std::int64_t x = 0; x < grey.W; ++x) std::fill_n(line + x * repeat, repeat, *grey.at(y, x));
        for (std::int64_t i = 1; i < repeat; ++i) std::copy_n(line, grey.W * repeat, &out[y * repeat + i][0]);
    }
    return out;
}

} // namespace bifrons::data
