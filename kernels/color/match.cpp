#include "kernels/color/match.h"

#include "kernels/base/arena.h"
#include "kernels/color/color_map.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/color/slice.h"

namespace bifrons::kernels {

namespace {

bool is_sliced(ColorMatch kind)
{
    return kind == ColorMatch::idt || kind == ColorMatch::sot;
}

std::size_t workspace_of(const MatchShape& s, Target target)
{
    Arena arena(nullptr);
    if (is_sliced(s.kind)) {
        arena.take<Slice>(kMostDirections * s.N);
        arena.take<float>(3 * s.pixels() * s.N);
        arena.take<float>(4 * s.pixels() * s.N);
        arena.take<float>(4 * s.pixels() * s.N);
    } else if (target.kind != DeviceKind::cpu) {
        arena.take<ColorMoments>(2 * s.N);
        arena.take<ColorMap>(s.N);
    }
    return arena.used();
}

} // namespace

void MatchColors::check(Target) const
{
    BIFRONS_CHECK(shape, s.N >= 1 && s.H >= 1 && s.W >= 1 && s.H < 1 << 16 && s.W < 1 << 16 && s.pixels() < 1 << 20,
                  "color_match: [", s.N, ",", s.H, ",", s.W, ",3]; expected at least one pixel, and fewer than 2^20");
    BIFRONS_CHECK(bug, s.kind != ColorMatch::none, "color_match: no colour match requested");
}

Cost MatchColors::cost(Target target) const
{
    const double n = double(s.N * s.pixels());
    const std::size_t workspace = workspace_of(s, target);
    if (!is_sliced(s.kind))
        return {.flops = (s.kind == ColorMatch::rct ? 420 : 60) * n, .bytes = 48 * n, .workspace_bytes = workspace};
    const Slicing slicing = slicing_of(s.kind);
    const double moves = double(slicing.rounds) * slicing.directions;
    const double blur = s.kind == ColorMatch::sot ? GaussianBlur{match_blur(s, 4)}.cost(target).flops : 0;
    return {.flops = 28 * moves * n + double(s.N) * blur,
            .bytes = (24 * moves + 24 * slicing.rounds + 60) * n,
            .workspace_bytes = workspace};
}

} // namespace bifrons::kernels
