// kernels/augment/soft_mask_ref.h - the soft mask in loops, with the full two-dimensional window: the definition.
#pragma once

#include "kernels/augment/soft_mask.h"

#include <algorithm>
#include <cmath>

namespace bifrons::kernels::ref {

template <class T>
void soft_mask(const SoftMaskShape& s, const T* mask, T* y)
{
    const int radius = s.radius();
    const auto tap = [&](int d) { return std::exp(-double(d) * d / (2.0 * double(s.sigma) * s.sigma)); };
    double sum = 0;
    for (int d = -radius; d <= radius; ++d) sum += tap(d);
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t h = 0; h < s.H; ++h)
            for (std::int64_t w = 0; w < s.W; ++w) {
                double blurred = 0;
                for (int i = -radius; i <= radius; ++i)
                    for (int j = -radius; j <= radius; ++j) {
                        const bool inside = h + i >= 0 && h + i < s.H && w + j >= 0 && w + j < s.W;
                        if (inside) blurred += tap(i) * tap(j) * double(mask[(n * s.H + h + i) * s.W + w + j]);
                    }
                y[(n * s.H + h) * s.W + w] = T(2 * std::min(blurred / (sum * sum), 0.5));
            }
}

} // namespace bifrons::kernels::ref
