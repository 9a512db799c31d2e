// data/import/import.h - other programs' faces -> faceset.
//
// Pictures are taken over byte for byte where they have the faceset's size, with their landmarks and masks. Faces of
// one type and size belong together: the most frequent type is taken, and pictures of another size are resized. Tests
// tests/data/import_test.cpp
#pragma once

#include "data/faceset.h"
#include "data/folders.h"
#include "data/import/mask_folder.h"

namespace bifrons::data {

struct ImportOptions {
    bool overwrite = false;           ///< where the folder holds a faceset
    std::filesystem::path masks = {}; ///< a MaskFolder, whose masks come before those that the faces have; may be empty
    WorkOptions work = {};            ///< steps are faces, read or written
};

struct ImportReport {
    std::int64_t faces = 0, masks = 0;
    MaskReport from_folder = {};            ///< of those masks, what became of ImportOptions::masks
    std::int64_t resized = 0;               ///< faces of another size than the faceset
    std::vector<std::string> left_out = {}; ///< why, each beginning with the file's name
    std::int64_t other_files = 0;           ///< that are neither JPEG nor a PNG of faceswap's
    FaceType type = FaceType::full;
    std::int64_t side = 0;
    bool complete = false; ///< false after a cancel: then there is no faceset
};

/// Makes a faceset of `from`: a folder of DeepFaceLab's or faceswap's aligned pictures, DeepFaceLab's faceset.pak, or
/// with masks a faceset, which is copied. A face that is damaged or of another type is left out. Throws Error(usage)
/// where `out` and `from` or masks lie in each other, `out` holds other files, or a faceset and overwrite is not set,
/// or no mask is one of a face's, Error(data) for an input without a face, Error(failed) when writing fails.
ImportReport import_faces(const std::filesystem::path& from, const std::filesystem::path& out,
                          const ImportOptions& options);

/// Whether the folder has pictures, none of which says where its face is: neither DeepFaceLab nor faceswap wrote them.
bool holds_plain_pictures(const std::filesystem::path& folder);

/// True of what import_faces() made of another program's faces: sources then name only frames with a face.
bool is_imported(const Faceset& set);
/// The detector and landmarks of such a faceset.
inline constexpr const char *kImported = "DeepFaceLab", *kImportedFromFaceswap = "faceswap";

} // namespace bifrons::data
