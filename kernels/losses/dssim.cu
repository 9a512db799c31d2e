// kernels/losses/dssim.cu - structural dissimilarity: one pass over the pictures gives the value and the slopes of
// every window, a second filters the slopes back. (Recomputing the slopes for the gradient, in a tile with twice the
// halo, would take some 2.4 times the arithmetic.)
//
// A block has one channel of a tile: pixels come to shared memory once, are filtered along the rows, four results a
// thread from registers, and then down the columns in the same way. Limit: f32 arithmetic.
#include "kernels/losses/dssim.h"

#include "kernels/device/simt.h"
#include "kernels/losses/dssim_window.h"
#include "kernels/losses/store_mean.cuh"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

constexpr int kTile = int(kDssimTile);
constexpr int kRun = 4;                          // results of a thread, side by side
constexpr int kSpan = kTile + kMaxDssimTaps - 1; // what the taps of a tile reach
static_assert(kTile * kTile == int(kBlockSize) * kRun, "a thread has one run of every tile");

/// The taps with zeros on both sides, so that a run of results reads each input once.
struct Filter {
    int taps;
    float weight[kMaxDssimTaps + 2 * (kRun - 1)];

    explicit Filter(int window) : taps(dssim_taps(window)), weight{}
    {
        const DssimTaps<float> of = gaussian_taps<float>(taps);
        for (int t = 0; t < taps; ++t) weight[t + kRun - 1] = of.weight[t];
    }
    /// Rows and columns that the results of a tile need.
    __device__ int span() const { return kTile + taps - 1; }
    /// sum[m][j] = sum over t of weight * (map m at j + t); read(t, v) gives all maps at t.
    template <int Maps, class Read>
    __device__ void run(const Read& read, float (&sum)[Maps][kRun]) const
    {
        for (int t = 0; t < taps + kRun - 1; ++t) {
            float v[Maps];
            read(t, v);
            for (int j = 0; j < kRun; ++j)
                for (int m = 0; m < Maps; ++m) sum[m][j] += weight[t - j + kRun - 1] * v[m];
        }
    }
};

/// What block (x, y, n) works on. Channels of a tile are neighbours, since they share memory sectors.
struct Tile {
    int n, c, y, x;
};
__device__ Tile tile_of_block(const DssimShape& s)
{
    const int C = int(s.C);
    return {int(blockIdx.z), int(blockIdx.x) % C, int(blockIdx.y) * kTile, int(blockIdx.x) / C * kTile};
}
Grid grid_of_tiles(const DssimShape& s, std::int64_t rows, std::int64_t columns)
{
    const auto tiles = [](std::int64_t side) { return unsigned((side + kTile - 1) / kTile); };
    return {.blocks = {tiles(columns) * unsigned(s.C), tiles(rows), unsigned(s.N)}, .threads = {kBlockSize}};
}

// Rows of odd length: threads that read down a column meet different banks.
template <int Maps>
using Along = float[Maps][kSpan][kTile + 1];

/// Filters `span` rows along the row; read(row, x, v) gives all maps at a place.
template <int Maps, class Read>
__device__ void filter_rows(const Filter& f, const Read& read, Along<Maps>& along)
{
    const int span = f.span();
    for (int i = int(threadIdx.x); i < span * (kTile / kRun); i += int(kBlockSize)) {
        const int row = i % span, x = i / span * kRun;
        float sum[Maps][kRun] = {};
        f.run([&](int t, float(&v)[Maps]) { read(row, x + t, v); }, sum);
        for (int m = 0; m < Maps; ++m)
            for (int j = 0; j < kRun; ++j) along[m][row][x + j] = sum[m][j];
    }
}

/// And down the columns: this thread's results are those of column x, rows y .. y + kRun - 1 of the tile.
template <int Maps>
__device__ void filter_columns(const Filter& f, const Along<Maps>& along, int y, int x, float (&sum)[Maps][kRun])
{
    f.run(
        [&](int t, float(&v)[Maps]) {
            for (int m = 0; m < Maps; ++m) v[m] = along[m][y + t][x];
        },
        sum);
}

struct Pixel {
    float a, d; // mask * a and mask * (a - b)
};
struct WindowTile {
    Pixel pixel[kSpan][kSpan];
    Along<4> along; // a, d, a^2 + b^2, d^2
};

__device__ void load_pixels(const DssimShape& s, const Filter& f, const Tile& at, const float* a, const float* b,
                            const float* mask, WindowTile& tile)
{
    const int span = f.span(), margin = (s.window - f.taps) / 2; // of pixels under a window that its taps leave out
    for (int i = int(threadIdx.x); i < span * span; i += int(kBlockSize)) {
        const int row = i / span, column = i % span, h = at.y + margin + row, w = at.x + margin + column;
        Pixel pixel = {0, 0};
        if (h < s.H && w < s.W) {
            const std::int64_t k = (at.n * s.H + h) * s.W + w;
            const float m = mask ? mask[k] : 1.0f, of_a = a[k * s.C + at.c];
            pixel = {m * of_a, m * (of_a - b[k * s.C + at.c])};
        }
        tile.pixel[row][column] = pixel;
    }
}

/// slopes [3,N,C,rows,columns], or null.
__global__ void __launch_bounds__(kBlockSize)
    dssim_windows_kernel(DssimShape s, const __grid_constant__ Filter f, const float* a, const float* b,
                         const float* mask, float* slopes, double* partial)
{
    wait_for_previous_kernel();
    SHARED(WindowTile, tile);
    const Tile at = tile_of_block(s);
    load_pixels(s, f, at, a, b, mask, tile);
    __syncthreads();
    filter_rows<4>(
        f,
        [&](int row, int x, float(&v)[4]) {
            const Pixel p = tile.pixel[row][x];
            const float other = p.a - p.d;
            v[0] = p.a, v[1] = p.d, v[2] = p.a * p.a + other * other, v[3] = p.d * p.d;
        },
        tile.along);
    __syncthreads();
    const int x = int(threadIdx.x) % kTile, y = int(threadIdx.x) / kTile * kRun;
    float sum[4][kRun] = {};
    filter_columns<4>(f, tile.along, y, x, sum);

    const int rows = int(s.H) - s.window + 1, columns = int(s.W) - s.window + 1;
    const std::int64_t map = s.N * s.C * rows * columns, plane = (at.n * s.C + at.c) * rows;
    double loss = 0;
    for (int j = 0; j < kRun; ++j) {
        if (at.y + y + j >= rows || at.x + x >= columns) continue;
        const DssimParts<float> parts = dssim_parts(sum[0][j], sum[1][j], sum[2][j], sum[3][j]);
        loss += parts.loss();
        if (!slopes) continue;
        const DssimSlopes<float> slope = dssim_slopes(sum[0][j], sum[1][j], parts);
        float* to = slopes + (plane + at.y + y + j) * columns + at.x + x;
        to[0] = slope.A, to[map] = slope.B, to[2 * map] = slope.D;
    }
    loss = block_sum(loss);
    if (threadIdx.x == 0) partial[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x] = loss;
}

struct SlopeTile {
    float slope[3][kSpan][kSpan];
    Along<3> along;
};

__device__ void load_slopes(const DssimShape& s, const Filter& f, const Tile& at, const float* slopes, SlopeTile& tile)
{
    const int rows = int(s.H) - s.window + 1, columns = int(s.W) - s.window + 1, span = f.span();
    const int reach = (s.window - f.taps) / 2 + f.taps - 1; // from a pixel back to the first window whose taps meet it
    const std::int64_t map = s.N * s.C * rows * columns, plane = (at.n * s.C + at.c) * rows;
    for (int i = int(threadIdx.x); i < span * span; i += int(kBlockSize)) {
        const int row = i / span, column = i % span, y = at.y - reach + row, x = at.x - reach + column;
        const bool inside = y >= 0 && y < rows && x >= 0 && x < columns;
        const std::int64_t from = (plane + y) * columns + x;
        for (int m = 0; m < 3; ++m) tile.slope[m][row][column] = inside ? slopes[from + m * map] : 0.0f;
    }
}

__global__ void __launch_bounds__(kBlockSize)
    dssim_grad_kernel(DssimShape s, const __grid_constant__ Filter f, const float* a, const float* b, const float* mask,
                      const float* slopes, const float* upstream, float factor, GradientStore<float> d)
{
    wait_for_previous_kernel();
    SHARED(SlopeTile, tile);
    const Tile at = tile_of_block(s);
    load_slopes(s, f, at, slopes, tile);
    __syncthreads();
    filter_rows<3>(
        f,
        [&](int row, int x, float(&v)[3]) {
            for (int m = 0; m < 3; ++m) v[m] = tile.slope[m][row][x];
        },
        tile.along);
    __syncthreads();
    const int x = int(threadIdx.x) % kTile, y = int(threadIdx.x) / kTile * kRun;
    float sum[3][kRun] = {};
    filter_columns<3>(f, tile.along, y, x, sum);
    for (int j = 0; j < kRun; ++j) {
        const int h = at.y + y + j, w = at.x + x;
        if (h >= s.H || w >= s.W) continue;
        const std::int64_t pixel = (at.n * s.H + h) * s.W + w, i = pixel * s.C + at.c;
        const float m = mask ? mask[pixel] : 1.0f;
        const float slope = sum[0][j] + m * (sum[1][j] * a[i] + sum[2][j] * (a[i] - b[i]));
        d.store(i, *upstream * factor * m * slope);
    }
}

} // namespace

void run(Exec ex, const DssimFwd& op)
{
    const DssimShape& s = op.s;
    double* partial = static_cast<double*>(ex.workspace.data);
    launch(op.kName, dssim_windows_kernel, grid_of_tiles(s, s.H - s.window + 1, s.W - s.window + 1), ex, s,
           Filter(s.window), op.a.as<float>(), op.b.as<float>(), op.mask.as<float>(), op.slopes.as<float>(), partial);
    launch(op.kName, sum_of_partials<StoreMean>, grid_1d(1), ex, int(dssim_blocks(s)), partial,
           StoreMean{double(op.scale) / double(s.windows()), op.loss.as<float>()});
}

void run(Exec ex, const DssimGrad& op)
{
    const DssimShape& s = op.s;
    launch(op.kName, dssim_grad_kernel, grid_of_tiles(s, s.H, s.W), ex, s, Filter(s.window), op.a.as<float>(),
           op.b.as<float>(), op.mask.as<float>(), op.slopes.as<float>(), op.upstream.as<float>(),
           float(double(op.scale) / double(s.windows())), GradientStore<float>(op.d));
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
