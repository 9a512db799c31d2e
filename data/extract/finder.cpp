// data/extract/finder.cpp - the wanted faces of frames.
#include "data/extract/extract.h"
#include "data/threads.h"
#include "data/warp.h"

namespace bifrons::data {

FaceFinder::FaceFinder(const FinderOptions& options)
    : options_(options), landmarks_(options.landmarks), tracker_(options.faces)
{
    const int threads = options.threads > 0 ? options.threads : machine_threads();
    for (int i = 0; i < threads; ++i) detectors_.push_back(make_detector(options.detector));
}

std::vector<FaceFinder::Found> FaceFinder::find(const std::vector<Frame>& frames)
{
    const auto count = std::int64_t(frames.size());
    std::vector<Found> found(frames.size());
    std::vector<std::vector<Detection>> detections(frames.size());
    const double min_score = options_.min_score.value_or(default_scores(options_.detector.kind).strong);
    for_each_on_threads(count, threads(), [&](std::int64_t i, int worker) {
        const auto n = std::size_t(i);
        detections[n] = detectors_[std::size_t(worker)]->detect(frames[n].image);
        found[n].low_score =
            std::int64_t(std::erase_if(detections[n], [&](const Detection& d) { return d.score < min_score; }));
    });
    for (std::size_t n = 0; n < frames.size(); ++n) {
        const std::vector<Detection> wanted = tracker_.select(detections[n]);
        found[n].ignored = std::int64_t(detections[n].size() - wanted.size());
        for (const Detection& detection : wanted) found[n].faces.push_back({.detection = detection});
    }
    for_each_on_threads(count, threads(), [&](std::int64_t i, int) {
        const auto n = std::size_t(i);
        if (found[n].faces.empty()) return;
        const Image grey = to_grey(frames[n].image);
        for (FrameFace& face : found[n].faces) face.points = landmarks_.find(grey, face.detection);
    });
    return found;
}

} // namespace bifrons::data
