#include "kernels/losses/adversarial.h"

#include "kernels/device/grid.h"

namespace bifrons::kernels {

namespace {

void check_operands(const char* op, const AdversarialShape& s)
{
    BIFRONS_CHECK(shape, s.n >= 1, op, ": ", s.n, " answers; expected at least one");
}

double read_bytes(const AdversarialShape& s, DType dtype)
{
    return double(s.n) * double(dtype_bytes(dtype));
}

} // namespace

void AdversarialFwd::check(Target) const
{
    check_operands(kName, s);
}

Cost AdversarialFwd::cost(Target target) const
{
    return {.flops = 3 * double(s.n), .bytes = read_bytes(s, x.dtype), .workspace_bytes = grid_sum_workspace(target)};
}

void AdversarialGrad::check(Target) const
{
    check_operands(kName, s);
    d.check(kName, x.dtype);
}

Cost AdversarialGrad::cost(Target) const
{
    return {.flops = 5 * double(s.n), .bytes = read_bytes(s, x.dtype) + d.bytes(s.n, x.dtype)};
}

} // namespace bifrons::kernels
