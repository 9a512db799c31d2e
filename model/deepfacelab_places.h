// model/deepfacelab_places.h - where DeepFaceLab's files have the parameters that are ours, and in what order.
// What differs: model/import/deepfacelab.h. Tests tests/model/deepfacelab_test.cpp
#pragma once

#include "engine/params.h"
#include "engine/safetensors.h"
#include "model/architecture.h"

namespace bifrons::model {

/// A parameter of ours where DeepFaceLab has it, and how its values are ordered there.
struct DflPlace {
    std::string file, scope, optimizer;               ///< the block's file and name, and its optimizer's file
    std::vector<std::string> names = {};              ///< "dense1/weight"; of several that stand side by side here
    std::int64_t rows_pixels = 1, columns_pixels = 1; ///< of a flattened map that the inputs or outputs are
};

class DflPlaces {
  public:
    /// patch: of the discriminator of pictures, see patch_strides().
    DflPlaces(const Architecture& arch, int patch);

    DflPlace operator()(const Parameters::Entry& e) const;

  private:
    std::vector<std::string> layers(const std::string& block, const std::string& layer) const;

    const Architecture arch_;
    const int levels_; // of the patch discriminator
};

/// The shape that each of n arrays of DeepFaceLab's has, which make the parameter together.
std::vector<std::int64_t> their_shape(const Shape& ours, std::size_t n);

/// The place in a map that is flattened channel by channel, of value i of it pixel by pixel; with one pixel the same.
std::int64_t planar(std::int64_t i, std::int64_t n, std::int64_t pixels);

/// theirs [rows, columns] -> ours [columns, rows], times scale. False if a value is not finite.
bool from_theirs(const NamedTensor& theirs, const DflPlace& place, float scale, float* ours);
/// The way back: ours [columns, rows], times scale -> theirs of this shape.
std::vector<float> to_theirs(const float* ours, const std::vector<std::int64_t>& shape, const DflPlace& place,
                             float scale);

} // namespace bifrons::model
