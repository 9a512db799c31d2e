// tools/face_swap.h - frames and where their faces are in, frames with the source's face out: align, predict, paste.
#pragma once

#include "data/extract/footage.h"
#include "data/merge/merge.h"
#include "data/threads.h"
#include "model/predictor.h"
#include "model/trained.h"
#include "tools/merge_settings.h"

#include <limits>

namespace bifrons::tools {

struct SwapOptions {
    std::int64_t from = 0, to = std::numeric_limits<std::int64_t>::max(); ///< the frames whose faces are replaced
    std::string merging_device = "cpu:1"; ///< what a thread that pastes opens for itself, once
    int threads = 0;                      ///< 0: all of the machine's
};

struct SwapCounts {
    std::int64_t frames = 0, faces = 0;
    std::int64_t without_face = 0; ///< frames that were left as they are
};

class FaceSwap {
  public:
    /// device, model and plan must outlive this, and so must the map's memory. landmarks: finds the brows of predicted
    /// faces, which need not lie where the frame's face has them. map: see model::Predictor; may be null. Throws as
    /// Merger does.
    FaceSwap(kernels::Device& device, const model::TrainedModel& model,
             std::shared_ptr<const data::LandmarkModel> landmarks, const MergePlan& plan, const SwapOptions& options,
             const model::CodeMap* map);

    /// Consecutive frames, and the faces of all. What is outside the faces' masks keeps its bits. masks: of each frame,
    /// [H,W,1], how much of a pixel was replaced; may be null. The result does not depend on the number of threads.
    void operator()(std::vector<data::Frame>& frames, const data::Clip& clip, std::vector<data::Image>* masks);
    const SwapCounts& counts() const { return counts_; }
    /// The colour transfer that leaves the least difference on the first faces, where the plan asks for that; empty
    /// before the first face.
    std::optional<data::ColorKind> chosen_color() const { return color_; }

  private:
    /// The faces of one frame.
    using Faces = std::vector<data::PredictedFace>;
    std::vector<Faces> align(const std::vector<data::Frame>& frames, const data::Clip& clip);
    void predict(const std::vector<data::Frame>& frames, std::vector<Faces>& faces);
    void choose_color(const std::vector<data::Frame>& frames, const std::vector<Faces>& faces);
    /// Of this thread of the team.
    data::Merger& merger_of(int worker);
    void paste(std::vector<data::Frame>& frames, const std::vector<Faces>& faces, std::vector<data::Image>* masks);

    const data::FaceType type_;
    const std::int64_t side_;
    const MergePlan& plan_;
    SwapOptions options_;
    std::optional<data::ColorKind> color_;
    std::shared_ptr<const data::LandmarkModel> landmarks_;
    model::Predictor predictor_;
    SwapCounts counts_;
    data::ThreadTeam team_;
    std::vector<std::unique_ptr<data::Merger>> mergers_; // of the team's threads, which make them
};

} // namespace bifrons::tools
