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
class Drawing {
  public:
    Drawing(TestDevice& device, const Sampling& how)
        : device_(device), pool_(device.device()), src_(device.exec(), pool_, random_faces(3, 1), kMargin),
          dst_(device.exec(), pool_, random_faces(5, 9), kMargin), sampler_(src_, dst_, how, pool_, kHalf),
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
        kernels::run(ex, kernels::BeginStep{state});
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
    const Sampling how{.src = {.hue_deg = 20, .saturation = 0.2f, .value = 0.1f}, .dst = {.flip = 0}, .purpose = 3};
    Drawing theirs(cpu, how), ours(device(), how), again(device(), how);
    std::vector<float> before;
    for (int step = 0; step < 4; ++step) { // eager, recorded, replayed twice
        const auto want = theirs.next(), got = ours.next();
        // Either may be off by the bound of augment.h.
        EXPECT_TRUE(within(got, cast<double>(want), 2 * std::ldexp(64.0 * kStored, -24))) << "step " << step;
        EXPECT_EQ(got, again.next()) << "step " << step;
        EXPECT_NE(got, before) << "each step draws new samples";
        before = got;
    }
}

TEST_P(SamplerTest, recorded_steps_recolour_and_blur_as_the_processor_does)
{
    TestDevice cpu("cpu:1");
    for (const auto kind : {kernels::ColorMatch::mkl, kernels::ColorMatch::sot}) {
        const Sampling how{.src = {}, .dst = {}, .ct_mode = kind, .blur_out_mask = true, .purpose = 2};
        Sampling plain = how;
        plain.ct_mode = kernels::ColorMatch::none;
        Drawing theirs(cpu, how), ours(device(), how), again(device(), how), uncolored(device(), plain);
        for (int step = 0; step < 3; ++step) { // eager, recorded, replayed
            const auto want = theirs.next(), got = ours.next(), before = uncolored.next();
            // A level more or less where a colour lies on the border between two; taps of both signs sum up to 1.6.
            EXPECT_TRUE(within(got, cast<double>(want), 1.6 / 255 + 2 * std::ldexp(64.0 * kStored, -24)));
            EXPECT_EQ(got, again.next());
            const std::size_t half = kHalf * kPixels * 3;
            for (const std::size_t picture : {std::size_t(0), 2 * half}) {
                const auto part = [&](const std::vector<float>& all, std::size_t begin) {
                    return std::vector<float>(all.begin() + std::ptrdiff_t(picture + begin),
                                              all.begin() + std::ptrdiff_t(picture + begin + half));
                };
                EXPECT_NE(part(got, 0), part(before, 0)) << "source input and target are recoloured";
                EXPECT_EQ(part(got, half), part(before, half)) << "destination is not";
            }
        }
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
    FacesetSampler sampler(src, dst, {}, pool, kHalf);
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
