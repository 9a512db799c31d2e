// model/adversary_options.h - what adversarial training is told, see model/adversary.h. Tests
// tests/model/adversary_test.cpp
#pragma once

#include "model/architecture.h"

namespace bifrons::model {

struct AdversaryOptions {
    enum class Kind { patch, fc } kind = Kind::patch;
    enum class Loss { bce, least_squares, hinge } loss = Loss::bce;
    float gan_power = 0, true_face_power = 0; ///< 0: that discriminator is not built
    int patch = 16, dims = 16;

    /// Throws Error(usage) unless the discriminators fit the network.
    void check(const Architecture& arch) const;
};

/// The patch size next to `wanted` whose discriminator can join maps of pictures of this side on its way up: its
/// strides divide the side.
int fitting_patch(int wanted, int side);

} // namespace bifrons::model
