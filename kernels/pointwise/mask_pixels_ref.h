// kernels/pointwise/mask_pixels_ref.h - masked pictures in loops: the definition. T = double is the oracle.
#pragma once

#include "kernels/pointwise/mask_pixels.h"

namespace bifrons::kernels::ref {

template <class T>
BIFRONS_HD T mask_weight(MaskSide side, T m)
{
    return side == MaskSide::inside ? m : T(1) - m;
}

template <class T>
void mask_pixels(const MaskShape& s, const T* x, const T* m, T* v)
{
    for (std::int64_t i = 0; i < s.rows * s.C; ++i) v[i] = mask_weight(s.side, m[i / s.C]) * x[i];
}

} // namespace bifrons::kernels::ref
