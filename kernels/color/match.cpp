#include "kernels/color/match.h"

#include "kernels/base/arena.h"
#include "kernels/color/color_map.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/color/match_cpu.h"
#include "kernels/color/slice.h"
#include "kernels/device/dispatch.h"

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

Cost color_match_cost(const MatchShape& s, Target target)
{
    const double n = double(s.N * s.pixels());
    const std::size_t workspace = workspace_of(s, target);
    if (!is_sliced(s.kind))
        return {.flops = (s.kind == ColorMatch::rct ? 420 : 60) * n, .bytes = 48 * n, .workspace_bytes = workspace};
    const Slicing slicing = slicing_of(s.kind);
    const double moves = double(slicing.rounds) * slicing.directions;
    const double blur = s.kind == ColorMatch::sot ? gaussian_blur_cost(match_blur(s, 4)).flops : 0;
    return {.flops = 28 * moves * n + double(s.N) * blur,
            .bytes = (24 * moves + 24 * slicing.rounds + 60) * n,
            .workspace_bytes = workspace};
}

void color_match(Exec ex, const MatchShape& s, ConstView x, ConstView y, ConstView mask, const StepState* state,
                 View out)
{
    BIFRONS_CHECK(shape, s.N >= 1 && s.H >= 1 && s.W >= 1 && s.H < 1 << 16 && s.W < 1 << 16 && s.pixels() < 1 << 20,
                  "color_match: [", s.N, ",", s.H, ",", s.W, ",3]; expected at least one pixel, and fewer than 2^20");
    BIFRONS_CHECK(bug, s.kind != ColorMatch::none, "color_match: no colour match requested");
    if (accounted(ex, "color_match", color_match_cost(s, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(ex.stream, [=] {
            cpu::color_match(s, x.as<float>(), y.as<float>(), mask.as<float>(), state, out.as<float>(), ex.workspace);
        });
    BIFRONS_SIMT(ex, "color_match", color_match(ex, s, x, y, mask, state, out));
}

} // namespace bifrons::kernels
