// kernels/augment/recolor_draw.h - whose colours a sample takes, and how its pictures become numbers and bytes again.
// Host and device.
#pragma once

#include "kernels/augment/augment_draw.h"
#include "kernels/augment/recolor.h"
#include "kernels/base/arena.h"
#include "kernels/base/clamp.h"

namespace bifrons::kernels {

struct RecolorDraw {
    std::int64_t face, reference;
};

BIFRONS_HD inline RecolorDraw draw_recolor(const BatchShape& s, const Faces& faces, const Faces& references,
                                           const StepState& state, std::int64_t sample)
{
    Rng mine(state.seed, state.step, std::uint64_t(s.first + sample), s.purpose);
    Rng other(state.seed, state.step, std::uint64_t(s.first + sample), s.purpose | kReferencePurpose);
    return {draw_face(mine, faces), draw_face(other, references)};
}

BIFRONS_HD inline float level_of(std::uint8_t byte)
{
    return float(byte) * (1 / 255.0f);
}
BIFRONS_HD inline std::uint8_t byte_of(float level)
{
    return std::uint8_t(clamp(level, 0.0f, 1.0f) * 255 + 0.5f);
}

/// The match of a batch, and what its pictures take of the workspace.
struct RecolorPlan {
    MatchShape match;
    std::int64_t values; ///< of all faces, or of all references

    RecolorPlan(const BatchShape& s, ColorMatch kind, std::int64_t side)
        : match{.N = s.N,
                .H = side,
                .W = side,
                .kind = kind,
                .purpose = s.purpose | kDirectionPurpose,
                .first = s.first},
          values(3 * s.N * side * side)
    {
    }
    std::size_t bytes() const { return aligned(std::size_t(values) * sizeof(float)); }
};

} // namespace bifrons::kernels
