#include "kernels/augment/augment.h"

#include "kernels/augment/augment_draw.h"

namespace bifrons::kernels {

namespace {

void check_range(const char* name, float value, float high)
{
    BIFRONS_CHECK(usage, value >= 0 && value <= high, "augment: ", name, " is ", value, "; expected 0 to ", high);
}

} // namespace

void Augment::check(Target) const
{
    check_range("rotation", o.rotation_deg, 180);
    check_range("scale", o.scale, 1);
    check_range("shift", o.shift, 1);
    check_range("flip", o.flip, 1);
    check_range("hue", o.hue_deg, 180);
    check_range("saturation", o.saturation, 1);
    check_range("value", o.value, 1);
    BIFRONS_CHECK(data, faces.count >= 1 && faces.margin >= 0 && faces.side > 2 * faces.margin,
                  "augment: ", faces.count, " faces of side ", faces.side, " with margin ", faces.margin,
                  "; expected at least one face, and one pixel between the margins");
    BIFRONS_CHECK(shape, s.N >= 1 && s.side >= 1 && s.purpose < 1u << 16, "augment: ", s.N, " samples of side ", s.side,
                  " for purpose ", s.purpose, "; expected at least one sample of one pixel, and a purpose below 65536");
    for (const View& view : {out.input, out.target, out.mask, out.eyes_mouth})
        BIFRONS_CHECK(shape, !view || view.dtype == DType::f32, "augment: an output is ", dtype_name(view.dtype),
                      "; expected f32");
    for (const ConstView& in : {faces.images, faces.masks, faces.eyes_mouth, faces.recolored})
        BIFRONS_CHECK(shape, !in || in.dtype == DType::u8, "augment: faces are ", dtype_name(in.dtype),
                      "; expected u8");
    BIFRONS_CHECK(bug, !out.eyes_mouth || faces.eyes_mouth,
                  "augment: masks of eyes and mouth requested, but the faces have none");
}

Cost Augment::cost(Target target) const
{
    const double pixels = double(s.N * s.side * s.side);
    // Two bicubic pictures (105 operations each), bilinear masks, the geometry; each stored pixel read once.
    return {.flops = (out.eyes_mouth ? 280 : 260) * pixels,
            .bytes = pixels * (out.eyes_mouth ? 8 * 4 + 5 : 7 * 4 + 4),
            .workspace_bytes = target.kind == DeviceKind::cpu ? std::size_t(s.N) * sizeof(AugmentDraw) : 0};
}

} // namespace bifrons::kernels
