// model/inter.h - the trained feature mapping between encoder and decoders: z' = W z + b, twice, without activation.
//
//   [N,F] -> dense1 -> [N,ae] -> dense2 -> [N,L,L,ae]     and without t an upscale to [N,2L,2L,ae]
#pragma once

#include "model/blocks.h"

namespace bifrons::model {

class Inter {
  public:
    Inter(Parameters& params, const std::string& name, const Architecture& arch, int features);
    Var operator()(Tape& tape, const Var& features) const;

  private:
    const Architecture arch_;
    Dense dense1_, dense2_;
    std::unique_ptr<Upscale> upscale_;
};

} // namespace bifrons::model
