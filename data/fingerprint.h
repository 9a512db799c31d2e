// data/fingerprint.h - tells footage from other footage of the same name, without reading all of it.
//
//   XXH64(size, 64 KiB at the start, 64 KiB from the middle, 64 KiB at the end), 16 hexadecimal digits
//
// It is no proof against somebody who wants two files to look the same. Tests tests/data/fingerprint_test.cpp
#pragma once

#include <filesystem>
#include <string>

namespace bifrons::data {

/// Throws Error(data) for a file that cannot be read.
std::string fingerprint_of(const std::filesystem::path& file);

} // namespace bifrons::data
