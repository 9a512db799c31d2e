// tools/contact_sheet.h - faces of a faceset as one picture. Tests tests/tools/inspect_test.cpp
#pragma once

#include "data/oddness.h"

namespace bifrons::tools {

/// The first kMostFaces of `faces` in rows of 12, each 128 px wide, with the end of its file name, score, yaw in
/// degrees, sharpness, and how odd it is. A picture that cannot be read leaves its place empty; `unreadable` gets why.
data::Image contact_sheet(const data::Faceset& set, const std::vector<data::Oddness>& faces,
                          std::vector<std::string>& unreadable);

constexpr std::size_t kMostFaces = 120;

} // namespace bifrons::tools
