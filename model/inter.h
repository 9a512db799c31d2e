// model/inter.h - the trained feature mapping between encoder and decoders: z' = W z + b, twice, without activation.
//
//   [N,F] -> dense1 -> code [N,ae] -> dense2 -> [N,L,L,A]     and without t an upscale to [N,2L,2L,A]
#pragma once

#include "model/blocks.h"

namespace bifrons::model {

class Inter {
  public:
    Inter(Parameters& params, const std::string& name, const Architecture& arch, int features);
    Var operator()(Tape& tape, const Var& features) const { return expand(tape, code(tape, features)); }
    Var code(Tape& tape, const Var& features) const;
    Var expand(Tape& tape, const Var& code) const;

  private:
    const Architecture arch_;
    Dense dense1_, dense2_;
    std::unique_ptr<Upscale> upscale_;
};

} // namespace bifrons::model
