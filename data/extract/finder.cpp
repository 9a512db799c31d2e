// data/extract/finder.cpp - the wanted faces of frames.
#include "data/extract/extract.h"
#include "data/threads.h"

#include <algorithm>

namespace bifrons::data {

FaceFinder::FaceFinder(const FinderOptions& options, std::shared_ptr<const LandmarkModel> landmarks)
    : options_(options), strong_(options.min_score.value_or(default_scores(options.detector.kind).strong)),
      tracker_(options.faces, strong_)
{
    if (!landmarks) landmarks = make_landmark_model(options.landmarks);
    const int threads = options.threads > 0 ? options.threads : machine_threads();
    for (int i = 0; i < threads; ++i)
        searches_.emplace_back(make_detector(options.detector), landmarks, strong_, options.rotate);
}

void FaceFinder::restart()
{
    tracker_ = Tracker(options_.faces, strong_);
    quarters_ = 0;
}

void FaceFinder::resume(const Rect& last, const Landmarks& points, std::int64_t frames_ago)
{
    tracker_.resume(last, frames_ago);
    quarters_ = quarters_of(points);
}

std::vector<FaceFinder::Found> FaceFinder::find(const std::vector<Frame>& frames, bool with_weak)
{
    std::vector<SearchResult> results(frames.size());
    const SearchHints hints = {.last = tracker_.last(), .quarters = quarters_};
    for_each_on_threads(std::int64_t(frames.size()), threads(), [&](std::int64_t i, int worker) {
        SearchHints here = hints;
        here.near = options_.search_near && i > 0;
        results[std::size_t(i)] = searches_[std::size_t(worker)](frames[std::size_t(i)].image, here);
    });
    std::vector<Found> found;
    for (SearchResult& result : results) found.push_back(select(result, with_weak));
    return found;
}

FaceFinder::Found FaceFinder::select(SearchResult& result, bool with_weak)
{
    std::vector<Detection> detections;
    for (const FrameFace& face : result.faces) detections.push_back(face.detection);
    const std::vector<Detection> wanted = tracker_.select(detections);
    Found found;
    for (DroppedFace& face : result.refused) {
        const bool weak = face.score < strong_;
        (weak ? found.low_score : found.implausible) += 1;
        if (weak) face.reason = kLowScore;
        found.dropped.push_back(std::move(face));
    }
    for (FrameFace& face : result.faces) {
        const auto is_it = [&](const Detection& w) { return w.rect == face.detection.rect; };
        if (std::any_of(wanted.begin(), wanted.end(), is_it)) {
            found.faces.push_back(std::move(face));
            continue;
        }
        const bool weak = face.detection.score < strong_;
        (weak ? found.low_score : found.ignored) += 1;
        found.dropped.push_back(
            {.reason = weak ? kLowScore : kOtherFace, .score = face.detection.score, .rect = face.detection.rect});
        if (weak && with_weak) found.weak.push_back(std::move(face));
    }
    if (!found.faces.empty()) quarters_ = quarters_of(found.faces.back().points);
    return found;
}

} // namespace bifrons::data
