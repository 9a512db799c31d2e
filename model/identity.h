// model/identity.h - whose face it is: dlib's face-recognition network, a ResNet with 29 convolutions, as 128 numbers.
//
//   stem      7x7 convolution, stride 2; 3x3 maximum, stride 2            [150,150,3] -> [35,35,32]
//   block     y = relu(x + conv3x3(relu(conv3x3(x))))
//   halving   the same with stride 2 in the first convolution, and x replaced by its 2x2 means; whichever has fewer
//             channels, rows or columns gets zeros for them
//   32 32 32 | 64 64 64 64 | 128 128 128 | 256 256 256 | 256 -> mean over the map -> dense, 128
//
// Convolutions with stride 2 are not padded. Each is followed by a factor and an offset for each channel (batch
// normalisation at rest), which are multiplied into its filters when the file is read.
// Two faces whose descriptors lie less than 0.6 apart (L2) are of one person, says the model's author.
// Source  D. King, dlib 19.3, examples/dnn_face_recognition_ex.cpp; He et al. 2016, CVPR
// Tests   tests/model/identity_test.cpp
#pragma once

#include "engine/ops/ops.h"
#include "engine/safetensors.h"
#include "engine/step.h"

#include <array>

namespace bifrons::model {

class IdentityNetwork {
  public:
    static constexpr std::int64_t kSide = 150; ///< px of a chip, see data/face_chip.h
    using Descriptor = std::array<float, 128>;

    /// Copies the weights to the device: f32, or what is stored as f16. Throws Error(data) if the file holds another
    /// network.
    IdentityNetwork(kernels::Device& device, const SafetensorsFile& file);
    IdentityNetwork(const IdentityNetwork&) = delete;
    IdentityNetwork& operator=(const IdentityNetwork&) = delete;

    /// chips [n,kSide,kSide,3] BGR 0..1, any n. Waits.
    std::vector<Descriptor> operator()(const std::vector<float>& chips);

    struct Conv {
        Tensor weight, bias;
        bool halves = false; ///< stride 2, no padding
    };
    struct Block {
        Conv first, second;
    };

  private:
    void forward(kernels::Exec ex, Memory& memory) const;

    kernels::Device& device_;
    Pool pool_;
    Conv stem_;
    std::vector<Block> blocks_;
    Tensor dense_, input_, output_;
    Step step_;
};

/// L2.
double distance(const IdentityNetwork::Descriptor& a, const IdentityNetwork::Descriptor& b);
/// Of at least one.
IdentityNetwork::Descriptor mean(const std::vector<IdentityNetwork::Descriptor>& descriptors);

} // namespace bifrons::model
