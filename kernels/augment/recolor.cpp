#include "kernels/augment/recolor.h"

#include "kernels/augment/recolor_draw.h"
#include "kernels/base/parallel.h"
#include "kernels/color/match_cpu.h"
#include "kernels/device/dispatch.h"

namespace bifrons::kernels {

namespace {

void recolor_cpu(const BatchShape& s, ColorMatch kind, const Faces& faces, const Faces& references,
                 const StepState* state, std::uint8_t* out, Workspace workspace)
{
    const RecolorPlan plan(s, kind, faces.side);
    const std::int64_t values = plan.values / s.N; // of a picture
    char* memory = static_cast<char*>(workspace.data);
    float *x = reinterpret_cast<float*>(memory), *y = reinterpret_cast<float*>(memory + plan.bytes());
    const auto *own = faces.images.as<std::uint8_t>(), *others = references.images.as<std::uint8_t>();
    parallel_for(s.N, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            const RecolorDraw d = draw_recolor(s, faces, references, *state, n);
            for (std::int64_t i = 0; i < values; ++i) {
                x[n * values + i] = level_of(own[d.face * values + i]);
                y[n * values + i] = level_of(others[d.reference * values + i]);
            }
        }
    });
    cpu::color_match(plan.match, x, y, nullptr, state, x,
                     {memory + 2 * plan.bytes(), workspace.bytes - 2 * plan.bytes()});
    parallel_for(plan.values, 16384, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) out[i] = byte_of(x[i]);
    });
}

} // namespace

Cost recolor_cost(const BatchShape& s, ColorMatch kind, std::int64_t side, Target target)
{
    const RecolorPlan plan(s, kind, side);
    Cost cost = color_match_cost(plan.match, target);
    cost.bytes += 15.0 * double(plan.values);
    cost.workspace_bytes += 2 * plan.bytes();
    return cost;
}

void recolor(Exec ex, const BatchShape& s, ColorMatch kind, const Faces& faces, const Faces& references,
             const StepState* state, View out)
{
    BIFRONS_CHECK(data, faces.count >= 1 && references.count >= 1, "recolor: ", faces.count, " faces, ",
                  references.count, " references; expected at least one of each");
    BIFRONS_CHECK(shape, faces.side == references.side && s.N >= 1 && s.purpose < kReferencePurpose, "recolor: ", s.N,
                  " faces of side ", faces.side, ", references of side ", references.side, ", purpose ", s.purpose,
                  "; expected equal sides and a purpose below 16384");
    BIFRONS_CHECK(bug, kind != ColorMatch::none, "recolor: no colour match requested");
    if (accounted(ex, "recolor", recolor_cost(s, kind, faces.side, ex.device->target()))) return;
    if (on_cpu(ex))
        return ex.device->enqueue(
            ex.stream, [=] { recolor_cpu(s, kind, faces, references, state, out.as<std::uint8_t>(), ex.workspace); });
    BIFRONS_SIMT(ex, "recolor", recolor(ex, s, kind, faces, references, state, out));
}

} // namespace bifrons::kernels
