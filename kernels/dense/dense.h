// kernels/dense/dense.h - fully connected layer: y[n,k] = sum_c x[n,c] * w[k,c].
//
// No kernel of its own: a convolution of one-pixel pictures with one-pixel filters, on every device (kernels/conv2d).
// Definition  dense_ref.h     Tests  tests/kernels/dense_test.cpp
#pragma once

#include "kernels/device/device.h"
#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

struct DenseShape {
    std::int64_t N = 1, C = 1, K = 1; // x [N,C], w [K,C], y [N,K]
    bool tf32 = false;                ///< as in Conv2dShape
    /// Throws Error(shape) naming the operation and the values.
    void check(const char* op) const;
};

/// y = epilogue(x w^T); the epilogue's shuffle must be 1.   x [N,C], w [K,C] read; y [N,K] written. f32, or f64 (cpu).
/// Deterministic for a method and a thread count. Error: |v - exact| <= gamma32(C) * |x| |w|^T.
void dense_fwd(Exec ex, const DenseShape& s, ConstView x, ConstView w, View y, const Epilogue& e);
Cost dense_fwd_cost(const DenseShape& s, DType dtype, const Epilogue& e, Target target);

/// v = dy w, stored as d says.   dy [N,K], w [K,C] read; d.out [N,C] written. Error: gamma32(K).
void dense_dgrad(Exec ex, const DenseShape& s, ConstView dy, ConstView w, const Store& d);
Cost dense_dgrad_cost(const DenseShape& s, DType dtype, const Store& d, Target target);

/// dw = dy^T x and db[k] = sum_n dy[n,k], or += for accumulate. db may be empty. Error: gamma32(N).
void dense_wgrad(Exec ex, const DenseShape& s, ConstView dy, ConstView x, View dw, View db, bool accumulate);
Cost dense_wgrad_cost(const DenseShape& s, DType dtype, bool bias, bool accumulate, Target target);

} // namespace bifrons::kernels
