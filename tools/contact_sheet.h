// tools/contact_sheet.h - faces of a faceset as one picture. Tests tests/tools/inspect_test.cpp
#pragma once

#include "data/faceset.h"

namespace bifrons::tools {

struct SheetFace {
    std::size_t face = 0; ///< index in the faceset
    std::string words = {};
};

/// The faces in rows of 12, or of 24 where they are more than 240, each 128 px wide, with the end of its file name,
/// score, yaw in degrees, and its words. A picture that cannot be read leaves its place empty; `unreadable` gets why.
data::Image contact_sheet(const data::Faceset& set, const std::vector<SheetFace>& faces,
                          std::vector<std::string>& unreadable);

/// With three digits.
std::string short_number(double value);

} // namespace bifrons::tools
