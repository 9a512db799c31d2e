// tools/preview_frame.h - a frame of real footage with the face replaced as `bifrons merge --color rct` does, while the
// network learns: which transfer fits best changes with it. Tests tests/tools/train_test.cpp
#pragma once

#include "tools/face_swap.h"

namespace bifrons::tools {

class PreviewFrame {
  public:
    /// file: a picture, or a video, whose first frame with a face is taken. Finds its largest face. device and network
    /// must outlive this. Throws Error(data) where there is no face, and as data::open_frames does.
    PreviewFrame(kernels::Device& device, const model::Autoencoder& network, data::FaceType type, Precision precision,
                 const std::string& file);
    /// See Step::share().
    void share(Step& host) { swap_.share(host); }
    /// With the parameters as they are now. Waits.
    data::Image draw();

  private:
    std::vector<data::Frame> frame_; // one
    data::Clip clip_;
    std::shared_ptr<const data::LandmarkModel> landmarks_;
    const MergePlan plan_;
    FaceSwap swap_;
};

} // namespace bifrons::tools
