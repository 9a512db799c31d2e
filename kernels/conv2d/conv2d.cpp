#include "kernels/conv2d/conv2d.h"

#include "kernels/base/onednn.h"
#include "kernels/conv2d/conv2d_cpu.h"
#include "kernels/conv2d/conv2d_direct.h"
#include "kernels/conv2d/conv2d_few_channels.h"
#include "kernels/conv2d/conv2d_igemm.h"
#include "kernels/device/dispatch.h"
#include "kernels/pointwise/epilogue_cpu.h"

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
    BIFRONS_CHECK(usage, s.method != Conv2dMethod::igemm_mma || igemm_supports(pass, s, dtype), op,
                  ": method igemm_mma cannot compute ", s.C, " to ", s.K, " channels of ", dtype_name(dtype),
                  " with stride ", s.stride, "; it copies at least 4 bytes of channels. Use automatic.");
    BIFRONS_CHECK(usage, s.method != Conv2dMethod::tiled || (dtype == DType::f32 && igemm_supports(pass, s, dtype)), op,
                  ": method tiled cannot compute ", s.C, " to ", s.K, " channels of ", dtype_name(dtype),
                  " with stride ", s.stride, "; it supports f32 and strides up to 4. Use automatic.");
    BIFRONS_CHECK(usage, s.method != Conv2dMethod::few_channels || few_channels_supports(pass, s, dtype), op,
                  ": method few_channels cannot compute ", s.C, " to ", s.K, " channels of ", dtype_name(dtype),
                  " with ", s.R, "x", s.S, " filters and stride ", s.stride, ". Use automatic.");
}

/// What `automatic` comes to on a GPU.
Conv2dMethod gpu_method(Conv2dPass pass, const Conv2dShape& s, DType dtype)
{
    if (s.method != Conv2dMethod::automatic) return s.method;
    if (s.P() * s.Q() > 1 && few_channels_supports(pass, s, dtype)) return Conv2dMethod::few_channels;
    if (!igemm_supports(pass, s, dtype)) return Conv2dMethod::direct;
    return dtype == DType::bf16 || s.tf32 ? Conv2dMethod::igemm_mma : Conv2dMethod::tiled;
}

std::size_t gpu_workspace(Conv2dPass pass, const Conv2dShape& s, DType dtype, Target target)
{
    switch (gpu_method(pass, s, dtype)) {
    case Conv2dMethod::igemm_mma:
    case Conv2dMethod::tiled:
        return igemm_workspace(pass, s, igemm_plan(pass, s, dtype, target));
    case Conv2dMethod::few_channels:
        return few_channels_workspace(pass, s, target);
    default:
        return 0;
    }
}

/// What copies of 16 bytes ask of the operands.
void check_addresses(const char* op, ConstView a, ConstView b)
{
    for (const ConstView operand : {a, b})
        BIFRONS_CHECK(bug, reinterpret_cast<std::uintptr_t>(operand.data) % 16 == 0, op, ": an operand at ",
                      operand.data, "; expected a multiple of 16 bytes. Use method direct.");
}

IgemmPlan plan_for(Conv2dPass pass, const Conv2dShape& s, DType dtype, const Exec& ex)
{
    IgemmPlan plan = igemm_plan(pass, s, dtype, ex.device->target());
    plan.tensor_cores = gpu_method(pass, s, dtype) == Conv2dMethod::igemm_mma;
    return plan;
}

// ---- forward -----------------------------------------------------------------------------------------------------

/// Epilogues that oneDNN may compute with the sum, but for the shuffle, which is left.
bool may_fuse(const Epilogue& e)
{
    const bool linear = e.act.kind == Act::none || e.act.kind == Act::leaky || e.act.kind == Act::relu;
    return linear && !e.z;
}

std::shared_ptr<const OnednnCall> fused_call(const Conv2dShape& s, DType dtype, DType out, const Epilogue& e,
                                             int threads)
{
    return may_fuse(e) ? library_call(s, OnednnPass::forward, dtype, out, threads, e) : nullptr;
}

/// Whether the sum cannot stand in y before the store: that moves elements, or y may hold what is to be added, which a
/// cost cannot know.
bool moves(const Epilogue& e)
{
    return e.shuffle > 1 || e.add;
}

std::size_t buffer_bytes(std::int64_t n, DType dtype)
{
    return aligned(std::size_t(n) * dtype_bytes(dtype));
}

/// With y of type `out`.
std::size_t fwd_workspace(const Conv2dShape& s, DType dtype, DType out, const Epilogue& e, int threads)
{
    if (const auto call = fused_call(s, dtype, out, e, threads))
        return (moves(e) ? buffer_bytes(s.y_size(), out) : 0) + call->workspace_bytes();
    const DType sum = sum_type(dtype);
    const auto call = library_call(s, OnednnPass::forward, dtype, sum, threads);
    return (moves(e) || out != sum ? buffer_bytes(s.y_size(), sum) : 0) +
           (call ? call->workspace_bytes() : cpu::conv2d_fwd_workspace(s, dtype));
}

void sum_on_cpu(Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View v)
{
    if (const auto call = library_call(s, OnednnPass::forward, x.dtype, v.dtype, ex.device->target().threads))
        return ex.device->enqueue(ex.stream, call->bind({.a = x.data, .b = w.data, .out = v.data}, ex.workspace.data));
    ex.device->enqueue(ex.stream, [=] { cpu::conv2d_fwd(s, x, w, v, ex.workspace); });
}

void fwd_on_cpu(Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const Epilogue& e)
{
    const auto call = fused_call(s, x.dtype, y.dtype, e, ex.device->target().threads);
    const DType sum = call ? y.dtype : sum_type(x.dtype);
    const bool in_place = e.shuffle == 1 && y.dtype == sum && !(e.add && e.add.data == y.data);
    const View v = in_place ? y : View{ex.workspace.data, sum};
    const Exec rest = behind(ex, moves(e) || y.dtype != sum ? buffer_bytes(s.y_size(), sum) : 0);
    if (call)
        ex.device->enqueue(
            ex.stream,
            call->bind({.a = x.data, .b = w.data, .bias = e.bias.as<float>(), .add = e.add.data, .out = v.data},
                       rest.workspace.data));
    else
        sum_on_cpu(rest, s, x, w, v);
    const Epilogue left = call ? Epilogue{.shuffle = e.shuffle} : e;
    if (!in_place || !stores_plainly(left))
        ex.device->enqueue(ex.stream, [=, shape = s.y_shape()] { cpu::epilogue_fwd(shape, v, y, left); });
}

} // namespace

Cost conv2d_fwd_cost(const Conv2dShape& s, DType dtype, const Epilogue& e, Target target)
{
    Cost cost = base_cost(s, dtype);
    cost.bytes += (double(e.add ? s.y_size() : 0) + double(e.z ? s.y_size() : 0)) * double(dtype_bytes(dtype));
    if (is_gpu(target)) cost.workspace_bytes = gpu_workspace(Conv2dPass::fwd, s, dtype, target);
    if (target.kind != DeviceKind::cpu) return cost;
    cost.workspace_bytes = fwd_workspace(s, dtype, dtype, e, target.threads);
    if (sum_type(dtype) != dtype) // y may be as wide, which is not known here
        cost.workspace_bytes =
            std::max(cost.workspace_bytes, fwd_workspace(s, dtype, sum_type(dtype), e, target.threads));
    return cost;
}

void conv2d_fwd(Exec ex, const Conv2dShape& s, ConstView x, ConstView w, View y, const Epilogue& e)
{
    s.check("conv2d_fwd");
    check_dtypes("conv2d_fwd", x, w, y, true);
    check_method("conv2d_fwd", Conv2dPass::fwd, s, x.dtype, ex.device->target());
    check_shuffle("conv2d_fwd", s.K, e);
    BIFRONS_CHECK(shape, x.data != y.data, "conv2d_fwd: y is x's own buffer; expected another buffer");
    if (accounted(ex, "conv2d_fwd", conv2d_fwd_cost(s, x.dtype, e, ex.device->target()))) return;
    if (on_cpu(ex)) return fwd_on_cpu(ex, s, x, w, y, e);
    const Conv2dMethod method = gpu_method(Conv2dPass::fwd, s, x.dtype);
    if (method == Conv2dMethod::direct) BIFRONS_SIMT(ex, "conv2d_fwd", conv2d_fwd_direct(ex, s, x, w, y, e));
    check_addresses("conv2d_fwd", x, w);
    if (method == Conv2dMethod::few_channels && is_head(s))
        BIFRONS_SIMT(ex, "conv2d_fwd", conv2d_fwd_head(ex, s, x, w, y, e));
    if (method == Conv2dMethod::few_channels)
        BIFRONS_SIMT(ex, "conv2d_fwd", conv2d_fwd_few_channels(ex, s, x, w, y, e));
    const IgemmPlan plan = plan_for(Conv2dPass::fwd, s, x.dtype, ex);
    BIFRONS_SIMT(ex, "conv2d_fwd", conv2d_fwd_igemm(ex, s, plan, x, w, y, e));
}

// ---- input gradient ----------------------------------------------------------------------------------------------

namespace {

/// Room for the sum where it cannot be computed in d.out's place: that holds what is to be added, or is bf16 and the
/// sum is not stored as it is.
std::size_t gradient_buffer_bytes(const Conv2dShape& s, DType dtype, const Store& d, int threads)
{
    const bool adds_itself = d.add && d.add.data == d.out.data;
    const bool rounds = dtype == DType::bf16 &&
                        !(stores_plainly(d) && library_call(s, OnednnPass::input_gradient, dtype, dtype, threads));
    return adds_itself || rounds ? buffer_bytes(s.x_size(), sum_type(dtype)) : 0;
}

std::size_t dgrad_workspace(const Conv2dShape& s, DType dtype, DType sum, int threads)
{
    const auto call = library_call(s, OnednnPass::input_gradient, dtype, sum, threads);
    return call ? call->workspace_bytes() : cpu::conv2d_dgrad_workspace(s, dtype);
}

void dgrad_on_cpu(Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const Store& d)
{
    const int threads = ex.device->target().threads;
    const std::size_t buffer = gradient_buffer_bytes(s, dy.dtype, d, threads);
    const View v = buffer ? View{ex.workspace.data, sum_type(dy.dtype)} : d.out;
    const Workspace scratch = behind(ex, buffer).workspace;
    if (const auto call = library_call(s, OnednnPass::input_gradient, dy.dtype, v.dtype, threads))
        ex.device->enqueue(ex.stream, call->bind({.a = dy.data, .b = w.data, .out = v.data}, scratch.data));
    else
        ex.device->enqueue(ex.stream, [=] { cpu::conv2d_dgrad(s, dy, w, v, scratch); });
    if (buffer || !stores_plainly(d)) ex.device->enqueue(ex.stream, [=] { cpu::store_gradient(s.x_size(), v, d); });
}

} // namespace

Cost conv2d_dgrad_cost(const Conv2dShape& s, DType dtype, const Store& d, Target target)
{
    Cost cost = base_cost(s, dtype);
    cost.bytes += (double(d.add ? s.x_size() : 0) + double(d.saved ? s.x_size() : 0)) * double(dtype_bytes(dtype));
    if (is_gpu(target)) cost.workspace_bytes = gpu_workspace(Conv2dPass::dgrad, s, dtype, target);
    if (target.kind != DeviceKind::cpu) return cost;
    cost.workspace_bytes = dgrad_workspace(s, dtype, dtype, target.threads);
    if (sum_type(dtype) != dtype)
        cost.workspace_bytes =
            std::max(cost.workspace_bytes, dgrad_workspace(s, dtype, sum_type(dtype), target.threads));
    cost.workspace_bytes += gradient_buffer_bytes(s, dtype, d, target.threads);
    return cost;
}

namespace {

void dgrad_on_gpu(Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const GradientOrValue& out)
{
    const Conv2dMethod method = gpu_method(Conv2dPass::dgrad, s, dy.dtype);
    if (method == Conv2dMethod::direct) BIFRONS_SIMT(ex, "conv2d_dgrad", conv2d_dgrad_direct(ex, s, dy, w, out));
    check_addresses("conv2d_dgrad", dy, w);
    if (method == Conv2dMethod::few_channels)
        BIFRONS_SIMT(ex, "conv2d_dgrad", conv2d_dgrad_few_channels(ex, s, dy, w, out));
    const IgemmPlan plan = plan_for(Conv2dPass::dgrad, s, dy.dtype, ex);
    BIFRONS_SIMT(ex, "conv2d_dgrad", conv2d_dgrad_igemm(ex, s, plan, dy, w, out));
}

} // namespace

void conv2d_dgrad(Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, const Store& d)
{
    s.check("conv2d_dgrad");
    check_dtypes("conv2d_dgrad", dy, w, d.out, ex.device->target().kind == DeviceKind::cpu);
    check_method("conv2d_dgrad", Conv2dPass::dgrad, s, dy.dtype, ex.device->target());
    d.check("conv2d_dgrad", d.out.dtype);
    if (accounted(ex, "conv2d_dgrad", conv2d_dgrad_cost(s, dy.dtype, d, ex.device->target()))) return;
    if (on_cpu(ex)) return dgrad_on_cpu(ex, s, dy, w, d);
    dgrad_on_gpu(ex, s, dy, w, {.gradient = d});
}

void conv2d_dgrad(Exec ex, const Conv2dShape& s, ConstView dy, ConstView w, View y, const Epilogue& e)
{
    s.check("conv2d_dgrad");
    check_dtypes("conv2d_dgrad", dy, w, y, false);
    check_method("conv2d_dgrad", Conv2dPass::dgrad, s, dy.dtype, ex.device->target());
    check_shuffle("conv2d_dgrad", s.C, e);
    Cost cost = conv2d_dgrad_cost(s, dy.dtype, Store{}, ex.device->target());
    cost.bytes += (double(e.add ? s.x_size() : 0) + double(e.z ? s.x_size() : 0)) * double(dtype_bytes(dy.dtype));
    if (accounted(ex, "conv2d_dgrad", cost)) return;
    dgrad_on_gpu(ex, s, dy, w, {.y = y, .value = e});
}

// ---- filter gradient ---------------------------------------------------------------------------------------------

namespace {

std::size_t filter_buffer_bytes(const Conv2dShape& s, DType dtype, bool accumulate)
{
    return accumulate ? buffer_bytes(s.w_size(), sum_type(dtype)) : 0;
}

Cost bias_cost(const Conv2dShape& s, DType dtype, Target target)
{
    return bias_grad_cost(s.N * s.P() * s.Q(), s.K, dtype, target);
}

void wgrad_on_cpu(Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, View db, bool accumulate)
{
    const View v = accumulate ? View{ex.workspace.data, dw.dtype} : dw;
    const Workspace scratch = behind(ex, filter_buffer_bytes(s, dy.dtype, accumulate)).workspace;
    if (const auto call = library_call(s, OnednnPass::filter_gradient, dy.dtype, dw.dtype, ex.device->target().threads))
        ex.device->enqueue(ex.stream, call->bind({.a = dy.data, .b = x.data, .out = v.data}, scratch.data));
    else
        ex.device->enqueue(ex.stream, [=] { cpu::conv2d_wgrad(s, dy, x, v, scratch); });
    ex.device->enqueue(ex.stream, [=] {
        if (accumulate) cpu::store_gradient(s.w_size(), v, {.out = dw, .add = dw});
        if (db) cpu::bias_grad(s.N * s.P() * s.Q(), s.K, dy, db, accumulate, scratch);
    });
}

} // namespace

Cost conv2d_wgrad_cost(const Conv2dShape& s, DType dtype, bool bias, bool accumulate, Target target)
{
    Cost cost = base_cost(s, dtype);
    if (accumulate) cost.bytes += double(s.w_size()) * double(dtype_bytes(dtype));
    const std::size_t bias_bytes = bias ? bias_cost(s, dtype, target).workspace_bytes : 0;
    if (is_gpu(target)) cost.workspace_bytes = std::max(gpu_workspace(Conv2dPass::wgrad, s, dtype, target), bias_bytes);
    if (target.kind != DeviceKind::cpu) return cost;
    const auto call = library_call(s, OnednnPass::filter_gradient, dtype, sum_type(dtype), target.threads);
    const std::size_t sum = call ? call->workspace_bytes() : cpu::conv2d_wgrad_workspace(s, dtype);
    cost.workspace_bytes = filter_buffer_bytes(s, dtype, accumulate) + std::max(sum, bias_bytes);
    return cost;
}

namespace {

void wgrad_on_gpu(Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, bool accumulate)
{
    const Conv2dMethod method = gpu_method(Conv2dPass::wgrad, s, dy.dtype);
    if (method == Conv2dMethod::direct)
        BIFRONS_SIMT(ex, "conv2d_wgrad", conv2d_wgrad_direct(ex, s, dy, x, dw, accumulate));
    check_addresses("conv2d_wgrad", dy, x);
    if (method == Conv2dMethod::few_channels)
        BIFRONS_SIMT(ex, "conv2d_wgrad", conv2d_wgrad_few_channels(ex, s, dy, x, dw, accumulate));
    const IgemmPlan plan = plan_for(Conv2dPass::wgrad, s, dy.dtype, ex);
    BIFRONS_SIMT(ex, "conv2d_wgrad", conv2d_wgrad_igemm(ex, s, plan, dy, x, dw, accumulate));
}

} // namespace

void conv2d_wgrad(Exec ex, const Conv2dShape& s, ConstView dy, ConstView x, View dw, View db, bool accumulate)
{
    s.check("conv2d_wgrad");
    check_dtypes("conv2d_wgrad", dy, x, dw, true);
    check_method("conv2d_wgrad", Conv2dPass::wgrad, s, dy.dtype, ex.device->target());
    if (accounted(ex, "conv2d_wgrad", conv2d_wgrad_cost(s, dy.dtype, bool(db), accumulate, ex.device->target())))
        return;
    if (on_cpu(ex)) return wgrad_on_cpu(ex, s, dy, x, dw, db, accumulate);
    wgrad_on_gpu(ex, s, dy, x, dw, accumulate);
    if (db) bias_grad(ex, s.N * s.P() * s.Q(), s.K, dy, db, accumulate);
}

} // namespace bifrons::kernels
