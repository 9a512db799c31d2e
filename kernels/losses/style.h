// kernels/losses/style.h - colours and contrast of one picture beside another's: their channels' means and deviations.
//
//   loss = scale / (N C) * sum_{n,c} (mx - mt)^2 + (sx - st)^2      m = mean over the pixels, s = sqrt(variance + 1e-5)
//
// Definition  style_ref.h      CPU  style_cpu.cpp      CUDA  style.cu      Tests  tests/kernels/style_test.cpp
// Source  DeepFaceLab's style_loss
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct StyleShape {
    std::int64_t N = 1, pixels = 1, C = 1; // x, t [N,pixels,C]
    BIFRONS_HD std::int64_t size() const { return N * pixels * C; }
};

/// loss[0] = the formula.   x, t read; loss [1] written; moments [N,C,4] written: mx, sx, mt, st. f32, or f64 (cpu),
/// all alike. Summed in f64 in a fixed order: deterministic. Means and deviations are rounded once, to the type.
struct StyleFwd {
    static constexpr const char* kName = "style_fwd";
    StyleShape s = {};
    ConstView x = {}, t = {};
    float scale = 1;
    View loss = {}, moments = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(StyleFwd)

/// v = upstream[0] * dloss/dx, stored as d says; the target gets no gradient.   moments as StyleFwd left them.
///   dloss/dx_i = 2 scale / (N C pixels) * ((mx - mt) + (sx - st) (x_i - mx) / sx)
struct StyleGrad {
    static constexpr const char* kName = "style_grad";
    StyleShape s = {};
    ConstView x = {}, moments = {};
    float scale = 1;
    ConstView upstream = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(StyleGrad)

} // namespace bifrons::kernels
