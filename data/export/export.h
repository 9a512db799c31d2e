// data/export/export.h - faceset -> the face pictures of another program. Tests tests/data/export_test.cpp
#pragma once

#include "data/faceset.h"
#include "data/folders.h"

namespace bifrons::data {

struct ExportOptions {
    bool overwrite = false; ///< files of the same names, in a folder that is not empty
    WorkOptions work = {};  ///< steps are faces
};

struct ExportReport {
    std::int64_t faces = 0, masks = 0;
    std::int64_t encoded = 0;               ///< faces whose picture is no JPEG: it became one, of kExportQuality
    std::int64_t shrunk_masks = 0;          ///< too long for a JPEG's segment
    std::vector<std::string> left_out = {}; ///< why, each beginning with the file's name
    bool complete = false;                  ///< false after a cancel: the faces so far are there
};

constexpr int kExportQuality = 98;

/// Writes DeepFaceLab's folder of aligned faces. JPEG pictures stay as they are, byte for byte, but for what they say
/// of the face. A face that is damaged is left out. Throws Error(usage) where `out` and the faceset lie in each other,
/// or `out` holds something and overwrite is not set, or it holds a faceset, Error(data) for a faceset without a usable
/// face, Error(failed) when writing fails, or where another process writes one of the two.
ExportReport export_to_deepfacelab(const Faceset& set, const std::filesystem::path& out, const ExportOptions& options);

} // namespace bifrons::data
