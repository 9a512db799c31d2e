// data/import/literal.h - values as Python prints them, and JSON: numbers, texts, b'bytes', True, None, lists, tuples
// and dictionaries. Nothing else is read, and nothing is run. Tests tests/data/faceswap_test.cpp,
// tests/fuzz/faceswap.cpp
#pragma once

#include "data/import/pickle.h"

namespace bifrons::data {

class Literal {
  public:
    static constexpr std::size_t kFewValues = 4'000'000; ///< of a picture's header

    /// `text` must outlive this. Throws Error(data), which begins with `name`: anything else, cut off, more than 64
    /// deep, or more values than that.
    Literal(std::string_view text, const std::string& name, std::size_t most_values = kFewValues);
    Literal(const Literal&) = delete;
    Literal& operator=(const Literal&) = delete;

    const PickledValue& value() const { return *value_; }

  private:
    std::deque<PickledValue> values_;
    std::deque<std::string> texts_; ///< those that are written with escapes
    const PickledValue* value_ = nullptr;
};

} // namespace bifrons::data
