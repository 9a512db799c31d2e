// tests/model/tiny_training.h - faces and settings for trainings that take milliseconds.
#pragma once

#include "kernels/augment/augment.h"
#include "model/trainer.h"
#include "tests/model/narrow_batch.h"

#include <cmath>

namespace bifrons::test {

using model::Settings;

/// Two identities of four smooth faces each, sampled by the real augmentation.
class Faces : public BatchSource {
  public:
    explicit Faces(kernels::Device& device) : device_(device)
    {
        for (int identity = 0; identity < 2; ++identity) {
            std::vector<std::uint8_t> images, masks, eyes_mouth;
            for (int face = 0; face < 4; ++face)
                for (int y = 0; y < kSide; ++y)
                    for (int x = 0; x < kSide; ++x) {
                        for (int c = 0; c < 3; ++c)
                            images.push_back(std::uint8_t(127 + 60 * std::sin(0.1 * (x + 7 * c) + identity) +
                                                          60 * std::cos(0.13 * y + face)));
                        masks.push_back(x > 8 && x < kSide - 8 && y > 6 && y < kSide - 4 ? 255 : 0);
                        eyes_mouth.push_back(x > 12 && x < 26 && y > 10 && y < 15 ? 255 : 0);
                    }
            faces_[identity] = {.count = 4,
                                .side = kSide,
                                .images = keep(images),
                                .masks = keep(masks),
                                .eyes_mouth = keep(eyes_mouth)};
        }
    }
    ~Faces() override
    {
        for (void* data : kept_) device_.free(data);
    }
    void enqueue(kernels::Exec ex, const kernels::StepState* state, Batch& batch) override
    {
        narrow_(ex, batch, [&](Batch& narrow) { sample(ex, state, narrow); });
    }
    void poison(bool on) { poison_ = on; }

  private:
    static constexpr int kSide = 40;
    void sample(kernels::Exec ex, const kernels::StepState* state, const Batch& batch)
    {
        const std::int64_t half = batch.input.shape()[0] / 2;
        for (int i = 0; i < 2; ++i) {
            const auto part = [&](const Tensor& t) {
                return t ? t.slice(i * half, (i + 1) * half).view() : kernels::View{};
            };
            kernels::run(
                ex, kernels::Augment{
                        {.N = half, .side = batch.input.shape()[1], .purpose = std::uint32_t(i), .first = batch.first},
                        {},
                        faces_[i],
                        state,
                        {part(batch.input), part(batch.target), part(batch.mask), part(batch.eyes_mouth)}});
        }
        if (poison_) ex.device->fill(ex.stream, batch.target.view().data, 0xFF, 4); // one NaN
    }
    kernels::ConstView keep(const std::vector<std::uint8_t>& bytes)
    {
        void* data = device_.allocate(bytes.size());
        kept_.push_back(data);
        device_.copy({}, data, bytes.data(), bytes.size());
        device_.synchronize({});
        return {data, DType::u8};
    }

    kernels::Device& device_;
    NarrowBatch narrow_{device_};
    kernels::Faces faces_[2];
    std::vector<void*> kept_;
    bool poison_ = false;
};

inline Settings tiny()
{
    Settings s;
    s.precision = "f32"; // on CPUs that prefer bf16 too
    s.archi = "df-ud";
    s.optimizer = "adam";
    s.resolution = 32;
    s.e_dims = 4;
    s.ae_dims = 16;
    s.d_dims = 4;
    s.d_mask_dims = 4;
    s.batch_size = 2;
    s.learning_rate = 1e-3;
    s.seed = 9;
    return s;
}

} // namespace bifrons::test
