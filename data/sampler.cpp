#include "data/sampler.h"

#include "kernels/augment/blur_outside.h"

namespace bifrons::data {

DeviceFaces::DeviceFaces(kernels::Exec ex, Memory& memory, const FaceArrays& faces, std::int64_t margin)
{
    const auto copied = [&](const std::vector<std::uint8_t>& bytes, std::int64_t channels) {
        const Tensor t = Tensor::empty({faces.count, faces.side, faces.side, channels}, DType::u8, memory);
        ex.device->upload(ex.stream, t.view().data, bytes.data(), t.bytes());
        return t;
    };
    images_ = copied(faces.images, 3);
    masks_ = copied(faces.masks, 1);
    if (!faces.eyes_mouth.empty()) eyes_mouth_ = copied(faces.eyes_mouth, 1);
    const auto numbers = [&](const std::vector<std::int64_t>& values) {
        const Tensor t = Tensor::empty({std::int64_t(values.size())}, DType::i64, memory);
        ex.device->upload(ex.stream, t.view().data, values.data(), t.bytes());
        return t;
    };
    if (!faces.yaw.faces.empty()) yaw_begins_ = numbers(faces.yaw.begins), yaw_faces_ = numbers(faces.yaw.faces);
    view_ = {.count = faces.count,
             .side = faces.side,
             .margin = margin,
             .images = images_.view(),
             .masks = masks_.view(),
             .eyes_mouth = eyes_mouth_.view(),
             .yaw_bins = yaw_begins_ ? yaw_begins_.size() - 1 : 0,
             .yaw_begins = yaw_begins_.view(),
             .yaw_faces = yaw_faces_.view()};
}

std::size_t DeviceFaces::bytes() const
{
    std::size_t sum = 0;
    for (const Tensor& t : {images_, masks_, eyes_mouth_, yaw_begins_, yaw_faces_}) sum += t ? t.bytes() : 0;
    return sum;
}

FacesetSampler::FacesetSampler(const DeviceFaces& src, const DeviceFaces& dst, const Sampling& how, Memory& memory,
                               std::int64_t half)
    : src_(src), dst_(dst), how_(how)
{
    const std::int64_t side = src.view().side;
    if (how.ct_mode != kernels::ColorMatch::none) recolored_ = Tensor::empty({half, side, side, 3}, DType::u8, memory);
}

void FacesetSampler::enqueue(kernels::Exec ex, const kernels::StepState* state, Batch& batch)
{
    const Shape& shape = batch.input.shape();
    const std::int64_t both = shape[0], half = both / 2;
    const kernels::BatchShape src{.N = half, .side = shape[1], .purpose = 2 * how_.purpose, .first = batch.first};
    kernels::BatchShape dst = src;
    ++dst.purpose;
    const auto draw = [&](const kernels::BatchShape& s, const kernels::Faces& faces,
                          const kernels::AugmentOptions& options, std::int64_t begin) {
        const auto part = [&](const Tensor& t) { return t ? t.slice(begin, begin + half).view() : kernels::View{}; };
        kernels::run(
            ex, kernels::Augment{s,
                                 options,
                                 faces,
                                 state,
                                 {part(batch.input), part(batch.target), part(batch.mask), part(batch.eyes_mouth)}});
    };
    kernels::Faces src_faces = src_.view();
    if (recolored_) {
        kernels::run(ex, kernels::Recolor{src, how_.ct_mode, src_faces, dst_.view(), state, recolored_.view()});
        src_faces.recolored = recolored_.view();
    }
    draw(src, src_faces, how_.src, 0);
    draw(dst, dst_.view(), how_.dst, half);
    if (how_.blur_out_mask) {
        constexpr float kSidesOfSigma = 128;
        const float sigma = float(shape[1]) / kSidesOfSigma;
        kernels::run(ex,
                     kernels::BlurOutside{{both, shape[1], shape[2], sigma}, batch.mask.view(), batch.target.view()});
    }
}

} // namespace bifrons::data
