// data/merge/mask.cpp - which pixels of a face picture are pasted.
#include "data/merge/mask.h"

#include "data/hull.h"
#include "kernels/color/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bifrons::data {

namespace {

constexpr double kReferenceSide = 256;
constexpr double kAroundBrows = 4; ///< px of the reference: landmarks run along the middle of a brow
/// Farther than any two pixels, and small enough that its square and sums stay exact.
constexpr double kFar = 1 << 20;

/// d[i] = min_j (i - j)^2 + f[j]: one axis of the distance transform (Felzenszwalb & Huttenlocher 2012, Theory of
/// Computing 8:415). Each parabola of the lower envelope rules from `from` on.
void squared_distance_line(const std::vector<double>& f, std::vector<double>& d)
{
    struct Parabola {
        std::size_t at;
        double from;
    };
    std::vector<Parabola> envelope;
    const auto meets = [&](std::size_t a, std::size_t b) { // where that of b begins to be lower than that of a < b
        const double fa = f[a] + double(a) * double(a), fb = f[b] + double(b) * double(b);
        return (fb - fa) / (2 * (double(b) - double(a)));
    };
    for (std::size_t j = 0; j < f.size(); ++j) {
        while (!envelope.empty() && meets(envelope.back().at, j) <= envelope.back().from) envelope.pop_back();
        envelope.push_back({j, envelope.empty() ? -kFar : meets(envelope.back().at, j)});
    }
    std::size_t k = 0;
    for (std::size_t i = 0; i < f.size(); ++i) {
        while (k + 1 < envelope.size() && envelope[k + 1].from < double(i)) ++k;
        const double step = double(i) - double(envelope[k].at);
        d[i] = step * step + f[envelope[k].at];
    }
}

/// Distance in px of every pixel to the nearest one with mask >= 1/2, or < 1/2 for inside = false. One row and column
/// of outside pixels is taken to lie around the picture.
ImageF distance_to(const ImageF& mask, bool inside)
{
    const std::size_t H = std::size_t(mask.H) + 2, W = std::size_t(mask.W) + 2;
    std::vector<double> squared(H * W), line, moved;
    for (std::size_t y = 0; y < H; ++y)
        for (std::size_t x = 0; x < W; ++x) {
            const bool around = y == 0 || x == 0 || y == H - 1 || x == W - 1;
            const bool is_inside = !around && *mask.at(std::int64_t(y) - 1, std::int64_t(x) - 1) >= 0.5f;
            squared[y * W + x] = is_inside == inside ? 0 : kFar * kFar;
        }
    const auto along = [&](std::size_t count, std::size_t first, std::size_t step) {
        line.resize(count);
        moved.resize(count);
        for (std::size_t i = 0; i < count; ++i) line[i] = squared[first + i * step];
        squared_distance_line(line, moved);
        for (std::size_t i = 0; i < count; ++i) squared[first + i * step] = moved[i];
    };
    for (std::size_t x = 0; x < W; ++x) along(H, x, W);
    for (std::size_t y = 0; y < H; ++y) along(W, y * W, 1);
    ImageF distance(mask.H, mask.W, 1);
    for (std::int64_t y = 0; y < mask.H; ++y)
        for (std::int64_t x = 0; x < mask.W; ++x)
            *distance.at(y, x) = float(std::sqrt(squared[std::size_t(y + 1) * W + std::size_t(x + 1)]));
    return distance;
}

/// How much each side counts in the direction of a point from the mask's middle.
class Directions {
  public:
    explicit Directions(const ImageF& mask)
    {
        double x = 0, y = 0, sum = 0;
        for (std::int64_t v = 0; v < mask.H; ++v)
            for (std::int64_t u = 0; u < mask.W; ++u) {
                const double m = *mask.at(v, u);
                x += m * double(u), y += m * double(v), sum += m;
            }
        if (sum > 0) middle_ = {x / sum, y / sum};
    }
    double width(const Sides& sides, std::int64_t y, std::int64_t x) const
    {
        const double dx = double(x) - middle_.x, dy = double(y) - middle_.y, squared = dx * dx + dy * dy;
        if (squared == 0) return sides.top;
        return (dx * dx * (dx < 0 ? sides.left : sides.right) + dy * dy * (dy < 0 ? sides.top : sides.bottom)) /
               squared;
    }

  private:
    Point middle_ = {};
};

/// Of all sides: f(a's, b's).
template <class F>
Sides combined(const Sides& a, const Sides& b, const F& f)
{
    return {f(a.top, b.top), f(a.bottom, b.bottom), f(a.left, b.left), f(a.right, b.right)};
}

/// The region whose edge lies `px` further inwards, anti-aliased.
ImageF moved_inwards(const ImageF& mask, const Sides& px, const Directions& directions)
{
    const ImageF to_outside = distance_to(mask, false), to_inside = distance_to(mask, true);
    ImageF moved(mask.H, mask.W, 1);
    for (std::int64_t y = 0; y < mask.H; ++y)
        for (std::int64_t x = 0; x < mask.W; ++x) {
            const double outside = *to_outside.at(y, x), inside = *to_inside.at(y, x);
            // The edge lies half-way between an inside pixel and its outside neighbour.
            const double from_edge = outside > 0 ? outside - 0.5 : 0.5 - inside;
            *moved.at(y, x) = float(std::clamp(from_edge - directions.width(px, y, x) + 0.5, 0.0, 1.0));
        }
    return moved;
}

/// A Gaussian that falls from 1 to 0 over `width` px.
ImageF blurred(ImageF mask, double width)
{
    const kernels::BlurShape blur{mask.H, mask.W, 1, float(width / 6)}; // three sigmas on either side
    if (blur.sigma < 0.1f) return mask;
    std::vector<float> scratch(mask.pixels.size());
    kernels::cpu::gaussian_blur(blur, mask.pixels.data(), mask.pixels.data(), scratch.data());
    return mask;
}

/// The same with a width for each side.
ImageF blurred(const ImageF& mask, const Sides& widths, const Directions& directions)
{
    if (widths == Sides(widths.top)) return blurred(mask, widths.top);
    ImageF sum(mask.H, mask.W, 1);
    for (double Sides::*side : {&Sides::top, &Sides::bottom, &Sides::left, &Sides::right}) {
        const ImageF of_side = blurred(mask, widths.*side);
        Sides share = 0.0;
        share.*side = 1;
        for (std::int64_t y = 0; y < mask.H; ++y)
            for (std::int64_t x = 0; x < mask.W; ++x)
                *sum.at(y, x) += float(directions.width(share, y, x)) * *of_side.at(y, x);
    }
    return sum;
}

/// The outermost `px` pixels on every side.
void clear_border(ImageF& mask, std::int64_t px)
{
    for (std::int64_t y = 0; y < mask.H; ++y)
        for (std::int64_t x = 0; x < mask.W; ++x)
            if (std::min({x, y, mask.W - 1 - x, mask.H - 1 - y}) < px) *mask.at(y, x) = 0;
}

/// The brows and what a mask needs around them to be whole on them once it is feathered over `width` px.
ImageF around_brows(std::span<const Landmarks> faces, double width, std::int64_t H, std::int64_t W)
{
    return brows_mask(faces, kAroundBrows * double(H) / kReferenceSide + width / 2, H, W);
}

ImageF hull_with_brows(std::span<const Landmarks> faces, std::int64_t side)
{
    ImageF mask = to_float(hull_mask(faces[0], side, side));
    const ImageF brows = around_brows(faces, 0, side, side);
    for (std::size_t i = 0; i < mask.pixels.size(); ++i) mask.pixels[i] = std::max(mask.pixels[i], brows.pixels[i]);
    return mask;
}

} // namespace

ImageF face_mask(MaskKind kind, std::span<const Landmarks> faces, std::int64_t side, const ImageF& predicted,
                 const ImageF& own)
{
    if (kind == MaskKind::predicted) return predicted;
    ImageF mask = own.pixels.empty() ? hull_with_brows(faces, side) : own;
    if (kind == MaskKind::product)
        for (std::size_t i = 0; i < mask.pixels.size(); ++i) mask.pixels[i] *= predicted.pixels[i];
    return mask;
}

void cut_hair(ImageF& mask, const ImageF& picture, const ColorCluster& skin, const Landmarks& face)
{
    double brows_and_eyes = 0;
    for (std::size_t i = 17; i < 27; ++i) brows_and_eyes += face[i].y / 20;
    for (std::size_t i = 36; i < 48; ++i) brows_and_eyes += face[i].y / 24;
    const auto rows = std::clamp<std::int64_t>(std::int64_t(brows_and_eyes), 0, mask.H);
    const ImageF brows = around_brows({&face, 1}, 0, mask.H, mask.W);
    const auto may_be_hair = [&](std::int64_t y, std::int64_t x) {
        return *mask.at(y, x) > 0 && *brows.at(y, x) < 0.5f && skin.weight(picture.at(y, x)) < 0.5f;
    };
    // What is outside spreads into it.
    std::vector<std::pair<std::int64_t, std::int64_t>> open;
    for (std::int64_t y = 0; y < rows; ++y)
        for (std::int64_t x = 0; x < mask.W; ++x)
            if (*mask.at(y, x) == 0) open.emplace_back(y, x);
    for (std::int64_t x = 0; x < mask.W; ++x) open.emplace_back(-1, x);
    while (!open.empty()) {
        const auto [y, x] = open.back();
        open.pop_back();
        for (const auto& [v, u] : {std::pair{y - 1, x}, {y + 1, x}, {y, x - 1}, {y, x + 1}}) {
            if (v < 0 || v >= rows || u < 0 || u >= mask.W || !may_be_hair(v, u)) continue;
            *mask.at(v, u) = 0;
            open.emplace_back(v, u);
        }
    }
}

ImageF shrink_and_feather(const ImageF& mask, const Sides& erode_px, const Sides& feather_px,
                          std::span<const Landmarks> brows)
{
    const double scale = double(mask.H) / kReferenceSide;
    const Directions directions(mask);
    const Sides widths = combined(feather_px, feather_px, [&](double px, double) { return px * scale; });
    // Half the fall lies on either side of a Gaussian's edge, so the edge goes that much further in.
    const Sides inwards = combined(erode_px, widths, [&](double px, double width) { return px * scale + width / 2; });
    ImageF out = inwards != Sides(0) ? moved_inwards(mask, inwards, directions) : mask;
    const ImageF kept = around_brows(brows, widths.top, mask.H, mask.W);
    for (std::size_t i = 0; i < out.pixels.size(); ++i)
        out.pixels[i] = std::max(out.pixels[i], std::min(kept.pixels[i], mask.pixels[i]));
    // A face that reaches beyond the picture fades before its edge, else a straight line would run through the frame.
    const double widest = std::max({widths.top, widths.bottom, widths.left, widths.right});
    clear_border(out, std::max(std::int64_t(1), std::int64_t(std::ceil(widest / 2))));
    out = blurred(out, widths, directions);
    clear_border(out, 1);
    return out;
}

} // namespace bifrons::data
