#include "kernels/resample/pad_reflect.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, const PadReflectShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.pad >= 0 && s.pad < s.H && s.pad < s.W, op, ": a rim of ", s.pad, " around ", s.H, "x", s.W,
                  "; expected 0 or more and less than the sides");
    check_elements(target, op, a.dtype);
}

} // namespace

void PadReflectFwd::check(Target target) const
{
    check_operands(target, kName, s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "pad_reflect_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
}

Cost PadReflectFwd::cost(Target) const
{
    return {.bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(x.dtype))};
}

void PadReflectGrad::check(Target target) const
{
    check_operands(target, kName, s, dy);
    d.check(kName, dy.dtype);
}

Cost PadReflectGrad::cost(Target) const
{
    return {.flops = double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dy.dtype)) + d.bytes(s.x_size(), dy.dtype)};
}

} // namespace bifrons::kernels
