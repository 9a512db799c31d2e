// data/extract/steady.cpp - the faces of a clip over time.
#include "data/extract/steady.h"

#include "data/extract/track.h"
#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::data {

namespace {

constexpr int kMostRanges = 10;

Rect box_of(const Landmarks& points)
{
    Rect box{points[0].x, points[0].y, points[0].x, points[0].y};
    for (const Point p : points)
        box = {std::min(box.left, p.x), std::min(box.top, p.y), std::max(box.right, p.x), std::max(box.bottom, p.y)};
    return box;
}

double overlap(const FrameFace& a, const FrameFace& b)
{
    return data::overlap(box_of(a.points), box_of(b.points));
}

bool has_cut(const Clip& clip, std::int64_t after, std::int64_t until)
{
    for (std::int64_t t = after + 1; t <= until; ++t)
        if (clip[std::size_t(t)].begins_scene) return true;
    return false;
}

FrameFace between(const FrameFace& a, const FrameFace& b, double part)
{
    const auto mix = [part](double x, double y) { return x + part * (y - x); };
    FrameFace face{.filled = true};
    const Rect &r = a.detection.rect, &s = b.detection.rect;
    face.detection.rect = {mix(r.left, s.left), mix(r.top, s.top), mix(r.right, s.right), mix(r.bottom, s.bottom)};
    face.detection.score = std::min(a.detection.score, b.detection.score);
    for (std::size_t i = 0; i < face.points.size(); ++i)
        face.points[i] = {mix(a.points[i].x, b.points[i].x), mix(a.points[i].y, b.points[i].y)};
    return face;
}

Landmarks smoothed(const Clip& clip, const Track& track, std::int64_t frame, std::int64_t reach)
{
    const std::int64_t r = std::min({reach, frame - track.begin, track.end() - 1 - frame});
    if (r < 2) return face_at(clip, track, frame).points;
    Landmarks sum{};
    for (std::int64_t k = -r; k <= r; ++k) {
        const double weight =
            double(3 * (3 * r * r + 3 * r - 1) - 15 * k * k) / double((2 * r - 1) * (2 * r + 1) * (2 * r + 3));
        const Landmarks& points = face_at(clip, track, frame + k).points;
        for (std::size_t i = 0; i < sum.size(); ++i)
            sum[i] = {sum[i].x + weight * points[i].x, sum[i].y + weight * points[i].y};
    }
    return sum;
}

} // namespace

std::vector<Track> tracks_of(const Clip& clip)
{
    std::vector<Track> tracks;
    std::vector<std::size_t> open; // those that reach the frame before
    for (std::int64_t t = 0; t < std::int64_t(clip.size()); ++t) {
        if (clip[std::size_t(t)].begins_scene) open.clear();
        std::vector<std::size_t> continued;
        for (std::size_t i = 0; i < clip[std::size_t(t)].faces.size(); ++i) {
            const FrameFace& face = clip[std::size_t(t)].faces[i];
            const auto nearer = [&](std::size_t a, std::size_t b) {
                return overlap(face, face_at(clip, tracks[a], t - 1)) < overlap(face, face_at(clip, tracks[b], t - 1));
            };
            const auto last = std::max_element(open.begin(), open.end(), nearer);
            if (last != open.end() && overlap(face, face_at(clip, tracks[*last], t - 1)) >= kSameFace) {
                tracks[*last].faces.push_back(i);
                continued.push_back(*last);
                open.erase(last);
            } else {
                continued.push_back(tracks.size());
                tracks.push_back({t, {i}});
            }
        }
        open = std::move(continued);
    }
    return tracks;
}

const FrameFace& face_at(const Clip& clip, const Track& track, std::int64_t frame)
{
    return clip[std::size_t(frame)].faces[track.faces[std::size_t(frame - track.begin)]];
}

std::int64_t fill_gaps(Clip& clip, std::int64_t most)
{
    const std::vector<Track> tracks = tracks_of(clip);
    std::vector<bool> continued(tracks.size());
    std::vector<bool> filled(clip.size());
    for (const Track& later : tracks) {
        const FrameFace first = face_at(clip, later, later.begin);
        std::size_t best = tracks.size();
        for (std::size_t i = 0; i < tracks.size(); ++i) {
            const std::int64_t gap = later.begin - tracks[i].end();
            if (gap < 1 || gap > most || continued[i] || has_cut(clip, tracks[i].end() - 1, later.begin)) continue;
            const auto common = [&](std::size_t k) {
                return overlap(face_at(clip, tracks[k], tracks[k].end() - 1), first);
            };
            if (common(i) >= kSameFace && (best == tracks.size() || common(i) > common(best))) best = i;
        }
        if (best == tracks.size()) continue;
        continued[best] = true;
        const std::int64_t last = tracks[best].end() - 1;
        const FrameFace before = face_at(clip, tracks[best], last);
        for (std::int64_t t = last + 1; t < later.begin; ++t) {
            const double part = double(t - last) / double(later.begin - last);
            clip[std::size_t(t)].faces.push_back(between(before, first, part));
            filled[std::size_t(t)] = true;
        }
    }
    return std::count(filled.begin(), filled.end(), true);
}

void smooth_landmarks(Clip& clip, std::int64_t reach)
{
    for (const Track& track : tracks_of(clip)) {
        std::vector<Landmarks> points;
        for (std::int64_t t = track.begin; t < track.end(); ++t) points.push_back(smoothed(clip, track, t, reach));
        for (std::int64_t t = track.begin; t < track.end(); ++t)
            clip[std::size_t(t)].faces[track.faces[std::size_t(t - track.begin)]].points =
                points[std::size_t(t - track.begin)];
    }
}

Point motion_of(const Clip& clip, std::size_t frame, std::size_t face)
{
    if (frame == 0 || frame + 1 >= clip.size() || clip[frame].begins_scene || clip[frame + 1].begins_scene) return {};
    const FrameFace& here = clip[frame].faces[face];
    const auto seen_in = [&](const ClipFrame& other) -> const FrameFace* {
        for (const FrameFace& there : other.faces)
            if (overlap(here, there) >= kSameFace) return &there;
        return nullptr;
    };
    const FrameFace *before = seen_in(clip[frame - 1]), *after = seen_in(clip[frame + 1]);
    if (!before || !after) return {};
    const auto middle = [](const FrameFace& f) {
        const Rect box = box_of(f.points);
        return Point{(box.left + box.right) / 2, (box.top + box.bottom) / 2};
    };
    const Point a = middle(*before), b = middle(*after);
    return {(b.x - a.x) / 2, (b.y - a.y) / 2};
}

std::string filled_ranges(const Clip& clip)
{
    const auto is_filled = [&](std::size_t t) {
        return t < clip.size() && std::any_of(clip[t].faces.begin(), clip[t].faces.end(),
                                              [](const FrameFace& face) { return face.filled; });
    };
    std::string text;
    int ranges = 0;
    for (std::size_t t = 0; t < clip.size(); ++t) {
        if (!is_filled(t)) continue;
        const std::size_t first = t;
        while (is_filled(t + 1)) ++t;
        if (ranges++ == kMostRanges) return text + ", ...";
        text += str(text.empty() ? "" : ", ", first, first == t ? "" : str("-", t));
    }
    return text;
}

} // namespace bifrons::data
