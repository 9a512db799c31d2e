// data/sampler.h - batches drawn from two facesets: the data side of engine/batch.h. Tests tests/data/sampler_test.cpp
#pragma once

#include "data/faceset.h"
#include "engine/batch.h"
#include "kernels/augment/recolor.h"

namespace bifrons::data {

/// One identity's faces, in the device's memory.
class DeviceFaces {
  public:
    /// Copies; waits. margin: what the faces were loaded with.
    DeviceFaces(kernels::Exec ex, Memory& memory, const FaceArrays& faces, std::int64_t margin);
    const kernels::Faces& view() const { return view_; }
    std::size_t bytes() const;

  private:
    Tensor images_, masks_, eyes_mouth_, yaw_begins_, yaw_faces_; // all but two where the arrays have them
    kernels::Faces view_;
};

/// How samples are made of faces.
struct Sampling {
    kernels::AugmentOptions src = {}, dst = {};
    /// Source faces take the colours of random destination ones.
    kernels::ColorMatch ct_mode = kernels::ColorMatch::none;
    bool blur_out_mask = false; ///< targets are smoothed outside of the face, see kernels/augment/blur_outside.h
    std::uint32_t purpose = 0;  ///< < 2^12; keeps the random numbers of several samplers apart
};

/// The source's samples fill the first half of a batch, the destination's the second. Faces must outlive this; a batch
/// with eyes_mouth needs faces that were loaded with them.
class FacesetSampler : public BatchSource {
  public:
    /// half: samples of each identity in a batch. memory: for recoloured faces, where ct_mode asks for them.
    FacesetSampler(const DeviceFaces& src, const DeviceFaces& dst, const Sampling& how, Memory& memory,
                   std::int64_t half);
    void enqueue(kernels::Exec ex, const kernels::StepState* state, Batch& batch) override;
    std::size_t bytes() const { return recolored_ ? recolored_.bytes() : 0; }

  private:
    const DeviceFaces &src_, &dst_;
    const Sampling how_;
    Tensor recolored_; // [half, side, side, 3] u8
};

} // namespace bifrons::data
