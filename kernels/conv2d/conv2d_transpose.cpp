#include "kernels/conv2d/conv2d_transpose.h"

#include "kernels/conv2d/conv2d_cpu.h"

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
std::size_t sum_buffer_bytes(const Conv2dTransposeFwd& op, Target target)
{
    const DType sum = kept_as(op.y.dtype, target);
    const bool in_place = op.e.shuffle == 1 && !(op.e.add && op.e.add.data == op.y.data) && sum == op.y.dtype;
    return in_place ? 0 : aligned(std::size_t(op.s.x_size()) * dtype_bytes(sum));
}

std::size_t sum_buffer_bytes(const Conv2dTransposeDgrad& op, Target target)
{
    const Store& d = op.d;
    const DType sum = kept_as(d.out.dtype, target);
    const bool adds_itself = d.add && d.add.data == d.out.data;
    return adds_itself || sum != d.out.dtype ? aligned(std::size_t(op.s.y_size()) * dtype_bytes(sum)) : 0;
}

/// The sum, in `buffer` or, where none is needed, in the output.
View sum_view(std::size_t bytes, void* buffer, View out, Target target)
{
    return bytes ? View{buffer, kept_as(out.dtype, target)} : out;
}

Cost sum_of(const Cost& a, const Cost& b, std::size_t buffer)
{
    return {.flops = a.flops + b.flops,
            .bytes = a.bytes + b.bytes,
            .workspace_bytes = buffer + std::max(a.workspace_bytes, b.workspace_bytes)};
}

} // namespace

void Conv2dTransposeFwd::check(Target) const
{
    s.check(kName);
    check_types(kName, x, y);
}

Cost Conv2dTransposeFwd::cost(Target target) const
{
    if (stores_plainly(e)) return Conv2dDgrad{s, x, w, {.out = y}}.cost(target);
    if (target.kind != DeviceKind::cpu) return Conv2dDgrad{s, x, w, {}, y, e}.cost(target);
    const std::size_t buffer = sum_buffer_bytes(*this, target);
    const View v = sum_view(buffer, nullptr, y, target);
    return sum_of(Conv2dDgrad{s, x, w, {.out = v}}.cost(target), EpilogueFwd{s.x_shape(), y, y, e}.cost(target),
                  buffer);
}

void Conv2dTransposeFwd::dispatch(Exec ex) const
{
    if (stores_plainly(e)) return run(ex, Conv2dDgrad{s, x, w, {.out = y}});
    if (!on_cpu(ex)) return run(ex, Conv2dDgrad{s, x, w, {}, y, e});
    const std::size_t buffer = sum_buffer_bytes(*this, ex.device->target());
    const View v = sum_view(buffer, ex.workspace.data, y, ex.device->target());
    run(behind(ex, buffer), Conv2dDgrad{s, x, w, {.out = v}});
    run(behind(ex, buffer), EpilogueFwd{s.x_shape(), v, y, e});
}

void Conv2dTransposeDgrad::check(Target) const
{
    s.check(kName);
    check_types(kName, dy, d.out);
}

Cost Conv2dTransposeDgrad::cost(Target target) const
{
    if (d.act.kind == Act::none) return Conv2dFwd{s, dy, w, d.out, {.add = d.add}}.cost(target);
    const std::size_t buffer = sum_buffer_bytes(*this, target);
    const View v = sum_view(buffer, nullptr, d.out, target);
    return sum_of(Conv2dFwd{s, dy, w, v, {}}.cost(target), StoreGradient{s.y_size(), d.out, d}.cost(target), buffer);
}

void Conv2dTransposeDgrad::dispatch(Exec ex) const
{
    if (d.act.kind == Act::none) return run(ex, Conv2dFwd{s, dy, w, d.out, {.add = d.add}});
    const std::size_t buffer = sum_buffer_bytes(*this, ex.device->target());
    const View v = sum_view(buffer, ex.workspace.data, d.out, ex.device->target());
    run(behind(ex, buffer), Conv2dFwd{s, dy, w, v, {}});
    run(behind(ex, buffer), StoreGradient{s.y_size(), v, d});
}

namespace {

Conv2dWgrad filters_of(const Conv2dTransposeWgrad& op)
{
    return {op.s, op.x, op.dy, op.dw, {}, op.accumulate};
}

BiasGrad bias_of(const Conv2dTransposeWgrad& op)
{
    return {op.s.N * op.s.H * op.s.W, op.s.C, op.dy, op.db, op.accumulate};
}

} // namespace

void Conv2dTransposeWgrad::check(Target) const
{
    s.check(kName);
}

Cost Conv2dTransposeWgrad::cost(Target target) const
{
    const Cost filters = filters_of(*this).cost(target);
    return db ? sum_of(filters, bias_of(*this).cost(target), 0) : filters;
}

void Conv2dTransposeWgrad::dispatch(Exec ex) const
{
    run(ex, filters_of(*this));
    if (db) run(ex, bias_of(*this));
}

} // namespace bifrons::kernels
