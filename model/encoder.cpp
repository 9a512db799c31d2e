#include "model/encoder.h"

namespace bifrons::model {

Encoder::Encoder(Parameters& params, const std::string& name, const Architecture& arch)
    : arch_(arch), features_(arch.encoder_side() * arch.encoder_side() * 8 * arch.e_dims)
{
    const int e = arch.e_dims;
    std::vector<int> channels = {3, e, 2 * e, 4 * e, 8 * e};
    if (arch.t) channels.push_back(8 * e);
    for (std::size_t i = 0; i + 1 < channels.size(); ++i)
        downs_.emplace_back(params, str(name, ".down", i + 1), arch, channels[i], channels[i + 1]);
    if (arch.t) {
        residuals_.emplace_back(params, name + ".res1", arch, e);
        residuals_.emplace_back(params, name + ".res5", arch, 8 * e);
    }
}

Var Encoder::operator()(Tape& tape, const Var& picture) const
{
    // Pictures are f32; what is computed from them is as wide as the precision says.
    Var x = tape.precision() == Precision::bf16 ? cast(tape, picture, DType::bf16) : picture;
    for (std::size_t i = 0; i < downs_.size(); ++i) {
        x = downs_[i](tape, x);
        if (arch_.t && i == 0) x = residuals_[0](tape, x);
    }
    if (arch_.t) x = residuals_[1](tape, x);
    x = reshape(tape, x, {x.shape()[0], features_});
    return arch_.u ? pixel_norm(tape, x) : x;
}

} // namespace bifrons::model
