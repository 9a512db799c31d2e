// data/extract/track.cpp - which of a frame's faces are used.
#include "data/extract/track.h"

#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::data {

namespace {
constexpr double kSameFace = 0.2; ///< overlap from one frame to the next
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

std::vector<Detection> Tracker::select(const std::vector<Detection>& detections)
{
    if (faces_ == Faces::all || detections.empty()) return detections;
    const auto nearest = [&](const Detection& a, const Detection& b) {
        return overlap(a.rect, *last_) < overlap(b.rect, *last_);
    };
    const auto smaller = [](const Detection& a, const Detection& b) { return a.rect.area() < b.rect.area(); };
    auto chosen = std::max_element(detections.begin(), detections.end(), smaller);
    if (faces_ == Faces::track && last_) {
        const auto followed = std::max_element(detections.begin(), detections.end(), nearest);
        if (overlap(followed->rect, *last_) >= kSameFace) chosen = followed;
    }
    last_ = chosen->rect;
    return {*chosen};
}

} // namespace bifrons::data
