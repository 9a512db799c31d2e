#include "data/sampler.h"

namespace bifrons::data {

DeviceFaces::DeviceFaces(kernels::Exec ex, Memory& memory, const FaceArrays& faces, std::int64_t margin)
    : images_(Tensor::empty({faces.count, faces.side, faces.side, 3}, DType::u8, memory)),
      masks_(Tensor::empty({faces.count, faces.side, faces.side, 1}, DType::u8, memory)), view_{.count = faces.count,
                                                                                                .side = faces.side,
                                                                                                .margin = margin,
                                                                                                .images =
                                                                                                    images_.view(),
                                                                                                .masks = masks_.view()}
{
    ex.device->copy(ex.stream, images_.view().data, faces.images.data(), images_.bytes());
    ex.device->copy(ex.stream, masks_.view().data, faces.masks.data(), masks_.bytes());
    ex.device->synchronize(ex.stream);
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
    kernels::BatchShape shape{.N = half, .side = batch.input.shape()[1], .purpose = 2 * purpose_};
    const auto draw = [&](const DeviceFaces& faces, const kernels::AugmentOptions& options, std::int64_t begin) {
        kernels::augment(ex, shape, options, faces.view(), state, batch.input.slice(begin, begin + half).view(),
                         batch.target.slice(begin, begin + half).view(), batch.mask.slice(begin, begin + half).view());
    };
    draw(src_, src_options_, 0);
    ++shape.purpose;
    draw(dst_, dst_options_, half);
}

} // namespace bifrons::data
