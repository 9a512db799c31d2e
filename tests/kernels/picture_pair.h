// tests/kernels/picture_pair.h - what the tests of mse.h and l1.h have in common. An Op names the operations and their
// definitions (Fwd, Grad, ref_fwd, ref_grad), and the errors of f32 arithmetic that the sum of an element's
// share (value_error) and its slope (slope_error) may keep, both for the mask m and the pictures' a and b.
#pragma once

#include "kernels/losses/picture_pair.h"
#include "kernels/pointwise/epilogue_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

namespace bifrons::test {

constexpr double kUnit = 1.0 / (1 << 24); // half the spacing of f32 at 1

/// Pictures, mask, and what the definition says about them in double.
template <class Op>
struct PairCase {
    kernels::PicturePair s;
    bool masked;
    float scale = 2.5f;
    std::vector<float> a, b, mask;

    PairCase(kernels::PicturePair shape, bool with_mask)
        : s(shape), masked(with_mask), a(random_values(s.rows * s.C, 1)), b(random_values(s.rows * s.C, 2)),
          mask(random_values(s.rows, 3, 0, 1))
    {
    }
    double m(std::size_t i) const { return masked ? double(mask[i / std::size_t(s.C)]) : 1.0; }
    double want_loss() const
    {
        double loss = 0;
        Op::ref_fwd(s, cast<double>(a).data(), cast<double>(b).data(), masked ? cast<double>(mask).data() : nullptr,
                    double(scale), &loss);
        return loss;
    }
    std::vector<double> want_grad(double upstream) const
    {
        std::vector<double> v(a.size());
        Op::ref_grad(s, cast<double>(a).data(), cast<double>(b).data(), masked ? cast<double>(mask).data() : nullptr,
                     double(scale), upstream, v.data());
        return v;
    }
    /// The sum is formed in f64, and rounded once.
    double loss_bound() const
    {
        double sum = 0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += Op::value_error(m(i), a[i], b[i]);
        return scale * sum / double(a.size()) + 4 * kUnit * want_loss();
    }
    std::vector<double> grad_bound(double upstream, const std::vector<double>& v, const std::vector<float>& add) const
    {
        std::vector<double> bound(a.size());
        for (std::size_t i = 0; i < bound.size(); ++i) // the factor, the mask, the difference; then one sum, one slope
            bound[i] = upstream * scale / double(a.size()) * Op::slope_error(m(i), a[i], b[i]) +
                       8 * kUnit * std::abs(v[i]) + 3 * kUnit * (std::abs(v[i]) + std::abs(add[i]));
        return bound;
    }
};

template <class Op>
class PairTest : public OnDevice {
  protected:
    static std::vector<PairCase<Op>> cases()
    {
        return {{{1, 1}, false}, {{1, 1}, true},     {{7, 3}, true},      {{5, 2000}, true},
                {{13, 1}, true}, {{4099, 3}, false}, {{30011, 3}, false}, {{30011, 3}, true}};
    }
    kernels::ConstView mask_of(const PairCase<Op>& c)
    {
        return c.masked ? kernels::ConstView(device().upload(c.mask)) : kernels::ConstView{};
    }

    void expect_values()
    {
        for (const PairCase<Op>& c : cases()) {
            const kernels::View a = device().upload(c.a), b = device().upload(c.b), loss = device().poisoned<float>(2);
            const kernels::ConstView mask = mask_of(c);
            run_with_workspace(typename Op::Fwd{c.s, a, b, mask, c.scale, loss});
            kernels::run(exec(), typename Op::Fwd{c.s, a, b, mask, c.scale, {loss.template as<float>() + 1}});
            const auto got = device().download<float>(loss, 2);
            EXPECT_TRUE(within(std::vector<float>{got[0]}, {c.want_loss()}, c.loss_bound()))
                << c.s.rows << "x" << c.s.C;
            EXPECT_EQ(got[0], got[1]) << "repeats to the bit";
        }
    }

    void expect_stored_gradients()
    {
        for (const PairCase<Op>& c : cases()) {
            const std::int64_t n = c.s.rows * c.s.C;
            const auto add = random_values(n, 4), saved = random_values(n, 5);
            auto v = c.want_grad(0.7f);
            std::vector<double> want(v.size());
            kernels::ref::store_gradient(n, v.data(), want.data(), cast<double>(add).data(), kernels::leaky(0.1f),
                                         cast<double>(saved).data());
            const kernels::View out = device().upload(add); // collected in place
            kernels::run(exec(),
                         typename Op::Grad{
                             c.s,
                             device().upload(c.a),
                             device().upload(c.b),
                             mask_of(c),
                             c.scale,
                             device().upload<float>({0.7f}),
                             {.out = out, .add = out, .act = kernels::leaky(0.1f), .saved = device().upload(saved)}});
            EXPECT_TRUE(within(device().download<float>(out, n), want, c.grad_bound(0.7, v, add)))
                << c.s.rows << "x" << c.s.C;
        }
    }
};

/// Exact for squares, and for magnitudes without a kink within h, but for rounding: 1e-15 / h.
template <class Op>
void expect_slopes_of_the_value()
{
    TestDevice cpu("cpu");
    const kernels::PicturePair s{5, 3};
    const auto b = random_values<double>(15, 2), mask = random_values<double>(5, 3, 0, 1);
    auto a = random_values<double>(15, 1);
    const kernels::View d = cpu.poisoned<double>(15);
    kernels::run(
        cpu.exec(),
        typename Op::Grad{s, cpu.upload(a), cpu.upload(b), cpu.upload(mask), 2, cpu.upload<double>({1.5}), {.out = d}});
    const auto value = [&] {
        const kernels::View loss = cpu.poisoned<double>(1);
        kernels::run(cpu.exec(), typename Op::Fwd{s, cpu.upload(a), cpu.upload(b), cpu.upload(mask), 2, loss});
        return 1.5 * cpu.download<double>(loss, 1)[0];
    };
    EXPECT_TRUE(within(cpu.download<double>(d, 15), central_differences(a, 1e-4, value), 1e-10));
}

template <class Op>
void expect_the_same_bits_for_any_thread_count()
{
    std::vector<float> loss;
    std::vector<std::vector<float>> gradient;
    const PairCase<Op> c({30011, 3}, true);
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const kernels::View a = cpu.upload(c.a), b = cpu.upload(c.b), mask = cpu.upload(c.mask),
                            l = cpu.poisoned<float>(1), d = cpu.poisoned<float>(c.s.rows * c.s.C);
        kernels::run(cpu.exec(), typename Op::Fwd{c.s, a, b, mask, c.scale, l});
        kernels::run(cpu.exec(), typename Op::Grad{c.s, a, b, mask, c.scale, l, {.out = d}});
        loss.push_back(cpu.download<float>(l, 1)[0]);
        gradient.push_back(cpu.download<float>(d, c.s.rows * c.s.C));
    }
    EXPECT_EQ(loss, std::vector<float>(3, loss[0]));
    EXPECT_EQ(gradient[0], gradient[1]);
    EXPECT_EQ(gradient[0], gradient[2]);
}

template <class Op>
void expect_refusals()
{
    TestDevice cpu("cpu");
    const kernels::View f = cpu.upload<float>({1}), d = cpu.upload<double>({1});
    EXPECT_THROW(kernels::run(cpu.exec(), typename Op::Fwd{{1, 1}, f, d, {}, 1, f}), Error);
    EXPECT_THROW(kernels::run(cpu.exec(), typename Op::Fwd{{0, 3}, f, f, {}, 1, f}), Error);
    EXPECT_THROW(
        kernels::run(cpu.exec(), typename Op::Grad{{1, 1}, f, f, {}, 1, f, {.out = f, .act = {kernels::Act::relu}}}),
        Error);
    EXPECT_THROW(kernels::run(cpu.exec(), typename Op::Grad{{1, 1}, f, f, {}, 1, f, {.out = f, .add = d}}), Error);
}

} // namespace bifrons::test
