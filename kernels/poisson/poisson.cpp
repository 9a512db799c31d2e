#include "kernels/poisson/poisson.h"

#include "kernels/device/dispatch.h"
#include "kernels/poisson/multigrid.h"
#include "kernels/poisson/poisson_cpu.h"

#include <cmath>

namespace bifrons::kernels {

namespace {

/// A V-cycle and the vector operations of an iteration, and how many iterations a face takes.
constexpr double kFlopsPerIteration = 130, kPassesPerIteration = 40, kIterations = 5;

void check(const char* op, const PoissonShape& s)
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

std::size_t clone_rect_bytes(const PoissonShape& s, Target target)
{
    if (target.kind == DeviceKind::cpu) return cpu::poisson_clone_rect_bytes(s);
    Arena count(nullptr);
    PoissonCloneBuffers(s, count);
    return count.used() + solve_bytes(s, target);
}

} // namespace

Cost poisson_divergence_cost(const PoissonShape& s, DType dtype)
{
    return {.flops = 19.0 * double(s.size()),
            .bytes = double(s.size()) * (2.0 * double(dtype_bytes(dtype)) + 4) + 4.0 * double(s.pixels())};
}

void poisson_divergence(Exec ex, const PoissonShape& s, ConstView source, ConstView target, ConstView m,
                        View divergence)
{
    const char* op = "poisson_divergence";
    check(op, s);
    BIFRONS_CHECK(shape, source.dtype == DType::f32 || source.dtype == DType::u8, op, ": source is ",
                  dtype_name(source.dtype), "; expected f32 or u8");
    BIFRONS_CHECK(shape, !m || target, op, ": a mixing mask needs a target");
    check_dtype(op, "target", target, source.dtype);
    check_dtype(op, "m", m, DType::f32);
    check_dtype(op, "divergence", divergence, DType::f32);
    if (accounted(ex, op, poisson_divergence_cost(s, source.dtype))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] { cpu::poisson_divergence(s, source, target, m, divergence); });
    BIFRONS_SIMT(ex, op, poisson_divergence(ex, s, source, target, m, divergence));
}

Cost poisson_solve_cost(const PoissonShape& s, Target target)
{
    return {.flops = kIterations * kFlopsPerIteration * double(s.size()),
            .bytes = kIterations * kPassesPerIteration * 4.0 * double(s.size()),
            .workspace_bytes = solve_bytes(s, target)};
}

void poisson_solve(Exec ex, const PoissonShape& s, ConstView divergence, ConstView mask, float tolerance, View f)
{
    const char* op = "poisson_solve";
    check(op, s);
    BIFRONS_CHECK(shape, tolerance > 0 && std::isfinite(tolerance), op, ": tolerance ", tolerance,
                  "; expected a positive number");
    check_dtype(op, "divergence", divergence, DType::f32);
    check_dtype(op, "mask", mask, DType::u8);
    check_dtype(op, "f", f, DType::f32);
    if (accounted(ex, op, poisson_solve_cost(s, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream,
                                  [=] { cpu::poisson_solve(s, divergence, mask, tolerance, f, ex.workspace); });
    BIFRONS_SIMT(ex, op, poisson_solve(ex, s, divergence, mask, tolerance, f));
}

Cost poisson_clone_rect_cost(const PoissonShape& s, Target target)
{
    Cost cost = poisson_solve_cost(s, target);
    cost.flops += poisson_divergence_cost(s, DType::u8).flops;
    cost.bytes += poisson_divergence_cost(s, DType::u8).bytes + 6.0 * double(s.size());
    cost.workspace_bytes = clone_rect_bytes(s, target);
    return cost;
}

void poisson_clone_rect(Exec ex, const PoissonShape& s, ConstView source, ConstView target, ConstView mask, View out)
{
    const char* op = "poisson_clone_rect";
    check(op, s);
    check_dtype(op, "source", source, DType::u8);
    check_dtype(op, "target", target, DType::u8);
    check_dtype(op, "mask", mask, DType::u8);
    check_dtype(op, "out", out, DType::u8);
    if (accounted(ex, op, poisson_clone_rect_cost(s, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream,
                                  [=] { cpu::poisson_clone_rect(s, source, target, mask, out, ex.workspace); });
    BIFRONS_SIMT(ex, op, poisson_clone_rect(ex, s, source, target, mask, out));
}

} // namespace bifrons::kernels
