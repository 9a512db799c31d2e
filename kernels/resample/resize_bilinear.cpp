#include "kernels/resample/resize_bilinear.h"

#include "kernels/device/dispatch.h"
#include "kernels/resample/resize_bilinear_cpu.h"

namespace bifrons::kernels {

namespace {

void check(const Exec& ex, const char* op, const ResizeBilinearShape& s, ConstView a)
{
    const auto [shortest, longest] = std::minmax({s.H, s.W, s.P, s.Q});
    BIFRONS_CHECK(shape, shortest >= 1 && longest < 1 << 15, op, ": ", s.H, "x", s.W, " to ", s.P, "x", s.Q,
                  "; expected sides of 1 to 32767 pixels");
    check_elements(ex, op, a.dtype);
}

} // namespace

Cost resize_bilinear_fwd_cost(const ResizeBilinearShape& s, DType dtype)
{
    return {.flops = 9.0 * double(s.y_size()), .bytes = double(s.x_size() + s.y_size()) * double(dtype_bytes(dtype))};
}

void resize_bilinear_fwd(Exec ex, const ResizeBilinearShape& s, ConstView x, View y)
{
    check(ex, "resize_bilinear_fwd", s, x);
    BIFRONS_CHECK(shape, x.dtype == y.dtype, "resize_bilinear_fwd: x is ", dtype_name(x.dtype), ", y is ",
                  dtype_name(y.dtype));
    if (accounted(ex, "resize_bilinear_fwd", resize_bilinear_fwd_cost(s, x.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::resize_bilinear_fwd(s, x, y); });
    BIFRONS_SIMT(ex, "resize_bilinear_fwd", resize_bilinear_fwd(ex, s, x, y));
}

Cost resize_bilinear_grad_cost(const ResizeBilinearShape& s, DType dtype, const Store& d)
{
    return {.flops = 8.0 * double(s.y_size()),
            .bytes = double(s.y_size()) * double(dtype_bytes(dtype)) + d.bytes(s.x_size(), dtype)};
}

void resize_bilinear_grad(Exec ex, const ResizeBilinearShape& s, ConstView dy, const Store& d)
{
    check(ex, "resize_bilinear_grad", s, dy);
    d.check("resize_bilinear_grad", dy.dtype);
    if (accounted(ex, "resize_bilinear_grad", resize_bilinear_grad_cost(s, dy.dtype, d))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::resize_bilinear_grad(s, dy, d); });
    BIFRONS_SIMT(ex, "resize_bilinear_grad", resize_bilinear_grad(ex, s, dy, d));
}

} // namespace bifrons::kernels
