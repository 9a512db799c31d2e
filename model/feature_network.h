// model/feature_network.h - a pretrained feature network, frozen and run by our own engine: pictures in,
// features at its taps out.
//
// Tests  tests/model/feature_network_test.cpp, tests/parity/perceptual_parity.cpp
#pragma once

#include "engine/ops/ops.h"
#include "model/feature_file.h"
#include "model/taps.h"

#include <map>

namespace bifrons::model {

class FeatureNetwork {
  public:
    /// Reads the weights up to the deepest tap and takes memory for them; on `plan` nothing is copied. Without taps,
    /// those that the file means. In bf16 the filters are kept as bf16. dtype f64 (cpu) is for tests.
    /// Throws Error(data) as describe_features and for values that are not finite, Error(usage) for a tap that the file
    /// does not have.
    FeatureNetwork(kernels::Device& device, const std::string& path, std::vector<Tap> taps, Precision precision,
                   DType dtype = DType::f32);
    FeatureNetwork(const FeatureNetwork&) = delete;
    FeatureNetwork& operator=(const FeatureNetwork&) = delete;

    /// Features of the pictures [N,H,W,3] BGR 0..1, times the mask [N,H,W,1] (may be empty): one [N,h,w,C] for each of
    /// taps(), in their order. A gradient goes to the pictures alone. Throws Error(shape) if they are too small.
    std::vector<Var> operator()(Tape& tape, const Var& pictures, const Tensor& mask = {}) const;

    /// Whether square pictures of this side are large enough.
    bool fits(std::int64_t side) const;

    const std::string& name() const { return file_.name; }
    const std::vector<Tap>& taps() const { return taps_; }
    /// LPIPS's weights of the channels at tap i, [C]; empty where the file has none.
    const Tensor& head(std::size_t i) const { return heads_[i]; }
    /// What the weights take on the device.
    std::size_t bytes() const { return bytes_; }

  private:
    struct Filters {
        Tensor weight, bias; // [K,R,S,C], [K]
    };
    const FeatureLayer& layer_of(const Tap& tap) const;
    Tensor place(const Shape& shape, DType dtype, const std::vector<float>& values);
    std::vector<float> read(const SafetensorsFile& file, const std::string& tensor) const;
    Var conv(Tape& tape, const Var& x, const FeatureConv& conv) const;
    Var run(Tape& tape, const Var& x, const FeatureLayer& layer) const;

    kernels::Device& device_;
    Pool pool_;
    const std::string path_;
    const DType filter_type_, type_; // of filters and activations; of all else
    FeatureFile file_;               // its layers up to the deepest tap
    std::vector<Tap> taps_;
    std::map<std::string, Filters> filters_; // by the convolution's name
    std::vector<Tensor> heads_;
    std::size_t bytes_ = 0;
};

} // namespace bifrons::model
