// data/media/colors.cpp - the names of colours in video.
#include "data/media/colors.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <array>

namespace bifrons::data {

namespace {

// What setparams of ffmpeg 5.1 takes.
constexpr std::array kRanges = {"tv", "pc"};
constexpr std::array kMatrices = {"bt709",    "fcc",     "bt470bg",   "smpte170m",         "smpte240m",        "ycgco",
                                  "bt2020nc", "bt2020c", "smpte2085", "chroma-derived-nc", "chroma-derived-c", "ictcp"};
constexpr std::array kPrimaries = {"bt709",  "bt470m",   "bt470bg",  "smpte170m", "smpte240m", "film",
                                   "bt2020", "smpte428", "smpte431", "smpte432",  "ebu3213"};
constexpr std::array kTransfers = {"bt709",     "bt470m",    "bt470bg",      "smpte170m",   "smpte240m",    "linear",
                                   "log100",    "log316",    "iec61966-2-4", "bt1361e",     "iec61966-2-1", "bt2020-10",
                                   "bt2020-12", "smpte2084", "smpte428",     "arib-std-b67"};

template <std::size_t N>
std::string known(const std::array<const char*, N>& names, const std::string& value, std::vector<std::string>* dropped)
{
    if (value.empty() || std::find(names.begin(), names.end(), value) != names.end()) return value;
    if (dropped) dropped->push_back(value);
    return "";
}

bool starts_with(const std::string& text, const char* beginning)
{
    return text.rfind(beginning, 0) == 0;
}

} // namespace

ColorTags known_tags(const ColorTags& probed, std::vector<std::string>* dropped)
{
    const std::string transfer = probed.transfer == "gamma22"   ? "bt470m"
                                 : probed.transfer == "gamma28" ? "bt470bg"
                                                                : probed.transfer;
    return {.range = known(kRanges, probed.range, dropped),
            .matrix = known(kMatrices, probed.matrix, dropped),
            .primaries = known(kPrimaries, probed.primaries, dropped),
            .transfer = known(kTransfers, transfer, dropped)};
}

bool is_rgb(const std::string& pixel_format)
{
    constexpr std::array kBeginnings = {"rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8"};
    return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                       [&](const char* beginning) { return starts_with(pixel_format, beginning); });
}

bool has_alpha(const std::string& pixel_format)
{
    constexpr std::array kParts = {"yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16", "ayuv", "vuya"};
    return std::any_of(kParts.begin(), kParts.end(),
                       [&](const char* part) { return pixel_format.find(part) != std::string::npos; });
}

std::string matrix_for(std::int64_t rows)
{
    return rows >= 720 ? "bt709" : "smpte170m";
}

std::string scaler_matrix(const ColorTags& tags, std::int64_t rows)
{
    const std::string untagged = hdr_of(tags).empty() ? matrix_for(rows) : "bt2020nc",
                      matrix = tags.matrix.empty() ? untagged : tags.matrix;
    if (matrix == "bt709" || matrix == "smpte240m" || matrix == "fcc") return matrix;
    return starts_with(matrix, "bt2020") ? "bt2020" : "bt601";
}

std::string hdr_of(const ColorTags& tags)
{
    return tags.transfer == "smpte2084" ? "PQ" : tags.transfer == "arib-std-b67" ? "HLG" : "";
}

std::string tagging_filter(const ColorTags& tags)
{
    const std::pair<const char*, const std::string&> all[] = {{"range", tags.range},
                                                              {"colorspace", tags.matrix},
                                                              {"color_primaries", tags.primaries},
                                                              {"color_trc", tags.transfer}};
    std::string filter;
    for (const auto& [name, value] : all)
        if (!value.empty()) filter += (filter.empty() ? "setparams=" : ":") + str(name, "=", value);
    return filter;
}

std::string chroma_of(const std::string& pixel_format)
{
    const auto holds = [&](const char* part) { return pixel_format.find(part) != std::string::npos; };
    if (is_rgb(pixel_format) || holds("444") || holds("440") || holds("nv24") || holds("ayuv") || holds("xyz"))
        return "444";
    for (const char* part : {"422", "411", "nv16", "nv20", "y210", "y212", "p210", "p216"})
        if (holds(part)) return "422";
    return "420";
}

} // namespace bifrons::data
