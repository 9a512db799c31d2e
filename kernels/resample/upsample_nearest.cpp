#include "kernels/resample/upsample_nearest.h"

#include "kernels/device/dispatch.h"
#include "kernels/resample/upsample_nearest_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, const UpsampleNearestShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.factor >= 1, op, ": factor ", s.factor, "; expected at least 1");
    check_elements(ex, op, a.dtype);
}

} // namespace

Cost upsample_nearest_fwd_cost(const UpsampleNearestShape& s, DType dtype)
{
    return {.bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(dtype))};
}

void upsample_nearest_fwd(Exec ex, const UpsampleNearestShape& s, ConstView x, View y)
{
    check(ex, "upsample_nearest_fwd", s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "upsample_nearest_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
    if (accounted(ex, "upsample_nearest_fwd", upsample_nearest_fwd_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::upsample_nearest_fwd(s, x, y); });
    BIFRONS_SIMT(ex, "upsample_nearest_fwd", upsample_nearest_fwd(ex, s, x, y));
}

Cost upsample_nearest_grad_cost(const UpsampleNearestShape& s, DType dtype, const Store& d)
{
    return {.flops = double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dtype)) + d.bytes(s.x_size(), dtype)};
}

void upsample_nearest_grad(Exec ex, const UpsampleNearestShape& s, ConstView dy, const Store& d)
{
    check(ex, "upsample_nearest_grad", s, dy);
    d.check("upsample_nearest_grad", dy.dtype);
    if (accounted(ex, "upsample_nearest_grad", upsample_nearest_grad_cost(s, dy.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::upsample_nearest_grad(s, dy, d); });
    BIFRONS_SIMT(ex, "upsample_nearest_grad", upsample_nearest_grad(ex, s, dy, d));
}

} // namespace bifrons::kernels
