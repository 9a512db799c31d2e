#include "kernels/resample/max_pool.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, const MaxPoolShape& s, ConstView a, ConstView index)
{
    BIFRONS_CHECK(shape, s.window >= 1 && s.window <= 16 && s.window <= s.H && s.window <= s.W, op, ": a window of ",
                  s.window, " on ", s.H, "x", s.W, "; expected 1..16 and no larger than the picture");
    BIFRONS_CHECK(shape, s.stride >= 1, op, ": stride ", s.stride, "; expected at least 1");
    BIFRONS_CHECK(shape, index.dtype == DType::u8, op, ": index is ", dtype_name(index.dtype), "; expected u8");
    check_elements(target, op, a.dtype);
}

} // namespace

void MaxPoolFwd::check(Target target) const
{
    check_operands(target, kName, s, x, index);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "max_pool_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
}

Cost MaxPoolFwd::cost(Target) const
{
    const double value = double(dtype_bytes(x.dtype)), results = double(s.y_size());
    return {.flops = results * double(s.window * s.window),
            .bytes = double(s.x_size()) * value + results * (value + 1)};
}

void MaxPoolGrad::check(Target target) const
{
    check_operands(target, kName, s, dy, index);
    d.check(kName, dy.dtype);
}

Cost MaxPoolGrad::cost(Target) const
{
    return {.flops = double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dy.dtype) + 1) + d.bytes(s.x_size(), dy.dtype)};
}

} // namespace bifrons::kernels
