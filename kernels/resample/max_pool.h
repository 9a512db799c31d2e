// kernels/resample/max_pool.h - the largest value of each window, and the gradient, which goes where it came from.
//
//   y[n,p,q,c] = max over 0 <= r,s < window of x[n, p*stride + r, q*stride + s, c]
//   index      = r*window + s of the first maximum in row-major order
//
// A window that reaches beyond the picture is left out, or, with `ceil`, taken as far as the picture goes.
//
// Definition  max_pool_ref.h     CPU  max_pool_cpu.cpp     CUDA  max_pool.cu     Tests  tests/kernels/max_pool_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct MaxPoolShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // x [N,H,W,C]
    std::int64_t window = 2, stride = 2;     // window <= 16, so that an index fits a byte

    bool ceil = false; ///< also windows that begin in the picture and end beyond it (PyTorch's ceil_mode)

    BIFRONS_HD std::int64_t P() const { return windows(H); } // y, index [N,P,Q,C]
    BIFRONS_HD std::int64_t Q() const { return windows(W); }
    /// Along an axis of this length.
    BIFRONS_HD std::int64_t windows(std::int64_t side) const
    {
        const std::int64_t whole = (side - window) / stride + 1;
        const bool rest = (whole - 1) * stride + window < side && whole * stride < side;
        return whole + (ceil && rest);
    }
    /// How many of the positions of the window that begins at `first` lie within that length.
    BIFRONS_HD std::int64_t reach(std::int64_t first, std::int64_t side) const
    {
        return side - first < window ? side - first : window;
    }
    BIFRONS_HD std::int64_t x_size() const { return N * H * W * C; }
    BIFRONS_HD std::int64_t y_size() const { return N * P() * Q() * C; }
};

/// y and index as above.   x [N,H,W,C] read   y [N,P,Q,C] written   index [N,P,Q,C] u8 written
///   f32, bf16 or f64 (cpu only), x and y alike. Exact. A NaN counts as larger than all numbers.
/// Throws Error(shape) for a window outside 1..16 or larger than the picture, a stride below 1, or other element types.
struct MaxPoolFwd {
    static constexpr const char* kName = "max_pool_fwd";
    MaxPoolShape s = {};
    ConstView x = {};
    View y = {}, index = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(MaxPoolFwd)

/// v[n,h,w,c] = sum of dy over the windows whose maximum was there, stored as d says.
///   dy [N,P,Q,C] read   index [N,P,Q,C] u8 read   d.out [N,H,W,C] written
/// Gathered, in a fixed order: deterministic. Error <= gamma32(windows that overlap there) * sum |dy|; exact where
/// windows do not overlap.
struct MaxPoolGrad {
    static constexpr const char* kName = "max_pool_grad";
    MaxPoolShape s = {};
    ConstView dy = {}, index = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(MaxPoolGrad)

} // namespace bifrons::kernels
