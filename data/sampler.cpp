#include "data/sampler.h"

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
    view_ = {.count = faces.count,
             .side = faces.side,
             .margin = margin,
             .images = images_.view(),
             .masks = masks_.view(),
             .eyes_mouth = eyes_mouth_.view()};
}

FacesetSampler::FacesetSampler(const DeviceFaces& src, const DeviceFaces& dst,
                               const kernels::AugmentOptions& src_options, const kernels::AugmentOptions& dst_options,
                               std::uint32_t purpose)
    : src_(src), dst_(dst), src_options_(src_options), dst_options_(dst_options), purpose_(purpose)
{
}

void FacesetSampler::enqueue(kernels::Exec ex, const kernels::StepState* state, Batch& batch)
{
    const std::int64_t both = batch.input.shape()[0], half = both / 2;
    kernels::BatchShape shape{.N = half, .side = batch.input.shape()[1], .purpose = 2 * purpose_, .first = batch.first};
    const auto draw = [&](const DeviceFaces& faces, const kernels::AugmentOptions& options, std::int64_t begin) {
        const auto part = [&](const Tensor& t) { return t ? t.slice(begin, begin + half).view() : kernels::View{}; };
        kernels::augment(ex, shape, options, faces.view(), state,
                         {part(batch.input), part(batch.target), part(batch.mask), part(batch.eyes_mouth)});
    };
    draw(src_, src_options_, 0);
    ++shape.purpose;
    draw(dst_, dst_options_, half);
}

} // namespace bifrons::data
