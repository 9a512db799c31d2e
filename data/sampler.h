// data/sampler.h - batches drawn from two facesets: the data side of engine/batch.h. Tests tests/data/sampler_test.cpp
#pragma once

#include "data/faceset.h"
#include "engine/batch.h"
#include "kernels/augment/augment.h"

namespace bifrons::data {

/// One identity's faces, in the device's memory.
class DeviceFaces {
  public:
    /// Copies; waits. margin: what the faces were loaded with.
    DeviceFaces(kernels::Exec ex, Memory& memory, const FaceArrays& faces, std::int64_t margin);
    const kernels::Faces& view() const { return view_; }
    std::size_t bytes() const { return images_.bytes() + masks_.bytes() + (eyes_mouth_ ? eyes_mouth_.bytes() : 0); }

  private:
    Tensor images_, masks_, eyes_mouth_; // the last where the arrays have it
    kernels::Faces view_;
};

/// The source's samples fill the first half of a batch, the destination's the second. Faces must outlive this; a batch
/// with eyes_mouth needs faces that were loaded with them.
class FacesetSampler : public BatchSource {
  public:
    /// purpose keeps the random numbers of several samplers apart.
    FacesetSampler(const DeviceFaces& src, const DeviceFaces& dst, const kernels::AugmentOptions& src_options,
                   const kernels::AugmentOptions& dst_options, std::uint32_t purpose);
    void enqueue(kernels::Exec ex, const kernels::StepState* state, Batch& batch) override;

  private:
    const DeviceFaces &src_, &dst_;
    kernels::AugmentOptions src_options_, dst_options_;
    std::uint32_t purpose_;
};

} // namespace bifrons::data
