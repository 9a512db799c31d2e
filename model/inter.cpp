#include "model/inter.h"

namespace bifrons::model {

Inter::Inter(Parameters& params, const std::string& name, const Architecture& arch, int features)
    : arch_(arch), dense1_(params, name + ".dense1", features, arch.ae_dims),
      dense2_(params, name + ".dense2", arch.ae_dims, arch.dense_side() * arch.dense_side() * arch.inter_channels())
{
    const int A = arch.inter_channels();
    if (!arch.t) upscale_ = std::make_unique<Upscale>(params, name + ".upscale1", arch, A, A);
}

Var Inter::code(Tape& tape, const Var& features) const
{
    return dense1_(tape, features);
}

Var Inter::expand(Tape& tape, const Var& code) const
{
    const int L = arch_.dense_side();
    const Var x = reshape(tape, dense2_(tape, code), {code.shape()[0], L, L, arch_.inter_channels()});
    return upscale_ ? (*upscale_)(tape, x) : x;
}

} // namespace bifrons::model
