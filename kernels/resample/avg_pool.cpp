#include "kernels/resample/avg_pool.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, const AvgPoolShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.window >= 1 && s.window <= s.H && s.window <= s.W, op, ": a window of ", s.window, " on ",
                  s.H, "x", s.W, "; expected at least 1 and no larger than the picture");
    BIFRONS_CHECK(shape, s.stride >= 1, op, ": stride ", s.stride, "; expected at least 1");
    check_elements(target, op, a.dtype);
}

} // namespace

void AvgPoolFwd::check(Target target) const
{
    check_operands(target, kName, s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "avg_pool_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
}

Cost AvgPoolFwd::cost(Target) const
{
    return {.flops = double(s.y_size()) * double(s.window * s.window),
            .bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(x.dtype))};
}

void AvgPoolGrad::check(Target target) const
{
    check_operands(target, kName, s, dy);
    d.check(kName, dy.dtype);
}

Cost AvgPoolGrad::cost(Target) const
{
    return {.flops = double(s.y_size()) * double(s.window * s.window),
            .bytes = double(s.y_size()) * double(dtype_bytes(dy.dtype)) + d.bytes(s.x_size(), dy.dtype)};
}

} // namespace bifrons::kernels
