#include "kernels/conv2d/conv2d_head.h"

#include "kernels/conv2d/conv2d_few_channels.h"

namespace bifrons::kernels {

bool head_supports(Conv2dPass pass, const Conv2dShape& s, DType dtype)
{
    return pass == Conv2dPass::fwd && dtype == DType::bf16 && has_int_indices(s) && s.C > kMaxThinChannels &&
           s.C % 2 == 0 && s.K <= kMaxHeadChannels && s.R <= kMaxHeadFilter && s.S <= kMaxHeadFilter && s.stride == 1;
}

} // namespace bifrons::kernels
