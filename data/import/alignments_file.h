// data/import/alignments_file.h - where the faces of footage are, as faceswap's alignments tool exports it (job
// "export"): JSON, by the frame's name a list of faces, each with detected (left, top, right, bottom) and landmarks_2d
// (68 points), px of the frame. Frames of a video are named CLIP_000001 and on. Tests tests/data/faceswap_test.cpp
#pragma once

#include "data/geometry.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace bifrons::data {

class AlignmentsFile {
  public:
    struct Face {
        Rect rect = {};
        Landmarks points = {};
    };

    /// Throws Error(data): missing, damaged, no such file, or one in which no face can be used.
    explicit AlignmentsFile(const std::filesystem::path& file);

    /// Of the frame with this name, which has no ending.
    const std::vector<Face>& of(const std::string& frame) const;
    /// Why faces cannot be used, a sentence each.
    const std::vector<std::string>& left_out() const { return left_out_; }
    const std::filesystem::path& path() const { return path_; }
    /// The first name.
    const std::string& example() const { return faces_.begin()->first; }

  private:
    const std::filesystem::path path_;
    std::map<std::string, std::vector<Face>> faces_; ///< by the frame's name without its ending
    std::vector<std::string> left_out_;
};

} // namespace bifrons::data
