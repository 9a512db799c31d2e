// model/decoder.h - latent map to face and mask: [N,L',L',C] -> face [N,R,R,3] and mask [N,R,R,1], both 0..1.
//
//   face   up ->8d, residual, up ->4d, residual, up ->2d, residual, head      (t: up ->8d, 8d, 4d, 2d)
//   mask   up ->8m, ->4m, ->2m, 1x1 ->1, sigmoid                              (t: 8m, 8m, 4m, 2m; d: one more, ->m)
//   head   1x1 2d->3, sigmoid; with d: 1x1 2d->3 and three 3x3 2d->3 give the four sub-pixels of a map twice the side
#pragma once

#include "model/blocks.h"

namespace bifrons::model {

class Decoder {
  public:
    struct Output {
        Var face, mask;
    };

    Decoder(Parameters& params, const std::string& name, const Architecture& arch);
    Output operator()(Tape& tape, const Var& latent) const;

  private:
    Var face(Tape& tape, const Var& latent) const;
    Var mask(Tape& tape, const Var& latent) const;

    const Architecture arch_;
    std::vector<Upscale> ups_, mask_ups_;
    std::vector<ResidualBlock> residuals_;
    std::unique_ptr<Conv> head_, head3_, mask_head_;
};

} // namespace bifrons::model
