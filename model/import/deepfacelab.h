// model/import/deepfacelab.h - a model of DeepFaceLab's SAEHD or Quick96 becomes a checkpoint that can be trained on.
//
// Values are the same, in another order:
//   filters        [R,S,C,K] there, [K,R,S,C] here; transposed ones [R,S,K,C] there, [C,R,S,K] here
//   dense layers   [in,out] there, [out,in] here. A map is flattened channel by channel there and pixel by pixel here,
//                  which orders the inputs of dense1 and the outputs of dense2.
//   output heads   out_conv1 to 3 there, side by side in out3 here
// Upscaled channels have the same order. Gradients are of a batch's sum there and of its mean here, so moments are
// divided by the batch size or its square; settings_from() does the same to eps and clipgrad.
//
// Not the same: a patch discriminator's transposed convolutions are one pixel apart
// (kernels/conv2d/conv2d_transpose.h).
//
// Source  DeepFaceLab: core/leras, models/Model_SAEHD, models/Model_Quick96
// Tests   tests/model/deepfacelab_test.cpp
#pragma once

#include "engine/safetensors.h"
#include "model/settings.h"

#include <functional>
#include <map>
#include <variant>

namespace bifrons::model {

/// What a folder of DeepFaceLab's holds of a model.
struct DflModel {
    std::string kind = "SAEHD"; ///< or Quick96
    std::string path = "";      ///< what its files' names begin with: FOLDER/NAME_SAEHD_
    std::int64_t iterations = 0;
    std::map<std::string, std::variant<double, std::string>> options = {}; ///< yes is 1, no is 0
    /// The f32 arrays of a file ("encoder") by name, which live as long as the model; null where it is missing.
    std::function<const std::map<std::string, NamedTensor>*(const std::string& file)> arrays = {};

    std::string file(const std::string& name) const { return path + name + ".npy"; }
};

/// The settings that its options mean. An option without a counterpart is named in `notes`. Throws Error(data) for
/// options that are out of range or of a network that there is not here.
Settings settings_from(const DflModel& model, std::vector<std::string>& notes);

/// A checkpoint's content, see CheckpointStore::save().
struct ImportedModel {
    Settings settings;
    std::int64_t step = 0, parameters = 0;
    std::vector<NamedTensor> tensors; ///< point into `values`
    Metadata metadata;
    std::vector<std::vector<float>> values;
    std::vector<std::string> notes; ///< what could not be taken over, a sentence each
};

/// progress: parameters done, of how many; what it throws ends the import. Throws Error(data), with file, parameter,
/// actual and expected shape, for what is missing, of another network or not finite.
ImportedModel import_model(const DflModel& model,
                           const std::function<void(std::int64_t done, std::int64_t of)>& progress = {});

} // namespace bifrons::model
