#include "tests/kernels/rng_kernel.h"

#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

__global__ void __launch_bounds__(kBlockSize) draw_streams_kernel(std::int64_t n, float* draws)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= n) return;
    const RngDraws d = draws_of_stream(i);
    draws[5 * i] = d.integer, draws[5 * i + 1] = d.uniform, draws[5 * i + 2] = d.normal;
    draws[5 * i + 3] = d.truncated, draws[5 * i + 4] = d.sine;
}

} // namespace

void draw_streams(Exec ex, std::int64_t n, View draws)
{
    launch("draw_streams", draw_streams_kernel, grid_1d(n), ex, n, draws.as<float>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
