// kernels/conv2d/conv2d_cpu.cpp - register-blocked loops. Forward and input gradient are one gather: 6 pixels times 16
// output channels stay in registers while the taps of the filter pass by, each reading a run of channels through a
// pointer. The filter gradient is a sum of outer products, 6 channels of one side times 16 of the other.
#include "kernels/conv2d/conv2d_cpu.h"

#include "kernels/base/clones.h"
#include "kernels/base/parallel.h"
#include "kernels/conv2d/conv2d_ref.h"
#include "kernels/device/dispatch.h"
#include "kernels/pointwise/cast.h"

#include <array>
#include <cstring>

namespace bifrons::kernels::cpu {

namespace {

constexpr std::int64_t kLanes = 16; // channels side by side
constexpr std::int64_t kRows = 6;   // pixels, or channels of the other operand, one below the other
using Lane = float __attribute__((vector_size(64), aligned(4)));

std::int64_t blocks_of(std::int64_t channels)
{
    return (channels + kLanes - 1) / kLanes;
}

// ---- forward and input gradient: gather --------------------------------------------------------------------------

/// One spatial axis of a gather: output o = first + i*step reads tap (tap0 + j*tap_step) at input i*in_step + at +
/// j*way.
struct Axis {
    std::int64_t outputs, first, step;
    std::int64_t taps, tap0, tap_step;
    std::int64_t in_step, at, way;
};

Axis forward_axis(const Conv2dShape& s, std::int64_t outputs, std::int64_t taps)
{
    return {outputs, 0, 1, taps, 0, 1, s.stride, -s.pad, 1};
}

/// The inputs h = phase, phase + stride, ... of a convolution have the same taps: those with (h + pad - r) % stride =
/// 0.
Axis gradient_axis(const Conv2dShape& s, std::int64_t phase, std::int64_t inputs, std::int64_t taps)
{
    const std::int64_t tap0 = (phase + s.pad) % s.stride;
    return {.outputs = (inputs - phase + s.stride - 1) / s.stride,
            .first = phase,
            .step = s.stride,
            .taps = tap0 < taps ? (taps - 1 - tap0) / s.stride + 1 : 0,
            .tap0 = tap0,
            .tap_step = s.stride,
            .in_step = 1,
            .at = (phase + s.pad) / s.stride,
            .way = -1};
}

struct Picture {
    std::int64_t height, width, channels;
};

struct Gather {
    const float* in;
    Picture in_size;
    float* out;
    Picture out_size;
    Axis y, x;
    std::int64_t R, S;
    const float* packed; // [blocks of output channels][R][S][input channels][kLanes]
    const float* zeros;  // [input channels], read where a tap lies outside
};

/// Where one output pixel reads and writes; `from` is null for the rows that fill up the last tile.
struct Pixel {
    const float* from = nullptr;
    float* to = nullptr;
    std::int64_t y = 0, x = 0;
};

Pixel pixel_of(const Gather& g, std::int64_t index)
{
    const std::int64_t j = index % g.x.outputs, i = index / g.x.outputs % g.y.outputs,
                       n = index / g.x.outputs / g.y.outputs;
    const auto [H, W, C] = g.in_size;
    const auto [P, Q, K] = g.out_size;
    return {.from = g.in + n * H * W * C,
            .to = g.out + ((n * P + g.y.first + i * g.y.step) * Q + g.x.first + j * g.x.step) * K,
            .y = i * g.y.in_step + g.y.at,
            .x = j * g.x.in_step + g.x.at};
}

/// Adds one tap: sum[i][lane] += in[i][c] * w[c][lane].
[[gnu::always_inline]] inline void add_tap(std::int64_t channels, const float* const* in, const float* w, Lane* sum)
{
    for (std::int64_t c = 0; c < channels; ++c) {
        const Lane lane = *reinterpret_cast<const Lane*>(w + c * kLanes);
        for (std::int64_t i = 0; i < kRows; ++i) sum[i] += in[i][c] * lane;
    }
}

/// kRows pixels from `index` on, one block of output channels.
[[gnu::always_inline]] inline void gather_tile(const Gather& g, std::int64_t index, std::int64_t count,
                                               std::int64_t block)
{
    Pixel pixel[kRows];
    for (std::int64_t i = 0; i < count; ++i) pixel[i] = pixel_of(g, index + i);
    const auto [H, W, C] = g.in_size;
    Lane sum[kRows] = {};
    for (std::int64_t a = 0; a < g.y.taps; ++a)
        for (std::int64_t b = 0; b < g.x.taps; ++b) {
            const float* in[kRows];
            for (std::int64_t i = 0; i < kRows; ++i) {
                const std::int64_t y = pixel[i].y + a * g.y.way, x = pixel[i].x + b * g.x.way;
                const bool inside = pixel[i].from && y >= 0 && y < H && x >= 0 && x < W;
                in[i] = inside ? pixel[i].from + (y * W + x) * C : g.zeros;
            }
            const std::int64_t r = g.y.tap0 + a * g.y.tap_step, t = g.x.tap0 + b * g.x.tap_step;
            add_tap(C, in, g.packed + ((block * g.R + r) * g.S + t) * C * kLanes, sum);
        }
    const std::int64_t wanted = std::min(kLanes, g.out_size.channels - block * kLanes);
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(pixel[i].to + block * kLanes, &sum[i], std::size_t(wanted) * sizeof(float));
}

BIFRONS_CLONES void gather_tiles(const Gather& g, std::int64_t begin, std::int64_t end, std::int64_t block)
{
    for (std::int64_t index = begin; index < end; index += kRows)
        gather_tile(g, index, std::min(kRows, end - index), block);
}

void gather(const Gather& g, std::int64_t pictures)
{
    constexpr std::int64_t kPiece = 16 * kRows;
    const std::int64_t pixels = pictures * g.y.outputs * g.x.outputs;
    const std::int64_t blocks = blocks_of(g.out_size.channels), pieces = (pixels + kPiece - 1) / kPiece;
    parallel_for(pieces * blocks, 1, [&](std::int64_t item, std::int64_t) {
        const std::int64_t begin = item / blocks * kPiece;
        gather_tiles(g, begin, std::min(begin + kPiece, pixels), item % blocks);
    });
}

/// Scratch of a gather: the packed filters, and zeros for the taps outside.
struct GatherScratch {
    float* packed;
    float* zeros;

    static std::size_t bytes(const Conv2dShape& s, std::int64_t from, std::int64_t to)
    {
        return std::size_t(blocks_of(to) * s.R * s.S * from * kLanes + from) * sizeof(float);
    }
    GatherScratch(const Conv2dShape& s, std::int64_t from, std::int64_t to, Workspace scratch)
        : packed(static_cast<float*>(scratch.data)), zeros(packed + blocks_of(to) * s.R * s.S * from * kLanes)
    {
        std::fill_n(zeros, from, 0.0f);
    }
};

/// Rows of `from` channels by blocks of `to` channels; w's element (k, tap, c) has the strides given.
void pack_filters(const Conv2dShape& s, std::int64_t from, std::int64_t to, std::int64_t from_stride,
                  std::int64_t to_stride, const float* w, float* packed)
{
    const std::int64_t taps = s.R * s.S;
    parallel_for(blocks_of(to) * taps, 1, [&](std::int64_t item, std::int64_t) {
        const std::int64_t block = item / taps * kLanes, wanted = std::min(kLanes, to - block);
        const float* source = w + item % taps * s.C + block * to_stride;
        float* row = packed + item * from * kLanes;
        for (std::int64_t c = 0; c < from; ++c, row += kLanes)
            for (std::int64_t lane = 0; lane < kLanes; ++lane)
                row[lane] = lane < wanted ? source[c * from_stride + lane * to_stride] : 0.0f;
    });
}

// ---- filter gradient: outer products -----------------------------------------------------------------------------

/// dw as sums of outer products of two pixels' channels. The operand with more channels lies along the lanes.
struct Outer {
    Conv2dShape s;
    const float *dy, *x;
    bool lanes_are_x;
    float* partial; // [R][blocks of lanes][S][rows][kLanes]

    std::int64_t lanes() const { return lanes_are_x ? s.C : s.K; }
    std::int64_t rows() const { return lanes_are_x ? s.K : s.C; }
    std::int64_t blocks() const { return blocks_of(lanes()); }
    static bool prefers_x(const Conv2dShape& s) { return s.C >= s.K; }
};

constexpr std::int64_t kOuterPixels = 64;

/// The pixels of a piece that one tap reaches: their rows, and their lanes gathered.
struct OuterPiece {
    std::int64_t count = 0;
    const float* row[kOuterPixels];
    float lane[kOuterPixels][kLanes] = {};
};

void collect(const Outer& o, std::int64_t begin, std::int64_t end, std::int64_t r, std::int64_t t, std::int64_t block,
             OuterPiece& piece)
{
    const Conv2dShape& s = o.s;
    const std::int64_t P = s.P(), Q = s.Q();
    const auto wanted = std::size_t(std::min(kLanes, o.lanes() - block * kLanes)) * sizeof(float);
    piece.count = 0;
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t h = i / Q % P * s.stride + r - s.pad, v = i % Q * s.stride + t - s.pad;
        if (h < 0 || h >= s.H || v < 0 || v >= s.W) continue;
        const float *x = o.x + ((i / Q / P * s.H + h) * s.W + v) * s.C, *dy = o.dy + i * s.K;
        piece.row[piece.count] = o.lanes_are_x ? dy : x;
        std::memcpy(piece.lane[piece.count], (o.lanes_are_x ? x : dy) + block * kLanes, wanted);
        ++piece.count;
    }
}

/// sum[a][lane] += row[a0 + a] * lane over the pixels of the piece.
template <int Rows>
[[gnu::always_inline]] inline void add_outer(const OuterPiece& piece, std::int64_t a0, float* out)
{
    Lane sum[Rows];
    std::memcpy(sum, out, sizeof sum);
    for (std::int64_t i = 0; i < piece.count; ++i) {
        const Lane lane = *reinterpret_cast<const Lane*>(piece.lane[i]);
        for (int a = 0; a < Rows; ++a) sum[a] += piece.row[i][a0 + a] * lane;
    }
    std::memcpy(out, sum, sizeof sum);
}

BIFRONS_CLONES void add_piece(const OuterPiece& piece, std::int64_t rows, float* out)
{
    std::int64_t a = 0;
    for (; a + kRows <= rows; a += kRows) add_outer<kRows>(piece, a, out + a * kLanes);
    for (; a + 2 <= rows; a += 2) add_outer<2>(piece, a, out + a * kLanes);
    if (a < rows) add_outer<1>(piece, a, out + a * kLanes);
}

/// One row r of the filter and one block of lanes, over all pixels in their order.
void outer_products(const Outer& o, std::int64_t r, std::int64_t block)
{
    const std::int64_t S = o.s.S, pixels = o.s.N * o.s.P() * o.s.Q(), tap = o.rows() * kLanes;
    float* sums = o.partial + (r * o.blocks() + block) * S * tap;
    std::fill_n(sums, S * tap, 0.0f);
    OuterPiece piece;
    for (std::int64_t begin = 0; begin < pixels; begin += kOuterPixels)
        for (std::int64_t t = 0; t < S; ++t) {
            collect(o, begin, std::min(begin + kOuterPixels, pixels), r, t, block, piece);
            add_piece(piece, o.rows(), sums + t * tap);
        }
}

/// partial to dw [K,R,S,C]
void unpack_outer(const Outer& o, float* dw)
{
    const auto [K, R, S, C] = std::array{o.s.K, o.s.R, o.s.S, o.s.C};
    parallel_for(K, 1, [&, R = R, S = S, C = C](std::int64_t k, std::int64_t) {
        for (std::int64_t r = 0; r < R; ++r)
            for (std::int64_t t = 0; t < S; ++t)
                for (std::int64_t c = 0; c < C; ++c) {
                    const std::int64_t lane = o.lanes_are_x ? c : k, row = o.lanes_are_x ? k : c;
                    const std::int64_t tap = (r * o.blocks() + lane / kLanes) * S + t;
                    dw[((k * R + r) * S + t) * C + c] = o.partial[(tap * o.rows() + row) * kLanes + lane % kLanes];
                }
    });
}

std::size_t widened_bytes(DType dtype, std::int64_t n)
{
    return dtype == DType::bf16 ? aligned(std::size_t(n) * sizeof(float)) : 0;
}

/// An operand of n elements; of bf16 its copy in f32, which takes the front of the scratch.
ConstView widened(std::int64_t n, ConstView operand, Workspace& scratch)
{
    if (operand.dtype != DType::bf16) return operand;
    const View wide{scratch.data};
    run(Exec{}, Cast{n, operand, wide});
    const std::size_t bytes = widened_bytes(operand.dtype, n);
    scratch = {static_cast<char*>(scratch.data) + bytes, scratch.bytes - bytes};
    return wide;
}

/// The definition, its elements in parallel.
template <class At>
void f64_elements(std::int64_t n, double* out, const At& at)
{
    parallel_for(n, 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) out[i] = at(i);
    });
}

} // namespace

std::size_t conv2d_fwd_workspace(const Conv2dShape& s, DType dtype)
{
    if (dtype == DType::f64) return 0;
    return widened_bytes(dtype, s.x_size()) + widened_bytes(dtype, s.w_size()) + GatherScratch::bytes(s, s.C, s.K);
}

void conv2d_fwd(const Conv2dShape& s, ConstView x, ConstView w, View v, Workspace scratch)
{
    x = widened(s.x_size(), x, scratch), w = widened(s.w_size(), w, scratch);
    if (v.dtype == DType::f64)
        return f64_elements(s.y_size(), v.as<double>(),
                            [&](std::int64_t i) { return ref::conv2d_fwd_at(s, x.as<double>(), w.as<double>(), i); });
    const GatherScratch room(s, s.C, s.K, scratch);
    pack_filters(s, s.C, s.K, 1, s.R * s.S * s.C, w.as<float>(), room.packed);
    gather({.in = x.as<float>(),
            .in_size = {s.H, s.W, s.C},
            .out = v.as<float>(),
            .out_size = {s.P(), s.Q(), s.K},
            .y = forward_axis(s, s.P(), s.R),
            .x = forward_axis(s, s.Q(), s.S),
            .R = s.R,
            .S = s.S,
            .packed = room.packed,
            .zeros = room.zeros},
           s.N);
}

std::size_t conv2d_dgrad_workspace(const Conv2dShape& s, DType dtype)
{
    if (dtype == DType::f64) return 0;
    return widened_bytes(dtype, s.y_size()) + widened_bytes(dtype, s.w_size()) + GatherScratch::bytes(s, s.K, s.C);
}

void conv2d_dgrad(const Conv2dShape& s, ConstView dy, ConstView w, View v, Workspace scratch)
{
    dy = widened(s.y_size(), dy, scratch), w = widened(s.w_size(), w, scratch);
    if (v.dtype == DType::f64)
        return f64_elements(s.x_size(), v.as<double>(), [&](std::int64_t i) {
            return ref::conv2d_dgrad_at(s, dy.as<double>(), w.as<double>(), i);
        });
    const GatherScratch room(s, s.K, s.C, scratch);
    pack_filters(s, s.K, s.C, s.R * s.S * s.C, 1, w.as<float>(), room.packed);
    for (std::int64_t y = 0; y < std::min(s.stride, s.H); ++y)
        for (std::int64_t x = 0; x < std::min(s.stride, s.W); ++x)
            gather({.in = dy.as<float>(),
                    .in_size = {s.P(), s.Q(), s.K},
                    .out = v.as<float>(),
                    .out_size = {s.H, s.W, s.C},
                    .y = gradient_axis(s, y, s.H, s.R),
                    .x = gradient_axis(s, x, s.W, s.S),
                    .R = s.R,
                    .S = s.S,
                    .packed = room.packed,
                    .zeros = room.zeros},
                   s.N);
}

std::size_t conv2d_wgrad_workspace(const Conv2dShape& s, DType dtype)
{
    if (dtype == DType::f64) return 0;
    const Outer o{.s = s, .dy = nullptr, .x = nullptr, .lanes_are_x = Outer::prefers_x(s), .partial = nullptr};
    return widened_bytes(dtype, s.y_size()) + widened_bytes(dtype, s.x_size()) +
           std::size_t(s.R * o.blocks() * s.S * o.rows() * kLanes) * sizeof(float);
}

void conv2d_wgrad(const Conv2dShape& s, ConstView dy, ConstView x, View v, Workspace scratch)
{
    dy = widened(s.y_size(), dy, scratch), x = widened(s.x_size(), x, scratch);
    if (v.dtype == DType::f64)
        return f64_elements(s.w_size(), v.as<double>(), [&](std::int64_t i) {
            return ref::conv2d_wgrad_at(s, dy.as<double>(), x.as<double>(), i);
        });
    const Outer o{.s = s,
                  .dy = dy.as<float>(),
                  .x = x.as<float>(),
                  .lanes_are_x = Outer::prefers_x(s),
                  .partial = static_cast<float*>(scratch.data)};
    parallel_for(s.R * o.blocks(), 1,
                 [&](std::int64_t item, std::int64_t) { outer_products(o, item / o.blocks(), item % o.blocks()); });
    unpack_outer(o, v.as<float>());
}

} // namespace bifrons::kernels::cpu
