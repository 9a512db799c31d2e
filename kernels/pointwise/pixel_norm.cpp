#include "kernels/pointwise/pixel_norm.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, ConstView a, ConstView b)
{
    check_elements(target, op, a.dtype);
    BIFRONS_CHECK(shape, a.dtype == b.dtype, op, ": operands are ", dtype_name(a.dtype), " and ", dtype_name(b.dtype),
                  "; expected the same type");
}

std::size_t workspace_bytes(const PixelNormShape& s, Target target)
{
    return target.kind == DeviceKind::cpu ? 0 : std::size_t(s.N * pixel_norm_blocks(s)) * sizeof(PixelNormMoments);
}

} // namespace

void PixelNormFwd::check(Target target) const
{
    check_operands(target, kName, x, y);
}

Cost PixelNormFwd::cost(Target target) const
{
    return {.flops = 3.0 * double(s.size()),
            .bytes = 2.0 * double(s.size()) * double(dtype_bytes(x.dtype)),
            .workspace_bytes = workspace_bytes(s, target)};
}

void PixelNormGrad::check(Target target) const
{
    check_operands(target, kName, dy, x);
    d.check(kName, dy.dtype);
}

Cost PixelNormGrad::cost(Target target) const
{
    return {.flops = 7.0 * double(s.size()),
            .bytes = 2.0 * double(s.size()) * double(dtype_bytes(dy.dtype)) + d.bytes(s.size(), dy.dtype),
            .workspace_bytes = workspace_bytes(s, target)};
}

} // namespace bifrons::kernels
