#include "kernels/resample/upsample_nearest.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, const UpsampleNearestShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.factor >= 1, op, ": factor ", s.factor, "; expected at least 1");
    check_elements(target, op, a.dtype);
}

} // namespace

void UpsampleNearestFwd::check(Target target) const
{
    check_operands(target, kName, s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "upsample_nearest_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
}

Cost UpsampleNearestFwd::cost(Target) const
{
    return {.bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(x.dtype))};
}

void UpsampleNearestGrad::check(Target target) const
{
    check_operands(target, kName, s, dy);
    d.check(kName, dy.dtype);
}

Cost UpsampleNearestGrad::cost(Target) const
{
    return {.flops = double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dy.dtype)) + d.bytes(s.x_size(), dy.dtype)};
}

} // namespace bifrons::kernels
