// kernels/augment/augment.cu - draws a training batch in one launch. Limit: instructions, 112 bytes fetched from the
// first-level cache for each pixel.
#include "kernels/augment/augment.h"

#include "kernels/augment/augment_ref.h"
#include "kernels/device/simt.h"

namespace bifrons::kernels::BIFRONS_SIMT_NS {

namespace {

constexpr int kPixelsOfThread = 4;

struct Outputs {
    float *input, *target, *mask, *eyes_mouth; // the last may be null
};

using Normals = float[kBlockSize];

/// ref's draw_nodes by all threads of the block: thread t tries the normals t, t + kBlockSize ... of the stream, and
/// the accepted ones are numbered in its order. rng is where the nodes begin, d.cells is known.
__device__ void draw_nodes_by_block(const Rng& rng, AugmentDraw& d)
{
    SHARED(Normals, normals);
    const int inner = d.cells - 1, wanted = 2 * inner * inner, thread = int(threadIdx.x), side = d.cells + 1;
    const float unit = AugmentDraw::kNodeDeviation / float(d.cells);
    for (int i = thread; i < side * side; i += int(kBlockSize)) {
        const int row = i / side, column = i % side;
        if (row % d.cells == 0 || column % d.cells == 0) d.nodes[row][column] = {0, 0};
    }
    for (int found = 0, tried = 0; found < wanted; tried += int(kBlockSize)) {
        Rng mine = rng;
        mine.skip(std::uint32_t(2 * (tried + thread)));
        __syncthreads(); // the normals of the round before have been looked at
        normals[thread] = mine.normal();
        __syncthreads();
        int before = found;
        for (int i = 0; i < int(kBlockSize); ++i) {
            const bool accepted = std::fabs(normals[i]) <= AugmentDraw::kNodeLimit;
            before += accepted && i < thread;
            found += accepted;
        }
        if (before >= wanted || !(std::fabs(normals[thread]) <= AugmentDraw::kNodeLimit)) continue;
        AugmentDraw::Node& node = d.nodes[1 + before / 2 / inner][1 + before / 2 % inner];
        (before % 2 == 0 ? node.x : node.y) = normals[thread] * unit;
    }
}

/// The draw of sample n, by all threads of the block.
__device__ void draw_by_block(const BatchShape& s, const AugmentOptions& o, const Faces& faces, const StepState& state,
                              std::int64_t n, AugmentDraw& shared)
{
    AugmentDraw d;
    Rng rng(state.seed, state.step, std::uint64_t(s.first + n), s.purpose);
    draw_all_but_nodes(rng, s, o, faces, state.step, d);
    if (threadIdx.x == 0) shared = d;
    __syncthreads();
    if (d.cells > 0) draw_nodes_by_block(rng, shared);
    __syncthreads();
}

/// A picture [side,side,C] at (x, y) in its pixels, 0..1. Outside, the border repeats or there is nothing.
template <int C, bool repeat>
__device__ void sample(const std::uint8_t* image, int side, ref::Filter filter, float x, float y, float* out)
{
    const float floor_x = std::floor(x), floor_y = std::floor(y);
    float wx[4], wy[4], sum[C] = {};
    ref::tap_weights(filter, x - floor_x, wx);
    ref::tap_weights(filter, y - floor_y, wy);
    int columns[4];
    for (int i = 0; i < 4; ++i) {
        const int column = int(floor_x) - 1 + i;
        columns[i] = clamp(column, 0, side - 1);
        if (!repeat && columns[i] != column) wx[i] = 0;
    }
    for (int j = 0; j < 4; ++j) {
        const int row = int(floor_y) - 1 + j, inside = clamp(row, 0, side - 1);
        if (!repeat && inside != row) continue;
        const std::uint8_t* from = image + std::int64_t(inside) * side * C;
        for (int i = 0; i < 4; ++i)
            for (int c = 0; c < C; ++c) sum[c] += wy[j] * wx[i] * float(from[columns[i] * C + c]);
    }
    for (int c = 0; c < C; ++c) out[c] = clamp(sum[c] * (1 / 255.0f), 0.0f, 1.0f);
}

/// One pixel of the pictures that are drawn from `image`.
__device__ void draw_pixel(const BatchShape& s, const AugmentOptions& o, const Faces& faces, const std::uint8_t* image,
                           const AugmentDraw& d, std::int64_t pixel, Outputs out)
{
    const int side = int(faces.side);
    const std::int64_t face_size = faces.side * faces.side;
    const auto* matte = static_cast<const std::uint8_t*>(faces.masks.data) + d.face * face_size;
    const auto filter = d.shrunk ? ref::Filter::mean : ref::Filter::cubic;
    const auto mask_filter = d.shrunk ? ref::Filter::mean : ref::Filter::linear;
    const float ratio = float(faces.side - 2 * faces.margin) / float(s.side), centre = float(side - 1) / 2;

    const float middle = float(s.side) / 2;
    const ref::Point<float> at{float(pixel % s.side) + 0.5f - middle, float(pixel / s.side) + 0.5f - middle};
    const ref::Point<float> p = ref::inverse_affine(s, d, at), moved = ref::displacement(s, d, p);
    const float x = p.x * ratio + centre, y = p.y * ratio + centre;
    float bgr[3];
    sample<3, true>(image, side, filter, x, y, bgr);
    for (int c = 0; c < 3; ++c) out.target[3 * pixel + c] = bgr[c];
    sample<1, false>(matte, side, mask_filter, x, y, out.mask + pixel);
    if (out.eyes_mouth) {
        const auto* features = static_cast<const std::uint8_t*>(faces.eyes_mouth.data) + d.face * face_size;
        sample<1, false>(features, side, mask_filter, x, y, out.eyes_mouth + pixel);
        out.eyes_mouth[pixel] *= out.mask[pixel];
    }
    sample<3, true>(image, side, filter, (p.x + moved.x) * ratio + centre, (p.y + moved.y) * ratio + centre, bgr);
    if (o.hue_deg != 0 || o.saturation != 0 || o.value != 0) ref::shift_color(d, bgr);
    for (int c = 0; c < 3; ++c) out.input[3 * pixel + c] = bgr[c];
}

// A block draws a part of sample blockIdx.x: every block of a sample makes the same draw for itself.
__global__ void __launch_bounds__(kBlockSize)
    augment_kernel(BatchShape s, AugmentOptions o, Faces faces, const StepState* state, Outputs out)
{
    wait_for_previous_kernel();
    SHARED(AugmentDraw, draw);
    const std::int64_t n = blockIdx.x, pixels = s.side * s.side;
    draw_by_block(s, o, faces, *state, n, draw);
    out = {out.input + n * pixels * 3, out.target + n * pixels * 3, out.mask + n * pixels,
           out.eyes_mouth ? out.eyes_mouth + n * pixels : nullptr};
    const std::int64_t values = faces.side * faces.side * 3;
    const auto* image = faces.recolored.data ? static_cast<const std::uint8_t*>(faces.recolored.data) + n * values
                                             : static_cast<const std::uint8_t*>(faces.images.data) + draw.face * values;
    for (std::int64_t pixel = std::int64_t(blockIdx.y) * blockDim.x + threadIdx.x; pixel < pixels;
         pixel += std::int64_t(gridDim.y) * blockDim.x)
        draw_pixel(s, o, faces, image, draw, pixel, out);
}

} // namespace

void run(Exec ex, const Augment& op)
{
    const BatchShape& s = op.s;
    constexpr std::int64_t kMostBlocks = 65535;
    const std::int64_t parts = (s.side * s.side - 1) / (std::int64_t(kBlockSize) * kPixelsOfThread) + 1;
    const Grid grid{.blocks = {unsigned(s.N), unsigned(std::min(parts, kMostBlocks))}, .threads = {kBlockSize}};
    launch(op.kName, augment_kernel, grid, ex, s, op.o, op.faces, op.state,
           Outputs{op.out.input.as<float>(), op.out.target.as<float>(), op.out.mask.as<float>(),
                   op.out.eyes_mouth.as<float>()});
}

} // namespace bifrons::kernels::BIFRONS_SIMT_NS
