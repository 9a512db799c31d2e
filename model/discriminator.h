// model/discriminator.h - networks that learn to tell what is real from what is made. Each answers with logits, above 0
// for real: one or two tensors of them, f32 also where features are bf16.
//
//   fc      picture [N,R,R,3] -> [N,1,1,1], one answer for the whole picture. With g = gan_dims:
//           conv 5x5 stride 2, 3->g->2g->4g ... (at most 512) until the side is at most 4; dense ->16g (at most 512);
//           dense ->1
//   patch   picture [N,R,R,3] -> centre [N,r,r,1], each answer for a patch of its receptive field, and full [N,R,R,1],
//           each for a pixel. A U-Net: 1x1 3->g; conv 3x3, g->2g->4g ... (at most 512) with the strides of
//           patch_strides(); centre: 1x1 ->1, and 1x1 to the way back up: transposed conv 3x3 with the same strides,
//           each joined by the map of its size from the way down; full: 1x1 2g->1
//   code    latent map [N,s,s,C] -> [N,r,r,1]: conv 4x4 C->256, conv 3x3 ->512 ->1024 ... (at most 2048), stride 2,
//           1 + s/8 of them; 1x1 ->1
// Leaky ReLU behind all but the answers: 0.2, code 0.1.
//
// Source  fc as the mission describes it; patch and code as DeepFaceLab has them (UNetPatchDiscriminator after
// Schonfeld
//         et al. 2020, arXiv:2002.12655; CodeDiscriminator). Theirs differs by one pixel in the transposed
//         convolutions: see kernels/conv2d/conv2d_transpose.h.
// Tests   tests/model/discriminator_test.cpp, tests/parity/discriminator_parity.cpp
#pragma once

#include "model/blocks.h"
#include "model/patch_strides.h"

namespace bifrons::model {

class Discriminator {
  public:
    virtual ~Discriminator() = default;
    virtual std::vector<Var> operator()(Tape& tape, const Var& x) const = 0;
};

class FcDiscriminator : public Discriminator {
  public:
    FcDiscriminator(Parameters& params, const std::string& name, int resolution, int dims);
    std::vector<Var> operator()(Tape& tape, const Var& picture) const override;

  private:
    std::vector<Conv> downs_;
    std::unique_ptr<Dense> dense_;
    std::unique_ptr<Conv> out_; // of one pixel: a dense layer whose result may be f32
};

class PatchDiscriminator : public Discriminator {
  public:
    PatchDiscriminator(Parameters& params, const std::string& name, int patch, int dims);
    std::vector<Var> operator()(Tape& tape, const Var& picture) const override;

  private:
    std::unique_ptr<Conv> in_, centre_, bottom_, full_;
    std::vector<Conv> downs_;
    std::vector<ConvTranspose> ups_; // ups_[i] undoes downs_[i]
};

class CodeDiscriminator : public Discriminator {
  public:
    /// For maps of `channels` channels and this side.
    CodeDiscriminator(Parameters& params, const std::string& name, int side, int channels);
    std::vector<Var> operator()(Tape& tape, const Var& code) const override;

  private:
    std::vector<Conv> downs_;
    std::unique_ptr<Conv> out_;
};

} // namespace bifrons::model
