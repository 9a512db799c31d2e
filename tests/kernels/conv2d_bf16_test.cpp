// bf16 on the cpu: oneDNN's products where it has them, own loops over copies in f32 otherwise. Whole numbers are exact
// in any order; what is stored as bf16 is rounded once, whatever the store. (GPU: conv2d_igemm_test.cpp.)
#include "kernels/conv2d/conv2d_transpose.h"
#include "tests/kernels/conv2d_problem.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class Conv2dBf16 : public OnDevice {
  protected:
    /// Operands in each way of computing them.
    template <class Expect>
    void for_each(const Expect& expect)
    {
        for (const Conv2dMethod method : {Conv2dMethod::loops, Conv2dMethod::automatic})
            for (Conv2dShape s : kShapes) {
                s.method = method;
                SCOPED_TRACE(str("x ", s.N, "x", s.H, "x", s.W, "x", s.C, " w ", s.K, "x", s.R, "x", s.S, " stride ",
                                 s.stride, " pad ", s.pad, " method ", int(method)));
                expect(Conv2dProblem<bf16>(s, whole_numbers<bf16>));
            }
    }
    const Conv2dShape kShapes[7] = {
        {},
        {.N = 3, .C = 64, .K = 32},
        {.N = 2, .H = 6, .W = 9, .C = 3, .K = 8, .R = 5, .S = 5, .stride = 2, .pad = 2},
        {.N = 2, .H = 8, .W = 8, .C = 24, .K = 12, .R = 1, .S = 1},
        {.N = 2, .H = 8, .W = 6, .C = 64, .K = 20, .R = 4, .S = 4, .stride = 2, .pad = 1},
        {.N = 1, .H = 7, .W = 6, .C = 4, .K = 8, .R = 2, .S = 2, .stride = 3},
        {.N = 2, .H = 13, .W = 11, .C = 24, .K = 40, .R = 3, .S = 3, .pad = 1},
    };
};
BIFRONS_ON_CPU(Conv2dBf16);

template <class Y>
void expect_forward(TestDevice& device, const Conv2dProblem<bf16>& p)
{
    const Conv2dShape& s = p.s;
    const View x = device.upload(p.x), w = device.upload(p.w), y = device.poisoned<Y>(s.y_size());
    const auto run = [&](View out, const Epilogue& e) { device.run_with_workspace(Conv2dFwd{s, x, w, out, e}); };
    run(y, {});
    EXPECT_EQ(bits_of(device.download<Y>(y, s.y_size())), bits_of(cast<Y>(p.y)));
    if (s.K % 4 == 0) expect_epilogues<Y>(device, s.y_shape(), p.y, run);
    const auto add = whole_numbers<Y>(s.y_size(), 9);
    const View itself = device.upload(add);
    run(itself, {.add = itself});
    std::vector<double> sum(p.y);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += value_of(add[i]);
    EXPECT_EQ(bits_of(device.download<Y>(itself, s.y_size())), bits_of(cast<Y>(sum))) << "onto itself";
}

TEST_P(Conv2dBf16, forward_is_exact_on_whole_numbers_however_it_is_stored)
{
    for_each([&](const Conv2dProblem<bf16>& p) {
        expect_forward<bf16>(device(), p);
        expect_forward<float>(device(), p);
    });
}

TEST_P(Conv2dBf16, input_gradient_is_exact_and_rounded_once)
{
    for_each([&](const Conv2dProblem<bf16>& p) {
        const View dy = device().upload(p.dy), w = device().upload(p.w);
        expect_stores<bf16>(device(), p.dx, std::vector<double>(p.dx.size()), [&](const Store& d) {
            run_with_workspace(Conv2dDgrad{p.s, dy, w, d});
        });
    });
}

TEST_P(Conv2dBf16, filter_and_bias_gradients_are_exact_and_accumulate_in_f32)
{
    for_each([&](const Conv2dProblem<bf16>& p) {
        const Conv2dShape& s = p.s;
        const View dy = device().upload(p.dy), x = device().upload(p.x), dw = device().poisoned<float>(s.w_size()),
                   db = device().poisoned<float>(s.K);
        std::vector<double> bias(std::size_t(s.K));
        ref::bias_grad(s.N * s.P() * s.Q(), s.K, cast<double>(p.dy).data(), bias.data(), false);
        for (const bool accumulate : {false, true}) {
            run_with_workspace(Conv2dWgrad{s, dy, x, dw, db, accumulate});
            std::vector<double> want(p.dw), want_bias(bias);
            for (double& v : want) v *= accumulate ? 2 : 1;
            for (double& v : want_bias) v *= accumulate ? 2 : 1;
            EXPECT_EQ(device().download<float>(dw, s.w_size()), cast<float>(want));
            EXPECT_EQ(device().download<float>(db, s.K), cast<float>(want_bias));
        }
    });
}

TEST_P(Conv2dBf16, sums_of_fractions_agree_with_the_definition_and_repeat)
{
    const Conv2dShape s{.N = 2, .H = 9, .W = 7, .C = 40, .K = 24, .R = 5, .S = 5, .stride = 2, .pad = 2};
    const Conv2dProblem<bf16> p(s, [](std::int64_t n, std::uint32_t seed) { return random_values<bf16>(n, seed); });
    const View x = device().upload(p.x), w = device().upload(p.w), dy = device().upload(p.dy),
               y = device().poisoned<bf16>(s.y_size()), dw = device().poisoned<float>(s.w_size());
    run(exec(), Conv2dFwd{s, x, w, y, {}});
    run(exec(), Conv2dWgrad{s, dy, x, dw, {}, false});
    const auto first = device().download<bf16>(y, s.y_size());
    EXPECT_TRUE(within(first, p.y, bounds<bf16>(p.y, p.abs_y, s.R * s.S * s.C)));
    EXPECT_TRUE(
        within(device().download<float>(dw, s.w_size()), p.dw, bounds<float>(p.dw, p.abs_dw, s.N * s.P() * s.Q())));
    expect_stores<bf16>(device(), p.dx, bounds<float>(p.dx, p.abs_dx, s.R * s.S * s.K), [&](const Store& d) {
        run(exec(), Conv2dDgrad{s, dy, w, d});
    });
    run(exec(), Conv2dFwd{s, x, w, y, {}});
    EXPECT_EQ(bits_of(device().download<bf16>(y, s.y_size())), bits_of(first));
}

TEST_P(Conv2dBf16, transposed_is_exact_and_rounded_once)
{
    for (const auto& [R, stride] : {std::pair<int, int>{4, 2}, {3, 1}, {5, 3}}) {
        const Conv2dShape s = conv2d_transpose_shape(2, 3, 4, 12, 8, R, stride);
        const Conv2dProblem<bf16> p(s, whole_numbers<bf16>); // p.dy plays the input, p.x the output's gradient
        const View x = device().upload(p.dy), w = device().upload(p.w), dy = device().upload(p.x),
                   dw = device().poisoned<float>(s.w_size());
        expect_epilogues<bf16>(device(), s.x_shape(), p.dx, [&](View y, const Epilogue& e) {
            run_with_workspace(Conv2dTransposeFwd{s, x, w, y, e});
        });
        expect_stores<bf16>(device(), p.y, std::vector<double>(p.y.size()), [&](const Store& d) {
            run_with_workspace(Conv2dTransposeDgrad{s, dy, w, d});
        });
        run_with_workspace(Conv2dTransposeWgrad{s, dy, x, dw, {}, false});
        EXPECT_EQ(device().download<float>(dw, s.w_size()), cast<float>(p.dw));
    }
}

} // namespace
