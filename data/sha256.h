// data/sha256.h - the checksum by which files from elsewhere are known. Tests tests/data/model_files_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace bifrons::data {

/// SHA-256 (FIPS 180-4, section 6.2) in 64 hexadecimal digits, as sha256sum prints it.
std::string sha256(std::span<const std::uint8_t> bytes);

} // namespace bifrons::data
