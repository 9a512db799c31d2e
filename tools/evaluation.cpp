#include "tools/evaluation.h"

#include "data/face_chip.h"
#include "data/hull.h"
#include "data/quality.h"
#include "data/warp.h"

#include <algorithm>
#include <cmath>

namespace bifrons::tools {

namespace {

constexpr std::int64_t kBatch = 4; // faces in work at once

/// At most n of them, evenly spaced.
std::vector<std::size_t> evenly(const std::vector<std::size_t>& indices, std::int64_t n)
{
    const auto count = std::int64_t(indices.size());
    if (count <= n) return indices;
    std::vector<std::size_t> some;
    for (std::int64_t i = 0; i < n; ++i) some.push_back(indices[std::size_t((2 * i + 1) * count / (2 * n))]);
    return some;
}

std::vector<std::size_t> all_of(const data::Faceset& set)
{
    std::vector<std::size_t> indices(set.faces.size());
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
    return indices;
}

/// Whether the hull lies in the pictures in which faces are compared, the model's and the set's own.
bool in_sight(const data::Faceset& set, std::size_t index, const model::Settings& settings)
{
    const data::FaceRecord& face = set.faces[index];
    const auto hull_at = [](const data::Landmarks& points, std::int64_t side) {
        return data::comparable(data::to_float(data::hull_mask(points, side, side)));
    };
    const std::int64_t side = settings.resolution;
    const data::Affine crop = data::face_from_frame(face.in_frame, data::face_type_of(settings.face_type), side);
    return hull_at(crop(face.in_frame), side) && hull_at(face.in_face, set.side);
}

/// Whether its picture can be read.
bool has_picture(const data::Faceset& set, std::size_t index)
{
    try {
        data::load_face(set, index);
        return true;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::data) throw;
        return false;
    }
}

Evaluation::Faces choose(const data::Faceset& set, const model::Settings& settings, std::int64_t samples)
{
    const std::vector<std::size_t> held_out = data::split_faces(set, settings.validation_fraction).validation,
                                   wanted = evenly(held_out.empty() ? all_of(set) : held_out, samples);
    Evaluation::Faces faces{.set = set, .held_out = !held_out.empty()};
    const auto out_of_sight = [&](std::size_t index) { return !in_sight(set, index, settings); };
    const auto damaged = [&](std::size_t index) { return !has_picture(set, index); };
    for (const std::size_t index : wanted)
        (out_of_sight(index) || damaged(index) ? faces.left_out : faces.looked_at).push_back(index);
    std::vector<std::size_t> seen = all_of(set);
    std::erase_if(seen, out_of_sight);
    faces.of_mean = evenly(seen, samples);
    std::erase_if(faces.of_mean, damaged);
    BIFRONS_CHECK(data, !faces.looked_at.empty() && !faces.of_mean.empty(), set.folder.string(), ": of ", wanted.size(),
                  " selected faces none lies within a picture that can be read. Extract again.");
    return faces;
}

/// Picture n of [*,H,W,C] bytes or floats, as floats 0..1.
template <class T>
data::ImageF picture(const std::vector<T>& all, std::int64_t n, std::int64_t side, std::int64_t C)
{
    data::ImageF image(side, side, C);
    const T* from = all.data() + n * side * side * C;
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
        image.pixels[i] = std::is_same_v<T, std::uint8_t> ? float(from[i]) / 255 : float(from[i]);
    return image;
}

/// `inside` where the mask is 1, else `outside`.
data::ImageF composed(const data::ImageF& inside, const data::ImageF& outside, const data::ImageF& mask)
{
    data::ImageF image = outside;
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
        image.pixels[i] += mask.pixels[i / 3] * (inside.pixels[i] - outside.pixels[i]);
    return image;
}

/// The frame around a face: the box of its landmarks and a quarter more on every side, within the frame, and large
/// enough for every measure.
data::Affine frame_to_close_up(const data::Image& frame, const data::Landmarks& points, std::int64_t& H,
                               std::int64_t& W)
{
    const auto [left, right] =
        std::minmax_element(points.begin(), points.end(), [](data::Point a, data::Point b) { return a.x < b.x; });
    const auto [top, bottom] =
        std::minmax_element(points.begin(), points.end(), [](data::Point a, data::Point b) { return a.y < b.y; });
    const auto span = [kLeast = std::int64_t(64)](double low, double high, std::int64_t size, std::int64_t& length) {
        length = std::min(size, std::max(kLeast, std::int64_t(std::ceil(1.5 * (high - low)))));
        return std::clamp(std::int64_t(std::floor((low + high - double(length)) / 2)), std::int64_t(0), size - length);
    };
    const std::int64_t x = span(left->x, right->x, frame.W, W), y = span(top->y, bottom->y, frame.H, H);
    return {{1, 0, -double(x), 0, 1, -double(y)}};
}

/// Adds up what is measured on single faces.
class Mean {
  public:
    explicit Mean(model::Lpips* lpips) : lpips_(lpips) {}
    void add(const data::ImageF& got, const data::ImageF& want, const data::ImageF& mask)
    {
        const data::ImageF compared = composed(got, want, mask);
        psnr_ += data::psnr(compared, want, mask);
        ssim_ += data::ssim(compared, want, mask);
        sharpness_ += data::sharpness(got, want, mask);
        if (lpips_) distance_ += (*lpips_)(want.H, want.W, compared.pixels, want.pixels);
        count_ += 1;
    }
    Quality value() const
    {
        Quality mean{.psnr = psnr_ / count_, .ssim = ssim_ / count_, .sharpness = sharpness_ / count_};
        if (lpips_) mean.lpips = distance_ / count_;
        return mean;
    }

  private:
    model::Lpips* lpips_;
    double psnr_ = 0, ssim_ = 0, sharpness_ = 0, distance_ = 0, count_ = 0;
};

Distances mean_distances(const std::vector<model::IdentityNetwork::Descriptor>& faces,
                         const model::IdentityNetwork::Descriptor& src, const model::IdentityNetwork::Descriptor& dst)
{
    Distances sum;
    for (const model::IdentityNetwork::Descriptor& face : faces) {
        sum.to_src += model::distance(face, src) / double(faces.size());
        sum.to_dst += model::distance(face, dst) / double(faces.size());
    }
    return sum;
}

} // namespace

Evaluation::Evaluation(kernels::Device& device, const model::TrainedModel& model, const data::Faceset& src,
                       const data::Faceset& dst, std::int64_t samples, const std::string& merging_device)
    : device_(device), model_(model), merging_device_(merging_device), src_(choose(src, model.settings(), samples)),
      dst_(choose(dst, model.settings(), samples))
{
}

std::int64_t Evaluation::work(bool self_swap, bool identity, bool in_frame) const
{
    const std::size_t src = src_.looked_at.size(), dst = dst_.looked_at.size();
    const std::size_t means = src_.of_mean.size() + dst_.of_mean.size();
    return std::int64_t(src + dst + (self_swap || identity ? dst : 0) + (identity ? means + src + 2 * dst : 0) +
                        (in_frame ? src + 2 * dst : 0));
}

Quality Evaluation::src_reconstruction(model::Lpips* lpips)
{
    return reconstruction(src_, model::Predictor::Identity::src, lpips);
}

Quality Evaluation::dst_reconstruction(model::Lpips* lpips)
{
    return reconstruction(dst_, model::Predictor::Identity::dst, lpips);
}

Quality Evaluation::reconstruction(const Faces& faces, model::Predictor::Identity identity, model::Lpips* lpips)
{
    const std::int64_t side = model_.settings().resolution;
    const data::FaceArrays arrays =
        data::load_faces(faces.set, faces.looked_at, data::face_type_of(model_.settings().face_type), side);
    const Prediction prediction = predict(arrays, identity);
    Mean mean(lpips);
    for (std::int64_t n = 0; n < arrays.count; ++n)
        mean.add(picture(prediction.face, n, side, 3), picture(arrays.images, n, side, 3),
                 picture(arrays.masks, n, side, 1));
    return mean.value();
}

Quality Evaluation::src_in_frame(const FrameReader& frames, model::Lpips* lpips)
{
    return in_frame(src_, model::Predictor::Identity::src, frames, lpips);
}

Quality Evaluation::dst_in_frame(const FrameReader& frames, model::Lpips* lpips)
{
    return in_frame(dst_, model::Predictor::Identity::dst, frames, lpips);
}

double Evaluation::swap_sharpness_in_frame(const FrameReader& frames)
{
    return in_frame(dst_, model::Predictor::Identity::src, frames, nullptr, map_ ? &*map_ : nullptr).sharpness;
}

Quality Evaluation::in_frame(const Faces& faces, model::Predictor::Identity identity, const FrameReader& frames,
                             model::Lpips* lpips, const model::CodeMap* map)
{
    const data::FaceType type = data::face_type_of(model_.settings().face_type);
    const std::int64_t side = model_.settings().resolution;
    model::Predictor predictor(device_, model_.network(), 1, identity, model_.precision(), map);
    data::Merger merger({}, merging_device_);
    Mean mean(lpips);
    frames(faces.set, faces.looked_at, [&](std::size_t position, const data::Image& frame) {
        const data::Landmarks& points = faces.set.faces[faces.looked_at[position]].in_frame;
        const data::Affine crop = data::face_from_frame(points, type, side);
        const Prediction made = predictor(data::to_float(data::warp(frame, crop, side, side)).pixels);
        data::Image pasted = frame;
        merger.merge(pasted, {.face_from_frame = crop,
                              .in_frame = points,
                              .face = picture(made.face, 0, side, 3),
                              .mask = picture(made.mask, 0, side, 1)});
        std::int64_t H = 0, W = 0;
        const data::Affine close_up = frame_to_close_up(frame, points, H, W);
        const auto near = [&](const data::Image& whole) { return data::to_float(data::warp(whole, close_up, H, W)); };
        mean.add(near(pasted), near(frame), near(data::hull_mask(points, frame.H, frame.W)));
        tick_();
    });
    return mean.value();
}

Evaluation::Prediction Evaluation::predict(const data::FaceArrays& faces, model::Predictor::Identity identity,
                                           const model::CodeMap* map)
{
    model::Predictor predictor(device_, model_.network(), kBatch, identity, model_.precision(), map);
    const std::size_t pixels = std::size_t(faces.side * faces.side);
    Prediction all;
    for (std::int64_t first = 0; first < faces.count; first += kBatch) {
        const auto here = std::size_t(std::min(kBatch, faces.count - first));
        std::vector<float> batch(std::size_t(kBatch) * pixels * 3);
        for (std::size_t i = 0; i < here * pixels * 3; ++i)
            batch[i] = float(faces.images[std::size_t(first) * pixels * 3 + i]) / 255;
        const Prediction prediction = predictor(batch);
        all.face.insert(all.face.end(), prediction.face.begin(),
                        prediction.face.begin() + std::ptrdiff_t(here * pixels * 3));
        all.mask.insert(all.mask.end(), prediction.mask.begin(),
                        prediction.mask.begin() + std::ptrdiff_t(here * pixels));
        for (std::size_t i = 0; i < here; ++i) tick_();
    }
    return all;
}

const std::vector<data::Image>& Evaluation::swapped()
{
    if (!swapped_.empty()) return swapped_;
    const data::FaceType type = data::face_type_of(model_.settings().face_type);
    const std::int64_t side = model_.settings().resolution;
    const Prediction prediction = predict(data::load_faces(dst_.set, dst_.looked_at, type, side),
                                          model::Predictor::Identity::src, map_ ? &*map_ : nullptr);
    data::Merger merger({}, merging_device_);
    for (std::size_t n = 0; n < dst_.looked_at.size(); ++n) {
        const std::size_t index = dst_.looked_at[n];
        const data::Landmarks& points = dst_.set.faces[index].in_face;
        swapped_.push_back(data::load_face(dst_.set, index));
        merger.merge(swapped_.back(), {.face_from_frame = data::face_from_frame(points, type, side),
                                       .in_frame = points,
                                       .face = picture(prediction.face, std::int64_t(n), side, 3),
                                       .mask = picture(prediction.mask, std::int64_t(n), side, 1)});
    }
    return swapped_;
}

Quality Evaluation::self_swap(model::Lpips* lpips)
{
    Mean mean(lpips);
    for (std::size_t n = 0; n < swapped().size(); ++n) {
        const std::size_t index = dst_.looked_at[n];
        const std::int64_t side = dst_.set.side;
        const data::Image hull = data::hull_mask(dst_.set.faces[index].in_face, side, side);
        mean.add(data::to_float(swapped_[n]), data::to_float(data::load_face(dst_.set, index)), data::to_float(hull));
    }
    return mean.value();
}

Evaluation::Descriptors Evaluation::describe(model::IdentityNetwork& network, const data::Faceset& set,
                                             const std::vector<std::size_t>& indices,
                                             const std::vector<data::Image>& pictures)
{
    Descriptors all;
    std::vector<float> chips;
    for (std::size_t n = 0; n < indices.size(); ++n) {
        const data::ImageF chip = data::to_float(data::face_chip(pictures[n], set.faces[indices[n]].in_face));
        chips.insert(chips.end(), chip.pixels.begin(), chip.pixels.end());
        tick_();
        if ((n + 1) % kBatch != 0 && n + 1 < indices.size()) continue;
        const Descriptors some = network(chips);
        all.insert(all.end(), some.begin(), some.end());
        chips.clear();
    }
    return all;
}

Evaluation::Descriptors Evaluation::describe(model::IdentityNetwork& network, const data::Faceset& set,
                                             const std::vector<std::size_t>& indices)
{
    std::vector<data::Image> pictures;
    for (const std::size_t index : indices) pictures.push_back(data::load_face(set, index));
    return describe(network, set, indices, pictures);
}

IdentityReport Evaluation::identity(model::IdentityNetwork& network)
{
    const auto mean_of = [&](const Faces& faces) { return model::mean(describe(network, faces.set, faces.of_mean)); };
    const model::IdentityNetwork::Descriptor src = mean_of(src_), dst = mean_of(dst_);
    return {.src = mean_distances(describe(network, src_.set, src_.looked_at), src, dst),
            .dst = mean_distances(describe(network, dst_.set, dst_.looked_at), src, dst),
            .swap = mean_distances(describe(network, dst_.set, dst_.looked_at, swapped()), src, dst)};
}

} // namespace bifrons::tools
