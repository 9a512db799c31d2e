// data/extract/face_search.cpp - the faces of one frame and their points.
#include "data/extract/face_search.h"

#include "data/extract/opencv_image.h"
#include "data/extract/plausible.h"
#include "data/extract/track.h"
#include "data/warp.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace bifrons::data {

namespace {

constexpr double kGoesOn = 0.5;   ///< overlap with a face that was checked: it is not checked again
constexpr double kClear = 4. / 3; ///< times the score with which a face begins: hardly ever something else
/// Eye distances by which refining moves the points of most upright faces.
constexpr double kCalm = 0.3;
/// The same from a detector's own points: 0.01 to 0.07 where the face stands upright (clips and stills of the tests),
/// 0.13 or more where the detector takes one that is upside down for an upright one, even with a high score.
constexpr double kCalmFromPoints = 0.1;

/// The frame turned anticlockwise, so that a face that leans clockwise by as many quarters stands upright.
Image turned(const Image& frame, int quarters)
{
    constexpr std::array kTurns = {cv::ROTATE_90_COUNTERCLOCKWISE, cv::ROTATE_180, cv::ROTATE_90_CLOCKWISE};
    const bool swaps = quarters % 2 != 0;
    Image out(swaps ? frame.W : frame.H, swaps ? frame.H : frame.W, frame.C);
    cv::Mat to = view_of(out);
    cv::rotate(view_of(frame), to, kTurns[std::size_t(quarters - 1)]);
    return out;
}

/// From the turned frame back to this one. Exact.
Affine turning_back(const Image& frame, int quarters)
{
    const auto right = double(frame.W - 1), bottom = double(frame.H - 1);
    switch (quarters) {
    case 1:
        return {{0, -1, right, 1, 0, 0}};
    case 2:
        return {{-1, 0, right, 0, -1, bottom}};
    case 3:
        return {{0, 1, 0, -1, 0, bottom}};
    default:
        return {};
    }
}

/// Of the corner pixels' centres; a turn by quarters keeps a box a box.
Rect moved(const Rect& box, const Affine& by)
{
    const Point a = by(Point{box.left, box.top}), b = by(Point{box.right, box.bottom});
    return {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
}

void move(FrameFace& face, const Affine& by)
{
    face.detection.rect = moved(face.detection.rect, by);
    if (face.detection.points)
        for (Point& p : *face.detection.points) p = by(p);
    face.points = by(face.points);
}

} // namespace

SearchResult FaceSearch::operator()(const Image& frame, const SearchHints& hints)
{
    SearchResult best = search_turned(frame, hints, hints.quarters);
    for (const int further : {2, 1, 3}) {
        if (!rotate_ || best.settled) break;
        SearchResult result = search_turned(frame, {.last = hints.last}, (hints.quarters + further) % 4);
        if (result.upright > best.upright || (result.found && !best.found)) best = std::move(result);
    }
    return best;
}

SearchResult FaceSearch::search_turned(const Image& frame, const SearchHints& hints, int quarters)
{
    if (quarters == 0) return search_upright(frame, hints);
    const Affine back = turning_back(frame, quarters);
    SearchHints there = hints;
    if (there.last) there.last = moved(*there.last, back.inverse());
    SearchResult result = search_upright(turned(frame, quarters), there);
    for (FrameFace& face : result.faces) move(face, back);
    for (DroppedFace& face : result.refused) face.rect = moved(face.rect, back);
    return result;
}

SearchResult FaceSearch::search_upright(const Image& frame, const SearchHints& hints)
{
    if (hints.near && hints.last && hints.last->area() >= 1) {
        SearchResult result = fitted(frame, detect_near(frame, *hints.last), hints.last);
        const bool is_there = std::any_of(result.faces.begin(), result.faces.end(), [&](const FrameFace& face) {
            return face.detection.score >= strong_ && overlap(face.detection.rect, *hints.last) >= kSameFace;
        });
        if (is_there) return result;
    }
    return fitted(frame, detector_->detect(frame), hints.last);
}

/// The detections with their points, sorted into faces and others.
SearchResult FaceSearch::fitted(const Image& frame, const std::vector<Detection>& detections,
                                const std::optional<Rect>& last) const
{
    SearchResult result;
    if (detections.empty()) return result;
    const Image grey = to_grey(frame);
    double best = 0;
    int refused = 0; // of those that count
    for (const Detection& detection : detections) {
        if (is_flat(grey, detection.rect)) {
            result.refused.push_back({.reason = "flat area", .score = detection.score, .rect = detection.rect});
            continue;
        }
        const bool counts = detection.score >= strong_ || (last && overlap(detection.rect, *last) >= kSameFace);
        const Fit fit = landmarks_->find(grey, detection);
        const bool goes_on = last && overlap(detection.rect, *last) >= kGoesOn && fit.moved <= kCalm;
        const std::string fault = goes_on ? "" : implausibility(fit.points, detection, grey, *landmarks_);
        if (fault.empty()) {
            result.faces.push_back({.detection = detection, .points = fit.points});
            result.found |= counts;
            const double calm = detection.points ? kCalmFromPoints : kCalm;
            if (!counts || fit.moved > calm || quarters_of(fit.points) != 0) continue;
            result.upright += detection.score;
            best = std::max(best, detection.score);
        } else {
            result.refused.push_back({.reason = fault, .score = detection.score, .rect = detection.rect});
            refused += counts;
        }
    }
    result.settled = result.upright > 0 && refused == 0 && best >= kClear * strong_;
    return result;
}

/// Where the face was, with one box more on each side: a face moves less in 16 frames.
std::vector<Detection> FaceSearch::detect_near(const Image& frame, const Rect& last)
{
    const auto left = std::clamp<std::int64_t>(std::int64_t(last.left - last.width()), 0, frame.W - 1),
               right = std::clamp<std::int64_t>(std::int64_t(last.right + last.width()), left + 1, frame.W),
               top = std::clamp<std::int64_t>(std::int64_t(last.top - last.height()), 0, frame.H - 1),
               bottom = std::clamp<std::int64_t>(std::int64_t(last.bottom + last.height()), top + 1, frame.H);
    const double scale = kNearFace / std::sqrt(last.area());
    Image window(std::max<std::int64_t>(1, std::llround(scale * double(bottom - top))),
                 std::max<std::int64_t>(1, std::llround(scale * double(right - left))), 3);
    cv::Mat part = view_of(window);
    cv::resize(view_of(frame)(cv::Rect(int(left), int(top), int(right - left), int(bottom - top))), part, part.size(),
               0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
    const double x = double(right - left) / double(window.W), y = double(bottom - top) / double(window.H);
    std::vector<Detection> found = detector_->detect_near(window);
    for (Detection& d : found) {
        d.rect = {double(left) + x * d.rect.left, double(top) + y * d.rect.top, double(left) + x * d.rect.right,
                  double(top) + y * d.rect.bottom};
        if (!d.points) continue;
        for (Point& p : *d.points) p = {double(left) + x * (p.x + 0.5) - 0.5, double(top) + y * (p.y + 0.5) - 0.5};
    }
    return found;
}

int quarters_of(const Landmarks& points)
{
    // From the eyes' corners on the picture's left to those on its right.
    const double x = points[42].x + points[45].x - points[36].x - points[39].x,
                 y = points[42].y + points[45].y - points[36].y - points[39].y;
    constexpr double kQuarter = 1.5707963267948966;
    return int(std::lround(std::atan2(y, x) / kQuarter) + 4) % 4;
}

} // namespace bifrons::data
