#include "model/taps.h"

#include "kernels/base/error.h"
#include "kernels/base/words.h"

#include <charconv>

namespace bifrons::model {

namespace {

Tap parse_tap(const std::string& text)
{
    const std::size_t colon = text.find(':');
    Tap tap{.name = text.substr(0, colon)};
    if (colon == std::string::npos) return tap;
    const char *const begin = text.data() + colon + 1, *const end = text.data() + text.size();
    const auto parsed = std::from_chars(begin, end, tap.weight);
    BIFRONS_CHECK(usage, parsed.ec == std::errc() && parsed.ptr == end && tap.weight >= 0 && tap.weight < 1e9f,
                  "perceptual_taps: the weight of \"", text,
                  "\" is not a number of at least 0; expected NAME or NAME:WEIGHT");
    return tap;
}

} // namespace

std::vector<Tap> parse_taps(const std::string& text)
{
    std::vector<Tap> taps;
    for (std::string part : split(text)) {
        std::erase(part, ' ');
        taps.push_back(parse_tap(part));
        BIFRONS_CHECK(usage, !taps.back().name.empty(), "perceptual_taps: \"", text,
                      "\" has an empty name; expected NAME or NAME:WEIGHT, separated by commas");
        for (std::size_t i = 0; i + 1 < taps.size(); ++i)
            BIFRONS_CHECK(usage, taps[i].name != taps.back().name, "perceptual_taps: ", taps[i].name,
                          " is named twice");
    }
    return taps;
}

} // namespace bifrons::model
