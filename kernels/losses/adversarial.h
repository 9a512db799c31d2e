// kernels/losses/adversarial.h - what a discriminator's answers are worth, by least squares or hinge. By cross-entropy:
// bce.h.
//
//   loss = scale / n * sum_i f(x_i)
//
//   f                real             fake             fool
//   least_squares    (x - 1)^2        x^2              (x - 1)^2
//   hinge            max(0, 1 - x)    max(0, 1 + x)    -x
//
// The discriminator makes `real` small for real pictures and `fake` for made ones; the generator `fool` for its own.
//
// Definition  adversarial_ref.h      CPU  adversarial_cpu.cpp      CUDA  adversarial.cu
// Tests  tests/kernels/adversarial_test.cpp
// Source  Mao et al. 2017, arXiv:1611.04076 (least squares); Lim & Ye 2017, arXiv:1705.02894 (hinge)
#pragma once

#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

enum class AdversarialLoss { least_squares, hinge };
enum class Verdict { real, fake, fool };

struct AdversarialShape {
    std::int64_t n = 1; // x [n]
    AdversarialLoss loss = AdversarialLoss::least_squares;
    Verdict wanted = Verdict::real;
};

/// loss[0] = the formula above.   x read; loss [1] written; f32, or f64 (cpu), alike.
/// Accumulated in f64 in a fixed order: the same bits for any thread count.
/// Error <= scale * mean |f| * 2^-22 for f32.   Throws Error(shape).
struct AdversarialFwd {
    static constexpr const char* kName = "adversarial_fwd";
    AdversarialShape s = {};
    ConstView x = {};
    float scale = 1;
    View loss = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(AdversarialFwd)

/// v = upstream[0] * dloss/dx, stored as d says; at a hinge's corner 0.   upstream [1] read (device memory).
/// Error <= |v| 2^-21 for f32.
struct AdversarialGrad {
    static constexpr const char* kName = "adversarial_grad";
    AdversarialShape s = {};
    ConstView x = {};
    float scale = 1;
    ConstView upstream = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(AdversarialGrad)

} // namespace bifrons::kernels
