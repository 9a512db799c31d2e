// kernels/conv2d/conv2d_cpu.h - the convolution's plain sums on the cpu device, by own loops (method `loops`).
// The stores (epilogue, gradient store, accumulation) are added by conv2d.cpp. f64 runs the definition;
// bf16 operands are copied to f32 first, and v is f32.
// Bits do not depend on the thread count.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels::cpu {

/// The type of v: in which products of operands of a type are summed.
inline DType sum_type(DType operands)
{
    return operands == DType::f64 ? DType::f64 : DType::f32;
}

/// v [N,P,Q,K] = conv(x, w)
void conv2d_fwd(const Conv2dShape& s, ConstView x, ConstView w, View v, Workspace scratch);
std::size_t conv2d_fwd_workspace(const Conv2dShape& s, DType dtype);

/// v [N,H,W,C] = d<dy, conv(x, w)>/dx
void conv2d_dgrad(const Conv2dShape& s, ConstView dy, ConstView w, View v, Workspace scratch);
std::size_t conv2d_dgrad_workspace(const Conv2dShape& s, DType dtype);

/// v [K,R,S,C] = d<dy, conv(x, w)>/dw
void conv2d_wgrad(const Conv2dShape& s, ConstView dy, ConstView x, View v, Workspace scratch);
std::size_t conv2d_wgrad_workspace(const Conv2dShape& s, DType dtype);

} // namespace bifrons::kernels::cpu
