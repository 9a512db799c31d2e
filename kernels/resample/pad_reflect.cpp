#include "kernels/resample/pad_reflect.h"

#include "kernels/device/dispatch.h"
#include "kernels/resample/pad_reflect_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, const PadReflectShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.pad >= 0 && s.pad < s.H && s.pad < s.W, op, ": a rim of ", s.pad, " around ", s.H, "x", s.W,
                  "; expected 0 or more and less than the sides");
    check_elements(ex, op, a.dtype);
}

} // namespace

Cost pad_reflect_fwd_cost(const PadReflectShape& s, DType dtype)
{
    return {.bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(dtype))};
}

void pad_reflect_fwd(Exec ex, const PadReflectShape& s, ConstView x, View y)
{
    check(ex, "pad_reflect_fwd", s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "pad_reflect_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
    if (accounted(ex, "pad_reflect_fwd", pad_reflect_fwd_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::pad_reflect_fwd(s, x, y); });
    BIFRONS_SIMT(ex, "pad_reflect_fwd", pad_reflect_fwd(ex, s, x, y));
}

Cost pad_reflect_grad_cost(const PadReflectShape& s, DType dtype, const Store& d)
{
    return {.flops = double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dtype)) + d.bytes(s.x_size(), dtype)};
}

void pad_reflect_grad(Exec ex, const PadReflectShape& s, ConstView dy, const Store& d)
{
    check(ex, "pad_reflect_grad", s, dy);
    d.check("pad_reflect_grad", dy.dtype);
    if (accounted(ex, "pad_reflect_grad", pad_reflect_grad_cost(s, dy.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::pad_reflect_grad(s, dy, d); });
    BIFRONS_SIMT(ex, "pad_reflect_grad", pad_reflect_grad(ex, s, dy, d));
}

} // namespace bifrons::kernels
