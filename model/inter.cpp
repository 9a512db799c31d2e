#include "model/inter.h"

namespace bifrons::model {

Inter::Inter(Parameters& params, const std::string& name, const Architecture& arch, int features)
    : arch_(arch), dense1_(params, name + ".dense1", features, arch.ae_dims),
      dense2_(params, name + ".dense2", arch.ae_dims, arch.dense_side() * arch.dense_side() * arch.ae_dims)
{
    if (!arch.t) upscale_ = std::make_unique<Upscale>(params, name + ".upscale1", arch, arch.ae_dims, arch.ae_dims);
}

Var Inter::operator()(Tape& tape, const Var& features) const
{
    const int L = arch_.dense_side();
    Var x = dense2_(tape, dense1_(tape, features));
    x = reshape(tape, x, {x.shape()[0], L, L, arch_.ae_dims});
    return upscale_ ? (*upscale_)(tape, x) : x;
}

} // namespace bifrons::model
