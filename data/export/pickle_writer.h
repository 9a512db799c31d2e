// data/export/pickle_writer.h - plain values and numpy's arrays, as Python pickles them: protocol 3, which Python reads
// from 3.0 on. Source: Python's pickletools.py. Tests tests/data/export_test.cpp
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bifrons::data {

/// What leaves one value behind when it is unpickled.
struct Pickled {
    std::string opcodes;
};

Pickled pickled(std::string_view utf8);
Pickled pickled(double number);
Pickled pickled(std::int32_t number);
Pickled pickled_flag(bool flag); // not pickled(): texts in quotes would become flags
Pickled pickled_none();
Pickled pickled_list(const std::vector<Pickled>& members);
Pickled pickled_dict(const std::vector<std::pair<std::string, Pickled>>& members);
/// Arrays of numpy, in C order. Their numbers are as many as the shape says.
Pickled pickled_array(std::span<const double> numbers, const std::vector<std::int32_t>& shape);
Pickled pickled_array(std::span<const float> numbers, const std::vector<std::int32_t>& shape);
Pickled pickled_array(std::span<const std::uint8_t> numbers, const std::vector<std::int32_t>& shape);

/// What every pickle begins with; a value's opcodes and a full stop follow.
inline constexpr const char* kPickleBegin = "\x80\x03";
/// The whole pickle of that value.
std::string pickle_of(const Pickled& value);

} // namespace bifrons::data
