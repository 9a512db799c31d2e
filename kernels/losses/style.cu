// kernels/losses/style.cu - means and deviations of pictures compared. A block sums one picture and its target, twice:
// means, then squares around them. Limit: latency, as a batch has fewer pictures than a GPU has multiprocessors.
#include "kernels/losses/style.h"

#include "kernels/device/simt.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

/// mean and sqrt(variance + 1e-5) of channel c of a picture, by a whole block.
__device__ void channel_moments(const StyleShape& s, const float* picture, std::int64_t c, float* mean_and_deviation)
{
    double sum = 0;
    for (std::int64_t i = threadIdx.x; i < s.pixels; i += blockDim.x) sum += picture[i * s.C + c];
    const double mean = block_sum(sum) / double(s.pixels);
    double squares = 0;
    for (std::int64_t i = threadIdx.x; i < s.pixels; i += blockDim.x) {
        const double from_mean = picture[i * s.C + c] - mean;
        squares += from_mean * from_mean;
    }
    squares = block_sum(squares);
    if (threadIdx.x != 0) return;
    mean_and_deviation[0] = float(mean);
    mean_and_deviation[1] = float(std::sqrt(squares / double(s.pixels) + 1e-5));
}

// Block (n, c) does one channel of one picture and of its target.
__global__ void __launch_bounds__(kBlockSize)
    style_moments_kernel(StyleShape s, const float* x, const float* t, float* moments)
{
    wait_for_previous_kernel();
    const std::int64_t first = blockIdx.x * s.pixels * s.C;
    float* to = moments + (blockIdx.x * s.C + blockIdx.y) * 4;
    channel_moments(s, x + first, blockIdx.y, to);
    channel_moments(s, t + first, blockIdx.y, to + 2);
}

// One block: pictures are few.
__global__ void __launch_bounds__(kBlockSize)
    style_loss_kernel(std::int64_t rows, double factor, const float* moments, float* loss)
{
    wait_for_previous_kernel();
    double sum = 0;
    for (std::int64_t row = threadIdx.x; row < rows; row += blockDim.x) {
        const float* m = moments + row * 4;
        const double mean = double(m[0]) - m[2], deviation = double(m[1]) - m[3];
        sum += mean * mean + deviation * deviation;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) *loss = float(factor * sum);
}

__global__ void __launch_bounds__(kBlockSize)
    style_grad_kernel(StyleShape s, const float* x, const float* moments, const float* upstream, float factor,
                      GradientStore<float> d)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= s.size()) return;
    const float* m = moments + (i / (s.pixels * s.C) * s.C + i % s.C) * 4;
    d.store(i, *upstream * factor * ((m[0] - m[2]) + (m[1] - m[3]) * (x[i] - m[0]) / m[1]));
}

} // namespace

void run(Exec ex, const StyleFwd& op)
{
    const StyleShape& s = op.s;
    const Grid grid{.blocks = {unsigned(s.N), unsigned(s.C)}, .threads = {kBlockSize}};
    launch("style_fwd moments", style_moments_kernel, grid, ex, s, op.x.as<float>(), op.t.as<float>(),
           op.moments.as<float>());
    launch(op.kName, style_loss_kernel, grid_1d(1), ex, s.N * s.C, double(op.scale) / double(s.N * s.C),
           op.moments.as<float>(), op.loss.as<float>());
}

void run(Exec ex, const StyleGrad& op)
{
    const StyleShape& s = op.s;
    launch(op.kName, style_grad_kernel, grid_1d(s.size()), ex, s, op.x.as<float>(), op.moments.as<float>(),
           op.upstream.as<float>(), float(2 * double(op.scale) / (double(s.N * s.C) * double(s.pixels))),
           GradientStore<float>(op.d));
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
