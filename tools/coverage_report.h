// tools/coverage_report.h - what facesets show, side by side, and what the source lacks.
// Tests tests/tools/coverage_test.cpp
#pragma once

#include "data/coverage.h"
#include "model/settings.h"
#include "tools/console.h"

#include <optional>

namespace bifrons::tools {

struct NamedCoverage {
    std::string name;
    data::Coverage coverage;
};

/// A histogram of each trait, a line for each faceset, in % of its faces. A column is named by its bin's lower edge;
/// "." is none, "<1" less than half a percent.
std::string coverage_text(const std::vector<NamedCoverage>& sides);

/// {"yaw (+ right), degrees": {"low":, "bin":, "counts": [...]}, ...}
Json coverage_json(const data::Coverage& coverage);

/// One sentence for each of yaw, pitch and mouth where 5 % of the destination's faces or more lie farther than a bin's
/// width from every face of the source. Each has a face at least.
std::vector<std::string> coverage_warnings(const data::Coverage& src, const data::Coverage& dst);

/// A sentence if the network's pictures have less than half the side of the destination's faces in their footage.
std::optional<std::string> resolution_warning(const data::Faceset& dst, data::FaceType type, std::int64_t resolution);

/// Says what both show, and warns where the source, or the network of these settings, lacks something. Each has a face
/// at least.
void tell_coverage(const data::Faceset& src, const data::Faceset& dst, const model::Settings& settings,
                   Console& console);

/// "half 210 px (128), midfull 251 px (160), ...": sides in the footage, and the resolution that fits each.
std::string sizes_text(const data::Faceset& set);

} // namespace bifrons::tools
