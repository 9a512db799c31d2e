#include "kernels/pointwise/depth_to_space.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, const DepthToSpaceShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.factor >= 1, op, ": factor ", s.factor, "; expected at least 1");
    check_elements(target, op, a.dtype);
}

} // namespace

void DepthToSpace::check(Target target) const
{
    check_operands(target, kName, s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "depth_to_space: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
}

Cost DepthToSpace::cost(Target) const
{
    return {.bytes = 2.0 * double(s.size()) * double(dtype_bytes(x.dtype))};
}

void SpaceToDepth::check(Target target) const
{
    check_operands(target, kName, s, y);
    d.check(kName, y.dtype);
}

Cost SpaceToDepth::cost(Target) const
{
    return {.bytes = double(s.size()) * double(dtype_bytes(y.dtype)) + d.bytes(s.size(), y.dtype)};
}

} // namespace bifrons::kernels
