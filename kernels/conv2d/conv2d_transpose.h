// kernels/conv2d/conv2d_transpose.h - the transposed convolution: a convolution with the roles of x and y swapped.
// No formula and no kernel of its own. Everywhere, s is the shape of the convolution that is mirrored: the transposed
// convolution maps [N,P,Q,K] to [N,H,W,C] with filters w [K,R,S,C].
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bifrons::kernels {

/// The shape of the convolution whose mirror maps [N,P,Q,K] to [N, stride*P, stride*Q, C] with R x R filters:
/// pad = max(0, ceil((R - stride) / 2)). Equal to TensorFlow's SAME where R - stride is even; where it is odd, theirs
/// puts every tap one pixel later (a filter from there goes into an (R+1) x (R+1) one, behind a first row and column
/// of zeros). Throws Error(shape) for an even R with stride 1: no padding on both sides gives that size.
Conv2dShape conv2d_transpose_shape(std::int64_t N, std::int64_t P, std::int64_t Q, std::int64_t K, std::int64_t C,
                                   std::int64_t R, std::int64_t stride);

/// y [N,H,W,C] = epilogue(dgrad(x [N,P,Q,K], w)). The epilogue's bias is [C]; z and add are [N,H,W,C]. See Conv2dDgrad
/// for the bounds.
struct Conv2dTransposeFwd {
    static constexpr const char* kName = "conv2d_transpose_fwd";
    Conv2dShape s = {};
    ConstView x = {}, w = {};
    View y = {};
    Epilogue e = {};

    void check(Target target) const;
    Cost cost(Target target) const;
    void dispatch(Exec ex) const;
};

/// Gradient for x [N,P,Q,K] from dy [N,H,W,C]: the mirrored convolution's forward. See Conv2dFwd for the bounds.
struct Conv2dTransposeDgrad {
    static constexpr const char* kName = "conv2d_transpose_dgrad";
    Conv2dShape s = {};
    ConstView dy = {}, w = {};
    Store d = {};

    void check(Target target) const;
    Cost cost(Target target) const;
    void dispatch(Exec ex) const;
};

/// Gradients for w [K,R,S,C] and the bias [C], from dy [N,H,W,C] and x [N,P,Q,K].
struct Conv2dTransposeWgrad {
    static constexpr const char* kName = "conv2d_transpose_wgrad";
    Conv2dShape s = {};
    ConstView dy = {}, x = {};
    View dw = {}, db = {};
    bool accumulate = false;

    void check(Target target) const;
    Cost cost(Target target) const;
    void dispatch(Exec ex) const;
};

} // namespace bifrons::kernels
