// model/architecture.h - what fixes a network's shape: DeepFaceLab's `df` and `liae` with flags and dims, and variants.
//
//   encoder  [N,R,R,3] -> [N,F]      inter  [N,F] -> [N,L',L',A]      decoder  -> face [N,R,R,3], mask [N,R,R,1]
//
//   df     one inter (A = ae), a decoder for each identity: the source's likeness is in its decoder
//   liae   two inters (A = 2 ae), AB for both identities and B for the destination; one decoder, which reads two of
//          their maps side by side: AB AB for the source, B AB for the destination
//
// Flags (deep layers and sizes are in encoder.h, inter.h, decoder.h):
//   u  the latent is normalised to unit mean square before the first dense layer
//   d  the decoder works at half the resolution and four heads give the four sub-pixels
//   t  one more level, with residual blocks in the encoder
//   c  x*cos(x) instead of leaky ReLU
#pragma once

#include "kernels/pointwise/activation.h"

#include <string>

namespace bifrons::model {

enum class Downsample { strided, maxpool };
enum class Upsample { subpixel, transposed, nearest };

struct Architecture {
    int resolution = 128; ///< R, px
    bool liae = false;
    bool u = true, d = true, t = false, c = false;
    int e_dims = 64;      ///< encoder's base channels
    int ae_dims = 256;    ///< width of the latent
    int d_dims = 64;      ///< decoder's base channels
    int d_mask_dims = 22; ///< mask branch's base channels
    Downsample downsample = Downsample::strided;
    Upsample upsample = Upsample::subpixel;

    /// Throws Error(usage) unless the network can be built: see the text of each refusal.
    void check() const;

    int encoder_side() const { return resolution / (t ? 32 : 16); } ///< side of the encoder's last map
    int dense_side() const
    {
        return resolution / (d ? 32 : 16);
    } ///< L: side of the map that the second dense layer makes
    int latent_side() const { return dense_side() * (t ? 1 : 2); } ///< L': of the map that decoders read
    kernels::Activation act(float slope) const
    {
        return c ? kernels::Activation{kernels::Act::xcosx} : kernels::leaky(slope);
    }
    int inter_channels() const { return liae ? 2 * ae_dims : ae_dims; }   ///< A
    int decoder_channels() const { return liae ? 4 * ae_dims : ae_dims; } ///< what the decoder reads
    /// "df-ud", the name with its flags.
    std::string name() const;
};

} // namespace bifrons::model
