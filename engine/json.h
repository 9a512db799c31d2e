// engine/json.h - reads JSON that comes from outside, from a file or another program.
//
// Nearly everything that nlohmann::json does with a value recurses, so a text of brackets alone would overflow the
// stack: depth is looked at before anything is built.     Tests  tests/engine/json_test.cpp
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace bifrons {

/// No file that this program reads is nested half as deep.
constexpr int kDeepestJson = 32;

/// The value that the text stands for; `callback` as nlohmann::json::parse has it, with `read`, if given, saying how
/// many bytes were read before. Throws Error(data) that begins with
/// `name` where the text is not JSON, is nested deeper than kDeepestJson, or holds a number beyond the range of a
/// double.
nlohmann::json parse_json(std::string_view text, const std::string& name,
                          const nlohmann::json::parser_callback_t& callback = nullptr, std::size_t* read = nullptr);

/// The same, but a discarded value (is_discarded()) where the other one throws.
nlohmann::json json_or_discarded(std::string_view text);

/// The value as text for a message, cut off after 40 bytes.
std::string shown(const nlohmann::json& value);

} // namespace bifrons
