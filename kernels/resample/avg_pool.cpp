#include "kernels/resample/avg_pool.h"

#include "kernels/device/dispatch.h"
#include "kernels/resample/avg_pool_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, const AvgPoolShape& s, ConstView a)
{
    BIFRONS_CHECK(shape, s.window >= 1 && s.window <= s.H && s.window <= s.W, op, ": a window of ", s.window, " on ",
                  s.H, "x", s.W, "; expected at least 1 and no larger than the picture");
    BIFRONS_CHECK(shape, s.stride >= 1, op, ": stride ", s.stride, "; expected at least 1");
    check_elements(ex, op, a.dtype);
}

} // namespace

Cost avg_pool_fwd_cost(const AvgPoolShape& s, DType dtype)
{
    return {.flops = double(s.y_size()) * double(s.window * s.window),
            .bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(dtype))};
}

void avg_pool_fwd(Exec ex, const AvgPoolShape& s, ConstView x, View y)
{
    check(ex, "avg_pool_fwd", s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "avg_pool_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
    if (accounted(ex, "avg_pool_fwd", avg_pool_fwd_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::avg_pool_fwd(s, x, y); });
    BIFRONS_SIMT(ex, "avg_pool_fwd", avg_pool_fwd(ex, s, x, y));
}

Cost avg_pool_grad_cost(const AvgPoolShape& s, DType dtype, const Store& d)
{
    return {.flops = double(s.y_size()) * double(s.window * s.window),
            .bytes = double(s.y_size()) * double(dtype_bytes(dtype)) + d.bytes(s.x_size(), dtype)};
}

void avg_pool_grad(Exec ex, const AvgPoolShape& s, ConstView dy, const Store& d)
{
    check(ex, "avg_pool_grad", s, dy);
    d.check("avg_pool_grad", dy.dtype);
    if (accounted(ex, "avg_pool_grad", avg_pool_grad_cost(s, dy.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::avg_pool_grad(s, dy, d); });
    BIFRONS_SIMT(ex, "avg_pool_grad", avg_pool_grad(ex, s, dy, d));
}

} // namespace bifrons::kernels
