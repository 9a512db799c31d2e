// model/autoencoder.h - one encoder for both identities, and what makes one face or the other of what it saw.
//
// The two heads of Janus: whatever the encoder sees, what follows decides whose face comes out. The swap is the
// destination's picture decoded as the source (architecture.h says how `df` and `liae` tell them apart).
#pragma once

#include "model/decoder.h"
#include "model/encoder.h"
#include "model/inter.h"

namespace bifrons::model {

/// An affine map between codes, z -> W z + b: see latent_transfer.h.
struct CodeMap {
    Tensor weight; ///< [ae,ae], in the type of the network's products
    Tensor bias;   ///< [ae] f32
};

class Autoencoder {
  public:
    /// Declares all parameters in `params`, which must outlive this.
    Autoencoder(Parameters& params, const Architecture& arch);

    struct Reconstructions {
        Decoder::Output src, dst;
        /// df: what the decoders read, [N,L',L',ae]. liae: empty.
        Var latent_src, latent_dst;
        /// liae: what inter_AB makes of both, [2N,L',L',inter_channels()]. df: empty.
        Var latents_ab;
    };
    /// pictures [2N,R,R,3], source rows first. The encoder runs once, over both; so does liae's decoder.
    Reconstructions reconstruct(Tape& tape, const Var& pictures) const;
    /// How far the gradients of a swap go.
    enum class Reach { decoder, encoder };
    /// The destination of `out` as the source. Without reach to the encoder its latent is a constant.
    Decoder::Output swap(Tape& tape, const Reconstructions& out, Reach reach) const;

    /// pictures [N,R,R,3] of anybody, shown as the source (or the destination) would look; for tapes that do not
    /// record. `map` is applied to the code, if given.
    Decoder::Output as_src(Tape& tape, const Var& pictures, const CodeMap* map = nullptr) const;
    Decoder::Output as_dst(Tape& tape, const Var& pictures) const;
    /// The code [N,ae] that as_src() expands and decodes.
    Var code(Tape& tape, const Var& pictures) const;

    const Architecture& architecture() const { return arch_; }
    /// Parts that can be frozen, re-initialised or taken from another model: parameters are named "<block>.<layer>".
    std::vector<std::string> blocks() const;
    /// The blocks that know how one identity looks to the other: re-initialised after pretraining.
    std::vector<std::string> identity_blocks() const;

  private:
    Reconstructions reconstruct_df(Tape& tape, const Var& features) const;
    Reconstructions reconstruct_liae(Tape& tape, const Var& features) const;

    const Architecture arch_;
    Encoder encoder_;
    std::vector<Inter> inters_;     // df: one; liae: AB, B
    std::vector<Decoder> decoders_; // df: source's, destination's; liae: one
};

} // namespace bifrons::model
