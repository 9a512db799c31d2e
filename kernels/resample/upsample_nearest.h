// kernels/resample/upsample_nearest.h - every pixel repeated factor x factor times.
//
//   y[n,p,q,c] = x[n, p / factor, q / factor, c]        (integer division)
//
// Definition  upsample_nearest_ref.h     CPU  upsample_nearest_cpu.cpp     CUDA  upsample_nearest.cu
// Tests  tests/kernels/upsample_nearest_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct UpsampleNearestShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // x [N,H,W,C]
    std::int64_t factor = 2;                 // y [N,factor*H,factor*W,C]

    BIFRONS_HD std::int64_t x_size() const { return N * H * W * C; }
    BIFRONS_HD std::int64_t y_size() const { return x_size() * factor * factor; }
};

/// y as above.   x [N,H,W,C] read   y [N,factor*H,factor*W,C] written   f32, bf16 or f64 (cpu only),
/// alike. Exact.
/// Throws Error(shape) for a factor below 1 or other element types.
struct UpsampleNearestFwd {
    static constexpr const char* kName = "upsample_nearest_fwd";
    UpsampleNearestShape s = {};
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(UpsampleNearestFwd)

/// v[n,h,w,c] = sum of dy over the factor x factor block of (h,w), stored as d says.
///   dy [N,factor*H,factor*W,C] read   d.out [N,H,W,C] written
/// Row by row, in order: deterministic. Error <= gamma32(factor^2) * sum |dy|.
struct UpsampleNearestGrad {
    static constexpr const char* kName = "upsample_nearest_grad";
    UpsampleNearestShape s = {};
    ConstView dy = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(UpsampleNearestGrad)

} // namespace bifrons::kernels
