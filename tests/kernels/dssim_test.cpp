#include "kernels/losses/dssim.h"

#include "kernels/losses/dssim_ref.h"
#include "kernels/pointwise/epilogue_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

constexpr double kUnit = 1.0 / (1 << 24); // half the spacing of f32 at 1
constexpr double kC1 = 1e-4, kC2 = 9e-4;

class DssimTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(DssimTest);
class F64DssimTest : public OnDevice {};
BIFRONS_ON_CPU(F64DssimTest);

/// First-order error of one window's loss and of the constants of its gradient, when weighted means of positive values
/// carry a relative error g: d = a - b, L and S as in ssim = (1 - L)(1 - S).
struct WindowError {
    double loss, A, B, D;          // errors
    double size_A, size_B, size_D; // magnitudes of the constants: slope = weight * (A + B a + D d)

    WindowError(const ref::SsimWindow<double>& w, double g)
    {
        const double mean_d = w.mean_a - w.mean_b, var_d = w.var_a + w.var_b - 2 * w.cov;
        const double dd = var_d + mean_d * mean_d, mean_abs_d = std::sqrt(dd);
        const double means = w.mean_a * w.mean_a + w.mean_b * w.mean_b, squares = w.var_a + w.var_b + means;
        const double L = mean_d * mean_d / w.mean_norm(), S = var_d / w.var_norm();
        const double e_means = g * (3 * means + 2 * w.mean_b * (w.mean_a + mean_abs_d));
        const double e_mean_norm = e_means + g * kC1, e_var_norm = e_means + g * (2 * squares + kC2);
        const double e_L = (2 * std::abs(mean_d) * g * mean_abs_d + L * e_mean_norm) / w.mean_norm() + g * L;
        const double e_S = (4 * g * dd + std::abs(S) * e_var_norm) / w.var_norm() + g * std::abs(S);
        loss = (e_L * std::abs(1 - S) + e_S * std::abs(1 - L)) / 2 + g * (L + std::abs(S));
        const double slope = std::abs(1 - L) / w.var_norm(), e_slope = (e_L + slope * e_var_norm) / w.var_norm();
        const double of_mean = std::abs(1 - S) / w.mean_norm(), mean_term = mean_abs_d + L * w.mean_a;
        const double var_term = mean_abs_d + std::abs(S) * w.mean_a;
        A = of_mean * (g * mean_term + e_L * w.mean_a + mean_term * e_mean_norm / w.mean_norm()) +
            e_S * mean_term / w.mean_norm() + e_slope * var_term + slope * (g * var_term + e_S * w.mean_a);
        B = e_S * slope + std::abs(S) * e_slope;
        D = e_slope;
        size_A = of_mean * mean_term + slope * var_term, size_B = std::abs(S) * slope, size_D = slope;
    }
};

struct DssimCase {
    DssimShape s;
    bool masked;
    float scale = 10;
    std::vector<float> a, b, mask;

    DssimCase(DssimShape shape, bool with_mask, double likeness = 0.5)
        : s(shape), masked(with_mask), a(random_values(size(), 1, 0, 1)), b(random_values(size(), 2, 0, 1)),
          mask(random_values(s.N * s.H * s.W, 3, 0, 1))
    {
        for (std::size_t i = 0; i < a.size(); ++i) b[i] = float(likeness * a[i] + (1 - likeness) * b[i]);
    }
    std::int64_t size() const { return s.N * s.H * s.W * s.C; }
    /// f32: two filters of so many positive terms. And taps left out: 2^-24 of the centre each, four sides.
    double mean_error() const { return gamma32(2 * s.window + 4) + 16 * kUnit; }

    struct Doubles {
        std::vector<double> a, b, mask;
        const double* m;
    };
    Doubles doubles() const
    {
        Doubles d{cast<double>(a), cast<double>(b), cast<double>(mask), nullptr};
        d.m = masked ? d.mask.data() : nullptr;
        return d;
    }
    void value(double& want, double& bound) const
    {
        const Doubles d = doubles();
        const auto weight = ref::gaussian_window<double>(s.window);
        ref::dssim_fwd(s, d.a.data(), d.b.data(), d.m, double(scale), &want);
        bound = 2 * kUnit * want;
        ref::for_windows(s, [&](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) {
            const auto w = ref::ssim_window(s, weight, d.a.data(), d.b.data(), d.m, n, y, x, c);
            bound += scale * WindowError(w, mean_error()).loss / ref::window_count(s);
        });
    }
    void gradient(double upstream, std::vector<double>& want, std::vector<double>& bound) const
    {
        const Doubles d = doubles();
        const auto weight = ref::gaussian_window<double>(s.window);
        const double g = mean_error(), tail = kUnit * weight[weight.size() / 2];
        want.resize(a.size()), bound.assign(a.size(), 0);
        ref::dssim_grad(s, d.a.data(), d.b.data(), d.m, double(scale), upstream, want.data());
        const double factor = std::abs(upstream) * scale / ref::window_count(s);
        ref::for_windows(s, [&](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) {
            const WindowError e(ref::ssim_window(s, weight, d.a.data(), d.b.data(), d.m, n, y, x, c), g);
            ref::for_window(s, weight, n, y, x, c, [&](double w, std::int64_t i, std::int64_t pixel) {
                const double m = d.m ? d.m[pixel] : 1, ma = m * d.a[std::size_t(i)],
                             md = std::abs(ma - m * d.b[std::size_t(i)]);
                bound[std::size_t(i)] +=
                    factor * m *
                    (w * (e.A + e.B * ma + e.D * md) + (g * w + tail) * (e.size_A + e.size_B * ma + e.size_D * md));
            });
        });
    }
};

std::vector<DssimCase> cases()
{
    std::vector<DssimCase> all{{{1, 2, 2, 1, 2}, false},   {{1, 3, 5, 2, 3}, true},    {{2, 13, 11, 3, 5}, false},
                               {{2, 24, 23, 3, 8}, true},  {{1, 25, 31, 3, 11}, true}, {{1, 20, 19, 4, 17}, false},
                               {{1, 21, 24, 1, 18}, true}, {{2, 21, 22, 3, 19}, true}, {{2, 25, 24, 2, 22}, true},
                               {{1, 131, 7, 3, 4}, true}}; // the last: more than one block of rows
    all.push_back({{1, 17, 16, 3, 6}, false, 0.999});      // nearly alike: the loss must not cancel
    return all;
}

TEST_P(DssimTest, one_window_by_hand)
{
    // A window of 2 weighs its four pixels alike. a: mean 1/4, variance 3/16; b: mean 1/2, variance 1/4; of a*b the
    // mean is 1/4, so the covariance is 1/8.
    const View a = device().upload<float>({0, 1, 0, 0}), b = device().upload<float>({1, 1, 0, 0}),
               loss = device().poisoned<float>(1);
    run(exec(), DssimFwd{{1, 2, 2, 1, 2}, a, b, {}, 3, loss, {}});
    const double ssim = (0.25 + kC1) * (0.25 + kC2) / ((0.3125 + kC1) * (0.4375 + kC2));
    EXPECT_TRUE(within(device().download<float>(loss, 1), {3 * (1 - ssim) / 2}, 40 * kUnit));
}

TEST_P(DssimTest, flat_pictures_have_a_closed_form)
{
    const auto flat = [&](float p, float q, int window) {
        const DssimShape s{2, 23, 26, 3, window};
        const std::size_t n = std::size_t(s.N * s.H * s.W * s.C);
        const View loss = device().poisoned<float>(1);
        run(exec(), DssimFwd{s,
                             device().upload(std::vector<float>(n, p)),
                             device().upload(std::vector<float>(n, q)),
                             {},
                             1,
                             loss,
                             {}});
        return device().download<float>(loss, 1);
    };
    for (const int window : {2, 5, 11, 22})
        for (const auto& [p, q] : {std::pair{0.25, 0.75}, {0.0, 1.0}, {0.5, 0.4375}}) {
            const double ssim = (2 * p * q + kC1) / (p * p + q * q + kC1), g = gamma32(2 * window);
            // Variances should be 0: what rounding leaves of them is set against c2.
            EXPECT_TRUE(within(flat(float(p), float(q), window), {(1 - ssim) / 2}, 4 * g * (p - q) * (p - q) / kC2))
                << window << ": " << p << ", " << q;
        }
}

TEST_P(DssimTest, equal_pictures_differ_by_exactly_nothing)
{
    const DssimCase c({2, 24, 23, 3, 8}, true);
    const View a = device().upload(c.a), mask = device().upload(c.mask), loss = device().poisoned<float>(1),
               d = device().poisoned<float>(c.size()), one = device().upload<float>({1}),
               slopes = device().poisoned<float>(3 * c.s.windows());
    run(exec(), DssimFwd{c.s, a, a, mask, 1, loss, slopes});
    run(exec(), DssimGrad{c.s, a, a, mask, 1, slopes, one, {.out = d}});
    EXPECT_EQ(device().download<float>(loss, 1), std::vector<float>{0});
    EXPECT_EQ(device().download<float>(d, c.size()), std::vector<float>(c.a.size(), 0));
}

TEST_P(DssimTest, value_agrees_with_the_definition_and_repeats)
{
    for (const DssimCase& c : cases()) {
        double want = 0, bound = 0;
        c.value(want, bound);
        const View a = device().upload(c.a), b = device().upload(c.b), loss = device().poisoned<float>(2);
        const ConstView mask = c.masked ? ConstView(device().upload(c.mask)) : ConstView{};
        run_with_workspace(DssimFwd{c.s, a, b, mask, c.scale, loss, {}});
        run(exec(),
            DssimFwd{c.s, a, b, mask, c.scale, {loss.as<float>() + 1}, device().poisoned<float>(3 * c.s.windows())});
        const auto got = device().download<float>(loss, 2);
        EXPECT_TRUE(within(std::vector<float>{got[0]}, {want}, bound)) << "window " << c.s.window;
        EXPECT_LT(bound, 0.01 * want) << "the bound means something";
        EXPECT_EQ(got[0], got[1]) << "repeats to the bit, with slopes or without";
    }
}

TEST_P(DssimTest, gradient_agrees_with_the_definition_through_a_store)
{
    for (const DssimCase& c : cases()) {
        std::vector<double> v, want, bound;
        c.gradient(-0.7f, v, bound);
        want.resize(v.size());
        const auto add = random_values(c.size(), 4), saved = random_values(c.size(), 5);
        ref::store_gradient(c.size(), v.data(), want.data(), cast<double>(add).data(), leaky(0.1f),
                            cast<double>(saved).data());
        for (std::size_t i = 0; i < bound.size(); ++i) bound[i] += 3 * kUnit * (std::abs(v[i]) + std::abs(add[i]));
        const View out = device().upload(add); // collected in place
        const ConstView mask = c.masked ? ConstView(device().upload(c.mask)) : ConstView{};
        const View a = device().upload(c.a), b = device().upload(c.b), loss = device().poisoned<float>(1),
                   slopes = device().poisoned<float>(3 * c.s.windows());
        run(exec(), DssimFwd{c.s, a, b, mask, c.scale, loss, slopes});
        const Store d{.out = out, .add = out, .act = leaky(0.1f), .saved = device().upload(saved)};
        run_with_workspace(DssimGrad{c.s, a, b, mask, c.scale, slopes, device().upload<float>({-0.7f}), d});
        EXPECT_TRUE(within(device().download<float>(out, c.size()), want, bound)) << "window " << c.s.window;
        EXPECT_LT(dot(bound, bound), 1e-4 * dot(v, v)) << "the bound means something, window " << c.s.window;
    }
}

TEST_P(F64DssimTest, agrees_with_the_definition)
{
    for (const DssimCase& c : cases()) {
        const auto d = c.doubles();
        double want = 0;
        std::vector<double> gradient(c.a.size());
        ref::dssim_fwd(c.s, d.a.data(), d.b.data(), d.m, double(c.scale), &want);
        ref::dssim_grad(c.s, d.a.data(), d.b.data(), d.m, double(c.scale), 1.0, gradient.data());
        const View a = device().upload(d.a), b = device().upload(d.b), loss = device().poisoned<double>(1),
                   out = device().poisoned<double>(c.size()), one = device().upload<double>({1}),
                   slopes = device().poisoned<double>(3 * c.s.windows());
        const ConstView mask = c.masked ? ConstView(device().upload(d.mask)) : ConstView{};
        run(exec(), DssimFwd{c.s, a, b, mask, c.scale, loss, slopes});
        run(exec(), DssimGrad{c.s, a, b, mask, c.scale, slopes, one, {.out = out}});
        // The same up to rounding (of 1 - ssim, in the definition), unless taps were left out: those weigh 2^-24 of the
        // centre at most.
        const double slack = c.s.window > 17 ? 16 * kUnit : 1e-12;
        const double largest = std::sqrt(dot(gradient, gradient));
        EXPECT_TRUE(within(device().download<double>(loss, 1), {want}, slack * want + 1e-15 * c.scale))
            << "window " << c.s.window;
        EXPECT_TRUE(within(device().download<double>(out, c.size()), gradient, slack * largest))
            << "window " << c.s.window;
    }
}

TEST_P(F64DssimTest, gradient_is_the_slope_of_the_value)
{
    for (const DssimShape& s : {DssimShape{1, 6, 7, 2, 3}, {2, 5, 5, 1, 4}}) {
        const DssimCase c(s, true);
        auto d = c.doubles();
        const View out = device().poisoned<double>(c.size()), slopes = device().poisoned<double>(3 * s.windows());
        const auto value = [&] {
            const View loss = device().poisoned<double>(1);
            run(exec(),
                DssimFwd{s, device().upload(d.a), device().upload(d.b), device().upload(d.mask), 2, loss, slopes});
            return 1.5 * device().download<double>(loss, 1)[0];
        };
        value();
        run(exec(), DssimGrad{s,
                              device().upload(d.a),
                              device().upload(d.b),
                              device().upload(d.mask),
                              2,
                              slopes,
                              device().upload<double>({1.5}),
                              {.out = out}});
        const auto slope = central_differences(d.a, 1e-5, value);
        // Third derivatives are below 6 / (c2 * standard deviation) < 1e5 here, times h^2 / 6; rounding 1e-15 / h.
        EXPECT_TRUE(within(device().download<double>(out, c.size()), slope, 2e-6));
        EXPECT_GT(dot(slope, slope), 1e-2) << "there is something to compare";
    }
}

TEST_P(DssimTest, a_mask_multiplies_both_pictures_first)
{
    DssimCase c({1, 13, 12, 3, 5}, true);
    auto cut_a = c.a, cut_b = c.b;
    for (float& m : c.mask) m = m < 0.5f ? 0.0f : 1.0f;
    for (std::size_t i = 0; i < c.a.size(); ++i) cut_a[i] *= c.mask[i / 3], cut_b[i] *= c.mask[i / 3];
    const View loss = device().poisoned<float>(2);
    run(exec(), DssimFwd{c.s, device().upload(c.a), device().upload(c.b), device().upload(c.mask), 1, loss, {}});
    run(exec(), DssimFwd{c.s, device().upload(cut_a), device().upload(cut_b), {}, 1, {loss.as<float>() + 1}, {}});
    const auto got = device().download<float>(loss, 2);
    EXPECT_EQ(got[0], got[1]);
}

TEST(Dssim, has_the_same_bits_for_any_thread_count)
{
    const DssimCase c({3, 131, 37, 3, 11}, true);
    std::vector<float> loss;
    std::vector<std::vector<float>> gradient;
    for (const char* name : {"cpu:1", "cpu:2", "cpu:3"}) {
        TestDevice cpu(name);
        const View a = cpu.upload(c.a), b = cpu.upload(c.b), mask = cpu.upload(c.mask), l = cpu.poisoned<float>(1),
                   d = cpu.poisoned<float>(c.size()), slopes = cpu.poisoned<float>(3 * c.s.windows());
        run(cpu.exec(), DssimFwd{c.s, a, b, mask, c.scale, l, slopes});
        run(cpu.exec(), DssimGrad{c.s, a, b, mask, c.scale, slopes, l, {.out = d}});
        loss.push_back(cpu.download<float>(l, 1)[0]);
        gradient.push_back(cpu.download<float>(d, c.size()));
    }
    EXPECT_EQ(loss, std::vector<float>(3, loss[0]));
    EXPECT_EQ(gradient[0], gradient[1]);
    EXPECT_EQ(gradient[0], gradient[2]);
}

TEST(Dssim, stays_inside_the_stated_scratch_and_never_reads_what_it_did_not_write)
{
    for (const DssimCase& c : cases()) {
        TestDevice cpu("cpu");
        const std::size_t guard = 4096;
        const View loss = cpu.poisoned<float>(1), d = cpu.poisoned<float>(c.size()), a = cpu.upload(c.a),
                   b = cpu.upload(c.b), slopes = cpu.poisoned<float>(3 * c.s.windows());
        const DssimFwd fwd{c.s, a, b, {}, 1, loss, slopes};
        const DssimGrad grad{c.s, a, b, {}, 1, slopes, loss, {.out = d}};
        const Target target = cpu.device().target();
        const std::size_t bytes = std::max(fwd.cost(target).workspace_bytes, grad.cost(target).workspace_bytes);
        const View scratch = cpu.poisoned<std::uint8_t>(std::int64_t(bytes + guard));
        const Exec ex{&cpu.device(), {}, {scratch.data, bytes}};
        run(ex, fwd);
        cpu.device().fill({}, scratch.data, 0xFF, bytes);
        run(ex, grad);
        for (const float v : cpu.download<float>(d, c.size())) ASSERT_TRUE(std::isfinite(v));
        const auto left = cpu.download<std::uint8_t>(scratch, std::int64_t(bytes + guard));
        EXPECT_EQ(std::vector<std::uint8_t>(left.begin() + std::ptrdiff_t(bytes), left.end()),
                  std::vector<std::uint8_t>(guard, 0xFF));
        EXPECT_THROW(run(Exec{&cpu.device(), {}, {scratch.data, 64}}, grad), Error);
    }
}

TEST(Dssim, refuses_a_window_larger_than_the_picture)
{
    TestDevice cpu("cpu");
    const View f = cpu.upload(std::vector<float>(12, 1));
    EXPECT_THROW(run(cpu.exec(), DssimFwd{{1, 3, 4, 1, 4}, f, f, {}, 1, f, {}}), Error);
    EXPECT_THROW(run(cpu.exec(), DssimFwd{{1, 3, 4, 1, 1}, f, f, {}, 1, f, {}}), Error);
}

} // namespace
