// data/import/mask_folder.h - pictures of faces' regions, white where the face is, as other programs export them.
//
// The mask of the face 00001_0.jpg is named 00001_0_mask, as DeepFaceLab's own export names it beside the face, or
// else 00001_0, with the ending of any picture. Tests tests/data/import_test.cpp
#pragma once

#include "data/image.h"

#include <map>
#include <mutex>
#include <set>

namespace bifrons::data {

/// What became of the masks of a folder.
struct MaskReport {
    std::int64_t taken = 0, resized = 0;
    std::vector<std::string> missing = {}; ///< files of faces without one
    std::vector<std::string> damaged = {}; ///< why they were not taken, each beginning with the mask's file
};

class MaskFolder {
  public:
    /// faces: where their own pictures are, which are no masks. Throws Error(data) for a folder that cannot be read.
    MaskFolder(const std::filesystem::path& folder, const std::filesystem::path& faces);

    /// Of a file in that folder.
    bool is_mask(const std::filesystem::path& file) const { return beside_faces_.contains(file.filename()); }
    /// Throws Error(usage) unless one of the faces with these pictures has one.
    void check(const std::vector<std::string>& faces) const;

    /// The region of the face with this picture, [side,side,1], resized where it has another size; empty where there
    /// is none, or none that can be used. May be called by several threads.
    Image of(const std::filesystem::path& face, std::int64_t side);
    /// In the order of names.
    MaskReport report() const;

  private:
    const std::filesystem::path folder_;
    std::map<std::string, std::filesystem::path> files_; ///< by the stem of the face's picture
    std::set<std::filesystem::path> beside_faces_;
    std::mutex guard_;
    std::int64_t taken_ = 0, resized_ = 0;
    std::set<std::string> missing_, damaged_;
};

} // namespace bifrons::data
