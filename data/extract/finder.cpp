// data/extract/finder.cpp - the wanted faces of frames.
#include "data/extract/extract.h"
#include "data/threads.h"
#include "data/warp.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace bifrons::data {

FaceFinder::FaceFinder(const FinderOptions& options, std::shared_ptr<const LandmarkModel> landmarks)
    : options_(options), strong_(options.min_score.value_or(default_scores(options.detector.kind).strong)),
      landmarks_(landmarks ? std::move(landmarks) : std::make_shared<LandmarkModel>(options.landmarks)),
      tracker_(options.faces, strong_)
{
    const int threads = options.threads > 0 ? options.threads : machine_threads();
    for (int i = 0; i < threads; ++i) detectors_.push_back(make_detector(options.detector));
}

std::vector<Detection> FaceFinder::search(const Image& frame, const std::optional<Rect>& last, Detector& detector) const
{
    if (!last || last->area() < 1) return detector.detect(frame);
    // One box more on each side: a face moves less in 16 frames.
    const Rect box = *last;
    const auto left = std::clamp<std::int64_t>(std::int64_t(box.left - box.width()), 0, frame.W - 1),
               right = std::clamp<std::int64_t>(std::int64_t(box.right + box.width()), left + 1, frame.W),
               top = std::clamp<std::int64_t>(std::int64_t(box.top - box.height()), 0, frame.H - 1),
               bottom = std::clamp<std::int64_t>(std::int64_t(box.bottom + box.height()), top + 1, frame.H);
    const double scale = kNearFace / std::sqrt(box.area());
    Image window(std::max<std::int64_t>(1, std::llround(scale * double(bottom - top))),
                 std::max<std::int64_t>(1, std::llround(scale * double(right - left))), 3);
    const cv::Mat whole(int(frame.H), int(frame.W), CV_8UC3, const_cast<std::uint8_t*>(frame.pixels.data()));
    cv::Mat part(int(window.H), int(window.W), CV_8UC3, window.pixels.data());
    cv::resize(whole(cv::Rect(int(left), int(top), int(right - left), int(bottom - top))), part, part.size(), 0, 0,
               scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
    const double x = double(right - left) / double(window.W), y = double(bottom - top) / double(window.H);
    std::vector<Detection> found = detector.detect_near(window);
    for (Detection& d : found) {
        d.rect = {double(left) + x * d.rect.left, double(top) + y * d.rect.top, double(left) + x * d.rect.right,
                  double(top) + y * d.rect.bottom};
        if (!d.points) continue;
        for (Point& p : *d.points) p = {double(left) + x * (p.x + 0.5) - 0.5, double(top) + y * (p.y + 0.5) - 0.5};
    }
    const bool is_there = std::any_of(found.begin(), found.end(), [&](const Detection& d) {
        return d.score >= strong_ && overlap(d.rect, box) >= kSameFace;
    });
    return is_there ? found : detector.detect(frame);
}

std::vector<FaceFinder::Found> FaceFinder::find(const std::vector<Frame>& frames, bool with_weak)
{
    const auto count = std::int64_t(frames.size());
    std::vector<Found> found(frames.size());
    std::vector<std::vector<Detection>> detections(frames.size());
    const std::optional<Rect> last = options_.search_near ? tracker_.last() : std::nullopt;
    for_each_on_threads(count, threads(), [&](std::int64_t i, int worker) {
        detections[std::size_t(i)] =
            search(frames[std::size_t(i)].image, i > 0 ? last : std::nullopt, *detectors_[std::size_t(worker)]);
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
