// kernels/color/color.cu - colours and light. Sums go over a fixed number of blocks in f64, and each block of the next
// kernel adds them up for itself: three launches for a transfer. Limit: arithmetic (powers and cube roots).
#include "kernels/color/color.h"

#include "kernels/color/color_ref.h"
#include "kernels/device/dispatch.h"
#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

// ---- pixel by pixel, one thread a pixel ---------------------------------------------------------------------------

// The output may be the input.
__global__ void __launch_bounds__(kBlockSize) bgr_to_lab_kernel(std::int64_t n, const float* bgr, float* lab)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= n) return;
    float converted[3];
    pixel_to_lab(bgr + 3 * i, converted);
    for (int c = 0; c < 3; ++c) lab[3 * i + c] = converted[c];
}

__global__ void __launch_bounds__(kBlockSize) lab_to_bgr_kernel(std::int64_t n, const float* lab, float* bgr)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= n) return;
    float converted[3];
    pixel_from_lab(lab + 3 * i, converted);
    for (int c = 0; c < 3; ++c) bgr[3 * i + c] = converted[c];
}

// ---- statistics ---------------------------------------------------------------------------------------------------

/// P pictures under one mask. in_lab: converted where they are read.
template <int P, bool in_lab>
struct Pictures {
    std::int64_t n;
    const float* picture[P];
    const float* mask;

    __device__ void read(std::int64_t i, float (&v)[3 * P]) const
    {
        for (int p = 0; p < P; ++p)
            if (in_lab)
                pixel_to_lab(picture[p] + 3 * i, v + 3 * p);
            else
                for (int c = 0; c < 3; ++c) v[3 * p + c] = picture[p][3 * i + c];
    }
};

constexpr std::int64_t kPixelsOfThread = 4;

/// Few enough blocks for kColorSumBlocks; their threads stride through the picture.
Grid grid_of_sums(std::int64_t n)
{
    Grid grid = grid_1d((n + kPixelsOfThread - 1) / kPixelsOfThread);
    grid.blocks.x = std::min(grid.blocks.x, kColorSumBlocks);
    return grid;
}

/// What the blocks have summed: [block][sum m, sum m v] and [block][sum m (v - mean)^2].
template <int P>
struct Partials {
    unsigned blocks;
    double (*sums)[1 + 3 * P];
    double (*squares)[3 * P];

    Partials(const Exec& ex, std::int64_t n)
        : blocks(grid_of_sums(n).blocks.x), sums(static_cast<decltype(sums)>(ex.workspace.data)),
          squares(reinterpret_cast<decltype(squares)>(sums + kColorSumBlocks))
    {
    }
};

/// The sum of all blocks' partials, in every thread. All threads call it.
template <int K>
__device__ void add_partials(unsigned blocks, const double (*partial)[K], double (&total)[K])
{
    static_assert(kColorSumBlocks <= kBlockSize);
    for (int k = 0; k < K; ++k) total[k] = block_sum(threadIdx.x < blocks ? partial[threadIdx.x][k] : 0.0);
}

/// partial[block] = the sums of the block's threads.
template <int K>
__device__ void leave_partials(const double (&sum)[K], double (*partial)[K])
{
    for (int k = 0; k < K; ++k) {
        const double of_block = block_sum(sum[k]);
        if (threadIdx.x == 0) partial[blockIdx.x][k] = of_block;
    }
}

template <int P, bool in_lab>
__global__ void __launch_bounds__(kBlockSize) sums_kernel(Pictures<P, in_lab> pictures, Partials<P> partials)
{
    wait_for_previous_kernel();
    double sum[1 + 3 * P] = {};
    for (std::int64_t i = global_thread(); i < pictures.n; i += std::int64_t(gridDim.x) * blockDim.x) {
        float v[3 * P];
        pictures.read(i, v);
        const double m = pictures.mask[i];
        sum[0] += m;
        for (int c = 0; c < 3 * P; ++c) sum[1 + c] += m * double(v[c]);
    }
    leave_partials(sum, partials.sums);
}

template <int P, bool in_lab>
__global__ void __launch_bounds__(kBlockSize) squares_kernel(Pictures<P, in_lab> pictures, Partials<P> partials)
{
    wait_for_previous_kernel();
    double mean[1 + 3 * P], sum[3 * P] = {};
    add_partials(partials.blocks, partials.sums, mean);
    for (int c = 0; c < 3 * P; ++c) mean[1 + c] = mean[0] > 0 ? mean[1 + c] / mean[0] : 0;
    for (std::int64_t i = global_thread(); i < pictures.n; i += std::int64_t(gridDim.x) * blockDim.x) {
        float v[3 * P];
        pictures.read(i, v);
        for (int c = 0; c < 3 * P; ++c) {
            const double d = double(v[c]) - mean[1 + c];
            sum[c] += double(pictures.mask[i]) * d * d;
        }
    }
    leave_partials(sum, partials.squares);
}

/// statistics[p] = means and deviations of picture p, in every thread. Returns the sum of the mask.
template <int P>
__device__ double statistics_of(Partials<P> partials, float (&statistics)[P][6])
{
    double sum[1 + 3 * P], squares[3 * P];
    add_partials(partials.blocks, partials.sums, sum);
    add_partials(partials.blocks, partials.squares, squares);
    for (int p = 0; p < P; ++p)
        for (int c = 0; c < 3; ++c) {
            statistics[p][c] = sum[0] > 0 ? float(sum[1 + 3 * p + c] / sum[0]) : 0.0f;
            statistics[p][3 + c] = sum[0] > 0 ? float(std::sqrt(squares[3 * p + c] / sum[0])) : 0.0f;
        }
    return sum[0];
}

__global__ void __launch_bounds__(kBlockSize) statistics_kernel(Partials<1> partials, float* out)
{
    wait_for_previous_kernel();
    float statistics[1][6];
    statistics_of(partials, statistics);
    if (threadIdx.x == 0)
        for (int k = 0; k < 6; ++k) out[k] = statistics[0][k];
}

/// Two launches.
template <int P, bool in_lab>
void launch_sums(const char* name, const Exec& ex, const Pictures<P, in_lab>& pictures)
{
    const Partials<P> partials(ex, pictures.n);
    launch(name, sums_kernel<P, in_lab>, grid_of_sums(pictures.n), ex, pictures, partials);
    launch(name, squares_kernel<P, in_lab>, grid_of_sums(pictures.n), ex, pictures, partials);
}

// ---- transfers ----------------------------------------------------------------------------------------------------

// x may be out.
__global__ void __launch_bounds__(kBlockSize)
    transfer_kernel(std::int64_t n, const float* x, Partials<2> partials, float alpha, float* out)
{
    wait_for_previous_kernel();
    float statistics[2][6], scale[3], shift[3];
    const double weight = statistics_of(partials, statistics);
    ref::transfer_line(statistics[0], statistics[1], scale, shift);
    for (std::int64_t i = global_thread(); i < n; i += std::int64_t(gridDim.x) * blockDim.x) {
        float lab[3];
        pixel_to_lab(x + 3 * i, lab);
        ref::transfer_pixel(x + 3 * i, lab, scale, shift, weight > 0 ? alpha : 0.0f, out + 3 * i);
    }
}

/// Beside each other: the masked luma of both pictures, and the mask.
__global__ void __launch_bounds__(kBlockSize)
    luma_kernel(std::int64_t n, const float* x, const float* target, const float* mask, float* planes)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= n) return;
    planes[3 * i] = mask[i] * ref::luma(x + 3 * i);
    planes[3 * i + 1] = mask[i] * ref::luma(target + 3 * i);
    planes[3 * i + 2] = mask[i];
}

// x may be out.
__global__ void __launch_bounds__(kBlockSize)
    gain_kernel(std::int64_t n, const float* x, const float* planes, float beta, float* out)
{
    wait_for_previous_kernel();
    const std::int64_t i = global_thread();
    if (i >= n) return;
    const float gain = ref::light_gain(planes[3 * i + 2], planes[3 * i], planes[3 * i + 1], beta);
    for (int c = 0; c < 3; ++c) out[3 * i + c] = x[3 * i + c] * gain;
}

} // namespace

void run(Exec ex, const BgrToLab& op)
{
    launch(op.kName, bgr_to_lab_kernel, grid_1d(op.n), ex, op.n, op.bgr.as<float>(), op.lab.as<float>());
}

void run(Exec ex, const LabToBgr& op)
{
    launch(op.kName, lab_to_bgr_kernel, grid_1d(op.n), ex, op.n, op.lab.as<float>(), op.bgr.as<float>());
}

void run(Exec ex, const ColorStatistics& op)
{
    launch_sums(op.kName, ex, Pictures<1, false>{op.n, {op.x.as<float>()}, op.mask.as<float>()});
    launch(op.kName, statistics_kernel, grid_1d(1), ex, Partials<1>(ex, op.n), op.statistics.as<float>());
}

void run(Exec ex, const ColorTransfer& op)
{
    launch_sums(op.kName, ex, Pictures<2, true>{op.n, {op.x.as<float>(), op.target.as<float>()}, op.mask.as<float>()});
    launch(op.kName, transfer_kernel, grid_of_sums(op.n), ex, op.n, op.x.as<float>(), Partials<2>(ex, op.n), op.alpha,
           op.out.as<float>());
}

void run(Exec ex, const LightTransfer& op)
{
    const LightShape& s = op.s;
    const std::int64_t n = s.pixels();
    const std::size_t plane_bytes = aligned(std::size_t(n) * 12);
    const View planes{ex.workspace.data, DType::f32};
    launch(op.kName, luma_kernel, grid_1d(n), ex, n, op.x.as<float>(), op.target.as<float>(), op.mask.as<float>(),
           planes.as<float>());
    run(behind(ex, plane_bytes), GaussianBlur{{s.H, s.W, 3, s.sigma}, planes, planes});
    launch(op.kName, gain_kernel, grid_1d(n), ex, n, op.x.as<float>(), planes.as<float>(), op.beta, op.out.as<float>());
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
