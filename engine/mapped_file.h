// engine/mapped_file.h - a file's bytes without a copy of them. Tests tests/engine/safetensors_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace bifrons {

/// A regular file, mapped for reading; unmapped with the last copy.
class MappedFile {
  public:
    /// `expected` is what the file should be, for messages: "a safetensors file". Throws Error(data) unless it is a
    /// regular file with at least one byte that can be read, Error(device) for want of address space.
    MappedFile(const std::string& path, const std::string& expected);

    std::span<const std::uint8_t> bytes() const { return {bytes_.get(), size_}; }
    /// Keeps the bytes mapped.
    std::shared_ptr<const void> shared() const { return bytes_; }

  private:
    std::shared_ptr<const std::uint8_t> bytes_;
    std::size_t size_ = 0;
};

} // namespace bifrons
