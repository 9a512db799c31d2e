// data/merge/merge.cpp - puts a predicted face into its frame.
#include "data/merge/merge.h"

#include "data/merge/boundary.h"
#include "data/merge/compress.h"
#include "data/merge/motion_blur.h"
#include "data/merge/noise.h"
#include "data/merge/occlusion.h"
#include "data/merge/sharpen.h"
#include "data/warp.h"
#include "kernels/color/color.h"
#include "kernels/color/gaussian_blur.h"
#include "kernels/color/lab.h"
#include "kernels/poisson/poisson.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bifrons::data {

namespace {

constexpr double kLightSigma = 1.0 / 8;    ///< of the face picture's side
constexpr double kAwayFromEdge = 8;        ///< px of a 256 px face: farther in than where hair and background show
constexpr float kTolerance = 0.1f / 255;   ///< of the Poisson solution: a tenth of a grey level
constexpr float kLeastWeight = 0.5f / 255; ///< of the mask: below it nothing would change

template <class Kind, std::size_t n>
Kind kind_of(const std::string& name, const char* what, const Kind (&kinds)[n])
{
    std::string names;
    for (const Kind kind : kinds) {
        if (name == name_of(kind)) return kind;
        names += str(names.empty() ? "" : ", ", name_of(kind));
    }
    throw Error(ErrorKind::usage, str(what, " \"", name, "\" is unknown; expected one of ", names));
}

void check_range(const char* name, double value, double low, double high)
{
    BIFRONS_CHECK(usage, value >= low && value <= high, "merge: ", name, " is ", value, "; expected ", low, "..", high);
}

void check_range(const char* name, const Sides& sides, double low, double high)
{
    for (const double value : {sides.top, sides.bottom, sides.left, sides.right}) check_range(name, value, low, high);
}

/// NaN becomes 0.
void clip(ImageF& image)
{
    for (float& v : image.pixels) v = v > 0 ? std::min(v, 1.0f) : 0.0f;
}

/// Where the mask is not 0, and the two pixels around it to which interpolation spreads it.
Rect box_of(const ImageF& mask)
{
    Rect box{1e300, 1e300, -1e300, -1e300};
    for (std::int64_t y = 0; y < mask.H; ++y)
        for (std::int64_t x = 0; x < mask.W; ++x)
            if (*mask.at(y, x) > 0)
                box = {std::min(box.left, double(x) - 2), std::min(box.top, double(y) - 2),
                       std::max(box.right, double(x) + 2), std::max(box.bottom, double(y) + 2)};
    return box;
}

/// Takes out of a region's mask what `visible` does not show.
void keep_visible(ImageF& mask, std::int64_t top, std::int64_t left, const Image& visible)
{
    for (std::int64_t y = 1; y < mask.H - 1; ++y)
        for (std::int64_t x = 1; x < mask.W - 1; ++x) *mask.at(y, x) *= float(*visible.at(top + y, left + x)) / 255;
}

/// The part of the mask where both pictures show skin: hair and glasses of one have no share in its colours.
ImageF skin_of_both(const ImageF& a, const ColorCluster& of_a, const ImageF& b, const ColorCluster& of_b, ImageF mask)
{
    for (std::size_t i = 0; i < mask.pixels.size(); ++i)
        if (mask.pixels[i] > 0) mask.pixels[i] *= of_a.weight(&a.pixels[3 * i]) * of_b.weight(&b.pixels[3 * i]);
    return mask;
}

} // namespace

const char* name_of(MaskKind kind)
{
    return kind == MaskKind::hull ? "hull" : kind == MaskKind::predicted ? "predicted" : "product";
}

const char* name_of(ColorKind kind)
{
    constexpr const char* kNames[] = {"none", "rct", "lct", "mkl", "idt", "sot"};
    return kNames[std::size_t(kind)];
}

const char* name_of(BlendKind kind)
{
    return kind == BlendKind::none ? "none" : kind == BlendKind::feather ? "feather" : "poisson";
}

MaskKind mask_kind_of(const std::string& name)
{
    return kind_of(name, "mask", {MaskKind::hull, MaskKind::predicted, MaskKind::product});
}

ColorKind color_kind_of(const std::string& name)
{
    return kind_of(name, "color",
                   {ColorKind::none, ColorKind::rct, ColorKind::lct, ColorKind::mkl, ColorKind::idt, ColorKind::sot});
}

BlendKind blend_kind_of(const std::string& name)
{
    return kind_of(name, "blend", {BlendKind::none, BlendKind::feather, BlendKind::poisson});
}

double default_erode(BlendKind blend)
{
    return blend == BlendKind::poisson ? 10 : 4;
}

void check(const MergeOptions& options)
{
    check_range("erode", options.erode_px.value_or(0.0), -100, 100);
    check_range("feather", options.feather_px, 0, 100);
    check_range("alpha", options.alpha, 0, 1);
    check_range("beta", options.beta, 0, 1);
    check_range("sharpen", options.sharpen, 0, 1);
    check_range("noise", options.noise, 0, 1);
    check_range("compress", options.compress, 0, 1);
    check_range("motion_blur", options.motion_blur, 0, 1);
    check_range("scale", options.scale, 0.5, 2);
    check_range("shift_x", options.shift_x, -50, 50);
    check_range("shift_y", options.shift_y, -50, 50);
    check_range("exclude", options.exclude, 0, 1);
    check_range("opacity", options.opacity, 0, 1);
}

Affine frame_from_face(const PredictedFace& face, const MergeOptions& options)
{
    const double side = double(face.face.H), middle = (side - 1) / 2, s = options.scale;
    const Affine moved{{s, 0, middle * (1 - s) + options.shift_x / 100 * side, //
                        0, s, middle * (1 - s) + options.shift_y / 100 * side}};
    return face.face_from_frame.inverse().after(moved);
}

Merger::Merger(const MergeOptions& options, const std::string& device)
    : options_(options), device_(kernels::open_device(device)), scratch_(*device_)
{
    data::check(options);
}

void Merger::set(const MergeOptions& options)
{
    data::check(options);
    options_ = options;
}

Layer Merger::draw(const Canvas& canvas, const PredictedFace& face)
{
    const Prepared prepared = prepare(canvas.frame, face, options_.color);
    const Affine placed = frame_from_face(face, options_);
    Region region = canvas.deep ? cut(*canvas.deep, placed, prepared.picture, prepared.mask)
                                : cut(canvas.frame, placed, prepared.picture, prepared.mask);
    if (region.H == 0 || region.W == 0) return {};
    if (canvas.visible) keep_visible(region.mask, region.top, region.left, *canvas.visible);
    match_detail(region, face);
    if (options_.blend == BlendKind::poisson) clone(region, prepared);
    Layer layer{region.top, region.left, std::move(region.face), ImageF(region.H, region.W, 1)};
    clip(layer.colour);
    for (std::int64_t y = 1; y < region.H - 1; ++y)
        for (std::int64_t x = 1; x < region.W - 1; ++x) {
            const float weight = float(options_.opacity) * *region.mask.at(y, x);
            if (weight >= kLeastWeight) *layer.weight.at(y, x) = weight;
        }
    return layer;
}

/// Sharpness, noise and motion blur of the frame for the face.
void Merger::match_detail(Region& region, const PredictedFace& face) const
{
    if (options_.sharpen > 0) {
        // Detail that the network could draw is as wide as its pixels are in the frame.
        const double sigma = std::max(1.0, face.face_from_frame.inverse().scale());
        sharpen(region.face, region.target, region.mask, options_.sharpen, sigma);
    }
    const Point motion = {options_.motion_blur * face.motion.x, options_.motion_blur * face.motion.y};
    motion_blur(region.face, motion);
    if (options_.noise > 0) {
        const double wanted = options_.noise * noise_level(region.target, region.mask),
                     has = noise_level(region.face, region.mask);
        if (wanted > has) add_noise(region.face, std::sqrt(wanted * wanted - has * has), face.frame);
    }
    if (options_.compress > 0) compress(region.face, options_.compress, region.top, region.left);
    clip(region.face);
}

double Merger::color_difference(const Image& frame, const PredictedFace& face, ColorKind color)
{
    Prepared p = prepare(frame, face, color);
    const std::int64_t side = p.mask.H;
    for (ImageF* picture : {&p.picture, &p.target}) {
        const kernels::BlurShape blur{side, side, 3, float(side) / 32};
        std::vector<float> scratch(picture->pixels.size());
        kernels::cpu::gaussian_blur(blur, picture->pixels.data(), picture->pixels.data(), scratch.data());
    }
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < p.mask.pixels.size(); ++i) {
        const float m = p.mask.pixels[i], fading = 4 * m * (1 - m);
        if (fading == 0) continue;
        const float *drawn = &p.picture.pixels[3 * i], *wanted = &p.target.pixels[3 * i];
        const double weight = double(fading) * double(p.frame_skin.weight(wanted));
        float a[3], b[3];
        kernels::pixel_to_lab(drawn, a);
        kernels::pixel_to_lab(wanted, b);
        sum += weight * std::hypot(double(a[0] - b[0]), double(a[1] - b[1]), double(a[2] - b[2]));
        weights += weight;
    }
    return weights > 0 ? sum / weights : 0;
}

void Merger::check(const Image& frame, const PredictedFace& face) const
{
    const std::int64_t side = face.face.H;
    BIFRONS_CHECK(shape, side >= 8 && face.face.W == side && face.face.C == 3 && frame.C == 3, "merge: the face is ",
                  face.face.H, "x", face.face.W, "x", face.face.C, ", the frame has ", frame.C,
                  " channels; expected a square of at least 8 px and 3 channels");
    const bool predicted = options_.mask != MaskKind::hull;
    BIFRONS_CHECK(usage, !predicted || !face.mask.pixels.empty(), "merge: mask \"", name_of(options_.mask),
                  "\" needs a predicted mask, which this model does not have. Use --mask hull.");
    BIFRONS_CHECK(shape, !predicted || (face.mask.H == side && face.mask.W == side && face.mask.C == 1),
                  "merge: the mask is ", face.mask.H, "x", face.mask.W, "x", face.mask.C, "; expected ", side, "x",
                  side, "x1");
    const ImageF& own = face.own_mask;
    BIFRONS_CHECK(shape, own.pixels.empty() || (own.H == side && own.W == side && own.C == 1),
                  "merge: the face's own mask is ", own.H, "x", own.W, "x", own.C, "; expected ", side, "x", side,
                  "x1");
}

Merger::Prepared Merger::prepare(const Image& frame, const PredictedFace& face, ColorKind color)
{
    check(frame, face);
    const std::int64_t side = face.face.H;
    std::vector<Landmarks> faces = {face.face_from_frame(face.in_frame)};
    if (face.drawn) faces.push_back(*face.drawn);
    ImageF mask = face_mask(options_.mask, faces, side, face.mask, face.own_mask);
    clip(mask);
    ImageF picture = face.face;
    ImageF target =
        face.replaced.pixels.empty() ? to_float(warp(frame, face.face_from_frame, side, side)) : face.replaced;
    clip(picture);

    const ImageF inner = shrink_and_feather(mask, kAwayFromEdge, 0);
    const ColorCluster frame_skin(target, inner);
    if (options_.alpha > 0 && color != ColorKind::none) {
        const bool maps_each_pixel = color == ColorKind::rct || color == ColorKind::lct || color == ColorKind::mkl;
        const ColorCluster drawn_skin(picture, inner);
        take_colors(picture, target,
                    maps_each_pixel ? skin_of_both(picture, drawn_skin, target, frame_skin, inner) : mask, color);
    }
    if (options_.beta > 0) take_light(picture, target, mask);
    const ColorCluster face_skin(picture, inner);
    cut_hair(mask, picture, face_skin, faces.back());
    const Sides erode = options_.erode_px.value_or(default_erode(options_.blend));
    const Sides feather = options_.blend == BlendKind::none ? Sides(0) : options_.feather_px;
    ImageF soft = shrink_and_feather(mask, erode, feather, faces);
    if (options_.exclude > 0) {
        const ImageF in_front = occluded(picture, target, mask, frame_skin);
        for (std::size_t i = 0; i < soft.pixels.size(); ++i)
            soft.pixels[i] *= 1 - float(options_.exclude) * in_front.pixels[i];
    }
    return {std::move(picture), std::move(target), std::move(soft), face_skin, frame_skin};
}

/// picture becomes (1 - alpha) picture + alpha transfer(picture); mask: where colours are measured.
void Merger::take_colors(ImageF& picture, const ImageF& target, const ImageF& mask, ColorKind color)
{
    const kernels::MatchShape match{.H = picture.H, .W = picture.W, .kind = color};
    const std::size_t bytes = picture.pixels.size() * sizeof(float);
    scratch_.begin({bytes, bytes, mask.pixels.size() * sizeof(float),
                    kernels::MatchColors{.s = match}.cost(device_->target()).workspace_bytes});
    const kernels::View x = scratch_.upload(picture.pixels);
    const kernels::ConstView t = scratch_.upload(target.pixels), m = scratch_.upload(mask.pixels);
    kernels::run(scratch_.exec(), kernels::MatchColors{match, x, t, m, nullptr, x});
    std::vector<float> matched(picture.pixels.size());
    scratch_.download(x, matched);
    for (std::size_t i = 0; i < matched.size(); ++i)
        picture.pixels[i] += float(options_.alpha) * (matched[i] - picture.pixels[i]);
    clip(picture);
}

void Merger::take_light(ImageF& picture, const ImageF& target, const ImageF& mask)
{
    const kernels::LightShape shape{picture.H, picture.W, float(kLightSigma * double(picture.H))};
    const std::size_t bytes = picture.pixels.size() * sizeof(float);
    scratch_.begin({bytes, bytes, mask.pixels.size() * sizeof(float),
                    kernels::LightTransfer{.s = shape}.cost(device_->target()).workspace_bytes});
    const kernels::View x = scratch_.upload(picture.pixels);
    const kernels::ConstView t = scratch_.upload(target.pixels), m = scratch_.upload(mask.pixels);
    kernels::run(scratch_.exec(), kernels::LightTransfer{shape, x, t, m, float(options_.beta), x});
    scratch_.download(x, picture.pixels);
    clip(picture);
}

/// The part of the frame that the face picture covers, and that picture and its mask laid over it.
template <class T>
Merger::Region Merger::cut(const Picture<T>& frame, const Affine& frame_from_face, const ImageF& face,
                           const ImageF& mask) const
{
    const Rect used = box_of(mask);
    if (used.area() == 0) return {};
    Rect box{1e300, 1e300, -1e300, -1e300};
    for (const Point corner : {Point{used.left, used.top}, Point{used.right, used.top}, Point{used.left, used.bottom},
                               Point{used.right, used.bottom}}) {
        const Point p = frame_from_face(corner);
        box = {std::min(box.left, p.x), std::min(box.top, p.y), std::max(box.right, p.x), std::max(box.bottom, p.y)};
    }
    const double W = double(frame.W), H = double(frame.H);
    const auto left = std::int64_t(std::floor(std::clamp(box.left, 0.0, W))),
               right = std::int64_t(std::ceil(std::clamp(box.right, -1.0, W - 1))) + 1,
               top = std::int64_t(std::floor(std::clamp(box.top, 0.0, H))),
               bottom = std::int64_t(std::ceil(std::clamp(box.bottom, -1.0, H - 1))) + 1;
    if (right <= left || bottom <= top) return {};

    Region region{top - 1, left - 1, bottom - top + 2, right - left + 2, {}, {}, {}};
    const Affine shift{{1, 0, -double(region.left), 0, 1, -double(region.top)}};
    const Affine region_from_face = shift.after(frame_from_face);
    region.face = warp(face, region_from_face, region.H, region.W);
    region.mask = warp(mask, region_from_face, region.H, region.W);
    clip(region.face);
    clip(region.mask);
    constexpr float kWhite = float(std::numeric_limits<T>::max());
    region.target = ImageF(region.H, region.W, 3);
    for (std::int64_t y = 0; y < region.H; ++y)
        for (std::int64_t x = 0; x < region.W; ++x) {
            const T* from = frame.at(std::clamp<std::int64_t>(region.top + y, 0, frame.H - 1),
                                     std::clamp<std::int64_t>(region.left + x, 0, frame.W - 1));
            for (int c = 0; c < 3; ++c) region.target.at(y, x)[c] = float(from[c]) / kWhite;
        }
    return region;
}

/// Replaces the face by one with its gradients and the target's values around the mask.
void Merger::clone(Region& region, const Prepared& prepared)
{
    const kernels::PoissonShape shape{region.H, region.W, 3};
    Image inside(region.H, region.W, 1);
    ImageF solution = region.target;
    for (std::int64_t y = 1; y < region.H - 1; ++y)
        for (std::int64_t x = 1; x < region.W - 1; ++x) {
            if (*region.mask.at(y, x) < kLeastWeight) continue;
            *inside.at(y, x) = 255;
            std::copy_n(region.face.at(y, x), 3, solution.at(y, x));
        }
    set_boundary(inside, region.face, region.target, prepared.face_skin, prepared.frame_skin, solution);
    const std::size_t bytes = solution.pixels.size() * sizeof(float);
    scratch_.begin({bytes, bytes, bytes, inside.pixels.size(),
                    kernels::PoissonSolve{.s = shape}.cost(device_->target()).workspace_bytes});
    const kernels::View d = scratch_.take<float>(solution.pixels.size()), f = scratch_.upload(solution.pixels);
    const kernels::ConstView from = scratch_.upload(region.face.pixels), m = scratch_.upload(inside.pixels);
    kernels::run(scratch_.exec(), kernels::PoissonDivergence{shape, from, {}, {}, d});
    kernels::run(scratch_.exec(), kernels::PoissonSolve{shape, d, m, kTolerance, f});
    scratch_.download(f, solution.pixels);
    region.face = std::move(solution);
}

} // namespace bifrons::data
