#include "tools/face_swap.h"

#include "data/warp.h"

#include <algorithm>
#include <array>

namespace bifrons::tools {

namespace {

constexpr std::int64_t kBatch = 4;        // faces predicted at once
constexpr std::size_t kFacesForColor = 8; // by which the colour transfer is chosen

int threads_of(const SwapOptions& options)
{
    return options.threads > 0 ? options.threads : data::machine_threads();
}

} // namespace

FaceSwap::FaceSwap(kernels::Device& device, const model::Autoencoder& network, data::FaceType type, Precision precision,
                   std::shared_ptr<const data::LandmarkModel> landmarks, const MergePlan& plan,
                   const SwapOptions& options, const model::CodeMap* map)
    : type_(type), side_(network.architecture().resolution), plan_(plan), options_(options),
      landmarks_(std::move(landmarks)),
      predictor_(device, network, kBatch, model::Predictor::Identity::src, precision, map),
      team_(threads_of(options), "bifrons paste"), mergers_(std::size_t(team_.size()))
{
}

std::vector<Drawn> FaceSwap::operator()(const std::vector<data::Frame>& frames, const data::Clip& clip)
{
    std::vector<Drawn> drawn = align(frames, clip);
    predict(frames, drawn);
    if (!color_) choose_color(frames, drawn);
    draw(frames, drawn);
    return drawn;
}

std::vector<Drawn> FaceSwap::align(const std::vector<data::Frame>& frames, const data::Clip& clip)
{
    std::vector<Drawn> drawn(frames.size());
    team_.for_each(std::int64_t(frames.size()), [&](std::int64_t n, int) {
        const std::int64_t t = frames[std::size_t(n)].index;
        const std::vector<data::FrameFace>& here = clip.at(std::size_t(t)).faces;
        for (std::size_t k = 0; k < here.size() && options_.from <= t && t <= options_.to; ++k) {
            data::PredictedFace face{.face_from_frame = data::face_from_frame(here[k].points, type_, side_),
                                     .in_frame = here[k].points,
                                     .motion = data::motion_of(clip, std::size_t(t), k),
                                     .frame = t};
            if (options_.face_masks) face.own_mask = options_.face_masks->of(here[k], face.face_from_frame, side_);
            drawn[std::size_t(n)].faces.push_back(std::move(face));
        }
    });
    return drawn;
}

void FaceSwap::predict(const std::vector<data::Frame>& frames, std::vector<Drawn>& drawn)
{
    std::vector<std::pair<const data::Image*, data::PredictedFace*>> all;
    for (std::size_t n = 0; n < frames.size(); ++n)
        for (data::PredictedFace& face : drawn[n].faces) all.emplace_back(&frames[n].image, &face);

    const std::int64_t pixels = side_ * side_;
    const auto count = std::int64_t(all.size());
    for (std::int64_t first = 0; first < count; first += kBatch) {
        const std::int64_t here = std::min(kBatch, count - first);
        std::vector<float> pictures(std::size_t(kBatch * pixels * 3));
        team_.for_each(here, [&](std::int64_t i, int) {
            const auto& [frame, face] = all[std::size_t(first + i)];
            face->replaced = data::to_float(data::warp(*frame, face->face_from_frame, side_, side_));
            std::copy(face->replaced.pixels.begin(), face->replaced.pixels.end(), pictures.begin() + i * pixels * 3);
        });
        const model::Predictor::Prediction prediction = predictor_(pictures);
        team_.for_each(here, [&](std::int64_t i, int) {
            data::PredictedFace& face = *all[std::size_t(first + i)].second;
            face.face = data::ImageF(side_, side_, 3);
            face.mask = data::ImageF(side_, side_, 1);
            std::copy_n(prediction.face.begin() + i * pixels * 3, pixels * 3, face.face.pixels.begin());
            std::copy_n(prediction.mask.begin() + i * pixels, pixels, face.mask.pixels.begin());
            face.drawn =
                landmarks_->refine(data::to_grey(data::to_bytes(face.face)), face.face_from_frame(face.in_frame));
        });
    }
}

void FaceSwap::choose_color(const std::vector<data::Frame>& frames, const std::vector<Drawn>& drawn)
{
    std::vector<std::pair<const data::Image*, const data::PredictedFace*>> some;
    for (std::size_t n = 0; n < frames.size(); ++n)
        for (const data::PredictedFace& face : drawn[n].faces)
            if (some.size() < kFacesForColor && plan_.at(face.frame).choose_color)
                some.emplace_back(&frames[n].image, &face);
    if (some.empty()) return;
    using data::ColorKind;
    constexpr std::array kKinds = {ColorKind::none, ColorKind::rct, ColorKind::lct, ColorKind::mkl, ColorKind::sot};
    std::array<double, kKinds.size()> differences{};
    team_.for_each(std::int64_t(kKinds.size()), [&](std::int64_t k, int worker) {
        for (const auto& [frame, face] : some) {
            data::Merger& merger = merger_of(worker);
            merger.set(plan_.at(face->frame).options);
            differences[std::size_t(k)] += merger.color_difference(*frame, *face, kKinds[std::size_t(k)]);
        }
    });
    color_ = kKinds[std::size_t(std::min_element(differences.begin(), differences.end()) - differences.begin())];
}

data::Merger& FaceSwap::merger_of(int worker)
{
    std::unique_ptr<data::Merger>& merger = mergers_[std::size_t(worker)];
    if (!merger) merger = std::make_unique<data::Merger>(data::MergeOptions(), options_.merging_device);
    return *merger;
}

void FaceSwap::draw(const std::vector<data::Frame>& frames, std::vector<Drawn>& drawn)
{
    team_.for_each(std::int64_t(frames.size()), [&](std::int64_t i, int worker) {
        const data::Frame& frame = frames[std::size_t(i)];
        Drawn& here = drawn[std::size_t(i)];
        const std::optional<data::Image> visible =
            options_.masks && !here.faces.empty() ? options_.masks->of(frame) : std::nullopt;
        const bool same_colors = !frame.deep.pixels.empty() && !options_.tone_mapping;
        const data::Canvas canvas{.frame = frame.image,
                                  .deep = same_colors ? &frame.deep : nullptr,
                                  .visible = visible ? &*visible : nullptr};
        for (const data::PredictedFace& face : here.faces) {
            const MergeSettings& settings = plan_.at(face.frame);
            data::MergeOptions options = settings.options;
            if (settings.choose_color) options.color = *color_;
            data::Merger& merger = merger_of(worker);
            merger.set(options);
            here.layers.push_back(merger.draw(canvas, face));
            if (options_.tone_mapping) options_.tone_mapping->undo(here.layers.back().colour);
        }
    });
}

} // namespace bifrons::tools
