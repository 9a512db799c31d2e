// kernels/augment/augment_draw.h - what is random about one sample of a batch, host and device.
#pragma once

#include "kernels/augment/augment.h"
#include "kernels/base/rng.h"

namespace bifrons::kernels {

struct AugmentDraw {
    static constexpr int kMaxCells = 8;
    static constexpr float kNodeDeviation = 0.096f; ///< of a warp node, in cells
    static constexpr float kNodeLimit = 2.5f;       ///< in deviations

    std::int64_t face;       ///< 0 .. count-1
    bool flip;               ///< after the affine transform
    float cos, sin, scale;   ///< out = scale * (cos x - sin y, sin x + cos y) + shift
    float shift_x, shift_y;  ///< in sides
    bool shrunk;             ///< more than 1.5 stored pixels per output pixel
    float hue;               ///< in sixths of a turn, within +-3
    float saturation, value; ///< factors

    int cells; ///< the warp grid's cells a side; 0: no warp
    struct Node {
        float x, y;
    } nodes[kMaxCells + 1][kMaxCells + 1]; ///< displacements in sides, [row][column]; zero on the border
};

/// Interior nodes of a grid of 2, 4 or 8 cells move by a normal of deviation 0.096 cells, cut at 0.24, along each axis.
BIFRONS_HD inline void draw_nodes(Rng& rng, AugmentDraw& d)
{
    for (int row = 0; row <= d.cells; ++row)
        for (int column = 0; column <= d.cells; ++column) {
            const bool inside = row > 0 && row < d.cells && column > 0 && column < d.cells;
            const float unit = inside ? AugmentDraw::kNodeDeviation / float(d.cells) : 0.0f;
            d.nodes[row][column].x = inside ? rng.truncated_normal(AugmentDraw::kNodeLimit) * unit : 0.0f;
            d.nodes[row][column].y = inside ? rng.truncated_normal(AugmentDraw::kNodeLimit) * unit : 0.0f;
        }
}

/// One word, whichever way a face is drawn. A face's probability is off by less than yaw_bins 2^-32 of it.
BIFRONS_HD inline std::int64_t draw_face(Rng& rng, const Faces& faces)
{
    if (faces.yaw_bins == 0) return rng.below(faces.count);
    const std::uint64_t place = std::uint64_t(rng.bits()) * std::uint64_t(faces.yaw_bins), rest = place & 0xffffffffu;
    const auto* begins = static_cast<const std::int64_t*>(faces.yaw_begins.data) + (place >> 32);
    const std::uint64_t size = std::uint64_t(begins[1] - begins[0]);
    return static_cast<const std::int64_t*>(faces.yaw_faces.data)[begins[0] + std::int64_t(rest * size >> 32)];
}

/// All but the nodes. Everything is always drawn, so that no option changes what the others get.
BIFRONS_HD inline void draw_all_but_nodes(Rng& rng, const BatchShape& s, const AugmentOptions& o, const Faces& faces,
                                          std::uint64_t step, AugmentDraw& d)
{
    d.face = draw_face(rng, faces);
    d.flip = rng.uniform() < o.flip;
    // A fraction of a turn in units of 2^-32, from -2^31 to 2^31 - 128.
    const float turns = rng.uniform(-1, 1) * (o.rotation_deg / 360);
    const SinCos rotation = exact_sincos(std::uint32_t(std::int64_t(turns * 4294967296.0f)));
    d.cos = rotation.cos;
    d.sin = rotation.sin;
    d.scale = rng.uniform(1 / (1 + o.scale), 1 + o.scale);
    d.shift_x = rng.uniform(-1, 1) * o.shift;
    d.shift_y = rng.uniform(-1, 1) * o.shift;
    d.hue = rng.uniform(-1, 1) * (o.hue_deg / 60);
    d.saturation = rng.uniform(1 - o.saturation, 1 + o.saturation);
    d.value = rng.uniform(1 - o.value, 1 + o.value);
    d.shrunk = float(faces.side - 2 * faces.margin) > 1.5f * float(s.side) * d.scale;
    const int cells = 2 << rng.below(3);
    const bool warped = o.warp && (o.warp_steps == 0 || step <= std::uint64_t(o.warp_steps));
    d.cells = warped ? cells : 0;
}

/// The draw of one sample, from Rng(seed, step, s.first + sample, s.purpose).
BIFRONS_HD inline void draw_sample(const BatchShape& s, const AugmentOptions& o, const Faces& faces, std::uint64_t seed,
                                   std::uint64_t step, std::int64_t sample, AugmentDraw& d)
{
    Rng rng(seed, step, std::uint64_t(s.first + sample), s.purpose);
    draw_all_but_nodes(rng, s, o, faces, step, d);
    if (d.cells > 0) draw_nodes(rng, d);
}

} // namespace bifrons::kernels
