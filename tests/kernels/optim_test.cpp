#include "kernels/optim/global_norm.h"
#include "kernels/optim/global_norm_ref.h"
#include "kernels/optim/update_element.h"
#include "kernels/optim/update_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <algorithm>
#include <limits>

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr double kUnit = 1.0 / (1 << 24); // half the spacing of f32 at 1
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr UpdateRule kRules[] = {UpdateRule::adam, UpdateRule::adabelief, UpdateRule::adabelief_dfl,
                                 UpdateRule::rmsprop};

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

/// Arenas of a few elements, moments zero.
UpdateArenas small_arenas(TestDevice& device, const std::vector<float>& w, const std::vector<float>& g, UpdateRule rule)
{
    const std::vector<float> zeros(w.size(), 0.0f);
    return {.w = device.upload(w),
            .g = device.upload(g),
            .m = keeps_mean(rule) ? device.upload(zeros) : View{},
            .v = device.upload(zeros)};
}

class OptimTest : public OnDevice {
  protected:
    /// A judged step with one loss and this norm.
    void judge(StepState* state, float loss, float norm)
    {
        run(exec(), JudgeStep{state, {}, 1, device().upload<float>({loss}), 1, device().upload<float>({norm})});
    }
    /// The weights after a first update.
    std::vector<float> first_step(const std::vector<float>& w, const std::vector<float>& g, const UpdateOptions& o)
    {
        const UpdateArenas a = small_arenas(device(), w, g, o.rule);
        run(exec(), Update{std::int64_t(w.size()), o, a, upload_state(device(), {.applied = 1, .rate = 0.25f})});
        return device().download<float>(a.w, std::int64_t(w.size()));
    }
};
BIFRONS_ON_ALL_DEVICES(OptimTest);

TEST_P(OptimTest, first_step_of_adam_by_hand)
{
    // t = 1: the corrected mean is g and the corrected square g^2, so each weight moves by the rate against its sign.
    const UpdateArenas a = small_arenas(device(), {1, -2, 3}, {4, -0.5f, 0}, UpdateRule::adam);
    run(exec(), Update{3, {.beta1 = 0.5f, .beta2 = 0.75f}, a, upload_state(device(), {.applied = 1, .rate = 0.25f})});
    EXPECT_TRUE(within(device().download<float>(a.w, 3), {0.75, -1.75, 3}, 3 * kUnit));
    EXPECT_EQ(device().download<float>(a.m, 3), (std::vector<float>{2, -0.25f, 0}));
    EXPECT_EQ(device().download<float>(a.v, 3), (std::vector<float>{4, 0.0625f, 0}));
}

TEST_P(OptimTest, epsilon_is_added_to_the_root)
{
    EXPECT_TRUE(within(first_step({1}, {3}, {.eps = 1}), {1 - 0.25 * 3 / (3 + 1)}, 8 * kUnit));
}

// g = 4: mean 2, half the gradient; deviation 2, whose square is 4, a quarter of which is 1.
TEST_P(OptimTest, first_steps_of_the_other_rules_by_hand)
{
    UpdateOptions o{.rule = UpdateRule::adabelief, .beta1 = 0.5f, .beta2 = 0.75f, .eps = 1.25f};
    EXPECT_TRUE(within(first_step({1}, {4}, o), {1 - 0.25 * 4 / (3 + 1.25)}, 8 * kUnit)) << "v = 1 + 1.25, of 1 - 0.75";
    o = {.rule = UpdateRule::adabelief_dfl, .beta1 = 0.5f, .beta2 = 0.75f, .eps = 1};
    EXPECT_TRUE(
        within(first_step({1, 2}, {4, -0.5f}, o), {1 - 0.25 * 2 / (1 + 1), 2 + 0.25 * 0.25 / (0.125 + 1)}, 8 * kUnit))
        << "neither mean nor square is corrected";
    o = {.rule = UpdateRule::rmsprop, .beta2 = 0.75f, .eps = 2};
    EXPECT_TRUE(within(first_step({1, 2}, {4, -8}, o), {1 - 0.25 * 4 / (2 + 2), 2 + 0.25 * 8 / (4 + 2)}, 8 * kUnit));
}

TEST_P(OptimTest, a_groups_updates_are_counted_from_its_begin)
{
    // One update of either group: the same correction, though the second began after a thousand of the first.
    const auto moved = [&](const StepState& state, int group) {
        const UpdateArenas a = small_arenas(device(), {1}, {3}, UpdateRule::adam);
        run(exec(), Update{1, {}, a, upload_state(device(), state), group});
        return device().download<float>(a.w, 1)[0];
    };
    EXPECT_EQ(moved({.applied = 1001, .begun = {0, 1000}, .rate = 0.25f}, 1), moved({.applied = 1, .rate = 0.25f}, 0));
    EXPECT_NE(moved({.applied = 1001, .begun = {0, 1000}, .rate = 0.25f}, 0), moved({.applied = 1, .rate = 0.25f}, 0));
}

TEST_P(OptimTest, clip_scales_a_groups_gradient_to_the_largest_norm)
{
    const auto first_mean = [&](float norm, float clip, int group) {
        const UpdateArenas a = small_arenas(device(), {1}, {6}, UpdateRule::adam);
        StepState state{.applied = 1, .rate = 1, .grad_norm = {1e9f, 1e9f}};
        state.grad_norm[group] = norm;
        run(exec(), Update{1, {.beta1 = 0.5f, .clip = clip}, a, upload_state(device(), state), group});
        return device().download<float>(a.m, 1)[0];
    };
    EXPECT_EQ(first_mean(8, 2, 0), 0.75f) << "a quarter of 6, halved";
    EXPECT_EQ(first_mean(2, 8, 0), 3.0f) << "smaller than the clip: untouched";
    EXPECT_EQ(first_mean(8, 0, 0), 3.0f) << "no clip";
    EXPECT_EQ(first_mean(8, 2, 1), 0.75f) << "each group by its own norm";
}

TEST_P(OptimTest, weights_decay_where_their_block_is_marked_and_stay_where_it_is_not_trained)
{
    const std::int64_t n = 3 * kUpdateBlock + 5;
    const std::vector<float> w(std::size_t(n), 2.0f), start(std::size_t(n), 1.0f);
    for (const UpdateRule rule : kRules) {
        UpdateArenas a = small_arenas(device(), w, std::vector<float>(std::size_t(n), 0.0f), rule);
        a.v = device().upload(start);
        a.marks = device().upload<std::uint8_t>({kTrained | kDecays, kTrained, kDecays, kTrained | kDecays});
        a.average = device().upload(start);
        run(exec(), Update{n,
                           {.rule = rule, .beta2 = 0.5f, .decay = 0.25f, .average_decay = 0.75f},
                           a,
                           upload_state(device(), {.applied = 998, .rate = 0.5f})});
        const auto after = device().download<float>(a.w, n), average = device().download<float>(a.average, n),
                   v = device().download<float>(a.v, n);
        for (std::size_t i = 0; i < after.size(); ++i) {
            const std::size_t block = i / std::size_t(kUpdateBlock);
            const float want = block == 1 || block == 2 ? 2.0f : 1.75f;
            ASSERT_EQ(after[i], want) << "2 - 0.5 * 0.25 * 2 where it decays; element " << i;
            ASSERT_EQ(v[i] == 1, block == 2) << i;
            ASSERT_EQ(average[i], 1 + 0.25f * (want - 1)) << "the average follows what is frozen too";
        }
    }
}

TEST_P(OptimTest, the_average_follows_faster_at_first)
{
    const auto average = [&](std::uint64_t t) {
        UpdateArenas a = small_arenas(device(), {3}, {0}, UpdateRule::adam);
        a.average = device().upload<float>({1});
        run(exec(), Update{1, {.average_decay = 0.75f}, a, upload_state(device(), {.applied = t, .rate = 1})});
        return device().download<float>(a.average, 1);
    };
    EXPECT_TRUE(within(average(1), {1 + (1 - 2.0 / 11) * 2}, 8 * kUnit)); // (1 + t) / (10 + t)
    EXPECT_TRUE(within(average(100), {1 + 0.25 * 2}, 8 * kUnit));
}

/// What an update in f32 may be off by, element by element, carried from step to step.
class Bounds {
  public:
    explicit Bounds(std::int64_t n) : m(std::size_t(n), 0.0), v(m), w(m), average(m) {}
    /// `before` and `after`: the definition's step in double.
    void step(const UpdateOptions& o, const StepState& s, int group, const std::vector<float>& g,
              const ref::Weights<double>& before, const ref::Weights<double>& after)
    {
        const double t = double(s.applied - s.begun[group]);
        const bool corrected = o.rule == UpdateRule::adam || o.rule == UpdateRule::adabelief;
        const bool belief = o.rule == UpdateRule::adabelief || o.rule == UpdateRule::adabelief_dfl;
        const double rate = corrected ? s.rate / (1 - std::pow(double(o.beta1), t)) : double(s.rate),
                     factor = corrected ? 1 / (1 - std::pow(double(o.beta2), t)) : 1;
        const double clip = o.clip > 0 && s.grad_norm[group] > o.clip ? double(o.clip) / s.grad_norm[group] : 1;
        for (std::size_t i = 0; i < g.size(); ++i) {
            const double scaled = clip * std::abs(double(g[i])), mean = std::abs(after.m[i]);
            // Two products, a clipped gradient and a sum; what was wrong before decays.
            m[i] = o.beta1 * m[i] + 6 * kUnit * (std::abs(before.m[i]) + scaled);
            const double deviation = belief ? m[i] + 3 * kUnit * (scaled + mean) : 3 * kUnit * scaled;
            const double spread = belief ? scaled + mean : scaled;
            v[i] = o.beta2 * v[i] + (1 - o.beta2) * deviation * (2 * spread + deviation) + 10 * kUnit * after.v[i];
            const double direction = keeps_mean(o.rule) ? mean : scaled,
                         error = keeps_mean(o.rule) ? m[i] : 3 * kUnit * scaled;
            const double root = std::sqrt(factor * after.v[i]) + o.eps, moved = rate * direction / root;
            const double shrunk = s.rate * o.decay * (w[i] + 4 * kUnit * std::abs(before.w[i]));
            w[i] += rate * error / root + moved * (v[i] / after.v[i] + 8 * kUnit) + shrunk +
                    2 * kUnit * (std::abs(after.w[i]) + moved);
            average[i] += w[i] + 4 * kUnit * (std::abs(after.w[i]) + std::abs(before.average[i]));
        }
    }
    std::vector<double> m, v, w, average;
};

TEST_P(OptimTest, agrees_with_the_definition_over_steps)
{
    const bool simulated = GetParam().rfind("sim", 0) == 0;
    for (const UpdateRule rule : kRules)
        for (const std::int64_t n : {std::int64_t(1), std::int64_t(7), std::int64_t(simulated ? 1031 : 70001)}) {
            const UpdateOptions o{.rule = rule,
                                  .beta1 = 0.9f,
                                  .beta2 = 0.99f,
                                  .eps = 1e-6f,
                                  .decay = 0.125f,
                                  .clip = 1.5f,
                                  .average_decay = 0.5f};
            const auto rounded = [&](std::uint32_t seed, double low) {
                return cast<double>(random_values(n, seed, low, 1));
            };
            ref::Weights<double> x{rounded(1, -1), rounded(2, -1), rounded(3, 0), rounded(4, -1)};
            UpdateArenas a{
                .w = device().upload(cast<float>(x.w)), .g = {}, .m = {}, .v = device().upload(cast<float>(x.v))};
            if (keeps_mean(rule)) a.m = device().upload(cast<float>(x.m));
            a.average = device().upload(cast<float>(x.average));
            Bounds bounds(n);
            for (std::uint32_t t = 1; t <= 3; ++t) {
                const StepState state{.applied = t + 26, .begun = {0, 20}, .rate = 0.01f, .grad_norm = {9, float(t)}};
                const auto g = random_values(n, 10 + t);
                const auto before = x;
                ref::update(o, state, cast<double>(g), x, 1);
                a.g = device().upload(g);
                run(exec(), Update{n, o, a, upload_state(device(), state), 1});
                bounds.step(o, state, 1, g, before, x);
            }
            const std::string name = str("rule ", int(rule), ", n ", n);
            EXPECT_TRUE(within(device().download<float>(a.w, n), x.w, bounds.w)) << name;
            EXPECT_TRUE(within(device().download<float>(a.v, n), x.v, bounds.v)) << name;
            EXPECT_TRUE(within(device().download<float>(a.average, n), x.average, bounds.average)) << name;
            if (a.m) {
                EXPECT_TRUE(within(device().download<float>(a.m, n), x.m, bounds.m)) << name;
            }
        }
}

/// Which of n elements an update with learning-rate dropout moves, from element `first` on.
std::vector<bool> moved(TestDevice& device, std::int64_t n, const StepState& state, std::int64_t first = 0)
{
    const UpdateArenas a = small_arenas(device, std::vector<float>(std::size_t(n), 1.0f),
                                        std::vector<float>(std::size_t(n), 1.0f), UpdateRule::adam);
    run(device.exec(), Update{n, {.keep = 0.3f}, a, upload_state(device, state), 0, first});
    for (const float m : device.download<float>(a.m, n)) EXPECT_EQ(m, 0.5f) << "moments are always updated";
    std::vector<bool> moves;
    for (const float w : device.download<float>(a.w, n)) moves.push_back(w != 1);
    return moves;
}

TEST_P(OptimTest, learning_rate_dropout_moves_the_same_third_on_every_device)
{
    const std::int64_t n = GetParam().rfind("sim", 0) == 0 ? 2003 : 50003;
    const StepState state{.seed = 7, .step = 12, .applied = 3, .rate = 0.25f};
    const std::vector<bool> moves = moved(device(), n, state);
    const double share = double(std::count(moves.begin(), moves.end(), true)) / double(n);
    EXPECT_NEAR(share, 0.3, 5 * std::sqrt(0.3 * 0.7 / double(n)));
    // Word i % 4 of Philox at counter {i / 4, 0, step, purpose} decides.
    const auto threshold = std::uint32_t(double(0.3f) * 4294967296.0);
    for (std::size_t i = 0; i < moves.size(); ++i) {
        const Philox4 words = philox4x32({{std::uint32_t(i / 4), 0, 12, 101u << 16}}, 7);
        ASSERT_EQ(moves[i], words.v[i % 4] < threshold) << i;
    }
    StepState later = state;
    later.step = 13;
    const std::vector<bool> others = moved(device(), n, later);
    double both = 0;
    for (std::size_t i = 0; i < moves.size(); ++i) both += moves[i] && others[i];
    EXPECT_NEAR(both / double(n), 0.09, 5 * std::sqrt(0.09 * 0.91 / double(n))) << "steps are independent";
    const std::vector<bool> tail = moved(device(), n - 1000, state, 1000);
    EXPECT_EQ(tail, std::vector<bool>(moves.begin() + 1000, moves.end())) << "an element's number decides";
}

TEST_P(OptimTest, norm_of_all_gradients)
{
    const View norm = device().poisoned<float>(2);
    run(exec(), GlobalNorm{3, device().upload<float>({2, -3, 6}), norm});
    EXPECT_EQ(device().download<float>(norm, 1)[0], 7);
    const bool simulated = GetParam().rfind("sim", 0) == 0;
    for (const std::int64_t n : {std::int64_t(1), std::int64_t(7), std::int64_t(simulated ? 4099 : 300007)}) {
        const auto g = random_values(n, 3);
        double want = 0;
        ref::global_norm(n, cast<double>(g).data(), &want);
        const View dg = device().upload(g);
        run(exec(), GlobalNorm{n, dg, norm});
        run(exec(), GlobalNorm{n, dg, {norm.as<float>() + 1}});
        const auto got = device().download<float>(norm, 2);
        EXPECT_TRUE(within(std::vector<float>{got[0]}, {want}, 2 * kUnit * want)) << n;
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
    }
    run(exec(), GlobalNorm{3, device().upload<float>({2, kNan, 6}), norm});
    EXPECT_TRUE(std::isnan(device().download<float>(norm, 1)[0]));
}

TEST_P(OptimTest, a_bad_step_leaves_everything_as_it_is)
{
    StepState* state = upload_state(device(), {.seed = 99, .step = 5, .applied = 3, .learning_rate = 0.5f});
    const std::vector<float> weights{1, -2}, means{0.5f, 0.25f}, squares{2, 3};
    const UpdateArenas a{.w = device().upload(weights),
                         .g = device().upload<float>({kNan, 1}),
                         .m = device().upload(means),
                         .v = device().upload(squares),
                         .average = device().upload(weights)};
    const float inf = std::numeric_limits<float>::infinity();
    std::uint32_t bad = 0;
    for (const auto& [loss, norm] : {std::pair{kNan, 1.0f}, {-inf, 1.0f}, {1.0f, kNan}, {1.0f, inf}}) {
        run(exec(), BeginStep{state});
        run(exec(), JudgeStep{state, {}, 2, device().upload<float>({0, loss}), 2, device().upload<float>({1, norm})});
        run(exec(), Update{2, {.average_decay = 0.5f}, a, state});
        const StepState now = download_state(device(), state);
        EXPECT_EQ(now.skip, 1u) << "one verdict for both groups";
        EXPECT_EQ(now.bad_steps, ++bad);
        EXPECT_EQ(now.step, 5 + bad);
        EXPECT_EQ(now.applied, 3u);
        EXPECT_EQ(now.seed, 99u);
    }
    EXPECT_EQ(device().download<float>(a.w, 2), weights);
    EXPECT_EQ(device().download<float>(a.m, 2), means);
    EXPECT_EQ(device().download<float>(a.v, 2), squares);
    EXPECT_EQ(device().download<float>(a.average, 2), weights);
}

TEST_P(OptimTest, groups_that_are_judged_later_can_spoil_a_step_but_not_mend_it)
{
    const auto judged = [&](float first, float loss, float norm) {
        StepState* state = upload_state(device(), {.step = 5, .applied = 3, .bad_steps = 2});
        run(exec(), BeginStep{state});
        run(exec(), JudgeStep{state, {}, 1, device().upload<float>({1}), 1, device().upload<float>({first})});
        run(exec(), JudgeOthers{state, 1, device().upload<float>({loss}), 1, 2, device().upload<float>({norm, 7})});
        return download_state(device(), state);
    };
    const StepState good = judged(1, 2, 3);
    EXPECT_EQ(good.skip, 0u);
    EXPECT_EQ(good.applied, 4u) << "a step, whatever the number of verdicts";
    EXPECT_EQ(good.bad_steps, 0u);
    EXPECT_EQ(good.grad_norm[0], 1);
    EXPECT_EQ(good.grad_norm[1], 3);
    EXPECT_EQ(good.grad_norm[2], 7);
    for (const StepState& spoilt : {judged(1, kNan, 3), judged(1, 2, kNan)}) {
        EXPECT_EQ(spoilt.skip, 1u);
        EXPECT_EQ(spoilt.bad_steps, 3u);
        EXPECT_EQ(spoilt.applied, 4u) << "the first group has been updated";
    }
    for (const StepState& spoilt : {judged(kNan, 2, 3), judged(kNan, kNan, 3)}) {
        EXPECT_EQ(spoilt.skip, 1u);
        EXPECT_EQ(spoilt.bad_steps, 3u);
        EXPECT_EQ(spoilt.applied, 3u);
    }
}

TEST_P(OptimTest, a_good_step_counts_and_ends_the_bad_ones)
{
    StepState* state = upload_state(device(), {.step = 5, .applied = 3, .skip = 1, .bad_steps = 4});
    run(exec(), BeginStep{state});
    EXPECT_EQ(download_state(device(), state).skip, 0u);
    judge(state, 0.5f, 2.5f);
    const StepState now = download_state(device(), state);
    EXPECT_EQ(now.skip, 0u);
    EXPECT_EQ(now.bad_steps, 0u);
    EXPECT_EQ(now.step, 6u);
    EXPECT_EQ(now.applied, 4u);
    EXPECT_EQ(now.grad_norm[0], 2.5f);
}

TEST(Schedule, by_hand)
{
    const RateSchedule s{.warmup = 4, .fall_steps = 8, .floor = 0.5f};
    for (const auto& [t, share] : {std::pair{0, 0.25}, {1, 0.5}, {3, 1.0}, {4, 1.0}, {8, 0.75}, {12, 0.5}, {9000, 0.5}})
        EXPECT_NEAR(scheduled_rate(s, 2, std::uint64_t(t)), 2 * share, 4 * kUnit) << t;
    const RateSchedule swing{.period = 500};
    for (const auto& [t, share] : {std::pair{0, 1.0}, {125, 0.5}, {250, 0.0}, {375, 0.5}, {500, 1.0}, {50125, 0.5}})
        EXPECT_NEAR(scheduled_rate(swing, 2, std::uint64_t(t)), 2 * share, 4 * kUnit) << t;
    EXPECT_EQ(scheduled_rate({}, 0.125f, 123456789), 0.125f) << "constant";
}

TEST(Schedule, is_its_formula)
{
    const RateSchedule s{.warmup = 100, .fall_steps = 1000000007, .floor = 0.125f, .period = 499};
    const double pi = std::acos(-1.0);
    for (const std::uint64_t t :
         {0ull, 1ull, 99ull, 100ull, 101ull, 12345ull, 500000053ull, 999999999ull, 4000000000ull}) {
        const double warm = std::min(1.0, double(t + 1) / 100),
                     fall = std::min(1.0, double(t < 100 ? 0 : t - 100) / 1000000007),
                     want = warm * (0.125 + 0.875 * (1 + std::cos(pi * fall)) / 2) *
                            (1 + std::cos(2 * pi * double(t % 499) / 499)) / 2;
        EXPECT_NEAR(scheduled_rate(s, 1, t), want, 8 * kUnit) << t;
    }
}

TEST_P(OptimTest, losses_of_a_steps_batches_are_averaged_one_by_one)
{
    const View mean = device().poisoned<float>(2);
    run(exec(), MeanLosses{3, 2, device().upload<float>({1, 10, 2, 20, 6, 60}), mean});
    EXPECT_EQ(device().download<float>(mean, 2), (std::vector<float>{3, 30}));
}

TEST_P(OptimTest, the_verdict_sets_the_updates_rate)
{
    StepState* state = upload_state(device(), {.applied = 124, .learning_rate = 2});
    for (const double want : {2 * 0.506283, 2 * 0.5, 2 * 0.493717}) { // (1 + cos(2 pi 124 / 500)) / 2, ...
        run(exec(), BeginStep{state});
        run(exec(), JudgeStep{state, {.period = 500}, 1, device().upload<float>({1}), 1, device().upload<float>({1})});
        EXPECT_NEAR(download_state(device(), state).rate, want, 2e-6);
    }
}

TEST_P(OptimTest, a_recorded_step_reads_the_state_when_it_is_replayed)
{
    const UpdateArenas a = small_arenas(device(), {1}, {1}, UpdateRule::adam);
    const View loss = device().upload<float>({1});
    StepState* state = upload_state(device(), {.learning_rate = 0.125f});
    const Stream stream = device().device().create_stream();
    const Exec ex{&device().device(), stream, exec().workspace};
    device().device().synchronize({});
    device().device().begin_recording(stream);
    run(ex, BeginStep{state});
    run(ex, JudgeStep{state, {}, 1, loss, 1, a.g});
    run(ex, Update{1, {}, a, state});
    const auto recording = device().device().end_recording(stream);
    EXPECT_EQ(device().download<float>(a.w, 1)[0], 1) << "recording runs nothing";
    for (int i = 0; i < 2; ++i) device().device().replay(stream, *recording);
    device().device().synchronize(stream);
    EXPECT_EQ(download_state(device(), state).applied, 2u);
    // A constant gradient: the corrected mean over the corrected root is 1 at every t. (1 - beta2^t is 1e-3 or 2e-3,
    // formed from a beta2 that f32 holds within 2^-25: relative error 1e-4 at most.)
    EXPECT_TRUE(within(device().download<float>(a.w, 1), {0.75}, 0.25 * 1e-4));
    device().device().destroy_stream(stream);
}

/// n elements of random weights, gradients and moments.
UpdateArenas random_arenas(TestDevice& device, std::int64_t n, UpdateRule rule)
{
    return {.w = device.upload(random_values(n, 1)),
            .g = device.upload(random_values(n, 2)),
            .m = keeps_mean(rule) ? device.upload(random_values(n, 3)) : View{},
            .v = device.upload(random_values(n, 4, 0, 1))};
}

TEST(Optim, has_the_same_bits_for_any_thread_count)
{
    const std::int64_t n = 70001;
    for (const UpdateRule rule : kRules) {
        std::vector<std::vector<float>> weights;
        std::vector<float> norms;
        for (const char* name : {"cpu:1", "cpu:2", "cpu:3", "cpu:2"}) {
            TestDevice cpu(name);
            const UpdateArenas a = random_arenas(cpu, n, rule);
            const View norm = cpu.poisoned<float>(1);
            run(cpu.exec(), GlobalNorm{n, a.g, norm});
            norms.push_back(cpu.download<float>(norm, 1)[0]);
            const StepState state{.step = 4, .applied = 2, .rate = 0.01f, .grad_norm = {norms.back()}};
            run(cpu.exec(),
                Update{n, {.rule = rule, .decay = 0.5f, .clip = 1, .keep = 0.3f}, a, upload_state(cpu, state)});
            weights.push_back(cpu.download<float>(a.w, n));
        }
        for (std::size_t i = 1; i < weights.size(); ++i) {
            EXPECT_EQ(norms[0], norms[i]);
            EXPECT_EQ(weights[0], weights[i]);
        }
    }
}

TEST(Optim, f64_is_the_definition)
{
    TestDevice cpu("cpu");
    const std::int64_t n = 7;
    const StepState state{.applied = 3, .rate = 0.01f, .grad_norm = {2}};
    for (const UpdateRule rule : kRules) {
        const UpdateOptions o{.rule = rule, .decay = 0.5f, .clip = 0.5f, .average_decay = 0.9f};
        ref::Weights<double> x{random_values<double>(n, 1), random_values<double>(n, 2),
                               random_values<double>(n, 3, 0, 1), random_values<double>(n, 5)};
        const auto g = random_values<double>(n, 4);
        const UpdateArenas a{.w = cpu.upload(x.w),
                             .g = cpu.upload(g),
                             .m = keeps_mean(rule) ? cpu.upload(x.m) : View{},
                             .v = cpu.upload(x.v),
                             .average = cpu.upload(x.average)};
        ref::update(o, state, g, x);
        run(cpu.exec(), Update{n, o, a, upload_state(cpu, state)});
        EXPECT_TRUE(within(cpu.download<double>(a.w, n), x.w, 1e-14)) << int(rule);
        EXPECT_TRUE(within(cpu.download<double>(a.v, n), x.v, 1e-14)) << int(rule);
        EXPECT_TRUE(within(cpu.download<double>(a.average, n), x.average, 1e-14)) << int(rule);
        if (a.m) {
            EXPECT_TRUE(within(cpu.download<double>(a.m, n), x.m, 1e-14)) << int(rule);
        }
    }
    const auto g = random_values<double>(n, 4);
    double want = 0;
    ref::global_norm(n, g.data(), &want);
    const View norm = cpu.poisoned<double>(1);
    run(cpu.exec(), GlobalNorm{n, cpu.upload(g), norm});
    EXPECT_TRUE(within(cpu.download<double>(norm, 1), {want}, 1e-15));
}

TEST(Optim, a_plan_counts_without_touching_the_state)
{
    const auto plan = open_device("plan");
    const Exec ex{plan.get()};
    auto* state = static_cast<StepState*>(plan->allocate(sizeof(StepState))); // an address nothing is mapped at
    const View data{plan->allocate(400)}, norm{plan->allocate(4)};
    run(ex, BeginStep{state});
    run(ex, GlobalNorm{100, data, norm});
    run(ex, JudgeStep{state, {}, 100, data, 1, norm});
    const UpdateArenas with_mean{data, data, data, data}, without{data, data, {}, data};
    run(ex, Update{100, {}, with_mean, state});
    EXPECT_EQ((Update{100, {}, with_mean, state}.cost({}).bytes), 2800); // four reads, three writes
    EXPECT_EQ((Update{100, {.rule = UpdateRule::rmsprop}, without, state}.cost({}).bytes), 2000);
    EXPECT_EQ((GlobalNorm{100, {nullptr, DType::f64}, norm}.cost(plan->target()).bytes), 800);
}

class PackedUpdateTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(PackedUpdateTest);

TEST_P(PackedUpdateTest, the_packed_copy_is_the_new_weight_rounded_unless_the_step_is_skipped)
{
    const std::int64_t n = 1001;
    const auto before = random_values<bf16>(n, 5);
    for (const UpdateRule rule : kRules) {
        UpdateArenas a = random_arenas(device(), n, rule);
        a.packed = device().upload(before);
        run(exec(), Update{n, {.rule = rule}, a, upload_state(device(), {.applied = 3, .rate = 0.1f, .skip = 1})});
        EXPECT_EQ(bits_of(device().download<bf16>(a.packed, n)), bits_of(before));
        run(exec(), Update{n, {.rule = rule}, a, upload_state(device(), {.applied = 3, .rate = 0.1f})});
        EXPECT_EQ(bits_of(device().download<bf16>(a.packed, n)), bits_of(cast<bf16>(device().download<float>(a.w, n))));
    }
}

} // namespace
