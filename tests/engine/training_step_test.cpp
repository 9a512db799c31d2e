// A whole training step of a two-layer network through every layer: device, launcher, tape with stores, slab,
// recording. The same test on every device that is present.
#include "engine/ops/ops.h"
#include "engine/optimizer.h"
#include "engine/step.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::test;

namespace {

/// conv 3x3 stride 2 -> leaky -> conv 3x3, against a fixed picture.
class TwoLayers {
  public:
    TwoLayers(TestDevice& device, DType dtype, bool recording)
        : device_(device), pool_(device.device()), optimizer_(params_, {.update = {.beta1 = 0.9f}}), dtype_(dtype),
          step_(
              device.device(), {}, [this](kernels::Exec ex, Memory& memory) { body(ex, memory); }, recording)
    {
        w1_ = params_.declare("w1", {5, 3, 3, 3}, {Init::Kind::glorot_uniform, 27, 45});
        b1_ = params_.declare("b1", {5}, {});
        w2_ = params_.declare("w2", {2, 3, 3, 5}, {Init::Kind::glorot_uniform, 45, 18});
        params_.allocate(ex(), dtype, pool_);
        params_.initialise(ex(), 11);
        optimizer_.allocate(ex(), pool_);
        x_ = filled({2, 8, 6, 3}, 1);
        target_ = filled({2, 4, 3, 2}, 2);
        loss_ = filled({1}, 3);
        one_ = Tensor::empty({1}, dtype, pool_);
        one_.upload<double>(ex(), {1});
        state_ = Tensor::empty({sizeof(kernels::StepState)}, DType::u8, pool_);
        const kernels::StepState start{.seed = 5, .learning_rate = 0.01f};
        device.device().copy({}, state_.view().data, &start, sizeof start);
        device.device().synchronize({});
    }
    std::vector<double> run(int steps)
    {
        std::vector<double> losses;
        for (int i = 0; i < steps; ++i) {
            step_.run();
            losses.push_back(loss_.download<double>(ex())[0]);
        }
        return losses;
    }
    std::vector<double> weights() { return params_.weights().download<double>(ex()); }
    std::vector<double> gradients() { return params_.gradients().download<double>(ex()); }
    Step& step() { return step_; }

  private:
    kernels::Exec ex() { return {&device_.device(), {}, {}}; }
    Tensor filled(const Shape& shape, std::uint32_t seed)
    {
        const Tensor t = Tensor::empty(shape, dtype_, pool_);
        t.upload(ex(), random_values<double>(shape.size(), seed));
        return t;
    }
    void body(kernels::Exec exec, Memory& memory)
    {
        auto* state = static_cast<kernels::StepState*>(state_.view().data);
        kernels::run(exec, kernels::BeginStep{state});
        Tape tape(exec, memory);
        const Var h = conv2d(tape, Var(x_), params_.var(tape, w1_),
                             {.bias = params_.var(tape, b1_), .stride = 2, .pad = 1, .act = kernels::leaky(0.1f)});
        const Var loss = mse(tape, conv2d(tape, h, params_.var(tape, w2_), {.pad = 1}), target_, {}, 3);
        exec.device->copy(exec.stream, loss_.view().data, loss.view().data, loss_.bytes());
        tape.backward(loss, one_);
        optimizer_.step(exec, state, loss_);
    }

    TestDevice& device_;
    Pool pool_;
    Parameters params_;
    Optimizer optimizer_;
    DType dtype_;
    Tensor x_, target_, loss_, one_, state_;
    int w1_ = 0, b1_ = 0, w2_ = 0;
    Step step_;
};

class TrainingStepTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(TrainingStepTest);

TEST_P(TrainingStepTest, follows_the_double_network_and_learns)
{
    TestDevice oracle("cpu");
    TwoLayers exact(oracle, DType::f64, true), net(device(), DType::f32, true);
    const std::vector<double> want = exact.run(20), got = net.run(20);
    EXPECT_LT(want.back(), 0.5 * want.front()) << "twenty steps learn something";
    // One step from the same weights: values below 27 and 45 products deep, gradients 45 and 12*2 positions more.
    EXPECT_NEAR(got[0], want[0], want[0] * (gamma32(27) + gamma32(45) + gamma32(24)));
    // Afterwards Adam divides by sqrt(v): an error d of a gradient g moves a weight by at most lr*d/|g| a step, so that
    // curves of near-zero gradients may part by lr a step; the loss follows to first order.
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-4 * want[0]) << "step " << i;
}

TEST_P(TrainingStepTest, gradients_of_the_first_step_are_within_the_bound)
{
    TestDevice oracle("cpu");
    TwoLayers exact(oracle, DType::f64, false), net(device(), DType::f32, false);
    exact.run(1);
    net.run(1);
    const std::vector<double> want = exact.gradients(), got = net.gradients();
    double largest = 0;
    for (const double g : want) largest = std::max(largest, std::abs(g));
    // A gradient is a sum of 24 products of a loss gradient (45 products deep) and an activation (27 deep).
    EXPECT_TRUE(within(got, want, 4 * largest * (gamma32(24) + gamma32(45) + gamma32(27))));
}

TEST_P(TrainingStepTest, recorded_and_eager_steps_have_the_same_bits)
{
    TwoLayers recorded(device(), DType::f32, true), eager(device(), DType::f32, false),
        again(device(), DType::f32, true);
    const auto losses = recorded.run(5);
    EXPECT_EQ(losses, eager.run(5));
    EXPECT_EQ(losses, again.run(5));
    EXPECT_EQ(recorded.weights(), eager.weights());
    EXPECT_EQ(recorded.weights(), again.weights());
}

TEST_P(TrainingStepTest, the_slab_is_exactly_what_the_plan_said)
{
    TwoLayers net(device(), DType::f32, true);
    const std::size_t planned = net.step().planned_bytes();
    EXPECT_EQ(net.step().slab_bytes(), 0u) << "planning takes no memory";
    net.run(3);
    EXPECT_EQ(net.step().slab_bytes(), planned);
    double flops = 0;
    for (const auto& [name, cost] : net.step().costs())
        if (name.find("conv2d_fwd") != name.npos) flops += cost.flops;
    EXPECT_GE(flops, 2.0 * 2 * 4 * 3 * (5 * 27 + 2 * 45)) << "two floating-point operations a product";
}

} // namespace
