// data/import/alignments_file.h - where the faces of footage are, as faceswap found them. Two kinds of file:
//
//   .fsa  zlib around a pickle: __data__, by the frame's name: faces, a list: x, y, w, h and landmarks_xy; version 1.0
//         has neither __data__ nor faces around them
//   JSON  as its alignments tool exports it (job "export"): by the frame's name a list: detected (left, top, right,
//         bottom) and landmarks_2d
//
// Landmarks are 68 points, or 98 that stand for them, px of the frame. Frames of a video are named CLIP_000001 and on.
// Tests tests/data/alignments_test.cpp
#pragma once

#include "data/geometry.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace bifrons::data {

struct PickledValue; // pickle.h

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
    /// XXH64 of the file.
    std::uint64_t checksum() const { return checksum_; }
    /// The first name.
    const std::string& example() const { return faces_.begin()->first; }

  private:
    void take(const PickledValue& frames);

    const std::filesystem::path path_;
    std::uint64_t checksum_ = 0;
    std::map<std::string, std::vector<Face>> faces_; ///< by the frame's name without its ending
    std::vector<std::string> left_out_;
};

} // namespace bifrons::data
