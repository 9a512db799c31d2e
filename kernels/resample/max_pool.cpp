#include "kernels/resample/max_pool.h"

#include "kernels/device/dispatch.h"
#include "kernels/resample/max_pool_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, const MaxPoolShape& s, ConstView a, ConstView index)
{
    BIFRONS_CHECK(shape, s.window >= 1 && s.window <= 16 && s.window <= s.H && s.window <= s.W, op, ": a window of ",
                  s.window, " on ", s.H, "x", s.W, "; expected 1..16 and no larger than the picture");
    BIFRONS_CHECK(shape, s.stride >= 1, op, ": stride ", s.stride, "; expected at least 1");
    BIFRONS_CHECK(shape, index.dtype == DType::u8, op, ": index is ", dtype_name(index.dtype), "; expected u8");
    check_elements(ex, op, a.dtype);
}

} // namespace

Cost max_pool_fwd_cost(const MaxPoolShape& s, DType dtype)
{
    const double value = double(dtype_bytes(dtype)), y = double(s.y_size());
    return {.flops = y * double(s.window * s.window), .bytes = double(s.x_size()) * value + y * (value + 1)};
}

void max_pool_fwd(Exec ex, const MaxPoolShape& s, ConstView x, View y, View index)
{
    check(ex, "max_pool_fwd", s, x, index);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "max_pool_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
    if (accounted(ex, "max_pool_fwd", max_pool_fwd_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::max_pool_fwd(s, x, y, index); });
    BIFRONS_SIMT(ex, "max_pool_fwd", max_pool_fwd(ex, s, x, y, index));
}

Cost max_pool_grad_cost(const MaxPoolShape& s, DType dtype, const Store& d)
{
    return {.flops = double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dtype) + 1) + d.bytes(s.x_size(), dtype)};
}

void max_pool_grad(Exec ex, const MaxPoolShape& s, ConstView dy, ConstView index, const Store& d)
{
    check(ex, "max_pool_grad", s, dy, index);
    d.check("max_pool_grad", dy.dtype);
    if (accounted(ex, "max_pool_grad", max_pool_grad_cost(s, dy.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::max_pool_grad(s, dy, index, d); });
    BIFRONS_SIMT(ex, "max_pool_grad", max_pool_grad(ex, s, dy, index, d));
}

} // namespace bifrons::kernels
