// data/import/pickle.h - Python's pickled values, read without Python.
//
// A pickle is a program that may import and call anything. Here its machine knows the opcodes of protocols 2 to 5 that
// build plain values, and of all names those that numpy's arrays of numbers are made of; every other one is refused by
// its name, and nothing is ever called. Source: Python's pickletools.py and PEP 3154, 574.
// Tests tests/data/pickle_test.cpp, tests/fuzz/pickle.cpp
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bifrons::data {

/// Numbers as numpy stores them, in C order; the Pickle's.
struct PickledArray {
    char kind = 0;         ///< 'f', 'i', 'u' or 'b'
    std::size_t bytes = 0; ///< of a number: 1, 2, 4, 8
    bool is_big_endian = false;
    std::vector<std::int64_t> shape = {};
    std::string_view data = {};

    std::size_t size() const { return bytes > 0 ? data.size() / bytes : 0; }
    double operator[](std::size_t i) const;
};

/// A value of a Pickle, which owns it. A list may contain itself: do not follow it without end.
struct PickledValue {
    enum class Kind {
        none,
        number, ///< also True and False
        text,
        bytes,
        list, ///< or a tuple or set
        dict,
        array,
        array_type, ///< numpy's dtype: `array` without shape
        name        ///< of something that can be imported
    };
    Kind kind = Kind::none;
    double number = 0;
    std::string_view text = {};                    ///< of text (UTF-8 as a rule), bytes and name
    std::vector<const PickledValue*> members = {}; ///< of a list; of a dict key and value in turn
    PickledArray array = {};

    /// The value of that key; null where this is no dict, has no such key, or None there.
    const PickledValue* find(std::string_view key) const;
    /// Of a number, an array, or a list of such, at most three deep and a million in all. Throws Error(data), which
    /// begins with `name`, for anything else and for numbers that are not finite.
    std::vector<double> numbers(const std::string& name) const;
};

class Pickle {
  public:
    static constexpr std::size_t kMostValues = 1 << 24; ///< a loss history of five million steps

    /// Texts and arrays are not copied: `bytes` must outlive this. Throws Error(data), which begins with `name`:
    /// damaged, truncated, older than protocol 2, more than plain values and numpy's arrays, or more values than
    /// most_values.
    Pickle(std::span<const std::uint8_t> bytes, const std::string& name, std::size_t most_values = kMostValues);
    Pickle(const Pickle&) = delete;
    Pickle& operator=(const Pickle&) = delete;

    const PickledValue& value() const { return *value_; }

  private:
    std::deque<PickledValue> values_;
    std::deque<std::string> rearranged_; ///< texts and arrays that are stored in another form than read
    const PickledValue* value_ = nullptr;
};

} // namespace bifrons::data
