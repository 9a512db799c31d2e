// kernels/dense/dense.h - fully connected layer: y[n,k] = sum_c x[n,c] * w[k,c].
//
// No kernel of its own: a convolution of one-pixel pictures with one-pixel filters, on every device (kernels/conv2d).
// Definition  dense_ref.h     Tests  tests/kernels/dense_test.cpp
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels {

struct DenseShape {
    std::int64_t N = 1, C = 1, K = 1; // x [N,C], w [K,C], y [N,K]
    bool tf32 = false;                ///< as in Conv2dShape
    /// Throws Error(shape) naming the operation and the values.
    void check(const char* op) const;
};

/// y = epilogue(x w^T); the epilogue's shuffle must be 1.   x [N,C], w [K,C] read; y [N,K] written. f32, or f64 (cpu).
/// Deterministic for a method and a thread count. Error: |v - exact| <= gamma32(C) * |x| |w|^T.
struct DenseFwd {
    static constexpr const char* kName = "dense_fwd";
    DenseShape s = {};
    ConstView x = {}, w = {};
    View y = {};
    Epilogue e = {};

    void check(Target target) const;
    Cost cost(Target target) const { return conv2d().cost(target); }
    void dispatch(Exec ex) const { conv2d().dispatch(ex); }
    Conv2dFwd conv2d() const; ///< what it comes to
};

/// v = dy w, stored as d says.   dy [N,K], w [K,C] read; d.out [N,C] written. Error: gamma32(K).
struct DenseDgrad {
    static constexpr const char* kName = "dense_dgrad";
    DenseShape s = {};
    ConstView dy = {}, w = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const { return conv2d().cost(target); }
    void dispatch(Exec ex) const { conv2d().dispatch(ex); }
    Conv2dDgrad conv2d() const; ///< what it comes to
};

/// dw = dy^T x and db[k] = sum_n dy[n,k], or += for accumulate. db may be empty. Error: gamma32(N).
struct DenseWgrad {
    static constexpr const char* kName = "dense_wgrad";
    DenseShape s = {};
    ConstView dy = {}, x = {};
    View dw = {}, db = {};
    bool accumulate = false;

    void check(Target target) const;
    Cost cost(Target target) const { return conv2d().cost(target); }
    void dispatch(Exec ex) const { conv2d().dispatch(ex); }
    Conv2dWgrad conv2d() const; ///< what it comes to
};

} // namespace bifrons::kernels
