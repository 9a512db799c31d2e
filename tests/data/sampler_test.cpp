// A batch drawn inside a recorded step: the same on every device.
#include "data/sampler.h"

#include "engine/step.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::data;
using namespace bifrons::test;

namespace {

constexpr std::int64_t kHalf = 2, kSide = 10, kMargin = 2, kStored = kSide + 2 * kMargin, kPixels = kSide * kSide;

FaceArrays random_faces(std::int64_t count, std::uint32_t seed)
{
    const auto bytes = [&](std::int64_t n) { return cast<std::uint8_t>(random_values(n, seed++, 0, 255.99)); };
    return {count, kStored, bytes(count * kStored * kStored * 3), bytes(count * kStored * kStored),
            bytes(count * kStored * kStored)};
}

/// Draws a batch a step, as a trainer does.
class Sampling {
  public:
    explicit Sampling(TestDevice& device)
        : device_(device), pool_(device.device()), src_(device.exec(), pool_, random_faces(3, 1), kMargin),
          dst_(device.exec(), pool_, random_faces(5, 9), kMargin),
          sampler_(src_, dst_, {.hue_deg = 20, .saturation = 0.2f, .value = 0.1f}, {.flip = 0}, 3),
          step_(device.device(), {}, [this](kernels::Exec ex, Memory& memory) { body(ex, memory); })
    {
        const kernels::StepState start{.seed = 7};
        state_ = Tensor::empty({sizeof start}, DType::u8, pool_);
        device.device().copy({}, state_.view().data, &start, sizeof start);
        device.device().synchronize({});
        input_ = Tensor::empty({2 * kHalf, kSide, kSide, 3}, DType::f32, pool_);
        target_ = Tensor::empty({2 * kHalf, kSide, kSide, 3}, DType::f32, pool_);
        mask_ = Tensor::empty({2 * kHalf, kSide, kSide, 1}, DType::f32, pool_);
        eyes_mouth_ = Tensor::empty({2 * kHalf, kSide, kSide, 1}, DType::f32, pool_);
    }

    /// Input, target and masks of the next step, one behind the other.
    std::vector<float> next()
    {
        step_.run();
        std::vector<float> all;
        for (const Tensor& t : {input_, target_, mask_, eyes_mouth_}) {
            const auto values = t.download(device_.exec());
            all.insert(all.end(), values.begin(), values.end());
        }
        return all;
    }

  private:
    void body(kernels::Exec ex, Memory&)
    {
        auto* state = static_cast<kernels::StepState*>(state_.view().data);
        kernels::begin_step(ex, state);
        Batch batch{input_, target_, mask_, eyes_mouth_};
        sampler_.enqueue(ex, state, batch);
    }

    TestDevice& device_;
    Pool pool_;
    DeviceFaces src_, dst_;
    FacesetSampler sampler_;
    Tensor state_, input_, target_, mask_, eyes_mouth_;
    Step step_;
};

class SamplerTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(SamplerTest);

TEST_P(SamplerTest, recorded_steps_draw_what_the_processor_draws)
{
    TestDevice cpu("cpu:1");
    Sampling theirs(cpu), ours(device()), again(device());
    std::vector<float> before;
    for (int step = 0; step < 4; ++step) { // eager, recorded, replayed twice
        const auto want = theirs.next(), got = ours.next();
        // Either may be off by the bound of augment.h.
        EXPECT_TRUE(within(got, cast<double>(want), 2 * std::ldexp(64.0 * kStored, -24))) << "step " << step;
        EXPECT_EQ(got, again.next()) << "step " << step;
        EXPECT_NE(got, before) << "each step draws anew";
        before = got;
    }
}

TEST_P(SamplerTest, each_identity_fills_its_half)
{
    // Faces of one colour each: 51 and 204 of 255.
    const auto plain = [](std::uint8_t value) {
        return FaceArrays{1,
                          kStored,
                          std::vector<std::uint8_t>(kStored * kStored * 3, value),
                          std::vector<std::uint8_t>(kStored * kStored, 255),
                          {}};
    };
    Pool pool(device().device());
    const DeviceFaces src(exec(), pool, plain(51), kMargin), dst(exec(), pool, plain(204), kMargin);
    FacesetSampler sampler(src, dst, {}, {}, 0);
    const kernels::StepState state{.seed = 1};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
    const kernels::View where = device().upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state));
    Batch batch{Tensor::empty({2 * kHalf, kSide, kSide, 3}, DType::f32, pool),
                Tensor::empty({2 * kHalf, kSide, kSide, 3}, DType::f32, pool),
                Tensor::empty({2 * kHalf, kSide, kSide, 1}, DType::f32, pool)};
    sampler.enqueue(exec(), static_cast<const kernels::StepState*>(where.data), batch);
    for (const Tensor& t : {batch.input, batch.target}) {
        const auto values = t.download(exec());
        for (std::int64_t i = 0; i < 2 * kHalf * kPixels * 3; ++i)
            ASSERT_NEAR(values[std::size_t(i)], i < kHalf * kPixels * 3 ? 0.2 : 0.8, 1e-6) << i;
    }
}

} // namespace
