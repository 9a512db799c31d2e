#include "kernels/losses/bce.h"

#include "kernels/device/grid.h"

namespace bifrons::kernels {

namespace {

void check_operands(const char* op, const BceShape& s, ConstView x, ConstView target, ConstView mask)
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1, op, ": ", s.rows, " rows of ", s.C,
                  "; expected at least one element");
    BIFRONS_CHECK(shape, s.label >= 0 && s.label <= 1, op, ": label ", s.label, "; expected 0 to 1");
    for (const ConstView part : {target, mask})
        BIFRONS_CHECK(shape, !part || part.dtype == x.dtype, op, ": a target or mask is ", dtype_name(part.dtype),
                      ", the logits are ", dtype_name(x.dtype), "; expected the same type");
}

template <class Op>
double read_bytes(const Op& op)
{
    const double n = double(op.s.rows) * double(op.s.C);
    return (n + (op.target ? n : 0) + (op.mask ? double(op.s.rows) : 0)) * double(dtype_bytes(op.x.dtype));
}

} // namespace

void BceFwd::check(Target) const
{
    check_operands(kName, s, x, target, mask);
}

Cost BceFwd::cost(Target device) const
{
    return {.flops = 8 * double(s.rows) * double(s.C),
            .bytes = read_bytes(*this),
            .workspace_bytes = grid_sum_workspace(device)};
}

void BceGrad::check(Target) const
{
    check_operands(kName, s, x, target, mask);
    d.check(kName, x.dtype);
}

Cost BceGrad::cost(Target) const
{
    const std::int64_t n = s.rows * s.C;
    return {.flops = 9 * double(n), .bytes = read_bytes(*this) + d.bytes(n, x.dtype)};
}

} // namespace bifrons::kernels
