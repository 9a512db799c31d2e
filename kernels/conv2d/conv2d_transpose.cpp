#include "kernels/conv2d/conv2d_transpose.h"

#include "kernels/conv2d/conv2d_cpu.h"
#include "kernels/device/dispatch.h"

#include <algorithm>

namespace bifrons::kernels {

Conv2dShape conv2d_transpose_shape(std::int64_t N, std::int64_t P, std::int64_t Q, std::int64_t K, std::int64_t C,
                                   std::int64_t R, std::int64_t stride)
{
    const Conv2dShape s{.N = N,
                        .H = stride * P,
                        .W = stride * Q,
                        .C = C,
                        .K = K,
                        .R = R,
                        .S = R,
                        .stride = stride,
                        .pad = std::max<std::int64_t>(0, (R - stride + 1) / 2)};
    s.check("conv2d_transpose");
    BIFRONS_CHECK(shape, s.P() == P && s.Q() == Q, "conv2d_transpose: ", R, "x", R, " filters with stride ", stride,
                  " cannot map ", P, "x", Q, " to exactly ", s.H, "x", s.W, "; expected an odd size for stride 1");
    return s;
}

namespace {

/// What a sum is kept as before its store.
DType kept_as(DType dtype, Target target)
{
    return target.kind == DeviceKind::cpu ? cpu::sum_type(dtype) : dtype;
}

void check_types(const char* op, ConstView in, ConstView out)
{
    BIFRONS_CHECK(shape, in.dtype == out.dtype, op, ": operands are ", dtype_name(in.dtype), ", the result ",
                  dtype_name(out.dtype), "; expected the same type");
}

/// cpu: the sum cannot stand in the output before the store if it is of another type, if elements move or if the output
/// may hold what is to be added.
std::size_t sum_buffer_bytes(const Conv2dShape& s, DType dtype, const Epilogue& e, Target target)
{
    const DType sum = kept_as(dtype, target);
    return e.shuffle == 1 && !e.add && sum == dtype ? 0 : aligned(std::size_t(s.x_size()) * dtype_bytes(sum));
}

std::size_t sum_buffer_bytes(const Conv2dShape& s, DType dtype, const Store& d, Target target)
{
    const DType sum = kept_as(dtype, target);
    const bool adds_itself = d.add && d.add.data == d.out.data;
    return adds_itself || sum != dtype ? aligned(std::size_t(s.y_size()) * dtype_bytes(sum)) : 0;
}

Cost sum_of(const Cost& a, const Cost& b, std::size_t buffer)
{
    return {.flops = a.flops + b.flops,
            .bytes = a.bytes + b.bytes,
            .workspace_bytes = buffer + std::max(a.workspace_bytes, b.workspace_bytes)};
}

} // namespace

Cost conv2d_transpose_fwd_cost(const Conv2dShape& s, DType dtype, const Epilogue& e, Target target)
{
    Cost sum = conv2d_dgrad_cost(s, dtype, {}, target);
    if (stores_plainly(e)) return sum;
    if (target.kind != DeviceKind::cpu) {
        sum.bytes += double(int(bool(e.add)) + int(bool(e.z))) * double(s.x_size()) * double(dtype_bytes(dtype));
        return sum;
    }
    return sum_of(sum, epilogue_fwd_cost(s.x_shape(), dtype, e), sum_buffer_bytes(s, dtype, e, target));
}

void conv2d_transpose_fwd(Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const Epilogue& e)
{
    s.check("conv2d_transpose_fwd");
    check_types("conv2d_transpose_fwd", x, y);
    if (accounted(ex, "conv2d_transpose_fwd", conv2d_transpose_fwd_cost(s, y.dtype, e, ex.device->target()))) return;
    if (stores_plainly(e)) return conv2d_dgrad(ex, s, x, w, {.out = y});
    if (!on_cpu(ex)) return conv2d_dgrad(ex, s, x, w, y, e);
    const std::size_t buffer = sum_buffer_bytes(s, y.dtype, e, ex.device->target());
    const View v = buffer ? View{ex.workspace.data, kept_as(y.dtype, ex.device->target())} : y;
    conv2d_dgrad(behind(ex, buffer), s, x, w, {.out = v});
    epilogue_fwd(behind(ex, buffer), s.x_shape(), v, y, e);
}

Cost conv2d_transpose_dgrad_cost(const Conv2dShape& s, DType dtype, const Store& d, Target target)
{
    if (d.act.kind == Act::none) return conv2d_fwd_cost(s, dtype, {.add = d.add}, target);
    return sum_of(conv2d_fwd_cost(s, dtype, {}, target), store_gradient_cost(s.y_size(), dtype, d),
                  sum_buffer_bytes(s, dtype, d, target));
}

void conv2d_transpose_dgrad(Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const Store& d)
{
    s.check("conv2d_transpose_dgrad");
    check_types("conv2d_transpose_dgrad", dy, d.out);
    if (accounted(ex, "conv2d_transpose_dgrad", conv2d_transpose_dgrad_cost(s, d.out.dtype, d, ex.device->target())))
        return;
    if (d.act.kind == Act::none) return conv2d_fwd(ex, s, dy, w, d.out, {.add = d.add});
    const std::size_t buffer = sum_buffer_bytes(s, d.out.dtype, d, ex.device->target());
    const View v = buffer ? View{ex.workspace.data, kept_as(d.out.dtype, ex.device->target())} : d.out;
    conv2d_fwd(behind(ex, buffer), s, dy, w, v, {});
    store_gradient(behind(ex, buffer), s.y_size(), v, d);
}

Cost conv2d_transpose_wgrad_cost(const Conv2dShape& s, DType dtype, bool bias, bool accumulate, Target target)
{
    const Cost filters = conv2d_wgrad_cost(s, dtype, false, accumulate, target);
    return bias ? sum_of(filters, bias_grad_cost(s.N * s.H * s.W, s.C, dtype, target), 0) : filters;
}

void conv2d_transpose_wgrad(Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, View db, bool accumulate)
{
    s.check("conv2d_transpose_wgrad");
    if (accounted(ex, "conv2d_transpose_wgrad",
                  conv2d_transpose_wgrad_cost(s, dy.dtype, bool(db), accumulate, ex.device->target())))
        return;
    conv2d_wgrad(ex, s, x, dy, dw, {}, accumulate);
    if (db) bias_grad(ex, s.N * s.H * s.W, s.C, dy, db, accumulate);
}

} // namespace bifrons::kernels
