// kernels/pointwise/cast.h - a copy in another element type.
//
//   y[i] = x[i], rounded to nearest, ties to even
//
// Definition  to_f32, from_f32 in kernels/base/bf16.h     CPU  cast_cpu.cpp     CUDA  cast.cu
// Tests  tests/kernels/cast_test.cpp
#pragma once

#include "kernels/device/device.h"

namespace bifrons::kernels {

/// n elements.   x read   y written: not x's buffer   f32 to and from bf16, and (cpu only) f32 to and from f64.
/// Of one type with any: a copy of the bits. Exact but for the one rounding; a NaN stays one.   Throws Error(shape) for
/// other pairs.
void cast(Exec ex, std::int64_t n, ConstView x, View y);
Cost cast_cost(std::int64_t n, DType from, DType to);

BIFRONS_SIMT_DECLARE(void cast(Exec ex, std::int64_t n, ConstView x, View y);)

} // namespace bifrons::kernels
