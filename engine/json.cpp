#include "engine/json.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <iterator>

namespace bifrons {

namespace {

using Json = nlohmann::json;

/// Up to where the text stops being JSON, this is the depth that a parser sees.
bool is_too_deep(std::string_view text)
{
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') quoted = !quoted;
        if (quoted) {
            if (c == '\\') ++i;
        } else if (c == '[' || c == '{') {
            if (++depth > kDeepestJson) return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

/// Over a text, leaving word of how far it came.
class Reading {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    Reading(const char* at, std::size_t* read) : at_(at), read_(read) {}
    reference operator*() const { return *at_; }
    Reading& operator++()
    {
        ++at_;
        ++*read_;
        return *this;
    }
    bool operator==(const Reading& other) const { return at_ == other.at_; }

  private:
    const char* at_;
    std::size_t* read_;
};

} // namespace

Json parse_json(std::string_view text, const std::string& name, const Json::parser_callback_t& callback,
                std::size_t* read)
{
    BIFRONS_CHECK(data, !is_too_deep(text), name, ": is nested more than ", kDeepestJson,
                  " levels deep; the file is damaged or not one of this program's");
    try {
        std::size_t unused = 0;
        std::size_t* const bytes = read ? read : &unused;
        *bytes = 0;
        return Json::parse(Reading(text.data(), bytes), Reading(text.data() + text.size(), bytes), callback);
    } catch (const Json::parse_error& error) {
        throw Error(ErrorKind::data, str(name, ": is not valid JSON at byte ", std::min(error.byte, text.size()),
                                         " of ", text.size(), "; the file is truncated or damaged"));
    } catch (const Json::out_of_range& error) { // "[json.exception.out_of_range.406] number overflow parsing '1e999'"
        const std::string reason = error.what();
        throw Error(ErrorKind::data, str(name, ": holds a number out of range",
                                         reason.substr(std::min(reason.rfind(" parsing"), reason.size())),
                                         "; the file was changed by hand or is damaged"));
    }
}

Json json_or_discarded(std::string_view text)
{
    return Json::parse(text.begin(), is_too_deep(text) ? text.begin() : text.end(), nullptr, false);
}

std::string shown(const Json& value)
{
    constexpr std::size_t kMost = 40;
    const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

} // namespace bifrons
