// kernels/color/gaussian_blur.h - low-pass of pictures and masks.
//
//   y(n,h,w,c) = sum_{i,j} g(i) g(j) x(n, h+i, w+j, c)   g(i) = exp(-i^2 / (2 sigma^2)) / sum, |i| <= ceil(3 sigma)
//
// Zero outside the picture; so the map is its own adjoint.
//
// Definition  gaussian_blur_ref.h      CPU  gaussian_blur.cpp      CUDA  gaussian_blur.cu, blur.cuh
// Tests  tests/kernels/color_test.cpp
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

struct BlurShape {
    std::int64_t H = 1, W = 1, C = 1;
    float sigma = 1; ///< px, 0.1 .. 1000
    std::int64_t N = 1;
    int reach = 0; ///< taps on either side of the middle; 0: as many as the formula says
    int radius() const;
    std::int64_t size() const { return N * H * W * C; }
};

/// x [N,H,W,C] read, y alike written, may be x's own buffer; f32, or f64 (cpu). Deterministic.
/// Error <= 2 gamma32(2 radius + 1) * max|x|.
struct GaussianBlur {
    static constexpr const char* kName = "gaussian_blur";
    BlurShape s = {};
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(GaussianBlur)

namespace cpu {
/// The same, at once; scratch like x. T is float or double.
template <class T>
void gaussian_blur(const BlurShape& s, const T* x, T* y, T* scratch);
} // namespace cpu

} // namespace bifrons::kernels
