#include "kernels/augment/augment.h"

#include "kernels/augment/augment_ref.h"
#include "kernels/base/clones.h"
#include "kernels/base/parallel.h"

#include <cstring>

namespace bifrons::kernels::cpu {

namespace {

using Point = ref::Point<float>;

/// One stored face and how to get from positions in the drawn picture to its pixels.
struct StoredFace {
    const std::uint8_t *image, *mask, *eyes_mouth; // the last may be null
    int side;
    float ratio, centre; ///< its pixel = centre + ratio * output pixels from the centre
    const AugmentDraw* draw;
};

/// The largest integer not above x, for |x| < 2^31.
[[gnu::always_inline]] inline int floor_of(float x)
{
    const int i = int(x);
    return i - (x < float(i) ? 1 : 0);
}

/// Bytes read from each row of four pixels. The first 4 C count, but whole vectors are faster.
constexpr int lanes(int C)
{
    return C == 1 ? 8 : 16;
}

/// 4 x 4 pixels of C bytes from (row, column) on, where they are in the picture or, at its border, in `copy`.
struct Patch {
    const std::uint8_t* data;
    std::int64_t stride;
};
template <int C, bool repeat>
[[gnu::always_inline]] inline Patch patch_at(const std::uint8_t* image, int side, int row, int column,
                                             std::uint8_t* copy)
{
    constexpr int kReach = (lanes(C) + C - 1) / C; // pixels that are read
    if (row >= 0 && column >= 0 && row + 4 <= side && column + kReach <= side)
        return {image + (std::int64_t(row) * side + column) * C, std::int64_t(side) * C};
    std::fill_n(copy, 4 * lanes(C), std::uint8_t(0));
    for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 4; ++i) {
            const int y = std::clamp(row + j, 0, side - 1), x = std::clamp(column + i, 0, side - 1);
            if (repeat || (y == row + j && x == column + i))
                std::memcpy(copy + j * lanes(C) + i * C, image + (std::int64_t(y) * side + x) * C, C);
        }
    return {copy, lanes(C)};
}

constexpr int kRun = 64; // pixels of a row that are handled together

/// Positions in a face's pixels.
struct Positions {
    float x[kRun], y[kRun];
};

/// Of a row's positions along one axis: the pixel at or before each, and the weights of the four around it.
struct Taps {
    int floor[kRun];
    float weight[4][kRun];
};
[[gnu::always_inline]] inline void find_taps(ref::Filter filter, const float* x, Taps& taps)
{
    for (int i = 0; i < kRun; ++i) taps.floor[i] = floor_of(x[i]);
    const auto weigh = [&](ref::Filter known) {
        for (int i = 0; i < kRun; ++i) {
            float w[4];
            ref::tap_weights(known, x[i] - float(taps.floor[i]), w);
            for (int k = 0; k < 4; ++k) taps.weight[k][i] = w[k];
        }
    };
    if (filter == ref::Filter::cubic) return weigh(ref::Filter::cubic);
    if (filter == ref::Filter::linear) return weigh(ref::Filter::linear);
    weigh(ref::Filter::mean);
}

/// out [n,C] = the picture at the first n positions, 0..1.
template <int C, bool repeat>
[[gnu::always_inline]] inline void sample_run(const std::uint8_t* image, int side, ref::Filter filter,
                                              const Positions& at, std::int64_t n, float* out)
{
    Taps across, down;
    find_taps(filter, at.x, across);
    find_taps(filter, at.y, down);
    for (std::int64_t i = 0; i < n; ++i) {
        std::uint8_t copy[4 * lanes(C)];
        const Patch patch = patch_at<C, repeat>(image, side, down.floor[i] - 1, across.floor[i] - 1, copy);
        float sum[lanes(C)] = {};
        for (int j = 0; j < 4; ++j) {
            const std::uint8_t* from = patch.data + j * patch.stride;
            const float weight = down.weight[j][i];
#pragma omp simd
            for (int k = 0; k < lanes(C); ++k) sum[k] += weight * float(from[k]);
        }
        for (int c = 0; c < C; ++c)
            out[i * C + c] = across.weight[0][i] * sum[c] + across.weight[1][i] * sum[C + c] +
                             across.weight[2][i] * sum[2 * C + c] + across.weight[3][i] * sum[3 * C + c];
    }
    for (std::int64_t i = 0; i < n * C; ++i) out[i] = std::min(1.0f, std::max(0.0f, out[i] * (1 / 255.0f)));
}

/// Where the pixels of row y from column x on are in the face, without the warp and with it.
[[gnu::always_inline]] inline void find_positions(const BatchShape& s, const StoredFace& face, std::int64_t x,
                                                  std::int64_t y, Positions& still, Positions& warped)
{
    const float centre = float(s.side) / 2;
    for (int i = 0; i < kRun; ++i) {
        const Point p =
            ref::inverse_affine(s, *face.draw, Point{float(x + i) + 0.5f - centre, float(y) + 0.5f - centre});
        const Point moved = ref::displacement(s, *face.draw, p);
        still.x[i] = p.x * face.ratio + face.centre;
        still.y[i] = p.y * face.ratio + face.centre;
        warped.x[i] = (p.x + moved.x) * face.ratio + face.centre;
        warped.y[i] = (p.y + moved.y) * face.ratio + face.centre;
    }
}

/// A row of one sample's pictures and masks; the last may be null.
struct Row {
    float *input, *target, *mask, *eyes_mouth;
};

/// Row y of one sample.
__attribute__((flatten)) BIFRONS_CLONES void draw_row(const BatchShape& s, const StoredFace& face, bool colors,
                                                      std::int64_t y, const Row& out)
{
    const bool shrunk = face.draw->shrunk;
    const auto filter = shrunk ? ref::Filter::mean : ref::Filter::cubic;
    const auto mask_filter = shrunk ? ref::Filter::mean : ref::Filter::linear;
    for (std::int64_t x = 0; x < s.side; x += kRun) {
        const std::int64_t n = std::min<std::int64_t>(kRun, s.side - x);
        Positions still, warped;
        find_positions(s, face, x, y, still, warped);
        sample_run<3, true>(face.image, face.side, filter, still, n, out.target + 3 * x);
        sample_run<1, false>(face.mask, face.side, mask_filter, still, n, out.mask + x);
        sample_run<3, true>(face.image, face.side, filter, warped, n, out.input + 3 * x);
        if (colors)
            for (std::int64_t i = x; i < x + n; ++i) ref::shift_color(*face.draw, out.input + 3 * i);
        if (!out.eyes_mouth) continue;
        sample_run<1, false>(face.eyes_mouth, face.side, mask_filter, still, n, out.eyes_mouth + x);
        for (std::int64_t i = x; i < x + n; ++i) out.eyes_mouth[i] *= out.mask[i];
    }
}

} // namespace

void run(Exec ex, const Augment& op)
{
    const BatchShape& s = op.s;
    const AugmentOptions& o = op.o;
    const Faces& faces = op.faces;
    const Row first{op.out.input.as<float>(), op.out.target.as<float>(), op.out.mask.as<float>(),
                    op.out.eyes_mouth.as<float>()};
    const auto *images = faces.images.as<std::uint8_t>(), *masks = faces.masks.as<std::uint8_t>(),
               *eyes_mouth = faces.eyes_mouth.as<std::uint8_t>(), *recolored = faces.recolored.as<std::uint8_t>();
    auto* draws = static_cast<AugmentDraw*>(ex.workspace.data);
    for (std::int64_t n = 0; n < s.N; ++n) draw_sample(s, o, faces, op.state->seed, op.state->step, n, draws[n]);

    const bool colors = o.hue_deg != 0 || o.saturation != 0 || o.value != 0;
    const std::int64_t face_size = faces.side * faces.side;
    parallel_for(s.N * s.side, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const AugmentDraw& d = draws[row / s.side];
            const StoredFace face{recolored ? recolored + row / s.side * face_size * 3
                                            : images + d.face * face_size * 3,
                                  masks + d.face * face_size,
                                  eyes_mouth ? eyes_mouth + d.face * face_size : nullptr,
                                  int(faces.side),
                                  float(faces.side - 2 * faces.margin) / float(s.side),
                                  float(faces.side - 1) / 2,
                                  &d};
            const std::int64_t at = row * s.side;
            draw_row(s, face, colors, row % s.side,
                     {first.input + at * 3, first.target + at * 3, first.mask + at,
                      first.eyes_mouth ? first.eyes_mouth + at : nullptr});
        }
    });
}

} // namespace bifrons::kernels::cpu
