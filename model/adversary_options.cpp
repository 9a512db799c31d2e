#include "model/adversary_options.h"

#include "kernels/base/error.h"
#include "model/patch_strides.h"

namespace bifrons::model {

namespace {

/// What divides the sides of the pictures that a patch discriminator can join on their way up.
int whole_steps(int patch)
{
    int product = 1;
    for (const int stride : patch_strides(patch)) product *= stride;
    return product;
}

} // namespace

int fitting_patch(int wanted, int side)
{
    for (int away = 0; away < side; ++away)
        for (const int patch : {wanted - away, wanted + away})
            if (patch >= 3 && patch <= side && side % whole_steps(patch) == 0) return patch;
    return 3; // its only stride is 2, which divides all sides that networks have
}

void AdversaryOptions::check(const Architecture& arch) const
{
    BIFRONS_CHECK(usage, true_face_power <= 0 || !arch.liae, "true_face_power is ", true_face_power, ", but archi is ",
                  arch.name(), ": only df has latents of either identity to compare. Set true_face_power=0 or archi=df",
                  arch.name().substr(4), ".");
    if (kind != Kind::patch) return;
    const int side = arch.resolution;
    BIFRONS_CHECK(usage, patch >= 3 && patch <= side, "gan_patch_size is ", patch, ", the pictures are ", side,
                  " px; expected a size in 3..", side, ". Set gan_patch_size=", fitting_patch(side / 8, side),
                  " or a larger resolution.");
    const int step = whole_steps(patch);
    BIFRONS_CHECK(usage, side % step == 0, "gan_patch_size is ", patch, ", whose discriminator halves pictures to 1/",
                  step, ", but ", side, " px is not a multiple of ", step,
                  ". Set gan_patch_size=", fitting_patch(patch, side), ".");
}

} // namespace bifrons::model
