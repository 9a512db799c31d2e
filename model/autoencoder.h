// model/autoencoder.h - `df`: one encoder and one inter for both identities, one decoder for each.
//
// The two heads of Janus: whatever the encoder sees, the decoder decides whose face comes out. The swap is the
// destination's picture through the source's decoder.
#pragma once

#include "model/decoder.h"
#include "model/encoder.h"
#include "model/inter.h"

namespace bifrons::model {

class Autoencoder {
  public:
    /// Declares all parameters in `params`, which must outlive this.
    Autoencoder(Parameters& params, const Architecture& arch);

    struct Reconstructions {
        Decoder::Output src, dst;
    };
    /// pictures [2N,R,R,3], source rows first. The encoder runs once, over both.
    Reconstructions reconstruct(Tape& tape, const Var& pictures) const;
    /// pictures [N,R,R,3] of anybody, shown as the source (or the destination) would look.
    Decoder::Output as_src(Tape& tape, const Var& pictures) const;
    Decoder::Output as_dst(Tape& tape, const Var& pictures) const;

    const Architecture& architecture() const { return arch_; }

  private:
    const Architecture arch_;
    Encoder encoder_;
    Inter inter_;
    Decoder decoder_src_, decoder_dst_;
};

} // namespace bifrons::model
