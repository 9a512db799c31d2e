// data/import/faceset_copy.h - a faceset's copy, whose faces get masks. Tests tests/data/import_test.cpp
#pragma once

#include "data/import/import.h"

namespace bifrons::data {

/// The faces as they are, each with its mask of the folder, or where that has none with the one it had. Faces whose
/// picture is gone are left out. Throws as import_faces does, and Cancelled.
void copy_faceset(const std::filesystem::path& from, const std::filesystem::path& out, MaskFolder& masks,
                  const ImportOptions& options, ImportReport& report);

} // namespace bifrons::data
