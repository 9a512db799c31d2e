// tools/face_swap.h - frames and where their faces are in, what is drawn over them out: align, predict, merge.
#pragma once

#include "data/extract/footage.h"
#include "data/media/tone_mapping.h"
#include "data/merge/merge.h"
#include "data/threads.h"
#include "model/predictor.h"
#include "tools/face_masks.h"
#include "tools/imported_masks.h"
#include "tools/merge_settings.h"

#include <limits>

namespace bifrons::tools {

struct SwapOptions {
    std::int64_t from = 0, to = std::numeric_limits<std::int64_t>::max(); ///< the frames whose faces are replaced
    std::string merging_device = "cpu:1"; ///< what a thread that pastes opens for itself, once
    int threads = 0;                      ///< 0: all of the machine's
    const ImportedMasks* masks = nullptr; ///< what of a frame may be replaced; null: all
    FaceMasks* face_masks = nullptr;      ///< of faces that have their own; may be null
    /// From deep frames to the others, where these are tone-mapped.
    std::optional<data::ToneMapping> tone_mapping = {};
};

/// For one frame.
struct Drawn {
    std::vector<data::PredictedFace> faces = {};
    std::vector<data::Layer> layers = {}; ///< of the faces, in their order; in the colours of deep frames
};

class FaceSwap {
  public:
    /// device, network and plan must outlive this, and so must the map's memory. landmarks: finds the brows of
    /// predicted faces, which need not lie where the frame's face has them. map: see model::Predictor; may be null.
    /// Throws as Merger does.
    FaceSwap(kernels::Device& device, const model::Autoencoder& network, data::FaceType type, Precision precision,
             std::shared_ptr<const data::LandmarkModel> landmarks, const MergePlan& plan, const SwapOptions& options,
             const model::CodeMap* map = nullptr);
    /// See Step::share().
    void share(Step& host) { predictor_.share(host); }

    /// Consecutive frames, and the faces of all. The result does not depend on the number of threads.
    std::vector<Drawn> operator()(const std::vector<data::Frame>& frames, const data::Clip& clip);
    /// The colour transfer that leaves the least difference on the first faces, where the plan asks for that; empty
    /// before the first face.
    std::optional<data::ColorKind> chosen_color() const { return color_; }

  private:
    std::vector<Drawn> align(const std::vector<data::Frame>& frames, const data::Clip& clip);
    void predict(const std::vector<data::Frame>& frames, std::vector<Drawn>& drawn);
    void choose_color(const std::vector<data::Frame>& frames, const std::vector<Drawn>& drawn);
    /// Of this thread of the team.
    data::Merger& merger_of(int worker);
    void draw(const std::vector<data::Frame>& frames, std::vector<Drawn>& drawn);

    const data::FaceType type_;
    const std::int64_t side_;
    const MergePlan& plan_;
    SwapOptions options_;
    std::optional<data::ColorKind> color_;
    std::shared_ptr<const data::LandmarkModel> landmarks_;
    model::Predictor predictor_;
    data::ThreadTeam team_;
    std::vector<std::unique_ptr<data::Merger>> mergers_; // of the team's threads, which make them
};

} // namespace bifrons::tools
