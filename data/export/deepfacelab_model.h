// data/export/deepfacelab_model.h - the files of DeepFaceLab's models, written; what they are: data/import/
// deepfacelab_model.h. Tests tests/data/deepfacelab_model_test.cpp
#pragma once

#include "engine/atomic_file.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bifrons::data {

/// NAME_KIND_encoder.npy or such, array by array: the file is there after finish(). All throw Error(failed).
class DflArraysWriter {
  public:
    explicit DflArraysWriter(const std::filesystem::path& file);

    void add(const std::string& name, std::span<const float> numbers, const std::vector<std::int64_t>& shape);
    void add(const std::string& name, std::int64_t number);
    void finish();

  private:
    void write(const std::string& opcodes);

    AtomicFile file_;
};

/// NAME_KIND_data.dat. Its history of losses, which DeepFaceLab expects for every iteration, is zeros. Throws
/// Error(failed).
void write_dfl_model_data(
    const std::filesystem::path& file, std::int64_t iterations,
    const std::vector<std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>>& options);

} // namespace bifrons::data
