// model/blocks.h - the layers that the network is made of. Each declares its parameters under a name and, called,
// computes its value; names of parameters are "<block>.weight" and "<block>.bias".
#pragma once

#include "engine/ops/ops.h"
#include "engine/params.h"
#include "model/architecture.h"

namespace bifrons::model {

/// What a convolution fuses into its store.
struct ConvStore {
    kernels::Activation act = {};
    Var add = {};
    int shuffle = 1;
    bool f32_result = false; ///< see Conv2dOptions
};

/// Square convolution that keeps the side (stride 1) or divides it: padding kernel/2 on all sides, as DeepFaceLab.
class Conv {
  public:
    /// heads: the K filters are this many separate layers side by side; only the initial values know.
    Conv(Parameters& params, const std::string& name, int C, int K, int kernel, int stride = 1, int heads = 1);
    Var operator()(Tape& tape, const Var& x, const ConvStore& store = {}) const;

  private:
    const Parameters& params_;
    std::string name_;
    int weight_, bias_, kernel_, stride_;
};

/// Transposed convolution that multiplies the side by its stride.
class ConvTranspose {
  public:
    ConvTranspose(Parameters& params, const std::string& name, int C, int K, int kernel, int stride);
    Var operator()(Tape& tape, const Var& x, kernels::Activation act) const;

  private:
    const Parameters& params_;
    std::string name_;
    int weight_, bias_, stride_;
};

/// y = act(W x + b).
class Dense {
  public:
    Dense(Parameters& params, const std::string& name, int C, int K);
    Var operator()(Tape& tape, const Var& x, kernels::Activation act = {}) const;

  private:
    const Parameters& params_;
    std::string name_;
    int weight_, bias_;
};

/// Half the side: 5x5 convolution with stride 2, or with stride 1 and a 2x2 maximum; leaky 0.1 (or x cos x).
class Downscale {
  public:
    Downscale(Parameters& params, const std::string& name, const Architecture& arch, int C, int K);
    Var operator()(Tape& tape, const Var& x) const;

  private:
    const Architecture arch_;
    Conv conv_;
};

/// Twice the side: 3x3 convolution to 4K channels and pixel shuffle; or a transposed 4x4 convolution; or repeated
/// pixels and a 3x3 convolution. Leaky 0.1 (or x cos x).
class Upscale {
  public:
    Upscale(Parameters& params, const std::string& name, const Architecture& arch, int C, int K);
    Var operator()(Tape& tape, const Var& x) const;

  private:
    const Architecture arch_;
    std::unique_ptr<Conv> conv_;
    std::unique_ptr<ConvTranspose> transpose_;
};

/// y = act(x + conv(act(conv(x)))), 3x3, leaky 0.2 (or x cos x).
class ResidualBlock {
  public:
    ResidualBlock(Parameters& params, const std::string& name, const Architecture& arch, int C);
    Var operator()(Tape& tape, const Var& x) const;

  private:
    const Architecture arch_;
    Conv conv1_, conv2_;
};

} // namespace bifrons::model
