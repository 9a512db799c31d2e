// data/jitter.cpp - how unsteady a face is from frame to frame.
#include "data/jitter.h"

#include "data/hull.h"

#include <cmath>

namespace bifrons::data {

namespace {

constexpr std::size_t kFirst = 17, kEnd = 48; // brows, nose, eyes

/// Mean of size(before, now, after) over all moments whose three frames are there.
template <class T, class Size>
std::optional<double> mean_over_moments(const std::vector<std::optional<T>>& frames, const Size& size)
{
    double sum = 0;
    std::int64_t moments = 0;
    for (std::size_t t = 1; t + 1 < frames.size(); ++t) {
        if (!frames[t - 1] || !frames[t] || !frames[t + 1]) continue;
        sum += size(*frames[t - 1], *frames[t], *frames[t + 1]);
        ++moments;
    }
    return moments > 0 ? std::optional<double>(sum / double(moments)) : std::nullopt;
}

Point mean_point(const Landmarks& points, std::size_t begin, std::size_t end)
{
    Point mean;
    for (std::size_t i = begin; i < end; ++i) {
        mean.x += points[i].x / double(end - begin);
        mean.y += points[i].y / double(end - begin);
    }
    return mean;
}

double eye_distance(const Landmarks& points)
{
    const Point left = mean_point(points, 36, 42), right = mean_point(points, 42, 48);
    return std::hypot(right.x - left.x, right.y - left.y);
}

} // namespace

std::optional<double> landmark_jitter(const std::vector<std::optional<Landmarks>>& frames)
{
    double distance = 0;
    std::int64_t faces = 0;
    for (const std::optional<Landmarks>& points : frames)
        if (points) distance += eye_distance(*points), ++faces;
    const auto size = [](const Landmarks& before, const Landmarks& now, const Landmarks& after) {
        double sum = 0;
        for (std::size_t i = kFirst; i < kEnd; ++i)
            sum += std::hypot(after[i].x - 2 * now[i].x + before[i].x, after[i].y - 2 * now[i].y + before[i].y);
        return sum / double(kEnd - kFirst);
    };
    const std::optional<double> px = mean_over_moments(frames, size);
    return px ? std::optional<double>(*px / (distance / double(faces))) : std::nullopt;
}

std::optional<double> colour_jitter(const std::vector<std::optional<Colour>>& frames)
{
    return mean_over_moments(frames, [](const Colour& before, const Colour& now, const Colour& after) {
        double sum = 0;
        for (std::size_t c = 0; c < 3; ++c) sum += std::abs(after[c] - 2 * now[c] + before[c]) / 3;
        return sum;
    });
}

std::optional<Colour> face_colour(const Image& frame, const Landmarks& points)
{
    const Image mask = hull_mask(points, frame.H, frame.W);
    Colour sum = {};
    double weights = 0;
    for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
        const double m = double(mask.pixels[i]);
        weights += m;
        for (std::size_t c = 0; c < 3; ++c) sum[c] += m * double(frame.pixels[3 * i + c]);
    }
    if (weights == 0) return std::nullopt;
    for (double& value : sum) value /= weights;
    return sum;
}

} // namespace bifrons::data
