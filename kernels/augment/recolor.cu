// kernels/augment/recolor.cu - fetches a batch's faces and references, matches their colours, and rounds them. Limit:
// the match.
#include "kernels/augment/recolor.h"

#include "kernels/augment/recolor_draw.h"
#include "kernels/device/dispatch.h"
#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// x, y [N, values]: sample blockIdx.x's face and reference.
__global__ void __launch_bounds__(kBlockSize)
    fetch_kernel(BatchShape s, Faces faces, Faces references, std::int64_t values, const StepState* state, float* x,
                 float* y)
{
    wait_for_previous_kernel();
    const std::int64_t n = blockIdx.x;
    const RecolorDraw d = draw_recolor(s, faces, references, *state, n);
    const auto* own = static_cast<const std::uint8_t*>(faces.images.data) + d.face * values;
    const auto* other = static_cast<const std::uint8_t*>(references.images.data) + d.reference * values;
    for (std::int64_t i = std::int64_t(blockIdx.y) * blockDim.x + threadIdx.x; i < values;
         i += std::int64_t(gridDim.y) * blockDim.x) {
        x[n * values + i] = level_of(own[i]);
        y[n * values + i] = level_of(other[i]);
    }
}

__global__ void __launch_bounds__(kBlockSize) round_kernel(std::int64_t n, const float* x, std::uint8_t* out)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i < n) out[i] = byte_of(x[i]);
}

} // namespace

void run(Exec ex, const Recolor& op)
{
    const BatchShape& s = op.s;
    constexpr unsigned kParts = 32;
    const RecolorPlan plan(s, op.kind, op.faces.side);
    const View x{ex.workspace.data, DType::f32}, y{behind(ex, plan.bytes()).workspace.data, DType::f32};
    launch(op.kName, fetch_kernel, Grid{.blocks = {unsigned(s.N), kParts}, .threads = {kBlockSize}}, ex, s, op.faces,
           op.references, plan.values / s.N, op.state, x.as<float>(), y.as<float>());
    run(behind(ex, 2 * plan.bytes()), MatchColors{plan.match, x, y, {}, op.state, x});
    launch(op.kName, round_kernel, grid_1d(plan.values), ex, plan.values, x.as<float>(), op.out.as<std::uint8_t>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
