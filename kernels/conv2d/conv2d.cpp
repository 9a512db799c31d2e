#include "kernels/conv2d/conv2d.h"

#include "kernels/base/onednn.h"
#include "kernels/conv2d/conv2d_cpu.h"
#include "kernels/conv2d/conv2d_methods.h"

namespace bifrons::kernels {

void Conv2dShape::check(const char* op) const
{
    const bool positive = N >= 1 && H >= 1 && W >= 1 && C >= 1 && K >= 1 && R >= 1 && S >= 1;
    BIFRONS_CHECK(shape, positive && stride >= 1 && pad >= 0, op, ": x [", N, ",", H, ",", W, ",", C, "], w [", K, ",",
                  R, ",", S, ",", C, "], stride ", stride, ", pad ", pad,
                  "; expected sizes and stride of at least 1 and pad of at least 0");
    BIFRONS_CHECK(shape, H + 2 * pad >= R && W + 2 * pad >= S, op, ": a ", R, "x", S, " filter on a ", H, "x", W,
                  " picture with pad ", pad, "; expected a filter within the padded picture");
}

namespace {

/// Of two operands and the result, which may be f32 where the operands are bf16 and `widens`.
void check_dtypes(const char* op, ConstView a, ConstView b, ConstView out, bool widens)
{
    const bool fits = out.dtype == a.dtype || (widens && a.dtype == DType::bf16 && out.dtype == DType::f32);
    BIFRONS_CHECK(shape, a.dtype == b.dtype && fits, op, ": operands are ", dtype_name(a.dtype), ", ",
                  dtype_name(b.dtype), " and ", dtype_name(out.dtype), "; expected the same type");
}

void check_shuffle(const char* op, std::int64_t channels, const Epilogue& e)
{
    BIFRONS_CHECK(shape, e.shuffle >= 1 && channels % (e.shuffle * e.shuffle) == 0, op, ": ", channels,
                  " channels cannot be shuffled by ", e.shuffle, "; expected a multiple of ", e.shuffle * e.shuffle);
}

Cost base_cost(const Conv2dShape& s, DType dtype)
{
    return {.flops = 2.0 * double(s.y_size()) * double(s.R * s.S * s.C),
            .bytes = double(s.x_size() + s.w_size() + s.y_size()) * double(dtype_bytes(dtype))};
}

using cpu::sum_type;

/// oneDNN's call for a sum of products of `dtype`, stored as `out` with the store e; null where loops are to run.
std::shared_ptr<const OnednnCall> library_call(const Conv2dShape& s, OnednnPass pass, DType dtype, DType out,
                                               int threads, const Epilogue& e = {})
{
    if (s.method == Conv2dMethod::loops || dtype == DType::f64) return nullptr;
    const float slope = e.act.kind == Act::none ? 1.0f : e.act.kind == Act::leaky ? e.act.slope : 0.0f;
    const OnednnConv conv{.pass = pass,
                          .N = s.N,
                          .H = s.H,
                          .W = s.W,
                          .C = s.C,
                          .K = s.K,
                          .R = s.R,
                          .S = s.S,
                          .stride = s.stride,
                          .pad = s.pad,
                          .bf16 = dtype == DType::bf16,
                          .f32_out = dtype == DType::bf16 && out == DType::f32,
                          .bias = bool(e.bias),
                          .add = bool(e.add),
                          .slope = slope};
    auto call = onednn_call(conv, threads);
    BIFRONS_CHECK(usage, call || s.method != Conv2dMethod::onednn || !stores_plainly(e),
                  "conv2d: method onednn: not in this build, or without an optimised implementation of this shape. "
                  "Use automatic.");
    return call;
}

bool is_gpu(Target target)
{
    return target.kind == DeviceKind::sim || target.kind == DeviceKind::cuda;
}

bool is_host_method(Conv2dMethod method)
{
    return method == Conv2dMethod::loops || method == Conv2dMethod::onednn;
}

void check_method(const char* op, Conv2dPass pass, const Conv2dShape& s, DType dtype, Target target)
{
    BIFRONS_CHECK(usage, s.method == Conv2dMethod::automatic || is_host_method(s.method) == !is_gpu(target), op,
                  ": device ", device_kind_name(target.kind), " does not have this method. Use automatic.");
    if (!is_gpu(target)) return;
    const Conv2dGpuMethod& method = conv2d_gpu_method(pass, s, dtype);
    BIFRONS_CHECK(usage, method.supports(pass, s, dtype), op, ": method ", method.name, " cannot compute ", s.C, " to ",
                  s.K, " channels of ", dtype_name(dtype), " with ", s.R, "x", s.S, " filters and stride ", s.stride,
                  "; ", method.limits, ". Use automatic.");
}

std::size_t gpu_workspace(Conv2dPass pass, const Conv2dShape& s, DType dtype, Target target)
{
    return conv2d_gpu_method(pass, s, dtype).workspace(pass, s, dtype, target);
}

// ---- forward -----------------------------------------------------------------------------------------------------

/// Epilogues that oneDNN may compute with the sum, but for the shuffle, which is left.
bool may_fuse(const Epilogue& e)
{
    const bool linear = e.act.kind == Act::none || e.act.kind == Act::leaky || e.act.kind == Act::relu;
    return linear && !e.z;
}

std::shared_ptr<const OnednnCall> fused_call(const Conv2dFwd& op, int threads)
{
    return may_fuse(op.e) ? library_call(op.s, OnednnPass::forward, op.x.dtype, op.y.dtype, threads, op.e) : nullptr;
}

std::size_t buffer_bytes(std::int64_t n, DType dtype)
{
    return aligned(std::size_t(n) * dtype_bytes(dtype));
}

/// Room for a sum of type `sum` that cannot stand in y before the store: y is of another type, elements move, or y
/// holds what is to be added.
std::size_t sum_buffer_bytes(const Conv2dFwd& op, DType sum)
{
    const bool in_place = op.e.shuffle == 1 && op.y.dtype == sum && !(op.e.add && op.e.add.data == op.y.data);
    return in_place ? 0 : buffer_bytes(op.s.y_size(), sum);
}

std::size_t fwd_workspace(const Conv2dFwd& op, int threads)
{
    if (const auto call = fused_call(op, threads)) return sum_buffer_bytes(op, op.y.dtype) + call->workspace_bytes();
    const DType sum = sum_type(op.x.dtype);
    const auto call = library_call(op.s, OnednnPass::forward, op.x.dtype, sum, threads);
    return sum_buffer_bytes(op, sum) + (call ? call->workspace_bytes() : cpu::conv2d_fwd_workspace(op.s, op.x.dtype));
}

void sum_on_cpu(Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View v)
{
    if (const auto call = library_call(s, OnednnPass::forward, x.dtype, v.dtype, ex.device->target().threads))
        return ex.device->enqueue(ex.stream, call->bind({.a = x.data, .b = w.data, .out = v.data}, ex.workspace.data));
    ex.device->enqueue(ex.stream, [=] { cpu::conv2d_fwd(s, x, w, v, ex.workspace); });
}

void fwd_on_cpu(Exec ex, const Conv2dFwd& op)
{
    const Epilogue& e = op.e;
    const auto call = fused_call(op, ex.device->target().threads);
    const DType sum = call ? op.y.dtype : sum_type(op.x.dtype);
    const std::size_t buffer = sum_buffer_bytes(op, sum);
    const View v = buffer ? View{ex.workspace.data, sum} : op.y;
    const Exec rest = behind(ex, buffer);
    if (call)
        ex.device->enqueue(
            ex.stream,
            call->bind({.a = op.x.data, .b = op.w.data, .bias = e.bias.as<float>(), .add = e.add.data, .out = v.data},
                       rest.workspace.data));
    else
        sum_on_cpu(rest, op.s, op.x, op.w, v);
    const Epilogue left = call ? Epilogue{.shuffle = e.shuffle} : e;
    if (buffer || !stores_plainly(left)) dispatch(rest, EpilogueFwd{op.s.y_shape(), v, op.y, left});
}

double passes_bytes(std::int64_t n, DType dtype, bool first, bool second)
{
    return (int(first) + int(second)) * double(n) * double(dtype_bytes(dtype));
}

} // namespace

void Conv2dFwd::check(Target target) const
{
    s.check(kName);
    check_dtypes(kName, x, w, y, true);
    check_method(kName, Conv2dPass::fwd, s, x.dtype, target);
    check_shuffle(kName, s.K, e);
    BIFRONS_CHECK(shape, x.data != y.data, "conv2d_fwd: y is x's own buffer; expected another buffer");
}

Cost Conv2dFwd::cost(Target target) const
{
    Cost cost = base_cost(s, x.dtype);
    cost.bytes += passes_bytes(s.y_size(), x.dtype, bool(e.add), bool(e.z));
    cost.workspace_bytes =
        is_gpu(target) ? gpu_workspace(Conv2dPass::fwd, s, x.dtype, target) : fwd_workspace(*this, target.threads);
    return cost;
}

void Conv2dFwd::dispatch(Exec ex) const
{
    if (on_cpu(ex)) return fwd_on_cpu(ex, *this);
    conv2d_gpu_method(Conv2dPass::fwd, s, x.dtype).fwd(ex, *this);
}

// ---- input gradient ----------------------------------------------------------------------------------------------

namespace {

/// Room for the sum where it cannot be computed in d.out's place: that holds what is to be added, or is bf16 and the
/// sum is not stored as it is.
std::size_t sum_buffer_bytes(const Conv2dDgrad& op, int threads)
{
    const DType dtype = op.dy.dtype;
    const bool adds_itself = op.d.add && op.d.add.data == op.d.out.data;
    const bool rounds = dtype == DType::bf16 && !(stores_plainly(op.d) && library_call(op.s, OnednnPass::input_gradient,
                                                                                       dtype, dtype, threads));
    return adds_itself || rounds ? buffer_bytes(op.s.x_size(), sum_type(dtype)) : 0;
}

std::size_t dgrad_workspace(const Conv2dDgrad& op, int threads)
{
    const std::size_t buffer = sum_buffer_bytes(op, threads);
    const auto call = library_call(op.s, OnednnPass::input_gradient, op.dy.dtype,
                                   buffer ? sum_type(op.dy.dtype) : op.d.out.dtype, threads);
    return buffer + (call ? call->workspace_bytes() : cpu::conv2d_dgrad_workspace(op.s, op.dy.dtype));
}

void dgrad_on_cpu(Exec ex, const Conv2dDgrad& op)
{
    const int threads = ex.device->target().threads;
    const std::size_t buffer = sum_buffer_bytes(op, threads);
    const View v = buffer ? View{ex.workspace.data, sum_type(op.dy.dtype)} : op.d.out;
    const Exec rest = behind(ex, buffer);
    if (const auto call = library_call(op.s, OnednnPass::input_gradient, op.dy.dtype, v.dtype, threads))
        ex.device->enqueue(ex.stream,
                           call->bind({.a = op.dy.data, .b = op.w.data, .out = v.data}, rest.workspace.data));
    else
        ex.device->enqueue(ex.stream, [=] { cpu::conv2d_dgrad(op.s, op.dy, op.w, v, rest.workspace); });
    if (buffer || !stores_plainly(op.d)) dispatch(rest, StoreGradient{op.s.x_size(), v, op.d});
}

} // namespace

void Conv2dDgrad::check(Target target) const
{
    s.check(kName);
    check_dtypes(kName, dy, w, y ? y : d.out, !y && target.kind == DeviceKind::cpu);
    check_method(kName, Conv2dPass::dgrad, s, dy.dtype, target);
    BIFRONS_CHECK(bug, !y || (is_gpu(target) && !d.out), kName,
                  ": stores the sums as values on a GPU only, and in place of gradients");
    if (y)
        check_shuffle(kName, s.C, e);
    else
        d.check(kName, d.out.dtype);
}

Cost Conv2dDgrad::cost(Target target) const
{
    Cost cost = base_cost(s, dy.dtype);
    cost.bytes += passes_bytes(s.x_size(), dy.dtype, bool(d.add), bool(d.saved)) +
                  passes_bytes(s.x_size(), dy.dtype, bool(e.add), bool(e.z));
    cost.workspace_bytes =
        is_gpu(target) ? gpu_workspace(Conv2dPass::dgrad, s, dy.dtype, target) : dgrad_workspace(*this, target.threads);
    return cost;
}

void Conv2dDgrad::dispatch(Exec ex) const
{
    if (on_cpu(ex)) return dgrad_on_cpu(ex, *this);
    conv2d_gpu_method(Conv2dPass::dgrad, s, dy.dtype).dgrad(ex, *this);
}

// ---- filter gradient ---------------------------------------------------------------------------------------------

namespace {

std::size_t sum_buffer_bytes(const Conv2dWgrad& op)
{
    return op.accumulate ? buffer_bytes(op.s.w_size(), sum_type(op.dy.dtype)) : 0;
}

BiasGrad bias_grad_of(const Conv2dWgrad& op)
{
    return {op.s.N * op.s.P() * op.s.Q(), op.s.K, op.dy, op.db, op.accumulate};
}

void wgrad_on_cpu(Exec ex, const Conv2dWgrad& op)
{
    const View v = op.accumulate ? View{ex.workspace.data, op.dw.dtype} : op.dw;
    const Exec rest = behind(ex, sum_buffer_bytes(op));
    if (const auto call =
            library_call(op.s, OnednnPass::filter_gradient, op.dy.dtype, op.dw.dtype, ex.device->target().threads))
        ex.device->enqueue(ex.stream,
                           call->bind({.a = op.dy.data, .b = op.x.data, .out = v.data}, rest.workspace.data));
    else
        ex.device->enqueue(ex.stream, [=] { cpu::conv2d_wgrad(op.s, op.dy, op.x, v, rest.workspace); });
    if (op.accumulate) dispatch(rest, StoreGradient{op.s.w_size(), v, {.out = op.dw, .add = op.dw}});
    if (op.db) dispatch(rest, bias_grad_of(op));
}

} // namespace

void Conv2dWgrad::check(Target target) const
{
    s.check(kName);
    check_dtypes(kName, dy, x, dw, true);
    check_method(kName, Conv2dPass::wgrad, s, dy.dtype, target);
}

Cost Conv2dWgrad::cost(Target target) const
{
    Cost cost = base_cost(s, dy.dtype);
    cost.bytes += passes_bytes(s.w_size(), dy.dtype, accumulate, false);
    const std::size_t bias_bytes = db ? bias_grad_of(*this).cost(target).workspace_bytes : 0;
    if (is_gpu(target)) {
        cost.workspace_bytes = std::max(gpu_workspace(Conv2dPass::wgrad, s, dy.dtype, target), bias_bytes);
        return cost;
    }
    const auto call = library_call(s, OnednnPass::filter_gradient, dy.dtype, sum_type(dy.dtype), target.threads);
    const std::size_t sum = call ? call->workspace_bytes() : cpu::conv2d_wgrad_workspace(s, dy.dtype);
    cost.workspace_bytes = sum_buffer_bytes(*this) + std::max(sum, bias_bytes);
    return cost;
}

void Conv2dWgrad::dispatch(Exec ex) const
{
    if (on_cpu(ex)) return wgrad_on_cpu(ex, *this);
    conv2d_gpu_method(Conv2dPass::wgrad, s, dy.dtype).wgrad(ex, *this);
    if (db) run(ex, bias_grad_of(*this));
}

} // namespace bifrons::kernels
