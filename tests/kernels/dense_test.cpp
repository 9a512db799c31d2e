#include "kernels/dense/dense.h"

#include "kernels/dense/dense_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class DenseTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(DenseTest);

TEST_P(DenseTest, digits)
{
    const DenseShape s{.N = 2, .C = 3, .K = 2};
    const View x = device().upload<float>({1, 2, 3, 4, 5, 6}), w = device().upload<float>({1, 10, 100, 2, 0, 5});
    const View y = device().poisoned<float>(4), dx = device().poisoned<float>(6), dw = device().poisoned<float>(6),
               db = device().poisoned<float>(2), bias = device().upload<float>({0.5f, -40});
    run(exec(), DenseFwd{s, x, w, y, {.bias = bias, .act = leaky(0.5f)}});
    EXPECT_EQ(device().download<float>(y, 4), (std::vector<float>{321.5f, -11.5f, 654.5f, -1}));
    const View dy = device().upload<float>({1, 2, 3, 4});
    run(exec(), DenseDgrad{s, dy, w, {.out = dx}});
    EXPECT_EQ(device().download<float>(dx, 6), (std::vector<float>{5, 10, 110, 11, 30, 320}));
    run(exec(), DenseWgrad{s, dy, x, dw, db, false});
    EXPECT_EQ(device().download<float>(dw, 6), (std::vector<float>{13, 17, 21, 18, 24, 30}));
    EXPECT_EQ(device().download<float>(db, 2), (std::vector<float>{4, 6}));
}

/// The same sums of absolute values, times a factor.
template <class Sum>
std::vector<double> bound(std::int64_t n, double factor, const std::vector<float>& a, const std::vector<float>& b,
                          const Sum& sum)
{
    std::vector<double> aa(a.begin(), a.end()), bb(b.begin(), b.end()), out(static_cast<std::size_t>(n));
    for (double& v : aa) v = std::abs(v);
    for (double& v : bb) v = std::abs(v);
    sum(aa.data(), bb.data(), out.data());
    for (double& v : out) v *= factor;
    return out;
}

TEST_P(DenseTest, agrees_with_the_definition)
{
    for (const DenseShape& s :
         {DenseShape{1, 1, 1}, DenseShape{1, 67, 33}, DenseShape{5, 257, 19}, DenseShape{8, 64, 128}}) {
        SCOPED_TRACE(str(s.N, "x", s.C, " to ", s.K));
        const auto x = random_values(s.N * s.C, 1), w = random_values(s.K * s.C, 2), dy = random_values(s.N * s.K, 3);
        const auto fwd = [&](const double* a, const double* b, double* out) { ref::dense_fwd(s, a, b, out); };
        const auto dgrad = [&](const double* a, const double* b, double* out) { ref::dense_dgrad(s, a, b, out); };
        const auto wgrad = [&](const double* a, const double* b, double* out) { ref::dense_wgrad(s, a, b, out); };
        const auto xd = cast<double>(x), wd = cast<double>(w), dyd = cast<double>(dy);
        std::vector<double> y_want(std::size_t(s.N * s.K)), dx_want(x.size()), dw_want(w.size());
        fwd(xd.data(), wd.data(), y_want.data());
        dgrad(dyd.data(), wd.data(), dx_want.data());
        wgrad(dyd.data(), xd.data(), dw_want.data());
        // The three are adjoint.
        EXPECT_NEAR(dot(dx_want, x), dot(y_want, dy), 1e-12 * double(s.N * s.C * s.K));
        EXPECT_NEAR(dot(dw_want, w), dot(y_want, dy), 1e-12 * double(s.N * s.C * s.K));

        const View xv = device().upload(x), wv = device().upload(w), dyv = device().upload(dy);
        const View y = device().poisoned<float>(s.N * s.K), dx = device().poisoned<float>(s.N * s.C),
                   dw = device().poisoned<float>(s.K * s.C), db = device().poisoned<float>(s.K);
        run(exec(), DenseFwd{s, xv, wv, y, {}});
        run(exec(), DenseDgrad{s, dyv, wv, {.out = dx}});
        run(exec(), DenseWgrad{s, dyv, xv, dw, db, false});
        EXPECT_TRUE(within(device().download<float>(y, s.N * s.K), y_want, bound(s.N * s.K, gamma32(s.C), x, w, fwd)));
        EXPECT_TRUE(
            within(device().download<float>(dx, s.N * s.C), dx_want, bound(s.N * s.C, gamma32(s.K), dy, w, dgrad)));
        const auto dw_bound = bound(s.K * s.C, gamma32(s.N), dy, x, wgrad);
        const auto dw_once = device().download<float>(dw, s.K * s.C);
        EXPECT_TRUE(within(dw_once, dw_want, dw_bound));

        run(exec(), DenseWgrad{s, dyv, xv, dw, db, true});
        auto twice = dw_want, twice_bound = dw_bound;
        for (std::size_t i = 0; i < twice.size(); ++i) twice[i] *= 2, twice_bound[i] *= 3;
        EXPECT_TRUE(within(device().download<float>(dw, s.K * s.C), twice, twice_bound)) << "accumulates";
        run(exec(), DenseWgrad{s, dyv, xv, dw, db, false});
        EXPECT_EQ(device().download<float>(dw, s.K * s.C), dw_once) << "repeats to the bit";
    }
}

TEST(Dense, f64_runs_the_definition)
{
    TestDevice cpu("cpu");
    const DenseShape s{3, 7, 5};
    const auto x = random_values<double>(21, 1), w = random_values<double>(35, 2);
    std::vector<double> want(15);
    ref::dense_fwd(s, x.data(), w.data(), want.data());
    const View y = cpu.poisoned<double>(15);
    run(cpu.exec(), DenseFwd{s, cpu.upload(x), cpu.upload(w), y, {}});
    EXPECT_EQ(cpu.download<double>(y, 15), want);
}

TEST(Dense, has_no_pixels_to_shuffle)
{
    TestDevice cpu("cpu");
    const View v = cpu.poisoned<float>(4), y = cpu.poisoned<float>(4);
    EXPECT_THROW(run(cpu.exec(), DenseFwd{{.N = 1, .C = 1, .K = 4}, v, v, y, {.shuffle = 2}}), Error);
    EXPECT_THROW(run(cpu.exec(), DenseFwd{{.N = 0}, v, v, y, {}}), Error);
}

} // namespace
