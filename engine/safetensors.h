// engine/safetensors.h - reads and writes the safetensors format.
//
//   8 bytes    length L of the header, little-endian
//   L bytes    JSON: {"name": {"dtype": "F32", "shape": [2,3], "data_offsets": [begin, end]}, ...,
//                     "__metadata__": {"key": "text", ...}}, padded with spaces to a multiple of 8
//   the rest   the tensors' bytes, little-endian, row-major, without gaps or overlaps
//
// Ours also carry the metadata "checksum": XXH3-64 over the whole file with the checksum's own digits as zeros.
// Source  huggingface/safetensors, README "Format"      Tests  tests/engine/safetensors_test.cpp
#pragma once

#include "kernels/base/view.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bifrons {

using kernels::DType;

/// A name and where the values lie; owns nothing.
struct NamedTensor {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape; ///< row-major; empty: one element
    const void* data = nullptr;      ///< from a file: aligned as the file has it, so copy before use as T*

    std::int64_t size() const; ///< elements
    std::size_t bytes() const { return std::size_t(size()) * kernels::dtype_bytes(dtype); }
};

using Metadata = std::map<std::string, std::string>;

/// Writes the file atomically (see AtomicFile) with a checksum. Tensors with larger elements come first, so that all
/// are aligned; else in the given order. Throws Error(bug) on a repeated or reserved name, Error(failed) as AtomicFile.
void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors, const Metadata& metadata);

/// A file mapped for reading. Every length, offset, dtype and shape is checked before it is used, and the checksum
/// where there is one. Throws Error(data) naming the file and what is wrong with it.
class SafetensorsFile {
  public:
    explicit SafetensorsFile(const std::string& path);

    const std::string& path() const { return path_; }
    /// In the order of their data. Pointers live as long as this object or a copy of it.
    const std::vector<NamedTensor>& tensors() const { return tensors_; }
    const Metadata& metadata() const { return metadata_; }
    /// The checksum was there and is right.
    bool checked() const { return checked_; }
    /// Throws Error(data) if there is none of this name.
    const NamedTensor& at(const std::string& name) const;

  private:
    std::string path_;
    std::shared_ptr<const void> mapping_;
    std::vector<NamedTensor> tensors_;
    Metadata metadata_;
    bool checked_ = false;
};

/// The values of an f32, bf16 or f16 tensor, none of which changes on the way. Throws Error(data) for another type.
std::vector<float> float_values(const NamedTensor& tensor);

/// The metadata alone: reads the header, not the data, and checks no checksum. Throws Error(data).
Metadata read_safetensors_metadata(const std::string& path);

} // namespace bifrons
