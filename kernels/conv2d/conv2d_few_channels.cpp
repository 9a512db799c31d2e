#include "kernels/conv2d/conv2d_few_channels.h"

#include "kernels/conv2d/few_channels_tile.h"
#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

ThinConv thin_conv(Conv2dPass pass, const Conv2dShape& s)
{
    const bool mirrored = pass == Conv2dPass::dgrad || (pass == Conv2dPass::wgrad && s.K < s.C);
    const int N = int(s.N), H = int(s.H), W = int(s.W), C = int(s.C), K = int(s.K), R = int(s.R), S = int(s.S),
              P = int(s.P()), Q = int(s.Q()), stride = int(s.stride), pad = int(s.pad);
    if (mirrored) return {N, H, W, C, P, Q, K, R, S, 1, pad - (R - 1), pad - (S - 1), true};
    return {N, P, Q, K, H, W, C, R, S, stride, -pad, -pad, false};
}

bool few_channels_supports(Conv2dPass pass, const Conv2dShape& s, DType dtype)
{
    if (dtype != DType::bf16 || !has_int_indices(s)) return false;
    const ThinConv c = thin_conv(pass, s);
    return c.C <= kMaxThinChannels && (!c.mirrored || s.stride == 1) && ThinTile(c).fits();
}

int few_channels_splits(const ThinConv& c, Target target)
{
    return std::min(ThinTile(c).tiles, 2 * multiprocessors(target));
}

std::size_t few_channels_workspace(Conv2dPass pass, const Conv2dShape& s, Target target)
{
    if (pass != Conv2dPass::wgrad) return 0;
    return aligned(std::size_t(few_channels_splits(thin_conv(pass, s), target)) * std::size_t(s.w_size()) *
                   sizeof(float));
}

} // namespace bifrons::kernels
