// kernels/resample/avg_pool.h - the mean of each window.
//
//   y[n,p,q,c] = 1/window^2 * sum over 0 <= r,s < window of x[n, p*stride + r, q*stride + s, c]
//
// Definition  avg_pool_ref.h     CPU  avg_pool_cpu.cpp     CUDA  avg_pool.cu     Tests  tests/kernels/avg_pool_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

/// Windows that do not fit into the picture are left out.
struct AvgPoolShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // x [N,H,W,C]
    std::int64_t window = 2, stride = 2;

    BIFRONS_HD std::int64_t P() const { return (H - window) / stride + 1; } // y [N,P,Q,C]
    BIFRONS_HD std::int64_t Q() const { return (W - window) / stride + 1; }
    BIFRONS_HD std::int64_t x_size() const { return N * H * W * C; }
    BIFRONS_HD std::int64_t y_size() const { return N * P() * Q() * C; }
    BIFRONS_HD float weight() const { return 1.0f / float(window * window); }
};

/// y as above.   x [N,H,W,C] read   y [N,P,Q,C] written
///   f32, bf16 or f64 (cpu only), x and y alike. Row by row, in order: deterministic.
///   Error <= gamma32(window^2) * mean |x|.
/// Throws Error(shape) for a window below 1 or larger than the picture, a stride below 1, or other element types.
struct AvgPoolFwd {
    static constexpr const char* kName = "avg_pool_fwd";
    AvgPoolShape s = {};
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(AvgPoolFwd)

/// v[n,h,w,c] = 1/window^2 * sum of dy over the windows that hold (h,w), stored as d says.
///   dy [N,P,Q,C] read   d.out [N,H,W,C] written
/// Gathered, in a fixed order: deterministic. Error <= gamma32(windows that overlap there) * sum |dy| / window^2.
struct AvgPoolGrad {
    static constexpr const char* kName = "avg_pool_grad";
    AvgPoolShape s = {};
    ConstView dy = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(AvgPoolGrad)

} // namespace bifrons::kernels
