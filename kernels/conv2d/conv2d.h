// kernels/conv2d/conv2d.h - 2-D convolution: forward, input gradient, filter gradient with bias gradient.
//
//   y[n,p,q,k] = sum_{r,s,c} x[n, p*stride + r - pad, q*stride + s - pad, c] * w[k,r,s,c]     (zero outside x)
//
// Definition  conv2d_ref.h     CPU  conv2d_cpu.cpp (loops), base/onednn.cpp
// GPU  conv2d_methods.h
// Tests  tests/kernels/conv2d_test.cpp, conv2d_igemm_test.cpp, conv2d_few_channels_test.cpp
// Source  Dumoulin & Visin 2016, arXiv:1603.07285 (index relations)
#pragma once

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/epilogue.h"

namespace bifrons::kernels {

/// How the sum is computed. Each stays selectable; `automatic` takes the best that the device and the build have.
enum class Conv2dMethod {
    automatic,
    loops,     ///< cpu: own loops
    onednn,    ///< cpu: oneDNN
    direct,    ///< GPU: the definition, one thread per sum
    tiled,     ///< GPU, f32: tiles of sums from shared memory
    igemm_mma, ///< GPU: tensor cores by mma.sync; bf16 products, or tf32 ones of f32 operands. Channels in even numbers
    few_channels, ///< GPU, bf16: the same products where x has at most 12 channels; of gradients, x or y
    head,         ///< GPU, bf16: forward pass from more channels to at most 16
};

struct Conv2dShape {
    std::int64_t N = 1, H = 1, W = 1, C = 1; // x [N,H,W,C]
    std::int64_t K = 1, R = 1, S = 1;        // w [K,R,S,C]
    std::int64_t stride = 1, pad = 0;
    Conv2dMethod method = Conv2dMethod::automatic;
    bool tf32 = false; ///< GPU: products of f32 operands may be rounded to 11 bits (TensorFloat-32); sums stay f32

    BIFRONS_HD std::int64_t P() const { return (H + 2 * pad - R) / stride + 1; } // y [N,P,Q,K]
    BIFRONS_HD std::int64_t Q() const { return (W + 2 * pad - S) / stride + 1; }
    BIFRONS_HD std::int64_t x_size() const { return N * H * W * C; }
    BIFRONS_HD std::int64_t w_size() const { return K * R * S * C; }
    BIFRONS_HD std::int64_t y_size() const { return N * P() * Q() * K; }
    EpilogueShape x_shape() const { return {N, H, W, C}; }
    EpilogueShape y_shape() const { return {N, P(), Q(), K}; }
    /// Throws Error(shape) naming the operation and the values.
    void check(const char* op) const;
};

/// Whether a device is faster in bf16: it has tensor cores, AMX, or is an AMD processor with AVX-512-BF16.
bool prefers_bf16(Target target);

/// y = epilogue(conv(x, w)).
///   x [N,H,W,C] read   w [K,R,S,C] read   y as e says, written; never x's own buffer
///   f32; f64 (cpu only, by the definition's loops); bf16 (y, with e.add and e.z, may be f32). Otherwise all alike, but
///   e.bias is f32 where they are bf16.
/// Enqueued on ex.stream. Deterministic for a method and a thread count (GPU: for an architecture).
/// Error: |v - exact| <= gamma32(R*S*C) * conv(|x|, |w|), and 2^-10 * conv(|x|, |w|) more with tf32 products.
/// Throws Error(shape), and Error(usage) for a method that cannot do this.
struct Conv2dFwd {
    static constexpr const char* kName = "conv2d_fwd";
    Conv2dShape s = {};
    ConstView x = {}, w = {};
    View y = {};
    Epilogue e = {};

    void check(Target target) const;
    Cost cost(Target target) const;
    void dispatch(Exec ex) const;
};

/// Input gradient. With f = <dy, conv(x, w)>, v = df/dx, stored as d says.
///   dy [N,P,Q,K] read   w [K,R,S,C] read   d.out [N,H,W,C] written   all of one type (cpu: d may be
///   f32 where dy and w are bf16)
/// Error: |v - exact| <= gamma32(R*S*K) * (the same sum of absolute values).
struct Conv2dDgrad {
    static constexpr const char* kName = "conv2d_dgrad";
    Conv2dShape s = {};
    ConstView dy = {}, w = {};
    Store d = {};
    View y = {}; ///< GPU: in place of d, the sums as values [N,H,W,C], stored as e says (conv2d_transpose.h)
    Epilogue e = {};

    GradientOrValue out() const { return {d, y, e}; }
    void check(Target target) const;
    Cost cost(Target target) const;
    void dispatch(Exec ex) const;
};

/// Filter and bias gradient. dw = df/dw and db[k] = sum_{n,p,q} dy[n,p,q,k], or += for accumulate.
///   dy [N,P,Q,K] read   x [N,H,W,C] read   dw [K,R,S,C] written   db [K] written, may be empty
///   dw and db are f32 where dy and x are bf16
/// Error: |dw - exact| <= gamma32(N*P*Q) * (the same sum of absolute values).
struct Conv2dWgrad {
    static constexpr const char* kName = "conv2d_wgrad";
    Conv2dShape s = {};
    ConstView dy = {}, x = {};
    View dw = {}, db = {};
    bool accumulate = false;

    void check(Target target) const;
    Cost cost(Target target) const;
    void dispatch(Exec ex) const;
};

} // namespace bifrons::kernels
