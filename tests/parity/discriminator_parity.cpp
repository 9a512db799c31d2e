// tests/parity/discriminator_parity.cpp - each discriminator and each adversarial loss beside LibTorch's, from the same
// weights: answers and all gradients, the picture's included; and the losses of eyes and mouth and of style. Bounds as
// in torch_parity.cpp.
#include "model/discriminator.h"
#include "tests/parity/compare.h"
#include "tests/parity/torch_discriminator.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

#include <algorithm>

namespace {

using namespace bifrons;
using namespace bifrons::parity;
using test::random_values;

// ---- both sides --------------------------------------------------------------------------------------------------

struct Problem {
    std::string name;
    Shape input;
    std::function<std::unique_ptr<model::Discriminator>(Parameters&)> ours;
    std::function<std::vector<torch::Tensor>(const TorchDiscriminator&, const torch::Tensor&)> theirs;
};
void PrintTo(const Problem& problem, std::ostream* out)
{
    *out << problem.name;
}

std::vector<Problem> problems()
{
    std::vector<Problem> list;
    for (const int side : {16, 20})
        list.push_back({str("fc_", side),
                        {2, side, side, 3},
                        [side](Parameters& p) { return std::make_unique<model::FcDiscriminator>(p, "d", side, 4); },
                        [](const TorchDiscriminator& d, const torch::Tensor& x) { return d.fc(x); }});
    for (const auto& [patch, strides] :
         {std::pair{11, std::vector<int>{2, 1, 2}}, {16, {2, 2, 2}}, {3, std::vector<int>{2}}})
        list.push_back(
            {str("patch_", patch),
             {2, 16, 16, 3},
             [patch = patch](Parameters& p) { return std::make_unique<model::PatchDiscriminator>(p, "d", patch, 4); },
             [strides = strides](const TorchDiscriminator& d, const torch::Tensor& x) { return d.patch(x, strides); }});
    for (const int side : {2, 8})
        list.push_back(
            {str("code_", side),
             {2, side, side, 6},
             [side](Parameters& p) { return std::make_unique<model::CodeDiscriminator>(p, "d", side, 6); },
             [side](const TorchDiscriminator& d, const torch::Tensor& x) { return d.code(x, 1 + side / 8); }});
    return list;
}

/// Cross-entropy of all answers against "real", the second one's twice.
constexpr float kScales[] = {1, 2};

/// Weights and a picture for a problem; ours, and what they give.
class Ours {
  public:
    Ours(const Problem& problem, DType dtype) : net_(problem.ours(params_))
    {
        params_.allocate(ex(), dtype, pool_);
        std::vector<float> arena(std::size_t(params_.arena_size()), 0.0f);
        for (const Parameters::Entry& e : params_.entries()) {
            const double limit =
                e.shape.rank() > 1 ? std::sqrt(6.0 / double(e.init.fan_in + e.init.fan_out)) : 0.1; // biases too
            const auto values = random_values(e.shape.size(), std::uint32_t(e.offset), -limit, limit);
            std::copy(values.begin(), values.end(), arena.begin() + e.offset);
        }
        params_.weights().upload(ex(), arena);
        picture_ = bifrons::Tensor::empty(problem.input, dtype, pool_);
        picture_.upload(ex(), random_values(problem.input.size(), 77, 0, 1));
        gradient_ = bifrons::Tensor::empty(problem.input, dtype, pool_);
    }
    Tensors weights()
    {
        Tensors all = by_name(&Parameters::value);
        all["picture"] = to_torch(picture_.shape(), picture_.download<double>(ex()));
        return all;
    }
    Tensors results()
    {
        Tape tape(ex(), pool_);
        const std::vector<Var> answers = (*net_)(tape, tape.parameter(picture_, gradient_));
        Tensors all;
        std::vector<Var> losses;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            all[str("answers ", i)] = to_torch(answers[i].shape(), answers[i].value().download<double>(ex()));
            losses.push_back(bce(tape, answers[i], 1, kScales[i]));
        }
        const bifrons::Tensor one = bifrons::Tensor::empty({1}, picture_.dtype(), pool_);
        one.upload<double>(ex(), {1});
        tape.backward(total(tape, losses, std::vector<float>(losses.size(), 1.0f)), one);
        all.merge(by_name(&Parameters::grad));
        all["picture"] = to_torch(picture_.shape(), gradient_.download<double>(ex()));
        return all;
    }

  private:
    kernels::Exec ex() { return device_.exec(); }
    Tensors by_name(bifrons::Tensor (Parameters::*part)(int) const)
    {
        Tensors all;
        for (std::size_t i = 0; i < params_.entries().size(); ++i) {
            const Parameters::Entry& e = params_.entries()[i];
            all[e.name] = to_torch(e.shape, (params_.*part)(int(i)).template download<double>(ex()));
        }
        return all;
    }

    test::TestDevice device_{"cpu:1"};
    Pool pool_{device_.device()};
    Parameters params_;
    std::unique_ptr<model::Discriminator> net_;
    bifrons::Tensor picture_, gradient_;
};

Tensors theirs(const Problem& problem, const Tensors& weights, Rounding rounding = Rounding())
{
    Tensors leaves, all;
    for (const auto& [name, w] : weights) leaves[name] = w.detach().clone().requires_grad_(true);
    const TorchDiscriminator net("d", leaves, rounding);
    const std::vector<torch::Tensor> answers = problem.theirs(net, to_nchw(leaves.at("picture")));
    torch::Tensor loss = torch::zeros({}, torch::kFloat64);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        all[str("answers ", i)] = to_nhwc(answers[i]).detach();
        loss = loss + kScales[i] * torch::binary_cross_entropy_with_logits(answers[i], torch::ones_like(answers[i]));
    }
    loss.backward();
    for (const auto& [name, leaf] : leaves) all[name] = leaf.grad();
    return all;
}

class DiscriminatorParity : public ::testing::TestWithParam<Problem> {
  protected:
    static void SetUpTestSuite() { at::globalContext().setUserEnabledMkldnn(false); }
    static void expect_agreement(DType dtype, double unit, double share)
    {
        Ours ours(GetParam(), dtype);
        const Tensors weights = ours.weights(), want = theirs(GetParam(), weights);
        const Bounds bounds =
            propagated([&](const Rounding& rounding) { return theirs(GetParam(), weights, rounding); }, unit);
        expect_within(ours.results(), want, bounds);
        expect_tight(bounds, want, share);
    }
};

INSTANTIATE_TEST_SUITE_P(Discriminators, DiscriminatorParity, ::testing::ValuesIn(problems()),
                         [](const auto& test) { return test.param.name; });

TEST_P(DiscriminatorParity, answers_and_gradients_agree_in_f64)
{
    expect_agreement(DType::f64, kUnit64, 1e-11);
}

TEST_P(DiscriminatorParity, answers_and_gradients_agree_in_f32)
{
    expect_agreement(DType::f32, kUnit32, 0.01);
}

// ---- losses ------------------------------------------------------------------------------------------------------

/// A loss of ours over f64 values, and its gradient, beside LibTorch's.
void expect_loss(const Shape& shape, const std::function<Var(Tape&, const Var&)>& ours,
                 const std::function<torch::Tensor(const torch::Tensor&)>& theirs)
{
    test::TestDevice device("cpu:1");
    Pool pool(device.device());
    const bifrons::Tensor x = bifrons::Tensor::empty(shape, DType::f64, pool),
                          dx = bifrons::Tensor::empty(shape, DType::f64, pool),
                          one = bifrons::Tensor::empty({1}, DType::f64, pool);
    x.upload(device.exec(), random_values<double>(shape.size(), 3, -3, 3));
    one.upload<double>(device.exec(), {1});
    Tape tape(device.exec(), pool);
    const Var loss = ours(tape, tape.parameter(x, dx));
    const double value = loss.value().download<double>(device.exec())[0];
    tape.backward(loss, one);

    const torch::Tensor leaf = to_torch(shape, x.download<double>(device.exec())).requires_grad_(true);
    const torch::Tensor want = theirs(leaf);
    want.backward();
    // Sums of under a thousand terms: 2^-53 times their number, of each side.
    EXPECT_NEAR(value, want.item<double>(), 2e-13 * std::max(1.0, std::abs(want.item<double>())));
    EXPECT_LE(largest(to_torch(shape, dx.download<double>(device.exec())) - leaf.grad()), 1e-14 * largest(leaf.grad()));
}

TEST(AdversarialParity, losses_agree_in_f64)
{
    using kernels::AdversarialLoss;
    using kernels::Verdict;
    const auto ours = [](AdversarialLoss loss, Verdict wanted) {
        return [=](Tape& tape, const Var& x) { return adversarial(tape, x, loss, wanted, 3); };
    };
    const Shape shape{2, 5, 7, 1};
    const auto expect = [&](AdversarialLoss loss, Verdict wanted, const auto& theirs) {
        expect_loss(shape, ours(loss, wanted), theirs);
    };
    using torch::Tensor;
    expect(AdversarialLoss::least_squares, Verdict::real,
           [](const Tensor& x) { return 3 * torch::mse_loss(x, torch::ones_like(x)); });
    expect(AdversarialLoss::least_squares, Verdict::fake,
           [](const Tensor& x) { return 3 * torch::mse_loss(x, torch::zeros_like(x)); });
    expect(AdversarialLoss::least_squares, Verdict::fool,
           [](const Tensor& x) { return 3 * torch::mse_loss(x, torch::ones_like(x)); });
    expect(AdversarialLoss::hinge, Verdict::real, [](const Tensor& x) { return 3 * torch::relu(1 - x).mean(); });
    expect(AdversarialLoss::hinge, Verdict::fake, [](const Tensor& x) { return 3 * torch::relu(1 + x).mean(); });
    expect(AdversarialLoss::hinge, Verdict::fool, [](const Tensor& x) { return -3 * x.mean(); });
    for (const float label : {0.0f, 1.0f})
        expect_loss(
            shape, [=](Tape& tape, const Var& x) { return bce(tape, x, label, 3); },
            [=](const Tensor& x) {
                return 3 * torch::binary_cross_entropy_with_logits(x, torch::full_like(x, label));
            });
}

TEST(AdversarialParity, total_variation_of_what_a_mask_leaves_out_agrees_in_f64)
{
    test::TestDevice device("cpu:1");
    Pool pool(device.device());
    const bifrons::Tensor mask = bifrons::Tensor::empty({2, 5, 7, 1}, DType::f64, pool);
    mask.upload(device.exec(), random_values<double>(70, 9, 0, 1));
    const torch::Tensor m = to_torch(mask.shape(), mask.download<double>(device.exec()));
    expect_loss(
        {2, 5, 7, 3},
        [&](Tape& tape, const Var& x) {
            return total_variation(tape, mask_pixels(tape, x, mask, kernels::MaskSide::outside), 3);
        },
        [&](const torch::Tensor& x) {
            const torch::Tensor p = (1 - m) * x;
            const auto apart = [&](int axis) { return p.diff(1, axis).square().sum(); };
            return 3 * (apart(1) + apart(2)) / 2;
        });
}

TEST(LossParity, mean_absolute_error_under_a_mask_agrees_in_f64)
{
    test::TestDevice device("cpu:1");
    Pool pool(device.device());
    const Shape shape{2, 5, 7, 3};
    const bifrons::Tensor mask = bifrons::Tensor::empty({2, 5, 7, 1}, DType::f64, pool),
                          target = bifrons::Tensor::empty(shape, DType::f64, pool);
    mask.upload(device.exec(), random_values<double>(70, 9, 0, 1));
    target.upload(device.exec(), random_values<double>(210, 10));
    const torch::Tensor m = to_torch(mask.shape(), mask.download<double>(device.exec())),
                        t = to_torch(shape, target.download<double>(device.exec()));
    expect_loss(
        shape, [&](Tape& tape, const Var& x) { return l1(tape, x, target, mask, 300); },
        [&](const torch::Tensor& x) { return 300 * (m * (x - t)).abs().mean(); });
}

TEST(LossParity, style_of_a_blurred_picture_agrees_in_f64)
{
    constexpr int kSigma = 2, kReach = 4;
    test::TestDevice device("cpu:1");
    Pool pool(device.device());
    const Shape shape{2, 9, 11, 3};
    const bifrons::Tensor target = bifrons::Tensor::empty(shape, DType::f64, pool);
    target.upload(device.exec(), random_values<double>(shape.size(), 10));
    const torch::Tensor t = to_nchw(to_torch(shape, target.download<double>(device.exec())));
    expect_loss(
        shape, [&](Tape& tape, const Var& x) { return style(tape, gaussian_blur(tape, x, kSigma, kReach), target, 5); },
        [&](const torch::Tensor& x) {
            const torch::Tensor maps = to_nchw(x).reshape({-1, 1, x.size(1), x.size(2)});
            const torch::Tensor blurred =
                torch::conv2d(maps, gaussian_window(2 * kReach + 1, kSigma), {}, 1, kReach).reshape(t.sizes());
            const auto deviation = [](const torch::Tensor& p) { return (p.var({2, 3}, false) + 1e-5).sqrt(); };
            return 5 * ((blurred.mean({2, 3}) - t.mean({2, 3})).square() + (deviation(blurred) - deviation(t)).square())
                           .mean();
        });
}

} // namespace
