#include "kernels/poisson/poisson.h"

#include "kernels/poisson/multigrid.h"
#include "kernels/poisson/poisson_cpu.h"

#include <cmath>

namespace bifrons::kernels {

namespace {

/// A V-cycle and the vector operations of an iteration, and how many iterations a face takes.
constexpr double kFlopsPerIteration = 130, kPassesPerIteration = 40, kIterations = 5;

void check_shape(const char* op, const PoissonShape& s)
{
    BIFRONS_CHECK(shape, s.H >= 1 && s.W >= 1 && s.C >= 1, op, ": the picture is ", s.H, "x", s.W, "x", s.C,
                  "; expected at least 1x1x1");
    BIFRONS_CHECK(shape, s.pixels() < std::int64_t(1) << 31, op, ": the picture has ", s.pixels(),
                  " pixels; expected fewer than 2^31");
}

void check_dtype(const char* op, const char* name, ConstView v, DType wanted)
{
    BIFRONS_CHECK(shape, !v || v.dtype == wanted, op, ": ", name, " is ", dtype_name(v.dtype), "; expected ",
                  dtype_name(wanted));
}

std::size_t solve_bytes(const PoissonShape& s, Target target)
{
    if (target.kind == DeviceKind::cpu) return cpu::poisson_solve_bytes(s);
    if (s.H < 3 || s.W < 3) return 0;
    Arena count(nullptr);
    PoissonBuffers(s, PoissonLevels(s.H, s.W), count);
    return count.used();
}

} // namespace

void PoissonDivergence::check(Target) const
{
    check_shape(kName, s);
    BIFRONS_CHECK(shape, source.dtype == DType::f32 || source.dtype == DType::u8, kName, ": source is ",
                  dtype_name(source.dtype), "; expected f32 or u8");
    BIFRONS_CHECK(shape, !m || target, kName, ": a mixing mask needs a target");
    check_dtype(kName, "target", target, source.dtype);
    check_dtype(kName, "m", m, DType::f32);
    check_dtype(kName, "divergence", divergence, DType::f32);
}

Cost PoissonDivergence::cost(Target) const
{
    return {.flops = 19.0 * double(s.size()),
            .bytes = double(s.size()) * (2.0 * double(dtype_bytes(source.dtype)) + 4) + 4.0 * double(s.pixels())};
}

void PoissonSolve::check(Target) const
{
    check_shape(kName, s);
    BIFRONS_CHECK(shape, tolerance > 0 && std::isfinite(tolerance), kName, ": tolerance ", tolerance,
                  "; expected a positive number");
    check_dtype(kName, "divergence", divergence, DType::f32);
    check_dtype(kName, "mask", mask, DType::u8);
    check_dtype(kName, "f", f, DType::f32);
}

Cost PoissonSolve::cost(Target target) const
{
    return {.flops = kIterations * kFlopsPerIteration * double(s.size()),
            .bytes = kIterations * kPassesPerIteration * 4.0 * double(s.size()),
            .workspace_bytes = solve_bytes(s, target)};
}

} // namespace bifrons::kernels
