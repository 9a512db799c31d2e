#include "kernels/resample/resize_bilinear.h"

namespace bifrons::kernels {

namespace {

void check_operands(Target target, const char* op, const ResizeBilinearShape& s, ConstView a)
{
    const auto [shortest, longest] = std::minmax({s.H, s.W, s.P, s.Q});
    BIFRONS_CHECK(shape, shortest >= 1 && longest < 1 << 15, op, ": ", s.H, "x", s.W, " to ", s.P, "x", s.Q,
                  "; expected sides of 1 to 32767 pixels");
    check_elements(target, op, a.dtype);
}

} // namespace

void ResizeBilinearFwd::check(Target target) const
{
    check_operands(target, kName, s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "resize_bilinear_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
}

Cost ResizeBilinearFwd::cost(Target) const
{
    return {.flops = 9.0 * double(s.y_size()), .bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(x.dtype))};
}

void ResizeBilinearGrad::check(Target target) const
{
    check_operands(target, kName, s, dy);
    d.check(kName, dy.dtype);
}

Cost ResizeBilinearGrad::cost(Target) const
{
    return {.flops = 8.0 * double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dy.dtype)) + d.bytes(s.x_size(), dy.dtype)};
}

} // namespace bifrons::kernels
