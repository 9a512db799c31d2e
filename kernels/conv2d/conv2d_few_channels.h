// kernels/conv2d/conv2d_few_channels.h - method `few_channels` of the convolution: one of its pictures has at most
// kMaxThinChannels channels (the first layer's x, a head's dy). That thin picture is read once, in patches that lie in
// shared memory, from which windows are gathered straight into the fragments of mma.sync; bf16 only.
//
//   pass    thin    wide    what is computed
//   fwd     x       y       each pixel of wide: its window's elements times the filters
//   dgrad   dy      dx      the same with the filters mirrored (stride 1 only)
//   wgrad   x       dy      each filter's elements: the sum over the pixels of wide of channel times window
//   wgrad   dy      x       the same, mirrored (stride 1 only)
//
// The forward pass to a thin y is method `head`.
// Kernels  conv2d_few_channels.cu     Tests  tests/kernels/conv2d_few_channels_test.cpp
#pragma once

#include "kernels/conv2d/conv2d_tuning.h"

namespace bifrons::kernels {

constexpr std::int64_t kMaxThinChannels = 12;

/// The convolution from the thin picture's side: pixel (a, b) of wide [N,A,B,K] sees the rows a * scale + h ... + R-1
/// and the columns b * scale + v ... + S-1 of thin [N,H,W,C].
struct ThinConv {
    int N, A, B, K, H, W, C, R, S, scale, h, v;
    bool mirrored;
};
ThinConv thin_conv(Conv2dPass pass, const Conv2dShape& s);

bool few_channels_supports(Conv2dPass pass, const Conv2dShape& s, DType dtype);

/// Filter gradient: blocks that share the pixels, and the workspace of their partial sums.
int few_channels_splits(const ThinConv& c, Target target);
std::size_t few_channels_workspace(Conv2dPass pass, const Conv2dShape& s, Target target);

/// The operations of conv2d.h, without the bias gradient; the filter gradient needs few_channels_workspace.
BIFRONS_SIMT_DECLARE(void run_few_channels(Exec ex, const Conv2dFwd& op);
                     void run_few_channels(Exec ex, const Conv2dDgrad& op);
                     void run_few_channels(Exec ex, const Conv2dWgrad& op);)

} // namespace bifrons::kernels
