// data/merge/sharpen.cpp - gives a pasted face the detail of the frame around it.
#include "data/merge/sharpen.h"

#include "data/warp.h"
#include "kernels/color/gaussian_blur.h"

#include <algorithm>
#include <cmath>

namespace bifrons::data {

namespace {

/// Sum of m (L p)(L q) over all pixels and channels.
double laplacian_product(const ImageF& p, const ImageF& q, const ImageF& mask)
{
    double sum = 0;
    for (std::int64_t y = 1; y + 1 < p.H; ++y)
        for (std::int64_t x = 1; x + 1 < p.W; ++x) {
            const double weight = *mask.at(y, x);
            if (weight <= 0) continue;
            const auto laplacian = [&](const ImageF& image, int c) {
                const auto at = [&](std::int64_t i, std::int64_t j) { return double(image.at(y + i, x + j)[c]); };
                return 4 * at(0, 0) - at(-1, 0) - at(1, 0) - at(0, -1) - at(0, 1);
            };
            for (int c = 0; c < 3; ++c) sum += weight * laplacian(p, c) * laplacian(q, c);
        }
    return sum;
}

/// What a Gaussian takes away of a picture's luma, in each of three channels. Near the edge it is a mean over what lies
/// inside.
ImageF detail_of(const ImageF& image, double sigma)
{
    const auto blurred = [&](const ImageF& of) {
        ImageF out = of;
        std::vector<float> scratch(of.pixels.size());
        const kernels::BlurShape blur{of.H, of.W, 1, float(sigma)};
        kernels::cpu::gaussian_blur(blur, of.pixels.data(), out.pixels.data(), scratch.data());
        return out;
    };
    ImageF ones(image.H, image.W, 1);
    std::fill(ones.pixels.begin(), ones.pixels.end(), 1.0f);
    const ImageF grey = to_grey(image), share_inside = blurred(ones), smooth = blurred(grey);
    ImageF detail(image.H, image.W, 3);
    for (std::size_t i = 0; i < detail.pixels.size(); ++i)
        detail.pixels[i] = grey.pixels[i / 3] - smooth.pixels[i / 3] / share_inside.pixels[i / 3];
    return detail;
}

/// The positive root of c a^2 + 2 b a + difference = 0, where difference < 0.
double positive_root(double c, double b, double difference)
{
    return c > 0 ? (-b + std::sqrt(b * b - c * difference)) / c : 0;
}

} // namespace

double sharpen(ImageF& face, const ImageF& frame, const ImageF& mask, double share, double sigma)
{
    const double lacking = laplacian_product(face, face, mask) - share * share * laplacian_product(frame, frame, mask);
    if (lacking >= 0) return 0;
    const ImageF detail = detail_of(face, sigma);
    const double a = std::min(kMostSharpening, positive_root(laplacian_product(detail, detail, mask),
                                                             laplacian_product(face, detail, mask), lacking));
    for (std::size_t i = 0; i < face.pixels.size(); ++i) face.pixels[i] += float(a) * detail.pixels[i];
    return a;
}

} // namespace bifrons::data
