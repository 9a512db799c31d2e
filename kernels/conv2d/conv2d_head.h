// kernels/conv2d/conv2d_head.h - method `head` of the convolution: forward pass from many channels to at most
// kMaxHeadChannels. x lies in shared memory by 32 channels, and each tap of the filters multiplies the same pixels;
// bf16 only, stride 1, filters up to 3 x 3, channels of x in even numbers.
// Kernel  conv2d_head.cu     Tests  tests/kernels/conv2d_few_channels_test.cpp
#pragma once

#include "kernels/conv2d/conv2d_tuning.h"

namespace bifrons::kernels {

constexpr std::int64_t kMaxHeadChannels = 16; ///< of y
constexpr int kMaxHeadFilter = 3;

/// An x of kMaxThinChannels or less is left to method few_channels.
bool head_supports(Conv2dPass pass, const Conv2dShape& s, DType dtype);

BIFRONS_SIMT_DECLARE(void run_head(Exec ex, const Conv2dFwd& op);)

} // namespace bifrons::kernels
