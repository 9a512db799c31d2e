// kernels/pointwise/channels_ref.h - joining and splitting channels in loops: the definition.
#pragma once

#include "kernels/pointwise/channels.h"

namespace bifrons::kernels::ref {

template <class T>
void concat_channels(const ChannelsShape& s, const T* a, const T* b, T* y)
{
    for (std::int64_t row = 0; row < s.rows; ++row)
        for (std::int64_t c = 0; c < s.A + s.B; ++c)
            y[row * (s.A + s.B) + c] = c < s.A ? a[row * s.A + c] : b[row * s.B + c - s.A];
}

template <class T>
void split_channels(const ChannelsShape& s, const T* y, T* a, T* b)
{
    for (std::int64_t row = 0; row < s.rows; ++row)
        for (std::int64_t c = 0; c < s.A + s.B; ++c)
            (c < s.A ? a[row * s.A + c] : b[row * s.B + c - s.A]) = y[row * (s.A + s.B) + c];
}

} // namespace bifrons::kernels::ref
