// kernels/pointwise/epilogue.h - the store formula, one for each direction. Operations that can fuse it take these
// structs as their last operand; the operations below run it by itself.
//
//   forward    y = shuffle(act(v + bias + add))        v is what the operation computed
//   backward   d = act'(saved) * (v + add)             v is the gradient that the operation computed
//
// Definition  epilogue_ref.h      CPU  epilogue_cpu.cpp      CUDA  epilogue.cu      Tests
// tests/kernels/epilogue_test.cpp
#pragma once

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/activation.h"

#include <algorithm>

namespace bifrons::kernels {

/// How an operation writes its result v [N,P,Q,K]. Absent parts are empty.
struct Epilogue {
    ConstView bias = {}; ///< [K]
    ConstView add = {};  ///< [N,P,Q,K], e.g. a skip connection; may be the output's own buffer only when shuffle is 1
    Activation act = {}; ///< applied after bias and add
    View z = {};         ///< [N,P,Q,K], written: the argument of act, for activations whose derivative needs it
    int shuffle = 1;     ///< f > 1: pixel shuffle, output [N,f*P,f*Q,K/f^2], TensorFlow's depth-to-space order:
                         ///< out[n, f*p+i, f*q+j, c] = v[n, p, q, (i*f+j)*(K/f^2) + c]
};

/// How an operation writes a gradient v. Same number of elements everywhere. `out` may be `add`'s own buffer.
struct Store {
    View out = {};
    ConstView add = {};   ///< what has been collected so far, or an upstream gradient that passes through unchanged
    Activation act = {};  ///< the activation of the value's producer; given with the last contribution only
    ConstView saved = {}; ///< see act_grad

    /// Throws Error(shape), naming the operation, if the parts do not fit a gradient of element type `dtype`.
    void check(const char* op, DType dtype) const;
    /// What storing n elements reads and writes.
    double bytes(std::int64_t n, DType dtype) const;
};

/// Whether the store is a plain one: y = v, or d = v.
inline bool stores_plainly(const Epilogue& e)
{
    return !e.bias && !e.add && !e.z && e.act.kind == Act::none && e.shuffle == 1;
}
inline bool stores_plainly(const Store& d)
{
    return !d.add && d.act.kind == Act::none;
}

/// v [N,P,Q,K] of an epilogue.
struct EpilogueShape {
    std::int64_t N = 1, P = 1, Q = 1, K = 1;
    BIFRONS_HD std::int64_t size() const { return N * P * Q * K; }
};

/// One of the two stores, for kernels whose sums are a convolution's gradient or a transposed convolution's value.
struct GradientOrValue {
    Store gradient = {};
    View y = {}; ///< empty for a gradient
    Epilogue value = {};
};

/// y = shuffle(act(v + bias + add)), and z if wanted.
///   v [N,P,Q,K] read      y [N,P,Q,K] or shuffled, written; may be v's own buffer when shuffle is 1
///   all alike f32, f64 (cpu only) or bf16 (computed in f32, rounded once when stored); e.bias is f32 then,
///   and v may be on a cpu, in a buffer of its own; so below.
///   Elementwise: deterministic, exact but for the activation's own rounding.
/// Throws Error(shape) if K is not a multiple of shuffle^2 or the element types differ.
struct EpilogueFwd {
    static constexpr const char* kName = "epilogue_fwd";
    EpilogueShape s = {};
    ConstView v = {};
    View y = {};
    Epilogue e = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(EpilogueFwd)

/// s.out = act'(s.saved) * (v + s.add), n elements. v may be s.out's own buffer.
struct StoreGradient {
    static constexpr const char* kName = "store_gradient";
    std::int64_t n = 0;
    ConstView v = {};
    Store s = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(StoreGradient)

/// The inverse index map of a shuffled store: d[n, p, q, (i*f+j)*C + c] = dy[n, f*p+i, f*q+j, c], with s the shape of
/// d.
struct Unshuffle {
    static constexpr const char* kName = "unshuffle";
    EpilogueShape s = {};
    int f = 0;
    ConstView dy = {};
    View d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(Unshuffle)

/// db[k] = sum over rows of d[row, k], or db[k] += for accumulate. d [rows,K] read, as above; db [K] written
/// (read when accumulating), f32 for bf16. Deterministic: rows are summed in fixed blocks, whatever the thread count.
/// Error <= gamma32(rows) * sum |d|.
struct BiasGrad {
    static constexpr const char* kName = "bias_grad";
    std::int64_t rows = 0, K = 0;
    ConstView d = {};
    View db = {};
    bool accumulate = false;

    void check(Target) const {}
    Cost cost(Target target) const;
};
BIFRONS_OPERATION(BiasGrad)

/// On a GPU: how many blocks share the rows. Their sums lie in the workspace, if there are several.
inline std::int64_t bias_grad_blocks(std::int64_t rows)
{
    return std::clamp<std::int64_t>(rows / 64, 1, 256);
}
inline std::size_t bias_grad_workspace(std::int64_t rows, std::int64_t K)
{
    const std::int64_t blocks = bias_grad_blocks(rows);
    return blocks > 1 ? std::size_t(blocks * K) * sizeof(float) : 0;
}

} // namespace bifrons::kernels
