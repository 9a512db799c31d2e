// tools/face_swap.h - frames in, frames with the source's face out: find, align, predict, paste.
#pragma once

#include "data/extract/extract.h"
#include "data/merge/merge.h"
#include "data/threads.h"
#include "model/predictor.h"
#include "model/trained.h"

namespace bifrons::tools {

struct SwapCounts {
    std::int64_t frames = 0, faces = 0;
    std::int64_t without_face = 0; ///< frames that were left as they are
    std::int64_t ignored = 0;      ///< other faces
    std::int64_t low_score = 0;    ///< detections dropped for a low score
};

class FaceSwap {
  public:
    /// device and model must outlive this, and so must the map's memory. merging_device: what a thread that pastes
    /// opens for itself, once. map: see model::Predictor; may be null. Throws as FaceFinder and Merger do.
    FaceSwap(kernels::Device& device, const model::TrainedModel& model, const data::FinderOptions& finder,
             const data::MergeOptions& merge, const std::string& merging_device, const model::CodeMap* map);

    /// Consecutive frames. What is outside the faces' masks keeps its bits. The result does not depend on the number of
    /// threads that find and paste.
    void operator()(std::vector<data::Frame>& frames);
    const SwapCounts& counts() const { return counts_; }

  private:
    /// The wanted faces of one frame.
    using Faces = std::vector<data::PredictedFace>;
    std::vector<Faces> find(const std::vector<data::Frame>& frames);
    void predict(const std::vector<data::Frame>& frames, std::vector<Faces>& faces);
    void paste(std::vector<data::Frame>& frames, const std::vector<Faces>& faces);

    const data::FaceType type_;
    const std::int64_t side_;
    data::MergeOptions merge_;
    std::string merging_device_;
    data::FaceFinder finder_;
    model::Predictor predictor_;
    SwapCounts counts_;
    data::ThreadTeam pasting_;
    std::vector<std::unique_ptr<data::Merger>> mergers_; // of the team's threads, which make them
};

} // namespace bifrons::tools
