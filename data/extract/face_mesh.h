// data/extract/face_mesh.h - MediaPipe's network of a face's surface, run by the engine.
//
//   block   y = prelu(x + conv1x1(depthwise3x3(x)))
//   halving the same with stride 2 in the depthwise convolution, and x replaced by the largest of each 2x2; where the
//           result has more channels, zeros are added for the rest
//   trunk   3x3 convolution, stride 2, 16 channels at 96 px; then halvings to 32, 64, 128, 128, with two blocks of each
//   points  halving, two blocks at 3 px; 1x1 to 32 channels; block; 3x3 over all: x, y and depth of 468 points
//   face    halving; 1x1 to 32 channels; block; 3x3 over all: the logit of there being a face
//
// All padding is TensorFlow's "same": where a stride of 2 meets an even side, the added row is the last one.
// Source  Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs",
//         arXiv:1907.06724; the weights are MediaPipe's face_landmark.tflite, see tools/tflite_to_safetensors.py
// Tests   tests/data/face_mesh_test.cpp
#pragma once

#include "data/geometry.h"
#include "data/image.h"
#include "engine/ops/ops.h"
#include "engine/safetensors.h"
#include "engine/step.h"

#include <array>

namespace bifrons::data {

/// The file of the models folder.
const char* face_mesh_file();

class FaceMesh {
  public:
    static constexpr std::int64_t kSide = 192; ///< px of a crop
    static constexpr std::size_t kPoints = 468;

    struct Answer {
        std::array<Point, kPoints> points = {}; ///< px of the crop
        double presence = 0; ///< logit of a face in it: about 45 for a good crop of one, -10 elsewhere
    };

    /// Copies the weights to the device. Throws Error(data) if the file holds another network.
    FaceMesh(kernels::Device& device, const SafetensorsFile& file);
    FaceMesh(const FaceMesh&) = delete;
    FaceMesh& operator=(const FaceMesh&) = delete;

    /// crop: kSide x kSide, BGR or grey; the eyes level, the face's width about two thirds of it. Waits.
    Answer operator()(const Image& crop);

    struct Conv {
        Tensor weight, bias;
    };
    struct Block {
        Conv depthwise, pointwise;
        Tensor slope;
        bool halves = false;
    };

  private:
    void forward(kernels::Exec ex, Memory& memory) const;

    kernels::Device& device_;
    Pool pool_;
    Conv stem_, points_narrow_, points_end_, face_narrow_, face_end_;
    Tensor stem_slope_, points_slope_, face_slope_;
    std::vector<Block> trunk_, points_; ///< points_ and face_: their last block follows the narrowing
    std::vector<Block> face_;
    Tensor input_, points_out_, face_out_;
    Step step_;
};

} // namespace bifrons::data
