// kernels/conv2d/depthwise_cpu.h - the convolution of each channel on the cpu device.
#pragma once

#include "kernels/conv2d/depthwise.h"

namespace bifrons::kernels::cpu {

void depthwise(const DepthwiseShape& s, ConstView x, ConstView w, ConstView bias, View y);

} // namespace bifrons::kernels::cpu
