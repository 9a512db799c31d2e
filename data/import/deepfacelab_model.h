// data/import/deepfacelab_model.h - the files of DeepFaceLab's models.
//
//   NAME_KIND_data.dat       iterations, options, loss history; KIND is SAEHD, Quick96 or AMP
//   NAME_KIND_encoder.npy    and one for every other block and optimizer: arrays by name, not numpy's file format
//
// All are pickles. DeepFaceLab saves them one after the other, each as FILE.tmp, which it then renames.
// Tests tests/data/deepfacelab_model_test.cpp
#pragma once

#include "data/import/pickle.h"
#include "engine/mapped_file.h"
#include "engine/safetensors.h"

#include <filesystem>
#include <map>
#include <variant>

namespace bifrons::data {

struct DflModelFiles {
    std::filesystem::path folder;
    std::string name; ///< NAME_KIND
    std::string kind;

    /// Of the model's file with this end: "data.dat", "encoder.npy".
    std::filesystem::path file(const std::string& end) const { return folder / (name + "_" + end); }
};

/// The models of which the folder has a file, by name. Throws Error(data) where it cannot be read.
std::vector<DflModelFiles> dfl_models(const std::filesystem::path& folder);

/// Throws Error(data) if DeepFaceLab was interrupted when it saved the model last: then its files do not belong
/// together.
void check_saved_whole(const DflModelFiles& model);

struct DflModelData {
    std::int64_t iterations = 0;
    std::map<std::string, std::variant<double, std::string>> options = {}; ///< yes is 1, no is 0
};

/// Of a file NAME_KIND_data.dat. Throws Error(data).
DflModelData dfl_model_data(const std::filesystem::path& file);

/// A file NAME_KIND_encoder.npy or such. Numbers that are no arrays, such as an optimizer's count, are left out.
class DflArrays {
  public:
    /// Throws Error(data) for a file that is missing, damaged, or has arrays of anything but f32.
    explicit DflArrays(const std::filesystem::path& file);

    /// Point into the file, which is not copied.
    const std::map<std::string, NamedTensor>& by_name() const { return arrays_; }

  private:
    MappedFile file_;
    Pickle pickle_;
    std::map<std::string, NamedTensor> arrays_;
};

} // namespace bifrons::data
