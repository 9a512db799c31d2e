#include "tools/face_swap.h"

#include "data/warp.h"

namespace bifrons::tools {

namespace {

constexpr std::int64_t kBatch = 4; // faces predicted at once

} // namespace

FaceSwap::FaceSwap(kernels::Device& device, const model::TrainedModel& model, const data::FinderOptions& finder,
                   const data::MergeOptions& merge, const std::string& merging_device, const model::CodeMap* map)
    : type_(data::face_type_of(model.settings().face_type)), side_(model.settings().resolution), merge_(merge),
      merging_device_(merging_device), finder_(finder),
      predictor_(device, model.network(), kBatch, model::Predictor::Identity::src, model.precision(), map),
      pasting_(finder_.threads(), "bifrons paste"), mergers_(std::size_t(finder_.threads()))
{
    data::check(merge);
}

void FaceSwap::operator()(std::vector<data::Frame>& frames)
{
    std::vector<Faces> faces = find(frames);
    predict(frames, faces);
    paste(frames, faces);
}

std::vector<FaceSwap::Faces> FaceSwap::find(const std::vector<data::Frame>& frames)
{
    std::vector<Faces> faces(frames.size());
    const std::vector<data::FaceFinder::Found> found = finder_.find(frames);
    for (std::size_t n = 0; n < found.size(); ++n) {
        for (const data::FrameFace& face : found[n].faces)
            faces[n].push_back(
                {.face_from_frame = data::face_from_frame(face.points, type_, side_), .in_frame = face.points});
        counts_.frames += 1;
        counts_.faces += std::int64_t(faces[n].size());
        counts_.without_face += faces[n].empty();
        counts_.ignored += found[n].ignored;
        counts_.low_score += found[n].low_score;
    }
    return faces;
}

void FaceSwap::predict(const std::vector<data::Frame>& frames, std::vector<Faces>& faces)
{
    std::vector<std::pair<const data::Image*, data::PredictedFace*>> all;
    for (std::size_t n = 0; n < frames.size(); ++n)
        for (data::PredictedFace& face : faces[n]) all.emplace_back(&frames[n].image, &face);

    const std::int64_t pixels = side_ * side_;
    const auto count = std::int64_t(all.size());
    for (std::int64_t first = 0; first < count; first += kBatch) {
        const std::int64_t here = std::min(kBatch, count - first);
        std::vector<float> pictures(std::size_t(kBatch * pixels * 3));
        data::for_each_on_threads(here, finder_.threads(), [&](std::int64_t i, int) {
            const auto& [frame, face] = all[std::size_t(first + i)];
            const data::ImageF picture = data::to_float(data::warp(*frame, face->face_from_frame, side_, side_));
            std::copy(picture.pixels.begin(), picture.pixels.end(), pictures.begin() + i * pixels * 3);
        });
        const model::Predictor::Prediction prediction = predictor_(pictures);
        for (std::int64_t i = 0; i < here; ++i) {
            data::PredictedFace& face = *all[std::size_t(first + i)].second;
            face.face = data::ImageF(side_, side_, 3);
            face.mask = data::ImageF(side_, side_, 1);
            std::copy_n(prediction.face.begin() + i * pixels * 3, pixels * 3, face.face.pixels.begin());
            std::copy_n(prediction.mask.begin() + i * pixels, pixels, face.mask.pixels.begin());
        }
    }
}

void FaceSwap::paste(std::vector<data::Frame>& frames, const std::vector<Faces>& faces)
{
    pasting_.for_each(std::int64_t(frames.size()), [&](std::int64_t i, int worker) {
        std::unique_ptr<data::Merger>& merger = mergers_[std::size_t(worker)];
        if (!merger) merger = std::make_unique<data::Merger>(merge_, merging_device_);
        for (const data::PredictedFace& face : faces[std::size_t(i)]) merger->merge(frames[std::size_t(i)].image, face);
    });
}

} // namespace bifrons::tools
