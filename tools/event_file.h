// tools/event_file.h - a training's figures and pictures for TensorBoard.
//
// A file of records: length (8 bytes), its check sum, an Event of TensorFlow's event.proto, its check sum; little
// endian. Check sums are CRC-32C (Castagnoli 1993), turned right by 15 bits, plus 0xa282ead8
// (tensorflow/core/lib/io/record_writer.h). Tests tests/tools/event_file_test.cpp
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bifrons::tools {

/// CRC-32C of the bytes.
std::uint32_t crc32c(std::string_view bytes);

class EventFile {
  public:
    /// Begins a file in the folder, which is made where it is missing. What earlier files there say of steps after
    /// `step`, from which training resumes, no longer counts. Throws Error(data) for a file or link of its name,
    /// Error(failed) where it cannot be made or written.
    EventFile(const std::filesystem::path& folder, std::int64_t step);

    /// One point of each curve.
    void add(std::int64_t step, const std::vector<std::pair<std::string, double>>& values) const;
    /// A PNG file's bytes.
    void add_picture(std::int64_t step, const std::string& name, std::int64_t H, std::int64_t W,
                     std::string_view png) const;

    const std::filesystem::path& path() const { return path_; }

  private:
    void write(std::string_view event) const;

    std::filesystem::path path_;
};

} // namespace bifrons::tools
