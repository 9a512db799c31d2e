// tools/face_masks.h - the masks that a faceset's faces have of their own, where merging replaces these faces:
// `bifrons merge --faceset`. Tests tests/tools/merge_test.cpp
#pragma once

#include "data/extract/steady.h"
#include "data/faceset.h"

#include <mutex>

namespace bifrons::tools {

class FaceMasks {
  public:
    /// set must outlive this.
    explicit FaceMasks(const data::Faceset& set) : set_(set) {}

    /// What the face's picture shows of its mask, [side,side,1] 0..1; empty where it has none, or a damaged one. May be
    /// called by several threads.
    data::ImageF of(const data::FrameFace& face, const data::Affine& face_from_frame, std::int64_t side);

    /// How many were given.
    std::int64_t used() const { return used_; }
    /// What is wrong with those that were not, a sentence each, which begins with the file.
    const std::vector<std::string>& damage() const { return damage_; }

  private:
    const data::Faceset& set_;
    std::mutex guard_;
    std::int64_t used_ = 0;
    std::vector<std::string> damage_;
};

} // namespace bifrons::tools
