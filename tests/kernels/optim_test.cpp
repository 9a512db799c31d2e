#include "kernels/optim/adam.h"

#include "kernels/optim/adam_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <limits>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr double kUnit = 1.0 / (1 << 24); // half the spacing of f32 at 1
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

StepState* upload_state(TestDevice& device, const StepState& state)
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&state);
    return static_cast<StepState*>(device.upload(std::vector<std::uint8_t>(bytes, bytes + sizeof state)).data);
}

StepState download_state(TestDevice& device, const StepState* on_device)
{
    StepState state;
    device.device().copy({}, &state, on_device, sizeof state);
    device.device().synchronize({});
    return state;
}

class OptimTest : public OnDevice {
  protected:
    /// A judged step with one loss and this norm.
    void judge(StepState* state, float loss, float norm)
    {
        judge_step(exec(), state, 1, device().upload<float>({loss}), device().upload<float>({norm}));
    }
};
BIFRONS_ON_ALL_DEVICES(OptimTest);

TEST_P(OptimTest, first_step_by_hand)
{
    // t = 1: the corrected mean is g and the corrected square g^2, so each weight moves by lr against its sign.
    const View w = device().upload<float>({1, -2, 3}), g = device().upload<float>({4, -0.5f, 0}),
               m = device().upload<float>({0, 0, 0}), v = device().upload<float>({0, 0, 0});
    const StepState* state = upload_state(device(), {.applied = 1, .learning_rate = 0.25f});
    adam(exec(), 3, {.beta1 = 0.5f, .beta2 = 0.75f}, state, w, g, m, v);
    EXPECT_TRUE(within(device().download<float>(w, 3), {0.75, -1.75, 3}, 3 * kUnit));
    EXPECT_EQ(device().download<float>(m, 3), (std::vector<float>{2, -0.25f, 0}));
    EXPECT_EQ(device().download<float>(v, 3), (std::vector<float>{4, 0.0625f, 0}));
}

TEST_P(OptimTest, epsilon_is_added_to_the_root)
{
    const View w = device().upload<float>({1}), g = device().upload<float>({3}), m = device().upload<float>({0}),
               v = device().upload<float>({0});
    adam(exec(), 1, {.eps = 1}, upload_state(device(), {.applied = 1, .learning_rate = 1}), w, g, m, v);
    EXPECT_TRUE(within(device().download<float>(w, 1), {0.25}, 8 * kUnit)); // 1 - 3 / (3 + 1)
}

TEST_P(OptimTest, clip_scales_the_gradient_to_the_largest_norm)
{
    const auto first_mean = [&](float norm, float clip) {
        const View w = device().upload<float>({1}), m = device().upload<float>({0}), v = device().upload<float>({0});
        const StepState state{.applied = 1, .learning_rate = 1, .grad_norm = norm};
        adam(exec(), 1, {.beta1 = 0.5f, .clip = clip}, upload_state(device(), state), w, device().upload<float>({6}), m,
             v);
        return device().download<float>(m, 1)[0];
    };
    EXPECT_EQ(first_mean(8, 2), 0.75f) << "a quarter of 6, halved";
    EXPECT_EQ(first_mean(2, 8), 3.0f) << "smaller than the clip: untouched";
    EXPECT_EQ(first_mean(8, 0), 3.0f) << "no clip";
}

TEST_P(OptimTest, agrees_with_the_definition_over_steps)
{
    const AdamOptions o{.beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-6f, .clip = 1.5f};
    for (const std::int64_t n : {1, 7, 4099, 70001}) {
        auto w = random_values<double>(n, 1), m = random_values<double>(n, 2), v = random_values<double>(n, 3, 0, 1);
        w = cast<double>(cast<float>(w)), m = cast<double>(cast<float>(m)), v = cast<double>(cast<float>(v));
        const View dw = device().upload(cast<float>(w)), dm = device().upload(cast<float>(m)),
                   dv = device().upload(cast<float>(v));
        std::vector<double> bound_m(std::size_t(n), 0.0), bound_v(bound_m), bound_w(bound_m);
        for (std::uint32_t t = 1; t <= 3; ++t) {
            const StepState state{.applied = t + 6, .learning_rate = 0.01f, .grad_norm = float(t)};
            const auto g = random_values(n, 10 + t);
            const auto m_old = m;
            ref::adam(n, o, state, w.data(), cast<double>(g).data(), m.data(), v.data());
            adam(exec(), n, o, upload_state(device(), state), dw, device().upload(g), dm, dv);
            const double rate = 0.01 / (1 - std::pow(double(o.beta1), t + 6)),
                         factor = 1 / (1 - std::pow(double(o.beta2), t + 6));
            for (std::size_t i = 0; i < m.size(); ++i) {
                // Two products, a clipped gradient and a sum; what was wrong before decays.
                bound_m[i] = o.beta1 * bound_m[i] + 6 * kUnit * (std::abs(m_old[i]) + std::abs(double(g[i])));
                bound_v[i] = o.beta2 * bound_v[i] + 10 * kUnit * v[i];
                const double root = std::sqrt(factor * v[i]) + o.eps, moved = rate * std::abs(m[i]) / root;
                bound_w[i] += rate * bound_m[i] / root + moved * (bound_v[i] / v[i] + 8 * kUnit) +
                              kUnit * (std::abs(w[i]) + moved);
            }
        }
        EXPECT_TRUE(within(device().download<float>(dm, n), m, bound_m)) << n;
        EXPECT_TRUE(within(device().download<float>(dv, n), v, bound_v)) << n;
        EXPECT_TRUE(within(device().download<float>(dw, n), w, bound_w)) << n;
    }
}

TEST_P(OptimTest, norm_of_all_gradients)
{
    const View norm = device().poisoned<float>(2);
    global_norm(exec(), 3, device().upload<float>({2, -3, 6}), norm);
    EXPECT_EQ(device().download<float>(norm, 1)[0], 7);
    for (const std::int64_t n : {1, 7, 4099, 300007}) {
        const auto g = random_values(n, 3);
        double want = 0;
        ref::global_norm(n, cast<double>(g).data(), &want);
        const View dg = device().upload(g);
        global_norm(exec(), n, dg, norm);
        global_norm(exec(), n, dg, {norm.as<float>() + 1});
        const auto got = device().download<float>(norm, 2);
        EXPECT_TRUE(within(std::vector<float>{got[0]}, {want}, 2 * kUnit * want)) << n;
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
    }
    global_norm(exec(), 3, device().upload<float>({2, kNan, 6}), norm);
    EXPECT_TRUE(std::isnan(device().download<float>(norm, 1)[0]));
}

TEST_P(OptimTest, a_bad_step_leaves_everything_as_it_is)
{
    StepState* state = upload_state(device(), {.seed = 99, .step = 5, .applied = 3, .learning_rate = 0.5f});
    const std::vector<float> weights{1, -2}, means{0.5f, 0.25f}, squares{2, 3};
    const View w = device().upload(weights), m = device().upload(means), v = device().upload(squares);
    const float inf = std::numeric_limits<float>::infinity();
    std::uint32_t bad = 0;
    for (const auto& [loss, norm] : {std::pair{kNan, 1.0f}, {-inf, 1.0f}, {1.0f, kNan}, {1.0f, inf}}) {
        begin_step(exec(), state);
        judge_step(exec(), state, 2, device().upload<float>({0, loss}), device().upload<float>({norm}));
        adam(exec(), 2, {}, state, w, device().upload<float>({kNan, 1}), m, v);
        const StepState now = download_state(device(), state);
        EXPECT_EQ(now.skip, 1u);
        EXPECT_EQ(now.bad_steps, ++bad);
        EXPECT_EQ(now.step, 5 + bad);
        EXPECT_EQ(now.applied, 3u);
        EXPECT_EQ(now.seed, 99u);
    }
    EXPECT_EQ(device().download<float>(w, 2), weights);
    EXPECT_EQ(device().download<float>(m, 2), means);
    EXPECT_EQ(device().download<float>(v, 2), squares);
}

TEST_P(OptimTest, a_good_step_counts_and_ends_the_bad_ones)
{
    StepState* state = upload_state(device(), {.step = 5, .applied = 3, .skip = 1, .bad_steps = 4});
    begin_step(exec(), state);
    EXPECT_EQ(download_state(device(), state).skip, 0u);
    judge(state, 0.5f, 2.5f);
    const StepState now = download_state(device(), state);
    EXPECT_EQ(now.skip, 0u);
    EXPECT_EQ(now.bad_steps, 0u);
    EXPECT_EQ(now.step, 6u);
    EXPECT_EQ(now.applied, 4u);
    EXPECT_EQ(now.grad_norm, 2.5f);
}

TEST_P(OptimTest, a_recorded_step_reads_the_state_when_it_is_replayed)
{
    const View w = device().upload<float>({1}), g = device().upload<float>({1}), m = device().upload<float>({0}),
               v = device().upload<float>({0}), loss = device().upload<float>({1});
    StepState* state = upload_state(device(), {.learning_rate = 0.125f});
    const Stream stream = device().device().create_stream();
    const Exec ex{&device().device(), stream, exec().workspace};
    device().device().synchronize({});
    device().device().begin_recording(stream);
    begin_step(ex, state);
    judge_step(ex, state, 1, loss, g);
    adam(ex, 1, {}, state, w, g, m, v);
    const auto recording = device().device().end_recording(stream);
    EXPECT_EQ(device().download<float>(w, 1)[0], 1) << "recording runs nothing";
    for (int i = 0; i < 2; ++i) device().device().replay(stream, *recording);
    device().device().synchronize(stream);
    EXPECT_EQ(download_state(device(), state).applied, 2u);
    // A constant gradient: the corrected mean over the corrected root is 1 at every t. (1 - beta2^t is 1e-3 or 2e-3,
    // formed from a beta2 that f32 holds within 2^-25: relative error 1e-4 at most.)
    EXPECT_TRUE(within(device().download<float>(w, 1), {0.75}, 0.25 * 1e-4));
    device().device().destroy_stream(stream);
}

TEST(Optim, has_the_same_bits_for_any_thread_count)
{
    const std::int64_t n = 70001;
    std::vector<std::vector<float>> weights;
    std::vector<float> norms;
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const View w = cpu.upload(random_values(n, 1)), g = cpu.upload(random_values(n, 2)),
                   m = cpu.upload(random_values(n, 3)), v = cpu.upload(random_values(n, 4, 0, 1)),
                   norm = cpu.poisoned<float>(1);
        global_norm(cpu.exec(), n, g, norm);
        norms.push_back(cpu.download<float>(norm, 1)[0]);
        const StepState state{.applied = 2, .learning_rate = 0.01f, .grad_norm = norms.back()};
        adam(cpu.exec(), n, {.clip = 1}, upload_state(cpu, state), w, g, m, v);
        weights.push_back(cpu.download<float>(w, n));
    }
    EXPECT_EQ(norms, std::vector<float>(3, norms[0]));
    EXPECT_EQ(weights[0], weights[1]);
    EXPECT_EQ(weights[0], weights[2]);
}

TEST(Optim, f64_is_the_definition)
{
    TestDevice cpu("cpu");
    const std::int64_t n = 7;
    const AdamOptions o{.clip = 0.5f};
    const StepState state{.applied = 3, .learning_rate = 0.01f, .grad_norm = 2};
    auto w = random_values<double>(n, 1), m = random_values<double>(n, 2), v = random_values<double>(n, 3, 0, 1);
    const auto g = random_values<double>(n, 4);
    const View dw = cpu.upload(w), dm = cpu.upload(m), dv = cpu.upload(v), norm = cpu.poisoned<double>(1);
    ref::adam(n, o, state, w.data(), g.data(), m.data(), v.data());
    adam(cpu.exec(), n, o, upload_state(cpu, state), dw, cpu.upload(g), dm, dv);
    EXPECT_TRUE(within(cpu.download<double>(dw, n), w, 1e-15));
    EXPECT_TRUE(within(cpu.download<double>(dm, n), m, 1e-15));
    EXPECT_TRUE(within(cpu.download<double>(dv, n), v, 1e-15));
    double want = 0;
    ref::global_norm(n, g.data(), &want);
    global_norm(cpu.exec(), n, cpu.upload(g), norm);
    EXPECT_TRUE(within(cpu.download<double>(norm, 1), {want}, 1e-15));
}

TEST(Optim, a_plan_counts_without_touching_the_state)
{
    const auto plan = open_device("plan");
    const Exec ex{plan.get()};
    auto* state = static_cast<StepState*>(plan->allocate(sizeof(StepState))); // an address nothing is mapped at
    const View data{plan->allocate(400)}, norm{plan->allocate(4)};
    begin_step(ex, state);
    global_norm(ex, 100, data, norm);
    judge_step(ex, state, 100, data, norm);
    adam(ex, 100, {}, state, data, data, data, data);
    EXPECT_EQ(adam_cost(100, DType::f32).bytes, 2800); // four reads, three writes
    EXPECT_EQ(global_norm_cost(100, DType::f64, plan->target()).bytes, 800);
}

class PackedAdamTest : public OnDevice {};
BIFRONS_ON_GPU_DEVICES(PackedAdamTest);

TEST_P(PackedAdamTest, the_packed_copy_is_the_new_weight_rounded_unless_the_step_is_skipped)
{
    const std::int64_t n = 1001;
    const View w = device().upload(random_values(n, 1)), g = device().upload(random_values(n, 2)),
               m = device().upload(random_values(n, 3)), v = device().upload(random_values(n, 4, 0, 1));
    const auto before = random_values<bf16>(n, 5);
    const View packed = device().upload(before);
    adam(exec(), n, {}, upload_state(device(), {.applied = 3, .learning_rate = 0.1f, .skip = 1}), w, g, m, v, packed);
    EXPECT_EQ(bits_of(device().download<bf16>(packed, n)), bits_of(before));
    adam(exec(), n, {}, upload_state(device(), {.applied = 3, .learning_rate = 0.1f}), w, g, m, v, packed);
    EXPECT_EQ(bits_of(device().download<bf16>(packed, n)), bits_of(cast<bf16>(device().download<float>(w, n))));
}

} // namespace
