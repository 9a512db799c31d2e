#include "kernels/pointwise/epilogue.h"

#include "kernels/device/dispatch.h"
#include "kernels/pointwise/epilogue_cpu.h"

namespace bifrons::kernels {

void Store::check(const char* op, DType dtype) const
{
    BIFRONS_CHECK(shape, act.kind == Act::none || saved, op, ": an activation needs its saved value");
    for (const ConstView part : {ConstView(out), add, saved})
        BIFRONS_CHECK(shape, !part || part.dtype == dtype, op, ": a part of the store is ", dtype_name(part.dtype),
                      ", the gradient is ", dtype_name(dtype), "; expected the same type");
}

double Store::bytes(std::int64_t n, DType dtype) const
{
    return (1.0 + (add ? 1 : 0) + (saved ? 1 : 0)) * double(n) * double(dtype_bytes(dtype));
}

namespace {

/// A value to be stored is of the output's type; on a cpu also f32 where that is bf16.
void check_value(const char* op, const Exec& ex, ConstView v, ConstView out)
{
    const bool cpu = ex.device->target().kind == DeviceKind::cpu;
    const bool narrows = cpu && v.dtype == DType::f32 && out.dtype == DType::bf16;
    BIFRONS_CHECK(shape, v.dtype == out.dtype || (narrows && v.data != out.data), op, ": v is ", dtype_name(v.dtype),
                  ", the output is ", dtype_name(out.dtype), "; expected the same type");
}

} // namespace

Cost epilogue_fwd_cost(const EpilogueShape& s, DType dtype, const Epilogue& e)
{
    const int passes = 2 + (e.add ? 1 : 0) + (e.z ? 1 : 0);
    return {.flops = 3.0 * double(s.size()), .bytes = passes * double(s.size()) * double(dtype_bytes(dtype))};
}

void epilogue_fwd(Exec ex, const EpilogueShape& s, ConstView v, View y, const Epilogue& e)
{
    BIFRONS_CHECK(shape, e.shuffle >= 1 && s.K % (e.shuffle * e.shuffle) == 0, "epilogue_fwd: ", s.K,
                  " channels cannot be shuffled by ", e.shuffle, "; expected a multiple of ", e.shuffle * e.shuffle);
    check_value("epilogue_fwd", ex, v, y);
    if (accounted(ex, "epilogue_fwd", epilogue_fwd_cost(s, v.dtype, e))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::epilogue_fwd(s, v, y, e); });
    BIFRONS_SIMT(ex, "epilogue_fwd", epilogue_fwd(ex, s, v, y, e));
}

Cost store_gradient_cost(std::int64_t n, DType dtype, const Store& s)
{
    return {.flops = 2.0 * double(n), .bytes = double(n) * double(dtype_bytes(dtype)) + s.bytes(n, dtype)};
}

void store_gradient(Exec ex, std::int64_t n, ConstView v, const Store& s)
{
    s.check("store_gradient", s.out.dtype);
    check_value("store_gradient", ex, v, s.out);
    if (accounted(ex, "store_gradient", store_gradient_cost(n, v.dtype, s))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::store_gradient(n, v, s); });
    BIFRONS_SIMT(ex, "store_gradient", store_gradient(ex, n, v, s));
}

Cost unshuffle_cost(const EpilogueShape& s, DType dtype)
{
    return {.bytes = 2.0 * double(s.size()) * double(dtype_bytes(dtype))};
}

void unshuffle(Exec ex, const EpilogueShape& s, int f, ConstView dy, View d)
{
    BIFRONS_CHECK(shape, f >= 1 && s.K % (f * f) == 0, "unshuffle: ", s.K, " channels cannot be unshuffled by ", f);
    if (accounted(ex, "unshuffle", unshuffle_cost(s, d.dtype))) return;
    if (on_cpu(ex)) return ex.device->enqueue(ex.stream, [=] { cpu::unshuffle(s, f, dy, d); });
    BIFRONS_SIMT(ex, "unshuffle", unshuffle(ex, s, f, dy, d));
}

Cost bias_grad_cost(std::int64_t rows, std::int64_t K, DType dtype, Target target)
{
    const double sum_bytes = dtype == DType::f64 ? 8 : 4;
    const bool cpu_partials = target.kind == DeviceKind::cpu && dtype != DType::f64;
    const std::size_t partials = cpu_partials                     ? std::size_t(64 * K) * 4
                                 : target.kind == DeviceKind::cpu ? 0
                                                                  : bias_grad_workspace(rows, K);
    return {.flops = double(rows) * double(K),
            .bytes = double(rows) * double(K) * double(dtype_bytes(dtype)) + double(K) * sum_bytes,
            .workspace_bytes = partials};
}

void bias_grad(Exec ex, std::int64_t rows, std::int64_t K, ConstView d, View db, bool accumulate)
{
    if (accounted(ex, "bias_grad", bias_grad_cost(rows, K, d.dtype, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] { cpu::bias_grad(rows, K, d, db, accumulate, ex.workspace); });
    BIFRONS_SIMT(ex, "bias_grad", bias_grad(ex, rows, K, d, db, accumulate));
}

} // namespace bifrons::kernels
