#include "kernels/losses/lpips.h"

#include "kernels/device/grid.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, const LpipsShape& s, ConstView a, ConstView b, ConstView w,
                    ConstView scalar)
{
    BIFRONS_CHECK(shape, s.rows >= 1 && s.C >= 1, op, ": ", s.rows, " rows of ", s.C,
                  "; expected at least one element");
    check_elements(target, op, a.dtype);
    BIFRONS_CHECK(shape, a.dtype == b.dtype, op, ": a is ", dtype_name(a.dtype), ", b ", dtype_name(b.dtype));
    const DType wide = a.dtype == DType::f64 ? DType::f64 : DType::f32;
    BIFRONS_CHECK(shape, (!w || w.dtype == wide) && scalar.dtype == wide, op, ": weights are ", dtype_name(w.dtype),
                  ", the scalar is ", dtype_name(scalar.dtype), "; expected ", dtype_name(wide));
}

double read_bytes(const LpipsShape& s, DType dtype)
{
    return 2.0 * double(s.rows) * double(s.C) * double(dtype_bytes(dtype));
}

} // namespace

void LpipsFwd::check(Target target) const
{
    check_operands(target, kName, s, a, b, w, loss);
}

Cost LpipsFwd::cost(Target target) const
{
    return {.flops = 9.0 * double(s.rows) * double(s.C),
            .bytes = read_bytes(s, a.dtype),
            .workspace_bytes = grid_sum_workspace(target)};
}

void LpipsGrad::check(Target target) const
{
    check_operands(target, kName, s, a, b, w, upstream);
    d.check(kName, a.dtype);
}

Cost LpipsGrad::cost(Target) const
{
    return {.flops = 14.0 * double(s.rows) * double(s.C),
            .bytes = read_bytes(s, a.dtype) + d.bytes(s.rows * s.C, a.dtype)};
}

} // namespace bifrons::kernels
