// kernels/pointwise/cast.h - a copy in another element type.
//
//   y[i] = x[i], rounded to nearest, ties to even
//
// Definition  to_f32, from_f32 in kernels/base/bf16.h     CPU  cast_cpu.cpp     CUDA  cast.cu
// Tests  tests/kernels/cast_test.cpp
#pragma once

#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

/// n elements.   x read   y written: not x's buffer   f32 to and from bf16, and (cpu only) f32 to and from f64.
/// Of one type with any: a copy of the bits. Exact but for the one rounding; a NaN stays one.   Throws Error(shape) for
/// other pairs.
struct Cast {
    static constexpr const char* kName = "cast";
    std::int64_t n = 0;
    ConstView x = {};
    View y = {};

    void check(Target target) const;
    Cost cost(Target target) const;
    void dispatch(Exec ex) const;
};
BIFRONS_OPERATION(Cast)

} // namespace bifrons::kernels
