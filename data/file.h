// data/file.h - files written whole or not at all, and read.
#pragma once

#include "engine/atomic_file.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bifrons::data {

/// What to do with a file that is already there.
enum class Existing {
    keep,   ///< refuse to write: Error(usage)
    replace ///< write beside it, then rename over it
};

/// Throws unless `path` can become a regular file: Error(usage) when it exists and existing is keep, Error(data) when
/// it is anything but a regular file or its folder does not exist.
void check_destination(const std::filesystem::path& path, Existing existing);

/// temporary -> path, in one step. Throws Error(failed).
void rename_into_place(const std::filesystem::path& temporary, const std::filesystem::path& path);

/// Writes the file as AtomicFile does: on failure nothing new is left and what existed is still there. Throws as
/// check_destination does, and Error(failed) with the system's reason (disk full).
void write_file(const std::filesystem::path& path, std::string_view bytes, Existing existing, Flush flush = Flush::no);

/// Adds to the end of a file of ours, which is created where missing. Throws Error(data) for a link, Error(failed).
void append_to_file(const std::filesystem::path& path, std::string_view bytes);

/// Everything written below the folder so far survives a power cut when this returns.
void flush_folder(const std::filesystem::path& folder);

/// A regular file, but not more than its first `most` bytes. Throws Error(data) when it is missing, not a regular file,
/// or cannot be read.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::uint64_t most = UINT64_MAX);

} // namespace bifrons::data
