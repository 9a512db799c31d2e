#include "kernels/pointwise/epilogue.h"

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
void check_value(const char* op, Target target, ConstView v, ConstView out)
{
    const bool cpu = target.kind == DeviceKind::cpu;
    const bool narrows = cpu && v.dtype == DType::f32 && out.dtype == DType::bf16;
    BIFRONS_CHECK(shape, v.dtype == out.dtype || (narrows && v.data != out.data), op, ": v is ", dtype_name(v.dtype),
                  ", the output is ", dtype_name(out.dtype), "; expected the same type");
}

} // namespace

void EpilogueFwd::check(Target target) const
{
    BIFRONS_CHECK(shape, e.shuffle >= 1 && s.K % (e.shuffle * e.shuffle) == 0, "epilogue_fwd: ", s.K,
                  " channels cannot be shuffled by ", e.shuffle, "; expected a multiple of ", e.shuffle * e.shuffle);
    check_value(kName, target, v, y);
}

Cost EpilogueFwd::cost(Target) const
{
    const int passes = 2 + (e.add ? 1 : 0) + (e.z ? 1 : 0);
    return {.flops = 3.0 * double(s.size()), .bytes = passes * double(s.size()) * double(dtype_bytes(v.dtype))};
}

void StoreGradient::check(Target target) const
{
    s.check(kName, s.out.dtype);
    check_value(kName, target, v, s.out);
}

Cost StoreGradient::cost(Target) const
{
    return {.flops = 2.0 * double(n), .bytes = double(n) * double(dtype_bytes(v.dtype)) + s.bytes(n, v.dtype)};
}

void Unshuffle::check(Target) const
{
    BIFRONS_CHECK(shape, f >= 1 && s.K % (f * f) == 0, "unshuffle: ", s.K, " channels cannot be unshuffled by ", f);
}

Cost Unshuffle::cost(Target) const
{
    return {.bytes = 2.0 * double(s.size()) * double(dtype_bytes(d.dtype))};
}

Cost BiasGrad::cost(Target target) const
{
    const double sum_bytes = d.dtype == DType::f64 ? 8 : 4;
    const bool cpu_partials = target.kind == DeviceKind::cpu && d.dtype != DType::f64;
    const std::size_t partials = cpu_partials                     ? std::size_t(64 * K) * 4
                                 : target.kind == DeviceKind::cpu ? 0
                                                                  : bias_grad_workspace(rows, K);
    return {.flops = double(rows) * double(K),
            .bytes = double(rows) * double(K) * double(dtype_bytes(d.dtype)) + double(K) * sum_bytes,
            .workspace_bytes = partials};
}

} // namespace bifrons::kernels
