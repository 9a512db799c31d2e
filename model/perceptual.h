// model/perceptual.h - how different two pictures are in the features of a pretrained network: the perceptual loss, and
// LPIPS as a measure.
//
//   loss = scale * sum over taps t of weight_t * lpips(features_t(P), features_t(T), head_t)
//
// P and T are the pictures, or their means over squares of `downscale` px: features of those take 1/downscale^2 of the
// arithmetic and the memory, and a tap sees that many times as far.
//
// lpips is the mean over places of the squared distance of the features, each place's scaled to length 1
// (kernels/losses/lpips.h): independent of a network's own scale, and a mean over the batch. With SqueezeNet's heads
// and all weights 1 it is LPIPS v0.1.
//
// Sources  Johnson et al. 2016, arXiv:1603.08155; Zhang et al. 2018, arXiv:1801.03924
// Tests  tests/model/perceptual_test.cpp, tests/parity/perceptual_parity.cpp
#pragma once

#include "engine/step.h"
#include "model/feature_network.h"

namespace bifrons::model {

class Perceptual {
  public:
    /// As FeatureNetwork; taps as text, see parse_taps.
    Perceptual(kernels::Device& device, const std::string& path, const std::string& taps, Precision precision,
               DType dtype = DType::f32, int downscale = 1)
        : network_(device, path, parse_taps(taps), precision, dtype), downscale_(downscale)
    {
    }
    /// The loss, shape [1]. The mask [N,H,W,1] (may be empty) multiplies both pictures [N,H,W,3] BGR 0..1; the
    /// prediction alone gets a gradient.
    Var operator()(Tape& tape, const Var& prediction, const Tensor& target, const Tensor& mask, float scale) const;

    /// Whether square pictures of this side are large enough.
    bool fits(std::int64_t side) const { return network_.fits(side / downscale_); }
    const FeatureNetwork& network() const { return network_; }

  private:
    std::vector<Var> features(Tape& tape, const Var& pictures, const Tensor& mask) const;

    FeatureNetwork network_;
    int downscale_;
};

/// LPIPS v0.1 of two pictures: 0 for the same, about 0.1 for hardly different, 0.7 for quite different.
class Lpips {
  public:
    /// path: SqueezeNet 1.1 with LPIPS's heads. Throws Error(data) as FeatureNetwork and for a file without heads.
    Lpips(kernels::Device& device, const std::string& path);

    /// a, b [H,W,3] BGR 0..1; at least 32 px a side. Waits.
    double operator()(std::int64_t H, std::int64_t W, const std::vector<float>& a, const std::vector<float>& b);

  private:
    kernels::Device& device_;
    Pool pool_;
    Perceptual perceptual_;
    Tensor a_, b_, distance_;
    std::unique_ptr<Step> step_; // for pictures of a_'s size
};

} // namespace bifrons::model
