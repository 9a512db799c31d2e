#include "tools/coverage_report.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <cmath>
#include <iomanip>

namespace bifrons::tools {

namespace {

using data::kTraits;
using Counts = std::vector<std::int64_t>;

constexpr int kNameColumns = 25, kBinColumns = 5;
constexpr double kNoticed = 0.05; ///< share of the destination's faces

/// "12", "<1" or "."
std::string percent_text(std::int64_t count, std::size_t of)
{
    if (count == 0) return ".";
    const long percent = std::lround(100 * double(count) / double(of));
    return percent == 0 ? "<1" : std::to_string(percent);
}

void add_trait(std::ostream& out, std::size_t trait, const std::vector<NamedCoverage>& sides)
{
    std::vector<Counts> counts;
    std::size_t first = kTraits[trait].bins, end = 0; // of the bins that are not empty everywhere
    for (const NamedCoverage& side : sides) {
        counts.push_back(data::histogram(kTraits[trait], side.coverage.values[trait]));
        for (std::size_t bin = 0; bin < kTraits[trait].bins; ++bin)
            if (counts.back()[bin] > 0) first = std::min(first, bin), end = std::max(end, bin + 1);
    }
    out << '\n' << std::left << std::setw(kNameColumns) << kTraits[trait].name << std::right;
    for (std::size_t bin = first; bin < end; ++bin)
        out << std::setw(kBinColumns) << kTraits[trait].low + double(bin) * kTraits[trait].bin;
    for (std::size_t n = 0; n < sides.size(); ++n) {
        out << '\n' << std::left << std::setw(kNameColumns) << str("  ", sides[n].name) << std::right;
        for (std::size_t bin = first; bin < end; ++bin)
            out << std::setw(kBinColumns) << percent_text(counts[n][bin], sides[n].coverage.values[trait].size());
    }
}

/// What is said of a trait that the source lacks.
struct Lack {
    std::size_t trait;
    const char *name, *unit, *remedy;
};
constexpr Lack kLacks[] = {
    {data::kYaw, "yaw", " degrees", "Add footage in which the source looks there."},
    {data::kPitch, "pitch", " degrees", "Add footage in which the source looks there."},
    {data::kMouth, "mouth opening", " %", "Add footage in which the source opens its mouth so."}};

std::string range_text(double low, double high)
{
    return str(std::lround(low), " to ", std::lround(high));
}

std::optional<std::string> warning_of(const Lack& lack, const data::Coverage& src, const data::Coverage& dst)
{
    const std::vector<double>&from = src.values[lack.trait], &to = dst.values[lack.trait];
    const double reach = kTraits[lack.trait].bin;
    const data::Uncovered outside = data::uncovered(from, to, reach);
    if (outside.share < kNoticed) return {};
    const auto [low, high] = std::minmax_element(from.begin(), from.end());
    const std::vector<double> mirrored = data::with_mirrored(src).values[lack.trait];
    const bool mirror_helps = data::uncovered(mirrored, to, reach).share < kNoticed;
    return str(std::lround(100 * outside.share), " % of the destination's faces have a ", lack.name, " of ",
               range_text(outside.low, outside.high), lack.unit, ", and no face of the source is near (it has ",
               range_text(*low, *high), "): they may come out poorly. ",
               mirror_helps ? "random_src_flip=true shows the source's faces mirrored, too." : lack.remedy);
}

} // namespace

std::string coverage_text(const std::vector<NamedCoverage>& sides)
{
    std::ostringstream out;
    out << "what the faces show, % of them:";
    for (std::size_t trait = 0; trait < kTraits.size(); ++trait) add_trait(out, trait, sides);
    return out.str();
}

Json coverage_json(const data::Coverage& coverage)
{
    Json json = Json::object();
    for (std::size_t trait = 0; trait < kTraits.size(); ++trait)
        json[kTraits[trait].name] = {{"low", kTraits[trait].low},
                                     {"bin", kTraits[trait].bin},
                                     {"counts", data::histogram(kTraits[trait], coverage.values[trait])}};
    return json;
}

std::vector<std::string> coverage_warnings(const data::Coverage& src, const data::Coverage& dst)
{
    std::vector<std::string> warnings;
    for (const Lack& lack : kLacks)
        if (const auto warning = warning_of(lack, src, dst)) warnings.push_back(*warning);
    return warnings;
}

std::optional<std::string> resolution_warning(const data::Faceset& dst, data::FaceType type, std::int64_t resolution)
{
    const double side = data::side_in_footage(dst, type);
    if (2 * double(resolution) >= side) return {};
    return str("the destination's faces have ", std::lround(side), " px in their footage (", name_of(type),
               "), and the network makes ", resolution,
               ": the swap will look blurred. A new model with resolution=", data::fitting_resolution(side),
               " fits them.");
}

void tell_coverage(const data::Faceset& src, const data::Faceset& dst, const model::Settings& settings,
                   Console& console)
{
    data::Coverage of_src = data::coverage_of(src);
    if (settings.random_src_flip) of_src = data::with_mirrored(of_src);
    const data::Coverage of_dst = data::coverage_of(dst);
    console.say(coverage_text({{"source", of_src}, {"destination", of_dst}}));
    for (const std::string& warning : coverage_warnings(of_src, of_dst)) console.warn(warning);
    const auto too_small = resolution_warning(dst, data::face_type_of(settings.face_type), settings.resolution);
    if (too_small) console.warn(*too_small);
}

std::string sizes_text(const data::Faceset& set)
{
    std::string text;
    for (const data::FaceType type : {data::FaceType::half, data::FaceType::midfull, data::FaceType::full,
                                      data::FaceType::whole_face, data::FaceType::head}) {
        if (type > set.type) break;
        const double side = data::side_in_footage(set, type);
        text += str(text.empty() ? "" : ", ", name_of(type), " ", std::lround(side), " px (",
                    data::fitting_resolution(side), ")");
    }
    return text;
}

} // namespace bifrons::tools
