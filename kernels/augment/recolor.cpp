#include "kernels/augment/recolor.h"

#include "kernels/augment/recolor_draw.h"
#include "kernels/base/parallel.h"
#include "kernels/color/match.h"

namespace bifrons::kernels {

void Recolor::check(Target) const
{
    BIFRONS_CHECK(data, faces.count >= 1 && references.count >= 1, "recolor: ", faces.count, " faces, ",
                  references.count, " references; expected at least one of each");
    BIFRONS_CHECK(shape, faces.side == references.side && s.N >= 1 && s.purpose < kReferencePurpose, "recolor: ", s.N,
                  " faces of side ", faces.side, ", references of side ", references.side, ", purpose ", s.purpose,
                  "; expected equal sides and a purpose below 16384");
    BIFRONS_CHECK(bug, kind != ColorMatch::none, "recolor: no colour match requested");
}

Cost Recolor::cost(Target target) const
{
    const RecolorPlan plan(s, kind, faces.side);
    Cost cost = MatchColors{plan.match}.cost(target);
    cost.bytes += 15.0 * double(plan.values);
    cost.workspace_bytes += 2 * plan.bytes();
    return cost;
}

void cpu::run(Exec ex, const Recolor& op)
{
    const BatchShape& s = op.s;
    const Faces &faces = op.faces, &references = op.references;
    const RecolorPlan plan(s, op.kind, faces.side);
    const std::int64_t values = plan.values / s.N; // of a picture
    char* memory = static_cast<char*>(ex.workspace.data);
    float *x = reinterpret_cast<float*>(memory), *y = reinterpret_cast<float*>(memory + plan.bytes());
    const auto *own = faces.images.as<std::uint8_t>(), *others = references.images.as<std::uint8_t>();
    parallel_for(s.N, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n) {
            const RecolorDraw d = draw_recolor(s, faces, references, *op.state, n);
            for (std::int64_t i = 0; i < values; ++i) {
                x[n * values + i] = level_of(own[d.face * values + i]);
                y[n * values + i] = level_of(others[d.reference * values + i]);
            }
        }
    });
    run(behind(ex, 2 * plan.bytes()), MatchColors{plan.match, View{x}, View{y}, {}, op.state, View{x}});
    auto* out = op.out.as<std::uint8_t>();
    parallel_for(plan.values, 16384, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) out[i] = byte_of(x[i]);
    });
}

} // namespace bifrons::kernels
