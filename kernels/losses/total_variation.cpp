#include "kernels/losses/total_variation.h"

#include "kernels/device/grid.h"

namespace bifrons::kernels {

namespace {

void check_operands(const char* op, const TotalVariationShape& s)
{
    BIFRONS_CHECK(shape, s.size() >= 1, op, ": [", s.N, ",", s.H, ",", s.W, ",", s.C,
                  "]; expected at least one element");
}

} // namespace

void TotalVariationFwd::check(Target) const
{
    check_operands(kName, s);
}

Cost TotalVariationFwd::cost(Target target) const
{
    return {.flops = 6 * double(s.size()),
            .bytes = double(s.size()) * double(dtype_bytes(p.dtype)),
            .workspace_bytes = grid_sum_workspace(target)};
}

void TotalVariationGrad::check(Target) const
{
    check_operands(kName, s);
    d.check(kName, p.dtype);
}

Cost TotalVariationGrad::cost(Target) const
{
    return {.flops = 11 * double(s.size()),
            .bytes = double(s.size()) * double(dtype_bytes(p.dtype)) + d.bytes(s.size(), p.dtype)};
}

} // namespace bifrons::kernels
