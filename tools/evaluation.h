// tools/evaluation.h - numbers for how good a model is, taken on faces that it was not trained on.
//
//   reconstruction  a face through its own decoder against its picture, at the model's side
//   swap            a destination face through the source's decoder, pasted into its picture as `bifrons merge` does
//   self-swap       that picture against what it was: a ground truth where both facesets show one person
//   in frame        a face through its own decoder, pasted into its frame as `bifrons merge` does, against that frame,
//   in
//                   the frame's own pixels: what a viewer sees, so that models of any resolution and face type compare
//   identity        L2 between descriptors (model/identity.h) and the mean descriptor of each faceset
//
// Pictures are compared inside the landmarks' hull; outside it they are made equal. Means over the faces. One whose
// hull lies outside of its picture, or whose picture is damaged, has nothing to compare and is left out. Tests
// tests/tools/eval_test.cpp
#pragma once

#include "data/faceset.h"
#include "data/merge/merge.h"
#include "model/identity.h"
#include "model/perceptual.h"
#include "model/predictor.h"
#include "model/trained.h"

#include <functional>
#include <optional>

namespace bifrons::tools {

/// See data/quality.h and model/perceptual.h.
struct Quality {
    double psnr = 0; ///< dB
    double ssim = 0, sharpness = 0;
    std::optional<double> lpips = {}; ///< empty without the network
};

struct Distances {
    double to_src = 0, to_dst = 0;
};
struct IdentityReport {
    Distances src, dst; ///< of held-out faces as they are: what can be reached, and what the two have in common
    Distances swap;     ///< of the destination's held-out faces, swapped
};

/// Calls `visit` with the position in `indices` of each face and the frame that it was found in; which frames those are
/// the faceset knows, and how to read them see source_frames.h.
using FrameVisit = std::function<void(std::size_t position, const data::Image& frame)>;
using FrameReader =
    std::function<void(const data::Faceset& set, const std::vector<std::size_t>& indices, const FrameVisit& visit)>;

class Evaluation {
  public:
    /// Looks at no more than `samples` held-out faces of each, evenly spaced; where none are held out, at trained ones.
    /// device and model must outlive this. merging_device: see data::Merger. Throws Error(usage) and Error(data) as
    /// load_faces does, and Error(data) if all of a set's faces are left out.
    Evaluation(kernels::Device& device, const model::TrainedModel& model, const data::Faceset& src,
               const data::Faceset& dst, std::int64_t samples, const std::string& merging_device);
    /// Swaps go through this map of codes; see model::Predictor.
    void use_map(const model::CodeMap& map) { map_ = map; }
    /// `tick` is called for every face that is worked on, and may throw to stop.
    void on_face(std::function<void()> tick) { tick_ = std::move(tick); }
    /// How often, in all.
    std::int64_t work(bool self_swap, bool identity, bool in_frame) const;

    /// lpips may be null, and is left out then.
    Quality src_reconstruction(model::Lpips* lpips);
    Quality dst_reconstruction(model::Lpips* lpips);
    Quality self_swap(model::Lpips* lpips);
    /// Faces in their frames. The last: of the destination's with the source's face, in shares of
    /// the replaced face's own. Throw as `frames` does.
    Quality src_in_frame(const FrameReader& frames, model::Lpips* lpips);
    Quality dst_in_frame(const FrameReader& frames, model::Lpips* lpips);
    double swap_sharpness_in_frame(const FrameReader& frames);
    /// At most `samples` faces of each set, held out or not, make its mean descriptor.
    IdentityReport identity(model::IdentityNetwork& network);

    struct Faces {
        data::Faceset set = {};
        std::vector<std::size_t> looked_at = {}; ///< indices of faces
        std::vector<std::size_t> left_out = {};  ///< that were to be looked at
        std::vector<std::size_t> of_mean = {};   ///< that make the mean descriptor
        bool held_out = false;                   ///< else they were trained on
    };
    const Faces& src() const { return src_; }
    const Faces& dst() const { return dst_; }

  private:
    using Prediction = model::Predictor::Prediction;
    using Descriptors = std::vector<model::IdentityNetwork::Descriptor>;

    Quality reconstruction(const Faces& faces, model::Predictor::Identity identity, model::Lpips* lpips);
    Quality in_frame(const Faces& faces, model::Predictor::Identity identity, const FrameReader& frames,
                     model::Lpips* lpips, const model::CodeMap* map = nullptr);
    Prediction predict(const data::FaceArrays& faces, model::Predictor::Identity identity,
                       const model::CodeMap* map = nullptr);
    /// The destination's pictures with the source's face, made once.
    const std::vector<data::Image>& swapped();
    Descriptors describe(model::IdentityNetwork& network, const data::Faceset& set,
                         const std::vector<std::size_t>& indices, const std::vector<data::Image>& pictures);
    Descriptors describe(model::IdentityNetwork& network, const data::Faceset& set,
                         const std::vector<std::size_t>& indices);

    kernels::Device& device_;
    const model::TrainedModel& model_;
    const std::string merging_device_;
    std::optional<model::CodeMap> map_;
    std::function<void()> tick_ = [] {};
    Faces src_, dst_;
    std::vector<data::Image> swapped_;
};

} // namespace bifrons::tools
