// kernels/conv2d/conv2d_head.cu - method `head`: many channels in, at most kMaxHeadChannels out. Limit: memory
// bandwidth for x, which is read once beside the tiles' edges.
//
// A block computes 8 x 32 pixels. For 32 channels of x after another it copies the pixels that the windows see, and the
// filters' taps, into shared memory; each tap's products read the same pixels, shifted by the tap.
#include "kernels/conv2d/conv2d_head.h"

#include "kernels/conv2d/igemm_operands.cuh"
#include "kernels/device/storage.h"
#include "kernels/pointwise/store.cuh"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

constexpr int kWarps = 4, kThreads = kWarps * 32;
constexpr int kHeadRows = 8, kHeadColumns = 32; // pixels of a block; a warp computes two rows
constexpr int kHeadChannels = int(kMaxHeadChannels), kHeadDepth = kIgemmDepthBytes / int(sizeof(bf16));
constexpr int kPatchPixels = (kHeadRows + kMaxHeadFilter - 1) * (kHeadColumns + kMaxHeadFilter - 1);
constexpr int kM = kHeadRows / kWarps * kHeadColumns / 16, kN = kHeadChannels / 8; // mma's tiles of a warp
static_assert(kHeadChannels == 16, "one load_fragment");

struct HeadOperands {
    OperandTile<bf16, Major::depth, (kPatchPixels + 7) / 8 * 8> patch;                        // [pixel][channel of x]
    OperandTile<bf16, Major::depth, kMaxHeadFilter * kMaxHeadFilter * kHeadChannels> filters; // [tap][k][channel of x]
};

/// A warp's sums on their way to whole rows; pixels so far apart that four pixels' eight channels lie in 32 banks.
struct HeadStrip {
    static constexpr int kPitch = 24;
    float sums[kHeadRows / kWarps * kHeadColumns * kPitch];
};

union HeadShared {
    HeadOperands operands;
    HeadStrip strips[kWarps];
};

/// The block's first pixel of y.
struct HeadPlace {
    __device__ explicit HeadPlace(const IgemmShape& s)
    {
        const int across = (s.Q + kHeadColumns - 1) / kHeadColumns, down = (s.P + kHeadRows - 1) / kHeadRows;
        const int tile = int(blockIdx.x);
        n = tile / across / down, p = tile / across % down * kHeadRows, q = tile % across * kHeadColumns;
    }
    int n, p, q;
};

/// Begins the copies of 32 channels from `first` on, in pieces of kCopy bytes; zero where there is nothing.
template <int kCopy>
__device__ void load_channels(HeadOperands& to, const IgemmShape& s, const HeadPlace& at, int first, const bf16* x,
                              const bf16* w)
{
    constexpr int kPieces = kIgemmDepthBytes / kCopy, kOfPiece = kCopy / int(sizeof(bf16));
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
    const int piece = lane % kPieces, c = first + piece * kOfPiece; // 32 is a multiple of kPieces
    const int columns = kHeadColumns + s.S - 1;
    for (int row = warp; row < kHeadRows + s.R - 1; row += kWarps)
        for (int column = lane / kPieces; column < columns; column += 32 / kPieces) {
            const int h = at.p - s.pad + row, v = at.q - s.pad + column;
            const bool inside = unsigned(h) < unsigned(s.H) && unsigned(v) < unsigned(s.W) && c < s.C;
            cp_async<kCopy>(to.patch.at(row * columns + column, piece * kCopy),
                            x + (inside ? ((at.n * s.H + h) * s.W + v) * s.C + c : 0), inside);
        }
    for (int row = int(threadIdx.x) / kPieces; row < s.R * s.S * kHeadChannels; row += kThreads / kPieces) {
        const int k = row % kHeadChannels, tap = row / kHeadChannels;
        const bool inside = k < s.K && c < s.C;
        cp_async<kCopy>(to.filters.at(row, piece * kCopy), w + (inside ? (k * s.R * s.S + tap) * s.C + c : 0), inside);
    }
    cp_async_commit();
}

struct HeadSums {
    float d[kM][kN][4] = {};
};

/// Adds one tap's products of 32 channels.
__device__ void add_tap(HeadSums& sums, HeadOperands& from, const IgemmShape& s, int r, int tap_column)
{
    const int columns = kHeadColumns + s.S - 1, first_row = int(threadIdx.x) / 32 * (kHeadRows / kWarps) + r;
#pragma unroll
    for (int step = 0; step < kIgemmDepthBytes / 32; ++step) {
        std::uint32_t b[4];
        load_fragment<Factor::b>(b, from.filters, (r * s.S + tap_column) * kHeadChannels, step);
#pragma unroll
        for (int m = 0; m < kM; ++m) {
            std::uint32_t a[4];
            load_fragment<Factor::a>(a, from.patch, (first_row + m / 2) * columns + m % 2 * 16 + tap_column, step);
#pragma unroll
            for (int n = 0; n < kN; ++n) {
                const std::uint32_t column[2] = {b[n * 2], b[n * 2 + 1]};
                if (n * 8 < s.K) mma_bf16(sums.d[m][n], a, column);
            }
        }
    }
}

template <class Y>
__device__ void store_sums(const HeadSums& sums, HeadStrip& strip, const IgemmShape& s, const HeadPlace& at,
                           const EpilogueStore<Y>& y)
{
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
#pragma unroll
    for (int m = 0; m < kM; ++m)
#pragma unroll
        for (int n = 0; n < kN; ++n)
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const float pair[2] = {sums.d[m][n][half * 2], sums.d[m][n][half * 2 + 1]};
                const int pixel = m * 16 + lane / 4 + half * 8;
                store_packet(strip.sums + pixel * HeadStrip::kPitch + n * 8 + lane % 4 * 2, pair);
            }
    __syncwarp();
#pragma unroll 1
    for (int i = lane; i < kM * 16 * s.K; i += 32) {
        const int pixel = i / s.K, k = i % s.K;
        const int p = at.p + warp * (kHeadRows / kWarps) + pixel / kHeadColumns, q = at.q + pixel % kHeadColumns;
        float one[1] = {strip.sums[pixel * HeadStrip::kPitch + k]};
        if (p < s.P && q < s.Q) y.store((at.n * s.P + p) * s.Q + q, k, one);
    }
}

template <class Y>
__global__ void __launch_bounds__(kThreads, 3)
    head_kernel(IgemmShape s, int copy_bytes, const bf16* x, const bf16* w, EpilogueStore<Y> y)
{
    wait_for_previous_kernel();
    HeadShared& shared = dyn_shared<HeadShared>();
    const HeadPlace at(s);
    HeadSums sums;
#pragma unroll 1
    for (int first = 0; first < s.C; first += kHeadDepth) {
        __syncthreads(); // the channels before these have been read
        if (copy_bytes == 16)
            load_channels<16>(shared.operands, s, at, first, x, w);
        else if (copy_bytes == 8)
            load_channels<8>(shared.operands, s, at, first, x, w);
        else
            load_channels<4>(shared.operands, s, at, first, x, w);
        cp_async_wait<0>();
        __syncthreads();
#pragma unroll 1
        for (int r = 0; r < s.R; ++r)
#pragma unroll 1
            for (int column = 0; column < s.S; ++column) add_tap(sums, shared.operands, s, r, column);
    }
    __syncthreads(); // the operands make room for the strips
    store_sums(sums, shared.strips[threadIdx.x / 32], s, at, y);
}

} // namespace

void run_head(Exec ex, const Conv2dFwd& op)
{
    const IgemmShape s(op.s);
    const int tiles = s.N * ((s.P + kHeadRows - 1) / kHeadRows) * ((s.Q + kHeadColumns - 1) / kHeadColumns);
    const Grid grid{.blocks = {unsigned(tiles)}, .threads = {kThreads}, .smem = sizeof(HeadShared)};
    on_storage(op.kName, op.y.dtype, [&]<class Y>() {
        launch("conv2d_fwd head", head_kernel<Y>, grid, ex, s, igemm_copy_bytes(Conv2dPass::fwd, op.s, DType::bf16),
               op.x.as<bf16>(), op.w.as<bf16>(), EpilogueStore<Y>(op.s.y_shape(), op.e, op.y));
    });
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
