// data/import/literal.cpp - values as Python prints them, and JSON.
#include "data/import/literal.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace bifrons::data {

namespace {

using Kind = PickledValue::Kind;

void append_utf8(std::string& text, std::uint32_t c)
{
    const auto put = [&](std::uint32_t byte) { text += char(byte); };
    if (c < 0x80) return put(c);
    if (c < 0x800) {
        put(0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            put(0xE0 | c >> 12);
        } else {
            put(0xF0 | c >> 18);
            put(0x80 | (c >> 12 & 0x3F));
        }
        put(0x80 | (c >> 6 & 0x3F));
    }
    put(0x80 | (c & 0x3F));
}

class Reading {
  public:
    Reading(std::string_view text, const std::string& name, std::size_t most_values, std::deque<PickledValue>& values,
            std::deque<std::string>& texts)
        : text_(text), name_(name), most_values_(most_values), values_(values), texts_(texts)
    {
    }

    const PickledValue* whole()
    {
        const PickledValue* const value = next(0);
        skip_spaces();
        check(at_ == text_.size());
        return value;
    }

  private:
    void check(bool good) const
    {
        BIFRONS_CHECK(data, good, name_, ": is damaged at byte ", at_, " of ", text_.size());
    }
    char peek() const
    {
        check(at_ < text_.size());
        return text_[at_];
    }
    bool take(char c)
    {
        skip_spaces();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    bool take_word(std::string_view word)
    {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }
    void skip_spaces() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

    PickledValue& add(Kind kind)
    {
        BIFRONS_CHECK(data, values_.size() < most_values_, name_, ": holds more than ", most_values_, " values");
        values_.emplace_back().kind = kind;
        return values_.back();
    }

    const PickledValue* next(int depth)
    {
        constexpr int kDeepest = 64;
        BIFRONS_CHECK(data, depth < kDeepest, name_, ": is more than ", kDeepest, " levels deep");
        skip_spaces();
        const char c = peek();
        if (c == '{') return dict(depth);
        if (c == '[' || c == '(') return list(depth);
        if (c == '\'' || c == '"') return text();
        if (take_word("b'") || take_word("b\"")) {
            --at_;
            return bytes();
        }
        for (const char* word : {"None", "null"})
            if (take_word(word)) return &add(Kind::none);
        for (const auto& [word, number] : {std::pair{"True", 1.0}, {"true", 1.0}, {"False", 0.0}, {"false", 0.0}})
            if (take_word(word)) return number_of(number);
        double number = 0;
        const char* const begin = text_.data() + at_;
        const auto [end, fault] = std::from_chars(begin, text_.data() + text_.size(), number);
        check(fault == std::errc() && std::isfinite(number));
        at_ += std::size_t(end - begin);
        return number_of(number);
    }
    const PickledValue* number_of(double number)
    {
        PickledValue& value = add(Kind::number);
        value.number = number;
        return &value;
    }

    const PickledValue* dict(int depth)
    {
        PickledValue& value = add(Kind::dict);
        take('{');
        while (!take('}')) {
            value.members.push_back(next(depth + 1));
            check(take(':'));
            value.members.push_back(next(depth + 1));
            if (!take(',')) check(peek() == '}');
        }
        return &value;
    }
    const PickledValue* list(int depth)
    {
        PickledValue& value = add(Kind::list);
        const char end = take('[') ? ']' : ')';
        if (end == ')') take('(');
        while (!take(end)) {
            value.members.push_back(next(depth + 1));
            if (!take(',')) check(peek() == end);
        }
        return &value;
    }

    const PickledValue* text()
    {
        PickledValue& value = add(Kind::text);
        value.text = quoted(false);
        return &value;
    }
    const PickledValue* bytes()
    {
        PickledValue& value = add(Kind::bytes);
        value.text = quoted(true);
        return &value;
    }

    /// As it stands there, or without its escapes.
    std::string_view quoted(bool is_bytes)
    {
        const char quote = text_[at_++];
        const char ends[] = {quote, '\\'};
        const std::size_t begin = at_, end = text_.find_first_of(std::string_view(ends, 2), at_);
        if (end < text_.size() && text_[end] == quote) {
            at_ = end + 1;
            return text_.substr(begin, end - begin);
        }
        std::string out;
        while (peek() != quote) {
            const char c = text_[at_++];
            if (c == '\\')
                append_escaped(out, is_bytes);
            else
                out += c;
        }
        ++at_;
        return texts_.emplace_back(std::move(out));
    }

    void append_escaped(std::string& out, bool is_bytes)
    {
        constexpr std::string_view kNames = "ntrbfav0", kMeans("\n\t\r\b\f\a\v\0", 8);
        const char c = peek();
        ++at_;
        if (const std::size_t named = kNames.find(c); named != kNames.npos) {
            out += kMeans[named];
        } else if (c == 'x' && is_bytes) {
            out += char(hexadecimal(2));
        } else if (c == 'x') {
            append_utf8(out, hexadecimal(2));
        } else if (c == 'U' && !is_bytes) {
            append_utf8(out, hexadecimal(8));
        } else if (c == 'u' && !is_bytes) {
            std::uint32_t code = hexadecimal(4);
            if (code >> 10 == 0x36 && take_word("\\u"))
                code = 0x10000 + ((code & 0x3FF) << 10) + (hexadecimal(4) & 0x3FF);
            append_utf8(out, code);
        } else {
            check(c == '\\' || c == '\'' || c == '"' || c == '/');
            out += c;
        }
    }
    std::uint32_t hexadecimal(std::size_t digits)
    {
        check(at_ + digits <= text_.size());
        std::uint32_t code = 0;
        const char* const begin = text_.data() + at_;
        const auto [end, fault] = std::from_chars(begin, begin + digits, code, 16);
        check(fault == std::errc() && end == begin + digits && code <= 0x10FFFF);
        at_ += digits;
        return code;
    }

    std::string_view text_;
    const std::string& name_;
    const std::size_t most_values_;
    std::deque<PickledValue>& values_;
    std::deque<std::string>& texts_;
    std::size_t at_ = 0;
};

} // namespace

Literal::Literal(std::string_view text, const std::string& name, std::size_t most_values)
{
    value_ = Reading(text, name, most_values, values_, texts_).whole();
}

} // namespace bifrons::data
