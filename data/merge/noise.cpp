// data/merge/noise.cpp - grain of the frame for the face.
#include "data/merge/noise.h"

#include "data/warp.h"
#include "kernels/base/rng.h"

#include <algorithm>
#include <cmath>

namespace bifrons::data {

namespace {

constexpr std::uint32_t kPurpose = 0x6E6F; ///< of the random numbers

} // namespace

double noise_level(const ImageF& picture, const ImageF& mask)
{
    const ImageF grey = to_grey(picture);
    std::vector<float> found;
    for (std::int64_t y = 1; y + 1 < picture.H; ++y)
        for (std::int64_t x = 1; x + 1 < picture.W; ++x) {
            if (*mask.at(y, x) <= 0.5f) continue;
            const auto row = [&](std::int64_t i) {
                return *grey.at(i, x - 1) - 2 * *grey.at(i, x) + *grey.at(i, x + 1);
            };
            found.push_back(std::abs(row(y - 1) - 2 * row(y) + row(y + 1)));
        }
    if (found.empty()) return 0;
    const auto middle = found.begin() + std::ptrdiff_t(found.size() / 2);
    std::nth_element(found.begin(), middle, found.end());
    return double(*middle) / (6 * 0.6745);
}

void add_noise(ImageF& picture, double sigma, std::int64_t frame)
{
    kernels::Rng random(0, std::uint64_t(frame), 0, kPurpose);
    for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
        const float noise = float(sigma) * random.normal();
        for (std::size_t c = 0; c < 3; ++c) picture.pixels[i + c] += noise;
    }
}

} // namespace bifrons::data
