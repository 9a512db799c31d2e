#include "tools/preview_frame.h"

#include <tuple>

namespace bifrons::tools {

namespace {

/// The first frame with a face, and that face.
std::pair<std::vector<data::Frame>, data::FrameFace> first_face(const std::string& file, data::FaceFinder& finder)
{
    const auto source = data::open_frames(file);
    for (std::vector<data::Frame> frames(1); source->next(frames[0]);) {
        const std::vector<data::FrameFace> faces = finder.find(frames)[0].faces;
        if (faces.empty()) continue;
        frames[0].index = 0;
        return {std::move(frames), faces[0]};
    }
    throw Error(ErrorKind::data, str(file, ": shows no face that is found; expected a picture or video of the "
                                           "destination"));
}

} // namespace

PreviewFrame::PreviewFrame(kernels::Device& device, const model::Autoencoder& network, data::FaceType type,
                           Precision precision, const std::string& file)
    : landmarks_(data::make_landmark_model({.kind = data::default_landmarks()})), plan_({"--color=rct"}, "", 1),
      swap_(device, network, type, precision, landmarks_, plan_, {.threads = 1})
{
    data::FaceFinder finder(
        {.detector = {.kind = data::default_detector()}, .faces = data::Faces::largest, .threads = 1}, landmarks_);
    data::FrameFace face;
    std::tie(frame_, face) = first_face(file, finder);
    clip_ = {{.faces = {face}}};
}

data::Image PreviewFrame::draw()
{
    data::Image image = frame_[0].image;
    const std::vector<Drawn> drawn = swap_(frame_, clip_);
    for (const data::Layer& layer : drawn[0].layers) data::lay_over(layer, image);
    return image;
}

} // namespace bifrons::tools
