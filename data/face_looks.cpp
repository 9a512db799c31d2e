// data/face_looks.cpp - what the pictures of faces look like.
#include "data/face_looks.h"

#include "data/resize.h"
#include "kernels/base/clones.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace bifrons::data {

namespace {

constexpr std::int64_t kSmall = 16;
constexpr int kBlack = 2;          // levels
constexpr double kAlike = 1.5;     // levels
constexpr double kPoseStep = 5;    // degrees
constexpr std::size_t kChoice = 3; // sharpest faces looked at for one that is chosen
constexpr double kDegree = M_PI / 180;

using Small = std::array<std::uint8_t, kSmall * kSmall * 3>;

BIFRONS_CLONES std::int64_t squared_distance(const std::uint8_t* a, const std::uint8_t* b)
{
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < std::tuple_size_v<Small>; ++i) {
        const std::int32_t d = std::int32_t(a[i]) - b[i];
        sum += d * d;
    }
    return sum;
}

double level_distance(std::int64_t squared)
{
    return std::sqrt(double(squared) / double(std::tuple_size_v<Small>));
}

/// Degrees, -180..180.
double hue_of(double b, double g, double r)
{
    const double x = r - (g + b) / 2, y = std::sqrt(3.0) / 2 * (g - b);
    return x == 0 && y == 0 ? 0 : std::atan2(y, x) / kDegree;
}

FaceLook look_of(const Image& picture, const Image& mask)
{
    FaceLook look;
    std::array<double, 3> sum = {};
    double weight = 0, black = 0;
    const auto pixels = std::size_t(picture.H * picture.W);
    for (std::size_t p = 0; p < pixels; ++p) {
        const std::uint8_t* const bgr = &picture.pixels[3 * p];
        black += std::max({bgr[0], bgr[1], bgr[2]}) <= kBlack;
        for (std::size_t c = 0; c < 3; ++c) sum[c] += double(mask.pixels[p]) * bgr[c];
        weight += mask.pixels[p];
    }
    if (weight > 0)
        for (double& mean : sum) mean /= weight;
    look.brightness = 100 * (0.114 * sum[0] + 0.587 * sum[1] + 0.299 * sum[2]) / 255;
    look.hue = hue_of(sum[0], sum[1], sum[2]);
    look.black = 100 * black / double(pixels);
    const Image small = resized(picture, kSmall);
    std::copy(small.pixels.begin(), small.pixels.end(), look.small.begin());
    return look;
}

Small mean_of(const std::vector<std::optional<FaceLook>>& looks, const std::vector<std::size_t>& faces)
{
    Small mean = {};
    for (std::size_t i = 0; i < mean.size(); ++i) {
        double sum = 0;
        for (const std::size_t face : faces) sum += looks[face]->small[i];
        mean[i] = std::uint8_t(std::lround(sum / double(faces.size())));
    }
    return mean;
}

/// How many to take of each group, n in all or all that there are: none gets fewer than another that has more left.
std::vector<std::size_t> shares(const std::vector<std::vector<std::size_t>>& groups, std::size_t n)
{
    std::vector<std::size_t> taken(groups.size());
    for (bool any = true; any && n > 0;) {
        any = false;
        for (std::size_t g = 0; g < groups.size() && n > 0; ++g) {
            if (taken[g] == groups[g].size()) continue;
            ++taken[g];
            --n;
            any = true;
        }
    }
    return taken;
}

/// n of the faces, the sharpest first in `sharpest`: it, and those farthest from all chosen before.
std::vector<std::size_t> unlike(const std::vector<std::size_t>& sharpest,
                                const std::vector<std::optional<FaceLook>>& looks, std::size_t n)
{
    std::vector<std::size_t> left(sharpest.begin(),
                                  sharpest.begin() + std::ptrdiff_t(std::min(sharpest.size(), kChoice * n)));
    std::vector<double> nearest(left.size(), std::numeric_limits<double>::infinity());
    std::vector<std::size_t> chosen;
    while (chosen.size() < n) {
        const auto farthest = std::max_element(nearest.begin(), nearest.end()) - nearest.begin();
        const std::size_t face = left[std::size_t(farthest)];
        chosen.push_back(face);
        for (std::size_t i = 0; i < left.size(); ++i)
            nearest[i] = std::min(nearest[i], distance(*looks[left[i]], *looks[face]));
        nearest[std::size_t(farthest)] = -1; // not twice
    }
    return chosen;
}

} // namespace

double distance(const FaceLook& a, const FaceLook& b)
{
    return level_distance(squared_distance(a.small.data(), b.small.data()));
}

FaceLooks looks_of(const Faceset& set, const WorkOptions& options)
{
    FaceLooks looks;
    const std::size_t n = set.faces.size();
    looks.of.resize(n);
    std::vector<std::string> faults = for_each_face(n, 0, std::int64_t(n), options, [&](std::size_t i) {
        looks.of[i] = look_of(load_face(set, i), load_mask(set, i));
    });
    std::erase(faults, "");
    looks.unreadable = std::move(faults);
    return looks;
}

std::vector<Link> by_likeness(const std::vector<std::optional<FaceLook>>& looks)
{
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < looks.size(); ++i)
        if (looks[i]) left.push_back(i);
    std::vector<Link> chain;
    if (left.empty()) return chain;
    Small last = mean_of(looks, left);
    while (!left.empty()) {
        std::size_t nearest = 0;
        std::int64_t least = std::numeric_limits<std::int64_t>::max();
        for (std::size_t i = 0; i < left.size(); ++i) {
            const std::int64_t squared = squared_distance(last.data(), looks[left[i]]->small.data());
            if (squared < least) least = squared, nearest = i;
        }
        chain.push_back({left[nearest], chain.empty() ? 0 : level_distance(least)});
        last = looks[left[nearest]]->small;
        left.erase(left.begin() + std::ptrdiff_t(nearest));
    }
    return chain;
}

BestFaces best_faces(const Faceset& set, const std::vector<std::size_t>& faces,
                     const std::vector<std::optional<FaceLook>>& looks, std::size_t n)
{
    const auto by_sharpness = [&](std::size_t a, std::size_t b) {
        return set.faces[a].sharpness > set.faces[b].sharpness;
    };
    std::vector<std::size_t> sharpest;
    for (const std::size_t face : faces)
        if (looks.at(face)) sharpest.push_back(face);
    std::stable_sort(sharpest.begin(), sharpest.end(), by_sharpness);
    BestFaces best;
    std::map<std::pair<double, double>, std::vector<std::size_t>> by_pose;
    for (const std::size_t face : sharpest) {
        const Pose& pose = set.faces[face].pose;
        std::vector<std::size_t>& group = by_pose[{std::floor(pose.yaw / kDegree / kPoseStep), //
                                                   std::floor(pose.pitch / kDegree / kPoseStep)}];
        const bool alike = std::any_of(group.begin(), group.end(), [&](std::size_t other) {
            return distance(*looks[face], *looks[other]) < kAlike;
        });
        if (!alike) group.push_back(face);
        best.alike += alike;
    }
    std::vector<std::vector<std::size_t>> groups;
    for (auto& [pose, group] : by_pose) groups.push_back(std::move(group));
    // Where there are more poses than faces wanted, those with the sharpest faces are first.
    std::stable_sort(groups.begin(), groups.end(),
                     [&](const auto& a, const auto& b) { return by_sharpness(a.front(), b.front()); });
    const std::vector<std::size_t> taken = shares(groups, n);
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::vector<std::size_t> chosen = unlike(groups[g], looks, taken[g]);
        best.faces.insert(best.faces.end(), chosen.begin(), chosen.end());
    }
    std::stable_sort(best.faces.begin(), best.faces.end(), by_sharpness);
    return best;
}

} // namespace bifrons::data
