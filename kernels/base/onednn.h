// kernels/base/onednn.h - oneDNN's convolution and matrix product (f32, bf16) as prepared calls. onednn.cpp is the only
// file that knows the library. A build without it answers `false` and null.
//
// Activations are [N,H,W,C] and filters [K,R,S,C] as everywhere; filters are reordered into oneDNN's own format inside
// the workspace, which also holds its scratchpad: a call allocates nothing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace bifrons::kernels {

bool onednn_available();

/// Version and the instruction set that it uses here: "2.6.3, AVX-512 with AMX"; "" where absent.
std::string onednn_description();

enum class OnednnPass { forward, input_gradient, filter_gradient };

/// One convolution in one direction. With H = W = R = S = 1 and pad 0 it is a matrix product and runs as one.
struct OnednnConv {
    OnednnPass pass = OnednnPass::forward;
    std::int64_t N = 1, H = 1, W = 1, C = 1, K = 1, R = 1, S = 1, stride = 1, pad = 0;
    bool bf16 = false;    ///< operands are; sums, the bias and the filter gradient are f32
    bool f32_out = false; ///< of bf16 operands, forward and input gradient: `out` and `add` are f32
    // forward only: out = leaky(conv + bias + add), slope 1 for none
    bool bias = false, add = false;
    float slope = 1;

    auto operator<=>(const OnednnConv&) const = default;
};

/// What a call reads and writes. `add` is not `out`.
struct OnednnOperands {
    const void* a = nullptr;     ///< forward: x; the gradients: dy
    const void* b = nullptr;     ///< forward and input gradient: w; filter gradient: x
    const float* bias = nullptr; ///< [K]
    const void* add = nullptr;   ///< like out
    void* out = nullptr;         ///< y, dx or dw
};

class OnednnCall {
  public:
    virtual ~OnednnCall() = default;
    virtual std::size_t workspace_bytes() const = 0;
    /// A function that computes `out`, any number of times. The workspace is 64-byte aligned.
    virtual std::function<void()> bind(const OnednnOperands& operands, void* workspace) const = 0;
};

/// Whether products are faster in bf16 than in f32 here: with AMX, and with an AMD's AVX-512-BF16. Measured: on a Zen 5
/// a training step takes half to 0.8 of the time; with an Intel's AVX-512-BF16, without AMX, it takes 1.4 times as
/// long.
bool onednn_multiplies_bf16();

/// The call for `threads` threads; null where oneDNN is absent or has no optimised and correct implementation. Prepared
/// calls are kept, up to a bound. Deterministic for a thread count. Thread safe.
std::shared_ptr<const OnednnCall> onednn_call(const OnednnConv& conv, int threads);

} // namespace bifrons::kernels
