// model/adversary.h - adversarial training: the discriminators, what they make small, and what the generator does
// against them.
//
//   D tells the source's pictures T from the reconstructions P (in masked training both times the soft mask B);
//   C tells the latent maps z of the destination's pictures from those of the source's.
//
//   src_gan          gan_power * fool(D(P))
//   src_true_face    true_face_power * fool(C(z_src)): the source's latents shall look like the destination's
//   src_variation    1e-6 total variation of P          } with D and masked training: against bright dots,
//   src_background   0.02 mean(((1-B) (P - T))^2)       } which D does not see there
//   d_gan            (real(D(T)) + fake(D(P))) / 2
//   d_code           (real(C(z_dst)) + fake(C(z_src))) / 2
//
//   real, fake, fool   the mean over an answer's values of cross-entropy (kernels/losses/bce.h), least squares or hinge
//                      (kernels/losses/adversarial.h); summed over D's answers
//
// The first four are the generator's, in which the discriminators are constants; in the last two what the generator
// made is. So one backward pass over the sum of all gives each its own gradients. Judged are the source's
// reconstructions alone, as in DeepFaceLab's SAEHD.
//
// Tests  tests/model/adversary_test.cpp, tests/model/training_on_devices_test.cpp
#pragma once

#include "model/adversary_options.h"
#include "model/discriminator.h"
#include "model/term.h"

namespace bifrons::model {

class Adversary {
  public:
    /// Declares the discriminators in use, each in a group of its name: "discriminator", "code_discriminator".
    Adversary(Parameters& params, const Architecture& arch, const AdversaryOptions& options);

    /// Whether there is a discriminator.
    explicit operator bool() const { return picture_ || code_; }

    struct Scene {
        Var made;                   ///< [N,R,R,3], the source's reconstruction
        Tensor real;                ///< its target
        Tensor soft;                ///< B, [N,R,R,1]; empty without masked training
        Var latent_src, latent_dst; ///< [N,s,s,C] maps; only for true face
    };
    std::vector<Term> generator_terms(Tape& tape, const Scene& scene) const;
    std::vector<Term> discriminator_terms(Tape& tape, const Scene& scene) const;
    /// The terms' names in order.
    std::vector<std::string> generator_names(bool masked_training) const;
    std::vector<std::string> discriminator_names() const;

  private:
    /// The answers' mean losses, summed and scaled.
    Var worth(Tape& tape, const std::vector<Var>& answers, kernels::Verdict wanted, float scale) const;
    /// What telling the two apart is worth to a discriminator.
    Var telling(Tape& tape, const Discriminator& discriminator, const Var& real, const Var& fake) const;

    const AdversaryOptions options_;
    std::unique_ptr<Discriminator> picture_, code_;
};

} // namespace bifrons::model
