// model/objective.h - what training makes small: the losses of both reconstructions, each by name, and their sum.
//
// Per identity, against its unwarped picture T with mask M (masked training multiplies both pictures by the soft mask):
//   dssim   10 DSSIM, window R/11.6; from 256 px: 5 of that and 5 with window R/23.2
//   mse     10 mean((T - P)^2)
//   mask    10 mean((M - P_mask)^2)
//   eyes_mouth   300 mean(E |T - P|), E the mask of eyes and mouth
//   perceptual   distance of the features that a frozen network finds in both, see perceptual.h
// The factors are DeepFaceLab's and settings here. Each loss is a mean over the batch; total = their sum.
#pragma once

#include "engine/batch.h"
#include "model/autoencoder.h"
#include "model/perceptual.h"

namespace bifrons::model {

struct LossWeights {
    float mse = 10, dssim = 10, mask = 10;
    float eyes_mouth = 0; ///< above 0, batches must have that mask
    float perceptual = 0; ///< above 0, the objective must have its network
    bool masked_training = true;
};

class Objective {
  public:
    /// What stands behind the pointers, where there is something, must outlive this.
    Objective(const Architecture& arch, const LossWeights& weights, const Perceptual* perceptual = nullptr)
        : arch_(arch), weights_(weights), perceptual_(perceptual)
    {
    }

    /// Names of the reported values in order: src_dssim, src_mse, src_eyes_mouth, src_perceptual, src_mask, dst_...,
    /// total. A weight of 0 leaves its loss out.
    std::vector<std::string> names() const;
    /// Enqueues all losses and returns the total. report [names().size()]: the weighted values are written there; it
    /// must live outside the step's memory.
    Var operator()(Tape& tape, const Autoencoder::Reconstructions& out, const Batch& batch, const Tensor& report) const;

  private:
    struct Term {
        std::string name;
        Var value;
    };
    /// What one identity's losses compare with; eyes_mouth and soft may be empty.
    struct Truth {
        Tensor target, mask, eyes_mouth, soft;
    };
    std::vector<Term> side(Tape& tape, const std::string& name, const Decoder::Output& out, const Truth& truth) const;

    const Architecture arch_;
    const LossWeights weights_;
    const Perceptual* const perceptual_;
};

} // namespace bifrons::model
