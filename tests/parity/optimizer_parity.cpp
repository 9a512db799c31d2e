// tests/parity/optimizer_parity.cpp - our Adam, AdamW and RMSprop beside LibTorch's, in f64, from identical states: the
// same weights and the same gradients for several steps, so that only the updates' own rounding can tell them apart.
#include "engine/optimizer.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace {

using namespace bifrons;
using namespace bifrons::test;
using kernels::UpdateOptions;
using kernels::UpdateRule;

constexpr int kSteps = 7;
constexpr double kRate = 0.03125;
const Shape kMatrix{7, 13}, kBias{13};

/// Ours: a matrix and a bias.
class Ours {
  public:
    explicit Ours(const UpdateOptions& options) : pool_(cpu_.device()), optimizer_(params_, {.update = options})
    {
        params_.declare("w", kMatrix, {});
        params_.declare("b", kBias, {});
        params_.allocate(cpu_.exec(), DType::f64, pool_);
        optimizer_.allocate(cpu_.exec(), pool_);
        state_ = Tensor::empty({sizeof(kernels::StepState)}, DType::u8, pool_);
        const kernels::StepState start{.learning_rate = float(kRate)};
        cpu_.device().copy({}, state_.view().data, &start, sizeof start);
        loss_ = Tensor::empty({1}, DType::f64, pool_);
        loss_.upload<double>(cpu_.exec(), {1});
    }
    void set_weights(int i, const std::vector<double>& values) { params_.value(i).upload(cpu_.exec(), values); }
    void set_gradient(int i, const std::vector<double>& values) { params_.grad(i).upload(cpu_.exec(), values); }
    std::vector<double> weights(int i) { return params_.value(i).download<double>(cpu_.exec()); }
    void step()
    {
        auto* state = static_cast<kernels::StepState*>(state_.view().data);
        kernels::run(cpu_.exec(), kernels::BeginStep{state});
        optimizer_.step(cpu_.exec(), state, loss_);
    }

  private:
    TestDevice cpu_{"cpu"};
    Pool pool_;
    Parameters params_;
    Optimizer optimizer_;
    Tensor state_, loss_;
};

torch::Tensor to_torch(const Shape& shape, const std::vector<double>& values)
{
    std::vector<std::int64_t> sizes;
    for (int i = 0; i < shape.rank(); ++i) sizes.push_back(shape[i]);
    return torch::tensor(values, torch::kFloat64).reshape(sizes);
}

std::vector<double> gradient_of(int parameter, int step)
{
    return random_values<double>((parameter == 0 ? kMatrix : kBias).size(), std::uint32_t(100 * parameter + step));
}

/// make(matrix, bias) gives LibTorch's optimizer.
template <class Make>
void expect_the_same_path(const UpdateOptions& options, const Make& make)
{
    Ours ours(options);
    std::vector<torch::Tensor> leaves;
    for (const int i : {0, 1}) {
        const Shape& shape = i == 0 ? kMatrix : kBias;
        const auto start = random_values<double>(shape.size(), std::uint32_t(7 + i));
        ours.set_weights(i, start);
        leaves.push_back(to_torch(shape, start));
    }
    const auto theirs = make(leaves[0], leaves[1]);
    for (int step = 1; step <= kSteps; ++step) {
        for (const int i : {0, 1}) {
            ours.set_gradient(i, gradient_of(i, step));
            leaves[std::size_t(i)].mutable_grad() = to_torch(i == 0 ? kMatrix : kBias, gradient_of(i, step));
        }
        ours.step();
        theirs->step();
        for (const int i : {0, 1}) {
            const torch::Tensor flat = leaves[std::size_t(i)].contiguous().view(-1);
            const std::vector<double> want(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
            // A step rounds some twenty times, relative to a weight below 2 and a move below 3.2 rates.
            EXPECT_TRUE(within(ours.weights(i), want, step * 20 * 0x1p-53 * (2 + 3.2 * kRate)))
                << i << ", step " << step;
        }
    }
}

TEST(OptimizerParity, adam)
{
    const UpdateOptions o{.rule = UpdateRule::adam, .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-4f};
    expect_the_same_path(o, [&](const torch::Tensor& w, const torch::Tensor& b) {
        return std::make_unique<torch::optim::Adam>(
            std::vector<torch::Tensor>{w, b},
            torch::optim::AdamOptions(kRate).betas({double(o.beta1), double(o.beta2)}).eps(double(o.eps)));
    });
}

TEST(OptimizerParity, adamw_whose_biases_do_not_decay)
{
    const UpdateOptions o{.rule = UpdateRule::adam, .beta1 = 0.5f, .beta2 = 0.99f, .eps = 1e-4f, .decay = 0.125f};
    expect_the_same_path(o, [&](const torch::Tensor& w, const torch::Tensor& b) {
        const auto options = [&](double decay) {
            return std::make_unique<torch::optim::AdamWOptions>(torch::optim::AdamWOptions(kRate)
                                                                    .betas({double(o.beta1), double(o.beta2)})
                                                                    .eps(double(o.eps))
                                                                    .weight_decay(decay));
        };
        std::vector<torch::optim::OptimizerParamGroup> groups;
        groups.emplace_back(std::vector<torch::Tensor>{w}, options(double(o.decay)));
        groups.emplace_back(std::vector<torch::Tensor>{b}, options(0));
        return std::make_unique<torch::optim::AdamW>(groups);
    });
}

TEST(OptimizerParity, rmsprop)
{
    const UpdateOptions o{.rule = UpdateRule::rmsprop, .beta2 = 0.9f, .eps = 1e-4f};
    expect_the_same_path(o, [&](const torch::Tensor& w, const torch::Tensor& b) {
        return std::make_unique<torch::optim::RMSprop>(
            std::vector<torch::Tensor>{w, b},
            torch::optim::RMSpropOptions(kRate).alpha(double(o.beta2)).eps(double(o.eps)));
    });
}

} // namespace
