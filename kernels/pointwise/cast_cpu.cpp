#include "kernels/pointwise/cast.h"

#include "kernels/base/bf16.h"
#include "kernels/base/parallel.h"

namespace bifrons::kernels::cpu {

namespace {

template <class From, class To, class Convert>
void convert_all(std::int64_t n, const From* x, To* y, const Convert& convert)
{
    constexpr std::int64_t kGrain = 16384;
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) y[i] = convert(x[i]);
    });
}

} // namespace

void run(Exec, const Cast& op)
{
    const ConstView x = op.x;
    const View y = op.y;
    if (x.dtype == DType::bf16) return convert_all(op.n, x.as<bf16>(), y.as<float>(), [](bf16 v) { return to_f32(v); });
    if (y.dtype == DType::bf16)
        return convert_all(op.n, x.as<float>(), y.as<bf16>(), [](float v) { return to_bf16(v); });
    if (x.dtype == DType::f64)
        return convert_all(op.n, x.as<double>(), y.as<float>(), [](double v) { return float(v); });
    convert_all(op.n, x.as<float>(), y.as<double>(), [](float v) { return double(v); });
}

} // namespace bifrons::kernels::cpu
