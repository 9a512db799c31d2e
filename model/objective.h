// model/objective.h - what training minimises: the losses of both reconstructions, each by name, and their sum.
//
// Per identity, against its unwarped picture T with mask M (masked training multiplies both pictures by the soft mask):
//   dssim   10 DSSIM, window R/11.6; from 256 px: 5 of that and 5 with window R/23.2
//   mse     10 mean((T - P)^2)
//   mask    10 mean((M - P_mask)^2)
//   eyes_mouth   300 mean(E |T - P|), E the mask of eyes and mouth
//   perceptual   distance of the features that a frozen network finds in both, see perceptual.h
// The factors are DeepFaceLab's and settings here. Styles of the swap: style.h. Adversarial losses: adversary.h. Each
// loss is a mean over the batch; total = the sum of what the generator minimises; the discriminators' losses (d_...)
// are reported separately.
#pragma once

#include "engine/batch.h"
#include "model/adversary.h"
#include "model/autoencoder.h"
#include "model/perceptual.h"
#include "model/style.h"

namespace bifrons::model {

struct LossWeights {
    float mse = 10, dssim = 10, mask = 10;
    float eyes_mouth = 0; ///< above 0, batches must have that mask
    float perceptual = 0; ///< above 0, the objective must have its network
    bool masked_training = true;
    StyleWeights style = {}; ///< above 0, the objective must have the network
};

class Objective {
  public:
    /// What the pointers point to must outlive this.
    Objective(const Architecture& arch, const LossWeights& weights, const Perceptual* perceptual = nullptr,
              const Adversary* adversary = nullptr, const Autoencoder* network = nullptr)
        : arch_(arch), weights_(weights), perceptual_(perceptual), adversary_(adversary), network_(network)
    {
    }

    /// Whose terms are evaluated: one backward pass for all, or one for either.
    enum class Part { all, generator, discriminators };

    /// Names of the reported values in order: src_dssim, src_mse, src_eyes_mouth, src_perceptual, src_mask, dst_...,
    /// the styles', the adversary's, total. A weight of 0 leaves its loss out.
    std::vector<std::string> names() const;
    /// How many of them, the first ones, are the generator's; the discriminators' and the total follow.
    std::size_t generator_count() const { return generator_names().size(); }
    /// Enqueues the losses of a part and returns the root of its backward pass. report [names().size()]: the part's
    /// weighted values are written there, "total" with the generator's; it must live outside the step's memory.
    Var operator()(Tape& tape, const Autoencoder::Reconstructions& out, const Batch& batch, const Tensor& report,
                   Part part = Part::all) const;

  private:
    /// What one identity's losses compare with; eyes_mouth and soft may be empty.
    struct Truth {
        Tensor target, mask, eyes_mouth, soft;
    };
    std::vector<std::string> generator_names() const;
    Truth truth(const Batch& batch, const Tensor& soft, bool src) const;
    std::vector<Term> side(Tape& tape, const std::string& name, const Decoder::Output& out, const Truth& truth) const;
    std::vector<Term> generator_terms(Tape& tape, const Autoencoder::Reconstructions& out, const Truth& src,
                                      const Truth& dst) const;

    const Architecture arch_;
    const LossWeights weights_;
    const Perceptual* const perceptual_;
    const Adversary* const adversary_;
    const Autoencoder* const network_;
};

} // namespace bifrons::model
