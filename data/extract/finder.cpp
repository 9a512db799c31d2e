// data/extract/finder.cpp - the wanted faces of frames.
#include "data/extract/extract.h"
#include "data/threads.h"
#include "data/warp.h"

#include <algorithm>

namespace bifrons::data {

FaceFinder::FaceFinder(const FinderOptions& options, std::shared_ptr<const LandmarkModel> landmarks)
    : options_(options), strong_(options.min_score.value_or(default_scores(options.detector.kind).strong)),
      landmarks_(landmarks ? std::move(landmarks) : std::make_shared<LandmarkModel>(options.landmarks)),
      tracker_(options.faces, strong_)
{
    const int threads = options.threads > 0 ? options.threads : machine_threads();
    for (int i = 0; i < threads; ++i) detectors_.push_back(make_detector(options.detector));
}

std::vector<FaceFinder::Found> FaceFinder::find(const std::vector<Frame>& frames, bool with_weak)
{
    const auto count = std::int64_t(frames.size());
    std::vector<Found> found(frames.size());
    std::vector<std::vector<Detection>> detections(frames.size());
    for_each_on_threads(count, threads(), [&](std::int64_t i, int worker) {
        detections[std::size_t(i)] = detectors_[std::size_t(worker)]->detect(frames[std::size_t(i)].image);
    });
    for (std::size_t n = 0; n < frames.size(); ++n) {
        const std::vector<Detection> wanted = tracker_.select(detections[n]);
        for (const Detection& detection : wanted) found[n].faces.push_back({.detection = detection});
        for (const Detection& detection : detections[n]) {
            const auto is_it = [&](const Detection& w) { return w.rect == detection.rect; };
            if (std::any_of(wanted.begin(), wanted.end(), is_it)) continue;
            const bool weak = detection.score < strong_;
            (weak ? found[n].low_score : found[n].ignored) += 1;
            found[n].dropped.push_back(
                {.reason = weak ? "low score" : "other face", .score = detection.score, .rect = detection.rect});
            if (weak && with_weak) found[n].weak.push_back({.detection = detection});
        }
    }
    for_each_on_threads(count, threads(), [&](std::int64_t i, int) {
        Found& here = found[std::size_t(i)];
        if (here.faces.empty() && here.weak.empty()) return;
        const Image grey = to_grey(frames[std::size_t(i)].image);
        for (std::vector<FrameFace>* faces : {&here.faces, &here.weak})
            for (FrameFace& face : *faces) face.points = landmarks_->find(grey, face.detection);
    });
    return found;
}

} // namespace bifrons::data
