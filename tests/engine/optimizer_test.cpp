// Groups of parameters, frozen blocks, the average of the weights and gradients collected over micro-batches.
#include "engine/optimizer.h"

#include "engine/ops/ops.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::test;

namespace {

constexpr std::int64_t kSamples = 4;

/// Two convolutions that make a picture, and a third, in a group of its own, that looks at the first one's input.
class TwoGroups {
  public:
    explicit TwoGroups(TestDevice& device, const OptimizerOptions& options = {}, const std::string& frozen = "",
                       DType dtype = DType::f32)
        : device_(device), pool_(device.device()), optimizer_(params_, options)
    {
        body_ = params_.declare("body.w", {5, 3, 3, 3}, {Init::Kind::glorot_uniform, 27, 45});
        bias_ = params_.declare("body.b", {5}, {});
        head_ = params_.declare("head.w", {2, 3, 3, 5}, {Init::Kind::glorot_uniform, 45, 18});
        params_.begin_group("discriminator");
        judge_ = params_.declare("judge.w", {1, 3, 3, 3}, {Init::Kind::glorot_uniform, 27, 9});
        if (!frozen.empty()) {
            EXPECT_GT(params_.freeze(frozen), 0);
        }
        params_.allocate(ex(), dtype, pool_);
        params_.initialise(ex(), 11);
        optimizer_.allocate(ex(), pool_);
        optimizer_.start_average(ex());
        x_ = filled({kSamples, 8, 6, 3}, 1);
        target_ = filled({kSamples, 8, 6, 2}, 2);
        label_ = filled({kSamples, 8, 6, 1}, 3);
        state_ = Tensor::empty({sizeof(kernels::StepState)}, DType::u8, pool_);
        const kernels::StepState start{.seed = 5, .learning_rate = 0.01f};
        device.device().copy({}, state_.view().data, &start, sizeof start);
        loss_ = Tensor::empty({1}, dtype, pool_);
        device.device().synchronize({});
    }
    /// Gradients of the mean over the samples, in so many micro-batches.
    void gradients(std::int64_t micro_batches = 1)
    {
        const Tensor share = Tensor::empty({1}, loss_.dtype(), pool_);
        share.upload<double>(ex(), {1.0 / double(micro_batches)});
        const std::int64_t n = kSamples / micro_batches;
        for (std::int64_t i = 0; i < micro_batches; ++i) {
            const auto part = [&](const Tensor& t) { return t.slice(i * n, (i + 1) * n); };
            Tape tape(ex(), pool_);
            const Var x(part(x_)),
                h = conv2d(tape, x, params_.var(tape, body_),
                           {.bias = params_.var(tape, bias_), .pad = 1, .act = kernels::leaky(0.1f)});
            const Var made = mse(tape, conv2d(tape, h, params_.var(tape, head_), {.pad = 1}), part(target_), {}, 3);
            const Var judged = mse(tape, conv2d(tape, x, params_.var(tape, judge_), {.pad = 1}), part(label_), {}, 9);
            const Var sum = total(tape, {made, judged}, {1, 1});
            device_.device().copy({}, loss_.view().data, sum.view().data, loss_.bytes());
            tape.backward(sum, share, i > 0);
        }
    }
    void step()
    {
        auto* state = static_cast<kernels::StepState*>(state_.view().data);
        kernels::run(ex(), kernels::BeginStep{state});
        gradients();
        optimizer_.step(ex(), state, loss_);
    }
    kernels::StepState state()
    {
        kernels::StepState s;
        device_.device().copy({}, &s, state_.view().data, sizeof s);
        device_.device().synchronize({});
        return s;
    }
    std::vector<double> gradient(int i) { return params_.grad(i).download<double>(ex()); }
    std::vector<double> gradient_arena() { return params_.gradients().download<double>(ex()); }
    std::vector<double> value(int i) { return params_.value(i).download<double>(ex()); }
    std::vector<double> average() { return optimizer_.average().download<double>(ex()); }
    std::vector<double> weights() { return params_.weights().download<double>(ex()); }
    const Parameters& params() const { return params_; }

    int body_ = 0, bias_ = 0, head_ = 0, judge_ = 0;

  private:
    kernels::Exec ex() { return device_.exec(); }
    Tensor filled(const Shape& shape, std::uint32_t seed)
    {
        const Tensor t = Tensor::empty(shape, params_.weights().dtype(), pool_);
        t.upload(ex(), random_values<double>(shape.size(), seed));
        return t;
    }

    TestDevice& device_;
    Pool pool_;
    Parameters params_;
    Optimizer optimizer_;
    Tensor x_, target_, label_, loss_, state_;
};

class OptimizerTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(OptimizerTest);

double norm_of(const std::vector<std::vector<double>>& gradients)
{
    double sum = 0;
    for (const auto& g : gradients) sum += dot(g, g);
    return std::sqrt(sum);
}

TEST_P(OptimizerTest, each_group_has_its_own_norm_and_clipping)
{
    const auto moved = [&](float clip) {
        TwoGroups net(device(), {.update = {.rule = kernels::UpdateRule::rmsprop, .beta2 = 0, .eps = 1, .clip = clip}});
        const std::vector<double> before = net.weights();
        net.step();
        const kernels::StepState state = net.state();
        const double made = norm_of({net.gradient(net.body_), net.gradient(net.bias_), net.gradient(net.head_)}),
                     judged = norm_of({net.gradient(net.judge_)});
        EXPECT_NEAR(state.grad_norm[0], made, 1e-6 * made);
        EXPECT_NEAR(state.grad_norm[1], judged, 1e-6 * judged);
        EXPECT_GT(std::abs(made - judged), 0.1 * judged);
        // With beta2 = 0 and eps = 1 a weight moves by rate g / (|g| + 1): its inverse tells the clipped gradient.
        std::vector<double> norms(2, 0.0);
        const std::vector<double> after = net.weights();
        for (const auto& group : net.params().groups())
            for (std::int64_t i = group.begin; i < group.end; ++i) {
                const double u = (before[std::size_t(i)] - after[std::size_t(i)]) / double(0.01f);
                norms[group.begin > 0] += std::pow(u / (1 - std::abs(u)), 2);
            }
        return std::pair(std::sqrt(norms[0]), std::sqrt(norms[1]));
    };
    const auto free = moved(0), clipped = moved(0.25f);
    EXPECT_GT(free.first, 0.5);
    EXPECT_GT(free.second, 0.5);
    EXPECT_NEAR(clipped.first, 0.25, 1e-3);
    EXPECT_NEAR(clipped.second, 0.25, 1e-3);
}

TEST_P(OptimizerTest, a_frozen_block_keeps_its_bits_while_the_others_move)
{
    for (const auto rule : {kernels::UpdateRule::adam, kernels::UpdateRule::adabelief_dfl}) {
        TwoGroups net(device(), {.update = {.rule = rule, .decay = 0.5f, .keep = 0.5f}}, "body");
        const auto body = net.value(net.body_), bias = net.value(net.bias_), head = net.value(net.head_),
                   judge = net.value(net.judge_);
        for (int i = 0; i < 3; ++i) net.step();
        EXPECT_EQ(net.value(net.body_), body);
        EXPECT_EQ(net.value(net.bias_), bias);
        EXPECT_NE(net.value(net.head_), head);
        EXPECT_NE(net.value(net.judge_), judge);
        for (const int i : {net.body_, net.bias_})
            for (const double g : net.gradient(i)) ASSERT_EQ(g, 0);
        EXPECT_NEAR(net.state().grad_norm[0], norm_of({net.gradient(net.head_)}), 1e-6);
    }
    TwoGroups net(device());
    EXPECT_FALSE(net.params().entries()[0].frozen);
}

TEST(Parameters, a_block_is_frozen_by_its_whole_name)
{
    Parameters p;
    for (const char* name : {"decoder.w", "decoder.b", "decoder_src.w", "decoder"}) p.declare(name, {1}, {});
    EXPECT_EQ(p.freeze("deco"), 0);
    EXPECT_EQ(p.freeze("decoder"), 2);
    EXPECT_TRUE(p.entries()[0].frozen && p.entries()[1].frozen);
    EXPECT_FALSE(p.entries()[2].frozen || p.entries()[3].frozen);
}

TEST(Parameters, groups_are_neighbours_in_the_arenas)
{
    Parameters p;
    p.declare("a", {65}, {});
    p.begin_group("discriminator");
    p.declare("b", {3}, {});
    ASSERT_EQ(p.groups().size(), 2u);
    EXPECT_EQ(p.groups()[0].name, "generator");
    EXPECT_EQ(p.groups()[0].end, 128);
    EXPECT_EQ(p.groups()[1].begin, 128);
    EXPECT_EQ(p.groups()[1].end, p.arena_size());
    EXPECT_THROW(p.begin_group("generator"), Error);
}

TEST_P(OptimizerTest, the_average_is_of_the_first_group_and_starts_as_the_weights)
{
    TwoGroups net(device(), {.update = {.average_decay = 0.75f}});
    const std::vector<double> start = net.weights(), averaged = net.average();
    ASSERT_EQ(std::int64_t(averaged.size()), net.params().groups()[0].end);
    EXPECT_EQ(averaged, std::vector<double>(start.begin(), start.begin() + std::ptrdiff_t(averaged.size())));
    net.step();
    const std::vector<double> weights = net.weights(), after = net.average();
    for (std::size_t i = 0; i < after.size(); ++i) // after one update it follows by 1 - 2 / 11
        ASSERT_NEAR(after[i], start[i] + 9.0 / 11 * (weights[i] - start[i]), 1e-6);
}

TEST_P(OptimizerTest, micro_batches_collect_the_gradient_of_the_whole)
{
    TwoGroups whole(device()), parts(device(), {}, "");
    whole.gradients();
    parts.gradients(2);
    const std::vector<double> want = whole.gradient_arena(), got = parts.gradient_arena();
    double largest = 0;
    for (const double g : want) largest = std::max(largest, std::abs(g));
    // Each is a sum over 4 * 48 positions of a loss gradient (45 products deep) and an activation (27 deep).
    EXPECT_TRUE(within(got, want, 4 * largest * (gamma32(192) + gamma32(45) + gamma32(27))));
    parts.gradients(2);
    EXPECT_EQ(parts.gradient_arena(), got) << "a step begins from zero and repeats bit for bit";
}

TEST(Optimizer, micro_batches_in_f64_are_the_whole_to_rounding)
{
    TestDevice cpu("cpu");
    TwoGroups whole(cpu, {}, "", DType::f64), parts(cpu, {}, "", DType::f64);
    whole.gradients();
    parts.gradients(4);
    EXPECT_TRUE(within(parts.gradient_arena(), whole.gradient_arena(), 1e-13));
}

} // namespace
