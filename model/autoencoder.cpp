#include "model/autoencoder.h"

namespace bifrons::model {

Autoencoder::Autoencoder(Parameters& params, const Architecture& arch)
    : arch_((arch.check(), arch)), encoder_(params, "encoder", arch),
      inter_(params, "inter", arch, encoder_.features()), decoder_src_(params, "decoder_src", arch),
      decoder_dst_(params, "decoder_dst", arch)
{
}

Autoencoder::Reconstructions Autoencoder::reconstruct(Tape& tape, const Var& pictures) const
{
    const std::vector<Var> halves = split(tape, inter_(tape, encoder_(tape, pictures)), 2);
    return {decoder_src_(tape, halves[0]), decoder_dst_(tape, halves[1])};
}

Decoder::Output Autoencoder::as_src(Tape& tape, const Var& pictures) const
{
    return decoder_src_(tape, inter_(tape, encoder_(tape, pictures)));
}

Decoder::Output Autoencoder::as_dst(Tape& tape, const Var& pictures) const
{
    return decoder_dst_(tape, inter_(tape, encoder_(tape, pictures)));
}

} // namespace bifrons::model
