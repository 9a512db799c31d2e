// tools/training_data.h - two facesets, ready for a trainer: on the device, with a part held out for validation.
#pragma once

#include "data/sampler.h"
#include "model/settings.h"
#include "tools/open_faceset.h"

#include <optional>

namespace bifrons::tools {

/// Pixels kept around each face on every edge, so that turned and shifted samples find real ones.
std::int64_t faces_margin(const model::Settings& settings);
/// Side of the pictures on the device.
std::int64_t faces_side(const model::Settings& settings);

/// `rows` evenly spaced faces (of a small set some come twice) as the model sees them, [rows,R,R,3] BGR 0..1. Those
/// whose pictures are damaged are passed over.
std::vector<float> sample_pictures(const data::Faceset& set, const model::Settings& settings, std::int64_t rows,
                                   Console& console);

/// Of a faceset that trains: the preview shows as many, and from fewer there is next to nothing to learn.
constexpr std::int64_t kLeastFaces = 4;
/// A sentence if so few faces of `whose` are held out that their figures mean little; empty if none or enough are.
std::string few_held_out(std::int64_t held_out, const std::string& whose);
/// The faceset, to train with. Throws as open_faceset(), Error(data) also for fewer faces than kLeastFaces;
/// Error(failed) while it is extracted into.
data::Faceset usable_faceset(const std::string& folder, Console& console);

/// One identity.
class IdentityData {
  public:
    IdentityData(kernels::Device& device, Memory& memory, const model::Settings& settings, data::Faceset set,
                 Console& console, Changed changed);

    const data::Faceset& faceset() const { return set_; }
    const data::DeviceFaces& training() const { return training_; }
    /// Null where nothing is held out.
    const data::DeviceFaces* held_out() const { return held_out_ ? &*held_out_ : nullptr; }
    std::size_t bytes() const { return training_.bytes() + (held_out_ ? held_out_->bytes() : 0); }
    /// kPreviewRows of the faces, see sample_pictures().
    std::vector<float> samples(Console& console) const
    {
        return sample_pictures(set_, settings_, kPreviewRows, console);
    }

    static constexpr std::int64_t kPreviewRows = 4;

  private:
    const data::Faceset set_;
    const data::Split split_;
    const model::Settings settings_;
    data::DeviceFaces training_;
    std::optional<data::DeviceFaces> held_out_;
};

class TrainingData {
  public:
    /// Reads both facesets at the model's face type. Throws as open_faces().
    TrainingData(kernels::Device& device, const model::Settings& settings, data::Faceset src, data::Faceset dst,
                 Console& console, Changed changed = Changed::accept);

    const IdentityData& src() const { return src_; }
    const IdentityData& dst() const { return dst_; }
    BatchSource& training() { return training_; }
    /// Null unless faces of both identities are held out.
    BatchSource* validation() { return validation_ ? &*validation_ : nullptr; }
    std::size_t bytes() const { return src_.bytes() + dst_.bytes() + training_.bytes(); }

  private:
    Pool pool_;
    IdentityData src_, dst_;
    data::FacesetSampler training_;
    std::optional<data::FacesetSampler> validation_;
};

} // namespace bifrons::tools
