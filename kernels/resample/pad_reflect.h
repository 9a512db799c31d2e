// kernels/resample/pad_reflect.h - a picture with a rim that mirrors what lies inside, its edge not repeated.
//
//   y[n,p,q,c] = x[n, mirror(p - pad, H), mirror(q - pad, W), c]
//   mirror(i, L) = -i for i < 0, 2 (L-1) - i for i >= L, else i
//
// Definition  pad_reflect_ref.h     CPU  pad_reflect_cpu.cpp     CUDA  pad_reflect.cu
// Tests  tests/kernels/pad_reflect_test.cpp
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct PadReflectShape {
    std::int64_t N = 1, H = 2, W = 2, C = 1; // x [N,H,W,C]
    std::int64_t pad = 1;                    // on each of the four sides; less than H and W

    BIFRONS_HD std::int64_t P() const { return H + 2 * pad; } // y [N,P,Q,C]
    BIFRONS_HD std::int64_t Q() const { return W + 2 * pad; }
    BIFRONS_HD std::int64_t x_size() const { return N * H * W * C; }
    BIFRONS_HD std::int64_t y_size() const { return N * P() * Q() * C; }
};

/// Position i - pad of an axis of length L, mirrored into 0..L-1.
BIFRONS_HD inline std::int64_t mirrored(std::int64_t i, std::int64_t pad, std::int64_t L)
{
    const std::int64_t at = i < pad ? pad - i : i - pad;
    return at < L ? at : 2 * (L - 1) - at;
}

/// The inverse: the positions of the padded axis that show i, -1 where there are fewer than three.
struct Mirrors {
    std::int64_t at[3];
};
BIFRONS_HD inline Mirrors mirrors_of(std::int64_t i, std::int64_t pad, std::int64_t L)
{
    const std::int64_t from_end = L - 1 - i;
    return {
        {i >= 1 && i <= pad ? pad - i : -1, i + pad, from_end >= 1 && from_end <= pad ? L - 1 + pad + from_end : -1}};
}

/// y as above.   x [N,H,W,C] read   y [N,P,Q,C] written   f32, bf16 or f64 (cpu only), alike. Exact.
/// Throws Error(shape) for a pad below 0 or not less than the picture's sides, or other element types.
struct PadReflectFwd {
    static constexpr const char* kName = "pad_reflect_fwd";
    PadReflectShape s = {};
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(PadReflectFwd)

/// v[n,h,w,c] = sum of dy over the up to nine places that show (h,w), row by row, stored as d says.
///   dy [N,P,Q,C] read   d.out [N,H,W,C] written
/// Gathered in a fixed order: deterministic. Error <= gamma32(9) * sum |dy|; exact inside.
struct PadReflectGrad {
    static constexpr const char* kName = "pad_reflect_grad";
    PadReflectShape s = {};
    ConstView dy = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(PadReflectGrad)

} // namespace bifrons::kernels
