// data/merge/occlusion.cpp - what is in front of a face.
#include "data/merge/occlusion.h"

#include "kernels/color/gaussian_blur.h"

#include <algorithm>
#include <cmath>

namespace bifrons::data {

namespace {

constexpr float kLeastMedian = 0.03f;           ///< of the differences; noise has less
constexpr float kBegins = 4, kContinues = 1.5f; ///< medians
constexpr float kSpread = 3;

ImageF blurred(ImageF picture)
{
    const kernels::BlurShape blur{picture.H, picture.W, picture.C, float(picture.H) / 64};
    std::vector<float> scratch(picture.pixels.size());
    kernels::cpu::gaussian_blur(blur, picture.pixels.data(), picture.pixels.data(), scratch.data());
    return picture;
}

float median(std::vector<float> values)
{
    if (values.empty()) return 0;
    const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// 1 where the values begin and continue, else 0.
ImageF followed(const ImageF& odd)
{
    ImageF found(odd.H, odd.W, 1);
    std::vector<std::pair<std::int64_t, std::int64_t>> open;
    const auto take = [&](std::int64_t y, std::int64_t x, float least) {
        if (y < 0 || x < 0 || y >= odd.H || x >= odd.W || *found.at(y, x) > 0 || *odd.at(y, x) < least) return;
        *found.at(y, x) = 1;
        open.emplace_back(y, x);
    };
    for (std::int64_t y = 0; y < odd.H; ++y)
        for (std::int64_t x = 0; x < odd.W; ++x) take(y, x, kBegins);
    while (!open.empty()) {
        const auto [y, x] = open.back();
        open.pop_back();
        for (const auto& [v, u] : {std::pair{y - 1, x}, {y + 1, x}, {y, x - 1}, {y, x + 1}}) take(v, u, kContinues);
    }
    return found;
}

} // namespace

ImageF occluded(const ImageF& face, const ImageF& frame, const ImageF& mask, const ColorCluster& frame_skin)
{
    const ImageF a = blurred(face), b = blurred(frame);
    ImageF difference(mask.H, mask.W, 1);
    std::vector<float> inside;
    for (std::size_t i = 0; i < difference.pixels.size(); ++i) {
        const float *p = &a.pixels[3 * i], *q = &b.pixels[3 * i];
        difference.pixels[i] = std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
        if (mask.pixels[i] >= 0.5f) inside.push_back(difference.pixels[i]);
    }
    const float usual = std::max(median(std::move(inside)), kLeastMedian);
    ImageF odd(mask.H, mask.W, 1);
    for (std::size_t i = 0; i < odd.pixels.size(); ++i)
        if (mask.pixels[i] >= 0.5f)
            odd.pixels[i] = (1 - frame_skin.weight(&frame.pixels[3 * i])) * difference.pixels[i] / usual;
    odd = blurred(followed(odd));
    for (float& v : odd.pixels) v = std::min(1.0f, kSpread * v);
    return odd;
}

} // namespace bifrons::data
