// model/encoder.h - picture to feature vector: [N,R,R,3] -> [N,F], F = encoder_side^2 * 8e.
//
//   without t   down 3->e, e->2e, 2e->4e, 4e->8e
//   with t      down 3->e, residual e, down e->2e, 2e->4e, 4e->8e, 8e->8e, residual 8e
//   with u      the vector is divided by its root mean square (pixel norm over all F elements)
#pragma once

#include "model/blocks.h"

namespace bifrons::model {

class Encoder {
  public:
    Encoder(Parameters& params, const std::string& name, const Architecture& arch);
    Var operator()(Tape& tape, const Var& picture) const;
    /// F.
    int features() const { return features_; }

  private:
    const Architecture arch_;
    int features_;
    std::vector<Downscale> downs_;
    std::vector<ResidualBlock> residuals_; // with t: after the first and after the last
};

} // namespace bifrons::model
