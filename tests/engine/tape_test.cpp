#include "engine/ops/ops.h"
#include "kernels/device/plan_device.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::test;
using kernels::Act;
using kernels::leaky;

namespace {

/// A tape on one device with everything it needs, in f64 on cpu and f32 elsewhere.
class TapeTest : public OnDevice {
  protected:
    void SetUp() override
    {
        OnDevice::SetUp();
        if (IsSkipped()) return;
        memory_ = std::make_unique<Pool>(device().device());
        tape_ = std::make_unique<Tape>(exec(), *memory_);
    }
    Tensor tensor(const Shape& shape, const std::vector<double>& values)
    {
        Tensor t = Tensor::empty(shape, dtype(), *memory_);
        t.upload(exec(), values);
        return t;
    }
    DType dtype() const { return GetParam() == "cpu" ? DType::f64 : DType::f32; }
    /// A parameter whose gradient starts as NaN.
    Var parameter(const Shape& shape, const std::vector<double>& values)
    {
        grads_.push_back(tensor(shape, std::vector<double>(values.size(), NAN)));
        return tape().parameter(tensor(shape, values), grads_.back());
    }
    std::vector<double> grad(int i) { return grads_.at(std::size_t(i)).template download<double>(exec()); }
    Tape& tape() { return *tape_; }
    void backward(const Var& root, const std::vector<double>& upstream)
    {
        tape().backward(root, tensor(root.shape(), upstream));
    }

  private:
    std::unique_ptr<Memory> memory_;
    std::vector<Tensor> grads_;
    std::unique_ptr<Tape> tape_;
};
BIFRONS_ON_ALL_DEVICES(TapeTest);

using Values = std::vector<double>;
const Shape kFour{1, 1, 1, 4};

TEST_P(TapeTest, a_value_read_twice_applies_its_activation_once_after_both)
{
    const Var x = parameter(kFour, {1, -1, 2, -2});
    const Var y = pointwise(tape(), x, {.act = leaky(0.5f)}); // 1 -.5 2 -1
    const Var a = pointwise(tape(), y, {}), b = pointwise(tape(), y, {});
    backward(pointwise(tape(), a, {.add = b}), {1, 10, 100, 1000}); // y + y
    EXPECT_EQ(grad(0), (Values{2, 10, 200, 1000}));
}

TEST_P(TapeTest, x_plus_x_doubles)
{
    const Var x = parameter(kFour, {1, 2, 3, 4});
    backward(pointwise(tape(), x, {.add = x}), {1, 10, 100, 1000});
    EXPECT_EQ(grad(0), (Values{2, 20, 200, 2000}));
}

TEST_P(TapeTest, a_skip_passes_the_gradient_around_the_branch)
{
    const Var x = parameter(kFour, {1, -1, 2, -2});
    const Var y = pointwise(tape(), x, {.act = leaky(0.5f)});
    const Var branch = pointwise(tape(), y, {.act = leaky(0.25f)});
    backward(pointwise(tape(), branch, {.add = y, .act = {Act::relu}}), {1, 10, 100, 1000});
    // y = 1 -.5 2 -1; sum = 2 -.625 4 -1.25; relu stops the negative ones
    EXPECT_EQ(grad(0), (Values{2, 0, 200, 0}));
}

TEST_P(TapeTest, parts_of_a_split_value_collect_in_one_buffer)
{
    const Var x = parameter({2, 1, 1, 2}, {1, -1, -2, 2});
    const Var y = pointwise(tape(), x, {.act = leaky(0.5f)});
    const std::vector<Var> halves = split(tape(), y, 2);
    const Var a = pointwise(tape(), halves[0], {.act = leaky(0.25f)});
    backward(pointwise(tape(), a, {.add = halves[1]}), {1, 10});
    EXPECT_EQ(grad(0), (Values{1, 10 * 0.25 * 0.5, 0.5, 10}));
}

TEST_P(TapeTest, rows_leave_the_value_to_other_readers)
{
    const Values whole{1, 10, 100, 1000, 1e4, 1e5};
    for (const bool rows_first : {true, false}) { // the first recorded contributes last, and applies the activation
        const int number = rows_first ? 0 : 1;
        const Var x = parameter({3, 1, 1, 2}, {1, -1, -2, 2, 3, -3});
        const Var y = pointwise(tape(), x, {.act = leaky(0.5f)});
        Var middle, all;
        if (rows_first) middle = rows(tape(), y, 1, 2);
        all = pointwise(tape(), y, {});
        if (!rows_first) middle = rows(tape(), y, 1, 2);
        EXPECT_EQ(middle.value().download<double>(exec()), (Values{-1, 2}));
        backward(concat_rows(tape(), middle, all), {7, 70, 1, 10, 100, 1000, 1e4, 1e5});
        EXPECT_EQ(grad(number), (Values{1, 5, 53.5, 1070, 1e4, 5e4})) << rows_first;
    }
}

TEST_P(TapeTest, rows_that_are_the_only_reader_leave_zeros_beside_them)
{
    const Var x = parameter({3, 1, 1, 1}, {1, -1, -2});
    backward(rows(tape(), pointwise(tape(), x, {.act = leaky(0.5f)}), 1, 2), {10});
    EXPECT_EQ(grad(0), (Values{0, 5, 0}));
}

TEST_P(TapeTest, concat_channels_takes_a_value_twice)
{
    const Var x = parameter({2, 1, 1, 1}, {1, -1});
    const Var act = pointwise(tape(), x, {.act = leaky(0.5f)});
    const Var y = concat_channels(tape(), act, act);
    EXPECT_EQ(y.value().download<double>(exec()), (Values{1, 1, -0.5, -0.5}));
    backward(y, {1, 10, 100, 1000});
    EXPECT_EQ(grad(0), (Values{11, 550}));
}

TEST_P(TapeTest, concat_rows_puts_one_below_the_other)
{
    const Var a = parameter({1, 1, 1, 2}, {1, -1}), b = parameter({2, 1, 1, 2}, {2, 3, 4, 5});
    const Var act = pointwise(tape(), a, {.act = leaky(0.5f)});
    const Var y = concat_rows(tape(), act, b);
    EXPECT_EQ(y.value().download<double>(exec()), (Values{1, -0.5, 2, 3, 4, 5}));
    backward(y, {1, 10, 100, 1000, 1e4, 1e5});
    EXPECT_EQ(grad(0), (Values{1, 5}));
    EXPECT_EQ(grad(1), (Values{100, 1000, 1e4, 1e5}));
    EXPECT_THROW(concat_rows(tape(), a, parameter(kFour, {1, 2, 3, 4})), Error);
    EXPECT_THROW(rows(tape(), b, 1, 3), Error);
}

TEST_P(TapeTest, the_root_may_be_a_view)
{
    const Var x = parameter(kFour, {1, -1, 2, -2});
    const Var y = pointwise(tape(), x, {.act = leaky(0.5f)});
    backward(reshape(tape(), y, {2, 1, 1, 2}), {1, 10, 100, 1000});
    EXPECT_EQ(grad(0), (Values{1, 5, 100, 500}));
}

TEST_P(TapeTest, the_root_may_be_one_part_of_a_split)
{
    const Var x = parameter({2, 1, 1, 2}, {1, 2, 3, 4});
    const auto parts = split(tape(), pointwise(tape(), x, {.add = x}), 2);
    backward(parts[1], {1, 10});
    EXPECT_EQ(grad(0), (Values{0, 0, 2, 20}));
}

TEST_P(TapeTest, the_root_may_be_a_parameter)
{
    const Var x = parameter(kFour, {1, 2, 3, 4});
    backward(x, {1, 10, 100, 1000});
    EXPECT_EQ(grad(0), (Values{1, 10, 100, 1000}));
}

/// A 1x1 filter of two channels: y_k = sum_c w_kc x_c + b_k.
const Shape kFilter{2, 1, 1, 2}, kPixel{1, 1, 1, 2};

TEST_P(TapeTest, two_convolutions_share_a_filter_and_have_a_bias_each)
{
    const Var w = parameter(kFilter, {1, 2, 3, 4}), b = parameter({2}, {0, 0}), c = parameter({2}, {0, 0});
    const Var x(tensor(kPixel, {1, 10}));
    const Var first = conv2d(tape(), x, w, {.bias = b}), second = conv2d(tape(), x, w, {.bias = c});
    backward(pointwise(tape(), first, {.add = second}), {1, 100});
    EXPECT_EQ(grad(0), (Values{2, 20, 200, 2000}));
    EXPECT_EQ(grad(1), (Values{1, 100}));
    EXPECT_EQ(grad(2), (Values{1, 100}));
}

TEST_P(TapeTest, a_bias_is_trained_beside_a_constant_filter)
{
    const Var w(tensor(kFilter, {1, 2, 3, 4})), b = parameter({2}, {0, 0});
    backward(conv2d(tape(), Var(tensor(kPixel, {1, 10})), w, {.bias = b}), {1, 100});
    EXPECT_EQ(grad(0), (Values{1, 100}));
}

TEST_P(TapeTest, a_computed_filter_collects_like_any_other_value)
{
    const Var v = parameter(kFilter, {1, -2, 3, -4}), b = parameter({2}, {0, 0});
    const Var w = pointwise(tape(), v, {.act = leaky(0.5f)});
    const Var y = conv2d(tape(), Var(tensor(kPixel, {1, 10})), w, {.bias = b});
    const Var beside = reshape(tape(), pointwise(tape(), w, {}), {1, 1, 1, 4}); // its gradient passes through first
    const Var sums = dense(tape(), reshape(tape(), y, {1, 2}), Var(tensor({4, 2}, {1, 0, 0, 1, 0, 0, 0, 0})));
    backward(pointwise(tape(), beside, {.add = reshape(tape(), sums, {1, 1, 1, 4})}), {1, 100, 3, 4});
    // w: 1 10 100 1000 of the convolution and 1 100 3 4 of the copy; half where v is negative
    EXPECT_EQ(grad(0), (Values{2, 55, 103, 502}));
    EXPECT_EQ(grad(1), (Values{1, 100}));
}

TEST_P(TapeTest, a_part_that_nobody_reads_gets_zeros)
{
    const Var x = parameter({2, 1, 1, 2}, {1, 2, 3, 4});
    const std::vector<Var> halves = split(tape(), pointwise(tape(), x, {.act = leaky(0.5f)}), 2);
    backward(pointwise(tape(), halves[1], {}), {1, 10});
    EXPECT_EQ(grad(0), (Values{0, 0, 1, 10}));
}

TEST_P(TapeTest, a_parameter_that_nobody_wrote_gets_zeros)
{
    const Var x = parameter(kFour, {1, 2, 3, 4});
    parameter(kFour, {5, 6, 7, 8});
    backward(pointwise(tape(), x, {}), {1, 10, 100, 1000});
    EXPECT_EQ(grad(0), (Values{1, 10, 100, 1000}));
    EXPECT_EQ(grad(1), (Values{0, 0, 0, 0}));
}

TEST_P(TapeTest, a_branch_that_the_root_does_not_need_changes_nothing)
{
    for (const bool dead_first : {true, false}) {
        const Var x = parameter(kFour, {1, -1, 2, -2});
        const Var y = pointwise(tape(), x, {.act = leaky(0.5f)});
        Var dead, z;
        if (dead_first) dead = pointwise(tape(), y, {});
        z = pointwise(tape(), y, {});
        if (!dead_first) dead = pointwise(tape(), y, {});
        backward(z, {1, 10, 100, 1000});
        EXPECT_EQ(grad(dead_first ? 0 : 1), (Values{1, 5, 100, 500})) << dead_first;
    }
}

TEST_P(TapeTest, shuffled_activations_whose_derivative_needs_the_input)
{
    const Values z = {0.3, -0.7, 1.1, 0.2};
    const Var x = parameter(kFour, z);
    const Var y = pointwise(tape(), x, {.act = {Act::xcosx}, .shuffle = 2}); // [1,2,2,1], in the order of the channels
    backward(pointwise(tape(), y, {}), {1, 10, 100, 1000});
    const Values got = grad(0);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_NEAR(got[i], std::pow(10, double(i)) * (std::cos(z[i]) - z[i] * std::sin(z[i])),
                    1e-6 * std::pow(10, double(i)));
}

TEST_P(TapeTest, cross_entropy_against_one_label_or_a_target_with_a_mask)
{
    // p = 1/2, 3/4, 1/4, 1/2: slopes p - t over four elements.
    const Var x = parameter({1, 2, 1, 2}, {0, std::log(3.0), -std::log(3.0), 0});
    const Var fake = bce(tape(), x, 0, 4);
    const Var against = bce(tape(), x, tensor({1, 2, 1, 2}, {1, 0, 0.5, 0.5}), tensor({1, 2, 1, 1}, {1, 2}), 4);
    EXPECT_NEAR(fake.value().download<double>(exec())[0], 2 * std::log(2.0) + std::log(4.0) + std::log(4.0 / 3), 1e-6);
    backward(total(tape(), {fake, against}, {1, 10}), {1});
    const Values got = grad(0), want{0.5 - 5, 0.75 + 7.5, 0.25 - 5, 0.5};
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5);
}

TEST_P(TapeTest, dssim_keeps_what_its_gradient_needs_where_one_is_wanted)
{
    const Values a{0.2, 0.8, 0.4, 0.6};
    const Tensor b = tensor({1, 2, 2, 1}, {0.3, 0.5, 0.7, 0.1});
    const auto value = [&](const Values& picture) {
        const Var constant(tensor({1, 2, 2, 1}, picture));
        return dssim(tape(), constant, b, {}, 2, 1).value().download<double>(exec())[0];
    };
    const Var x = parameter({1, 2, 2, 1}, a);
    backward(dssim(tape(), x, b, {}, 2, 1), {1});
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double h = 1.0 / 64;
        Values above = a, below = a;
        above[i] += h, below[i] -= h;
        // Third derivatives are some 1 / deviation^3 = 100, times h^2 / 6.
        EXPECT_NEAR(grad(0)[i], (value(above) - value(below)) / (2 * h), 0.01) << i;
        EXPECT_GT(std::abs(grad(0)[i]), 0.05);
    }
}

TEST_P(TapeTest, gradients_go_through_frozen_parameters_and_none_to_them)
{
    const Var x = parameter({1, 1, 1, 2}, {1, 10});
    const Tensor w = tensor({1, 1, 1, 2}, {3, 5}), dw = tensor({1, 1, 1, 2}, {7, 7});
    Var frozen;
    {
        const Tape::FrozenParameters constants(tape());
        frozen = tape().parameter(w, dw);
    }
    EXPECT_FALSE(frozen.node());
    const Var through = conv2d(tape(), x, frozen); // 53
    const Var trained = conv2d(tape(), Var(x.value()), tape().parameter(w, dw));
    backward(total(tape(), {reshape(tape(), through, {1}), reshape(tape(), trained, {1})}, {2, 3}), {1});
    EXPECT_EQ(grad(0), (Values{6, 10}));
    EXPECT_EQ(dw.template download<double>(exec()), (Values{3, 30})) << "of the trained use alone";
}

TEST_P(TapeTest, adversarial_losses_and_total_variation_of_a_masked_picture)
{
    const Var x = parameter({1, 1, 2, 2}, {1, 2, 3, 5});
    const Tensor mask = tensor({1, 1, 2, 1}, {0.5, 0.25});
    const Var inside = mask_pixels(tape(), x, mask);                           // .5 1 .75 1.25
    const Var rest = mask_pixels(tape(), x, mask, kernels::MaskSide::outside); // .5 1 2.25 3.75
    const Var squares = adversarial(tape(), inside, kernels::AdversarialLoss::least_squares, kernels::Verdict::real, 4),
              variation = total_variation(tape(), rest, 1);
    EXPECT_EQ(squares.value().template download<double>(exec()), (Values{0.25 + 0.0625 + 0.0625}));
    EXPECT_EQ(variation.value().template download<double>(exec()), (Values{1.75 * 1.75 + 2.75 * 2.75}));
    backward(total(tape(), {squares, variation}, {1, 1}), {1});
    // 2 m (m x - 1) of the one, 2 (1 - m) times the difference of the other
    EXPECT_EQ(grad(0), (Values{-0.5 - 1.75, 0 - 2.75, -0.125 + 2.625, 0.125 + 4.125}));
}

TEST_P(TapeTest, blur_spreads_the_gradient_as_it_spreads_the_picture)
{
    const Shape shape{2, 3, 4, 1};
    const auto values = random_values<double>(24, 1), upstream = random_values<double>(24, 2);
    const Var x = parameter(shape, values);
    const Var y = gaussian_blur(tape(), x, 1, 2);
    const auto blurred = y.value().download<double>(exec());
    backward(y, upstream);
    double forth = 0, back = 0; // <blur(x), d> = <x, blur(d)>
    for (std::size_t i = 0; i < 24; ++i) forth += blurred[i] * upstream[i], back += values[i] * grad(0)[i];
    EXPECT_NEAR(forth, back, 1e-5);
    EXPECT_NE(grad(0), upstream);
}

TEST_P(TapeTest, reading_a_value_and_splitting_it_is_refused)
{
    const Var x = parameter({2, 1, 1, 2}, {1, 2, 3, 4});
    split(tape(), x, 2);
    EXPECT_THROW(pointwise(tape(), x, {}), Error);
}

TEST_P(TapeTest, a_tape_that_does_not_record_computes_the_same_values)
{
    Pool memory(device().device());
    Tape quiet(exec(), memory, false);
    const Var y = pointwise(quiet, Var(tensor(kFour, {1, -1, 2, -2})), {.act = leaky(0.5f)});
    EXPECT_EQ(y.value().download<double>(exec()), (Values{1, -0.5, 2, -1}));
    EXPECT_FALSE(y.node());
}

TEST(Tape, a_gradient_that_throws_leaves_no_range_behind)
{
    kernels::PlanDevice plan({.kind = kernels::DeviceKind::cpu});
    Pool memory(plan);
    Tape tape({&plan, {}, {}}, memory);
    const Tensor one = Tensor::empty({1, 1, 1, 1}, DType::f32, memory);
    const Var x = tape.parameter(one, one);
    const Var y = tape.record("fails", one, {x}, [](const Tensor&, Grads&) { throw Error(ErrorKind::failed, "no"); });
    EXPECT_THROW(tape.backward(y, one), Error);
    pointwise(tape, Var(one), {});
    EXPECT_EQ(plan.entries().back().range, "");
}

TEST_P(TapeTest, operations_without_a_gradient_refuse_values_that_want_one)
{
    const Tensor w = tensor({1, 1, 4}, {1, 2, 3, 4}), slope = tensor({4}, {0.5, 0.5, 0.25, 2});
    const Var constant(tensor(kFour, {1, -1, -2, 1})), one_channel(tensor({1, 1, 1, 1}, {-3}));
    const Var wanted = parameter(kFour, {1, 2, 3, 4});
    const Var y = prelu(tape(), depthwise(tape(), constant, w, slope), slope, one_channel); // -1.5 -1.5 -5.75 6
    EXPECT_EQ(y.value().download<double>(exec()), (Values{-0.75, -0.75, -1.4375, 6}));
    EXPECT_THROW(depthwise(tape(), wanted, w, slope), Error);
    EXPECT_THROW(prelu(tape(), wanted, slope), Error);
    EXPECT_THROW(prelu(tape(), constant, slope, wanted), Error);
}

} // namespace
