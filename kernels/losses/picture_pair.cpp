#include "kernels/losses/picture_pair.h"

#include "kernels/device/grid.h"

namespace bifrons::kernels {

namespace {

double read_bytes(const PicturePair& s, DType dtype, bool masked)
{
    return (2 * double(s.rows) * double(s.C) + (masked ? double(s.rows) : 0)) * double(dtype_bytes(dtype));
}

} // namespace

void PicturePair::check(const char* op, ConstView a, ConstView b, ConstView mask) const
{
    BIFRONS_CHECK(shape, rows >= 1 && C >= 1, op, ": ", rows, " rows of ", C, "; expected at least one element");
    BIFRONS_CHECK(shape, a.dtype == b.dtype && (!mask || mask.dtype == a.dtype), op, ": a is ", dtype_name(a.dtype),
                  ", b ", dtype_name(b.dtype), ", the mask ", dtype_name(mask.dtype), "; expected the same type");
}

Cost PicturePair::fwd_cost(DType dtype, bool masked, Target target) const
{
    return {.flops = 3 * double(rows) * double(C),
            .bytes = read_bytes(*this, dtype, masked),
            .workspace_bytes = grid_sum_workspace(target)};
}

Cost PicturePair::grad_cost(DType dtype, bool masked, const Store& d) const
{
    return {.flops = (masked ? 5 : 4) * double(rows) * double(C),
            .bytes = read_bytes(*this, dtype, masked) + d.bytes(rows * C, dtype)};
}

} // namespace bifrons::kernels
