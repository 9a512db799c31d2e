// data/extract/track.cpp - which of a frame's faces are used.
#include "data/extract/track.h"

#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::data {

namespace {
constexpr std::int64_t kRemembered = 12; ///< frames after which a weak detection no longer continues a face
}

const char* name_of(Faces faces)
{
    return faces == Faces::largest ? "largest" : faces == Faces::all ? "all" : "track";
}

Faces faces_of(const std::string& name)
{
    for (const Faces faces : {Faces::largest, Faces::all, Faces::track})
        if (name == name_of(faces)) return faces;
    throw Error(ErrorKind::usage, str("faces \"", name, "\" is unknown; expected largest, all or track"));
}

void Tracker::resume(const Rect& last, std::int64_t frames_ago)
{
    last_ = {last};
    frames_ago_ = frames_ago;
}

std::optional<Rect> Tracker::last() const
{
    const bool known = faces_ == Faces::track && !last_.empty() && frames_ago_ <= kRemembered;
    return known ? std::optional(last_[0]) : std::nullopt;
}

bool Tracker::is_followed(const Detection& detection) const
{
    return std::any_of(last_.begin(), last_.end(),
                       [&](const Rect& last) { return overlap(detection.rect, last) >= kSameFace; });
}

std::vector<Detection> Tracker::select(const std::vector<Detection>& detections)
{
    frames_ago_ += 1;
    std::vector<Detection> wanted;
    for (const Detection& detection : detections)
        if (detection.score >= strong_ || (frames_ago_ <= kRemembered && is_followed(detection)))
            wanted.push_back(detection);
    if (wanted.empty()) return wanted;
    if (faces_ != Faces::all) {
        const auto nearest = [&](const Detection& a, const Detection& b) {
            return overlap(a.rect, last_[0]) < overlap(b.rect, last_[0]);
        };
        const auto smaller = [](const Detection& a, const Detection& b) { return a.rect.area() < b.rect.area(); };
        auto chosen = std::max_element(wanted.begin(), wanted.end(), smaller);
        if (faces_ == Faces::track && !last_.empty()) {
            const auto followed = std::max_element(wanted.begin(), wanted.end(), nearest);
            if (overlap(followed->rect, last_[0]) >= kSameFace) chosen = followed;
        }
        wanted = {*chosen};
    }
    last_.clear();
    for (const Detection& detection : wanted) last_.push_back(detection.rect);
    frames_ago_ = 0;
    return wanted;
}

} // namespace bifrons::data
