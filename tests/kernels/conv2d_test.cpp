#include "kernels/conv2d/conv2d.h"

#include "kernels/base/onednn.h"
#include "kernels/conv2d/conv2d_ref.h"
#include "kernels/conv2d/conv2d_transpose.h"
#include "kernels/device/cpu_device.h"
#include "kernels/device/plan_device.h"
#include "kernels/pointwise/epilogue_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class Conv2dTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Conv2dTest);
class Conv2dMethods : public OnDevice {};
BIFRONS_ON_CPU(Conv2dMethods);

// One element, primes, tails of every blocking, strides, paddings, filters wider than the picture, N = 1 and N > 1.
const Conv2dShape kShapes[] = {
    {},
    {.N = 3, .C = 5, .K = 7},
    {.N = 1, .H = 7, .W = 5, .C = 1, .K = 3, .R = 3, .S = 3, .pad = 1},
    {.N = 2, .H = 6, .W = 9, .C = 3, .K = 8, .R = 5, .S = 5, .stride = 2, .pad = 2},
    {.N = 2, .H = 9, .W = 7, .C = 8, .K = 12, .R = 3, .S = 3, .stride = 1, .pad = 1},
    {.N = 1, .H = 5, .W = 11, .C = 12, .K = 22, .R = 2, .S = 3, .stride = 1, .pad = 0},
    {.N = 2, .H = 8, .W = 8, .C = 22, .K = 3, .R = 1, .S = 1, .stride = 1, .pad = 0},
    {.N = 2, .H = 8, .W = 6, .C = 64, .K = 17, .R = 4, .S = 4, .stride = 2, .pad = 1},
    {.N = 1, .H = 10, .W = 7, .C = 3, .K = 64, .R = 5, .S = 5, .stride = 3, .pad = 2},
    {.N = 1, .H = 2, .W = 3, .C = 5, .K = 4, .R = 5, .S = 5, .stride = 1, .pad = 3},
    {.N = 1, .H = 7, .W = 6, .C = 4, .K = 6, .R = 2, .S = 2, .stride = 3, .pad = 0},
    {.N = 3, .H = 4, .W = 5, .C = 16, .K = 32, .R = 1, .S = 1, .stride = 2, .pad = 0},
    {.N = 2, .H = 13, .W = 11, .C = 24, .K = 40, .R = 3, .S = 3, .stride = 2, .pad = 1},
};

std::string name(const Conv2dShape& s)
{
    return str("x ", s.N, "x", s.H, "x", s.W, "x", s.C, " w ", s.K, "x", s.R, "x", s.S, " stride ", s.stride, " pad ",
               s.pad, " method ", int(s.method));
}

std::vector<double> magnitudes(const std::vector<float>& values)
{
    std::vector<double> abs(values.begin(), values.end());
    for (double& v : abs) v = std::abs(v);
    return abs;
}

using Doubles = std::vector<double>;

/// Inputs of one convolution, and in double its three sums with the same sums of absolute values.
struct Problem {
    explicit Problem(const Conv2dShape& shape)
        : s(shape), x(random_values(s.x_size(), 1)), w(random_values(s.w_size(), 2)), dy(random_values(s.y_size(), 3)),
          y(std::size_t(s.y_size())), abs_y(y), dx(x.size()), abs_dx(dx), dw(w.size()), abs_dw(dw),
          db(std::size_t(s.K)), abs_db(db)
    {
        const Doubles xd(x.begin(), x.end()), wd(w.begin(), w.end()), dyd(dy.begin(), dy.end());
        const Doubles ax = magnitudes(x), aw = magnitudes(w), ady = magnitudes(dy);
        ref::conv2d_fwd(s, xd.data(), wd.data(), y.data());
        ref::conv2d_fwd(s, ax.data(), aw.data(), abs_y.data());
        ref::conv2d_dgrad(s, dyd.data(), wd.data(), dx.data());
        ref::conv2d_dgrad(s, ady.data(), aw.data(), abs_dx.data());
        ref::conv2d_wgrad(s, dyd.data(), xd.data(), dw.data());
        ref::conv2d_wgrad(s, ady.data(), ax.data(), abs_dw.data());
        ref::bias_grad(pixels(), s.K, dyd.data(), db.data(), false);
        ref::bias_grad(pixels(), s.K, ady.data(), abs_db.data(), false);
    }
    std::int64_t pixels() const { return s.N * s.P() * s.Q(); }

    Conv2dShape s;
    std::vector<float> x, w, dy;
    Doubles y, abs_y, dx, abs_dx, dw, abs_dw, db, abs_db;
};

Doubles scaled(Doubles values, double factor)
{
    for (double& v : values) v *= factor;
    return values;
}

void expect_sums_match(TestDevice& device, const Problem& p)
{
    const Conv2dShape& s = p.s;
    const View x = device.upload(p.x), w = device.upload(p.w), dy = device.upload(p.dy);
    const View y = device.poisoned<float>(s.y_size()), dx = device.poisoned<float>(s.x_size()),
               dw = device.poisoned<float>(s.w_size()), db = device.poisoned<float>(s.K);
    run(device.exec(), Conv2dFwd{s, x, w, y, {}});
    run(device.exec(), Conv2dDgrad{s, dy, w, {.out = dx}});
    run(device.exec(), Conv2dWgrad{s, dy, x, dw, db, false});
    EXPECT_TRUE(within(device.download<float>(y, s.y_size()), p.y, scaled(p.abs_y, gamma32(s.R * s.S * s.C))));
    EXPECT_TRUE(within(device.download<float>(dx, s.x_size()), p.dx, scaled(p.abs_dx, gamma32(s.R * s.S * s.K))));
    EXPECT_TRUE(within(device.download<float>(dw, s.w_size()), p.dw, scaled(p.abs_dw, gamma32(p.pixels()))));
    EXPECT_TRUE(within(device.download<float>(db, s.K), p.db, scaled(p.abs_db, gamma32(p.pixels()))));

    run(device.exec(), Conv2dWgrad{s, dy, x, dw, db, true});
    EXPECT_TRUE(
        within(device.download<float>(dw, s.w_size()), scaled(p.dw, 2), scaled(p.abs_dw, 3 * gamma32(p.pixels()))))
        << "accumulates";
    EXPECT_TRUE(within(device.download<float>(db, s.K), scaled(p.db, 2), scaled(p.abs_db, 3 * gamma32(p.pixels()))))
        << "accumulates";
}

std::vector<Conv2dMethod> cpu_methods()
{
    std::vector<Conv2dMethod> methods{Conv2dMethod::loops};
    if (onednn_available()) methods.push_back(Conv2dMethod::onednn);
    return methods;
}

// ---- anchors -----------------------------------------------------------------------------------------------------

void expect_digits(TestDevice& device, Conv2dMethod method)
{
    const Conv2dShape s{.H = 2, .W = 2, .R = 2, .S = 2, .pad = 1, .method = method};
    const View x = device.upload<float>({1, 2, 3, 4}), w = device.upload<float>({1, 10, 100, 1000});
    const View y = device.poisoned<float>(9), dx = device.poisoned<float>(4), dw = device.poisoned<float>(4),
               db = device.poisoned<float>(1);
    run(device.exec(), Conv2dFwd{s, x, w, y, {}});
    EXPECT_EQ(device.download<float>(y, 9), (std::vector<float>{1000, 2100, 200, 3010, 4321, 402, 30, 43, 4}));
    const View dy = device.upload<float>({1, 2, 3, 4, 5, 6, 7, 8, 9});
    run(device.exec(), Conv2dDgrad{s, dy, w, {.out = dx}});
    EXPECT_EQ(device.download<float>(dx, 4), (std::vector<float>{1245, 2356, 4578, 5689}));
    run(device.exec(), Conv2dWgrad{s, dy, x, dw, db, false});
    EXPECT_EQ(device.download<float>(dw, 4), (std::vector<float>{77, 67, 47, 37}));
    EXPECT_EQ(device.download<float>(db, 1), std::vector<float>{45});
}

TEST_P(Conv2dTest, digits)
{
    expect_digits(device(), Conv2dMethod::automatic);
}

TEST_P(Conv2dMethods, digits)
{
    for (const Conv2dMethod method : cpu_methods()) expect_digits(device(), method);
}

TEST_P(Conv2dTest, an_impulse_lands_where_the_index_relation_says)
{
    // x(1,4,3,1) = 3 meets w(2,0,1,1) = 5 at p = (4 + 2 - 0)/2 = 3 and q = (3 + 2 - 1)/2 = 2.
    const Conv2dShape s{.N = 2, .H = 6, .W = 5, .C = 3, .K = 4, .R = 3, .S = 3, .stride = 2, .pad = 2};
    std::vector<float> x(std::size_t(s.x_size())), w(std::size_t(s.w_size())), want(std::size_t(s.y_size()));
    View4<float>{x.data(), s.H, s.W, s.C}(1, 4, 3, 1) = 3;
    View4<float>{w.data(), s.R, s.S, s.C}(2, 0, 1, 1) = 5;
    View4<float>{want.data(), s.P(), s.Q(), s.K}(1, 3, 2, 2) = 15;
    const View y = device().poisoned<float>(s.y_size());
    run(exec(), Conv2dFwd{s, device().upload(x), device().upload(w), y, {}});
    EXPECT_EQ(device().download<float>(y, s.y_size()), want);
}

// ---- against the definition --------------------------------------------------------------------------------------

TEST(Conv2dDefinition, the_gradients_are_adjoint_to_the_convolution)
{
    for (const Conv2dShape& s : kShapes) {
        const Problem p(s);
        // <dy, conv(x, w)> = <dx, x> = <dw, w>, up to the rounding of double.
        const double f = dot(p.y, p.dy), bound = 1e-13 * dot(p.abs_y, magnitudes(p.dy));
        EXPECT_NEAR(dot(p.dx, p.x), f, bound) << name(s);
        EXPECT_NEAR(dot(p.dw, p.w), f, bound) << name(s);
    }
}

TEST_P(Conv2dTest, agrees_with_the_definition)
{
    for (const Conv2dShape& s : kShapes) {
        SCOPED_TRACE(name(s));
        expect_sums_match(device(), Problem(s));
    }
}

TEST_P(Conv2dMethods, each_method_agrees_with_the_definition)
{
    for (const Conv2dShape& s : kShapes)
        for (const Conv2dMethod method : cpu_methods()) {
            Problem p(s);
            p.s.method = method;
            SCOPED_TRACE(name(p.s));
            expect_sums_match(device(), p);
        }
}

TEST_P(Conv2dMethods, each_method_agrees_for_every_filter_stride_and_pad)
{
    for (std::int64_t R = 1; R <= 5; ++R)
        for (std::int64_t stride = 1; stride <= 3; ++stride)
            for (std::int64_t pad = 0; pad <= 3; ++pad) {
                Problem p({.N = 1, .H = 6, .W = 7, .C = 8, .K = 16, .R = R, .S = R, .stride = stride, .pad = pad});
                for (const Conv2dMethod method : cpu_methods()) {
                    p.s.method = method;
                    SCOPED_TRACE(name(p.s));
                    expect_sums_match(device(), p);
                }
            }
}

TEST_P(Conv2dMethods, f64_runs_the_definition)
{
    const Conv2dShape s{.N = 2, .H = 6, .W = 9, .C = 3, .K = 8, .R = 5, .S = 5, .stride = 2, .pad = 2};
    const Problem p(s);
    const View x = device().upload(cast<double>(p.x)), w = device().upload(cast<double>(p.w)),
               dy = device().upload(cast<double>(p.dy));
    const View y = device().poisoned<double>(s.y_size()), dx = device().poisoned<double>(s.x_size()),
               dw = device().poisoned<double>(s.w_size()), db = device().poisoned<double>(s.K);
    run(exec(), Conv2dFwd{s, x, w, y, {}});
    run(exec(), Conv2dDgrad{s, dy, w, {.out = dx}});
    run(exec(), Conv2dWgrad{s, dy, x, dw, db, false});
    EXPECT_EQ(device().download<double>(y, s.y_size()), p.y);
    EXPECT_EQ(device().download<double>(dx, s.x_size()), p.dx);
    EXPECT_EQ(device().download<double>(dw, s.w_size()), p.dw);
    EXPECT_EQ(device().download<double>(db, s.K), p.db);
}

// ---- stores ------------------------------------------------------------------------------------------------------

const Activation kActivations[] = {{}, leaky(0.2f), {Act::relu}, {Act::sigmoid}, {Act::tanh}, {Act::xcosx}};

/// What an epilogue makes of the sums v, whose rounding is below `rounding`, and what the store's own adds to it.
struct StoredBound {
    Doubles y, bound, z, z_bound;
};

StoredBound stored(const EpilogueShape& s, const Doubles& v, const Doubles& rounding, const std::vector<float>& bias,
                   const std::vector<float>& add, Activation act, int shuffle)
{
    const Doubles b(bias.begin(), bias.end()), a(add.begin(), add.end());
    StoredBound out{Doubles(v.size()), Doubles(v.size()), Doubles(v.size()), Doubles(v.size())};
    ref::epilogue_fwd(s, v.data(), out.y.data(), bias.empty() ? nullptr : b.data(), add.empty() ? nullptr : a.data(),
                      act, out.z.data(), shuffle);
    for (std::size_t i = 0; i < v.size(); ++i) {
        const double summands = std::abs(v[i]) + 2.0; // bias and add are below 1
        out.z_bound[i] = rounding[i] + summands * std::ldexp(1.0, -22);
        const double slope = act.kind == Act::xcosx ? 1 + std::abs(out.z[i]) + out.z_bound[i] : 1;
        const std::int64_t at = shuffle == 1 ? std::int64_t(i) : ref::shuffled_index(s, shuffle, std::int64_t(i));
        out.bound[std::size_t(at)] = slope * out.z_bound[i] + (1 + std::abs(out.z[i])) * std::ldexp(1.0, -21);
    }
    return out;
}

/// Every combination of bias, add (its own buffer, or y's), activation, z and shuffle.
void expect_epilogues_match(TestDevice& device, const Problem& p)
{
    const Conv2dShape& s = p.s;
    const auto bias = random_values(s.K, 4), add = random_values(s.y_size(), 5);
    const View x = device.upload(p.x), w = device.upload(p.w), bias_view = device.upload(bias),
               add_view = device.upload(add);
    const Doubles rounding = scaled(p.abs_y, gamma32(s.R * s.S * s.C));
    for (const Activation act : kActivations)
        for (const int shuffle : {1, 2})
            for (const bool with_bias : {false, true})
                for (const int with_add : {0, 1, 2})
                    for (const bool with_z : {false, true}) {
                        if (with_add == 2 && shuffle == 2) continue; // the contract excludes it
                        SCOPED_TRACE(str(name(s), " act ", int(act.kind), " shuffle ", shuffle, " bias ", with_bias,
                                         " add ", with_add, " z ", with_z));
                        const View y = with_add == 2 ? device.upload(add) : device.poisoned<float>(s.y_size());
                        const View z = device.poisoned<float>(s.y_size());
                        run(device.exec(), Conv2dFwd{s,
                                                     x,
                                                     w,
                                                     y,
                                                     {.bias = with_bias ? ConstView(bias_view) : ConstView(),
                                                      .add = with_add == 0   ? ConstView()
                                                             : with_add == 1 ? ConstView(add_view)
                                                                             : y,
                                                      .act = act,
                                                      .z = with_z ? z : View(),
                                                      .shuffle = shuffle}});
                        const StoredBound want =
                            stored(s.y_shape(), p.y, rounding, with_bias ? bias : std::vector<float>(),
                                   with_add ? add : std::vector<float>(), act, shuffle);
                        EXPECT_TRUE(within(device.download<float>(y, s.y_size()), want.y, want.bound));
                        if (with_z) {
                            EXPECT_TRUE(within(device.download<float>(z, s.y_size()), want.z, want.z_bound));
                        }
                    }
}

// A padding as wide as the filter takes oneDNN to another implementation.
const Conv2dShape kStoreShapes[] = {{.N = 2, .H = 5, .W = 4, .C = 8, .K = 16, .R = 3, .S = 3, .pad = 1},
                                    {.N = 2, .H = 3, .W = 4, .C = 5, .K = 8, .R = 2, .S = 2, .pad = 2},
                                    {.N = 3, .C = 5, .K = 12}};

TEST_P(Conv2dTest, stores_as_the_epilogue_says)
{
    for (const Conv2dShape& s : kStoreShapes) expect_epilogues_match(device(), Problem(s));
}

TEST_P(Conv2dMethods, each_method_stores_as_the_epilogue_says)
{
    for (const Conv2dShape& s : kStoreShapes)
        for (const Conv2dMethod method : cpu_methods()) {
            Problem p(s);
            p.s.method = method;
            expect_epilogues_match(device(), p);
        }
}

/// d = act'(saved) * (v + add) and its bound, for |v| rounded below `rounding` and |add| below 1.
std::pair<Doubles, Doubles> stored_gradient(const Doubles& v, const Doubles& rounding, const std::vector<float>& add,
                                            Activation act, const std::vector<float>& saved)
{
    Doubles d(v.size()), bound(v.size());
    const Doubles a(add.begin(), add.end()), h(saved.begin(), saved.end());
    ref::store_gradient(std::int64_t(v.size()), v.data(), d.data(), add.empty() ? nullptr : a.data(), act, h.data());
    for (std::size_t i = 0; i < v.size(); ++i) {
        const double slope = act.kind == Act::none ? 1 : std::abs(act_grad(act, h[i]));
        bound[i] = slope * rounding[i] + (1 + slope) * (std::abs(v[i]) + 1) * std::ldexp(1.0, -21);
    }
    return {d, bound};
}

/// Runs `op` for every gradient store of n elements.
template <class Op>
void expect_stores_match(TestDevice& device, const Doubles& v, const Doubles& rounding, const Op& op)
{
    const auto n = std::int64_t(v.size());
    const auto add = random_values(n, 6), saved = random_values(n, 7);
    const View add_view = device.upload(add), saved_view = device.upload(saved);
    for (const Activation act : kActivations)
        for (const int with_add : {0, 1, 2}) {
            SCOPED_TRACE(str("act ", int(act.kind), " add ", with_add));
            const View out = with_add == 2 ? device.upload(add) : device.poisoned<float>(n);
            Store store{.out = out, .act = act};
            if (with_add) store.add = with_add == 1 ? add_view : out;
            if (act.kind != Act::none) store.saved = saved_view;
            op(store);
            const auto [d, bound] = stored_gradient(v, rounding, with_add ? add : std::vector<float>(), act, saved);
            EXPECT_TRUE(within(device.download<float>(out, n), d, bound));
        }
}

void expect_gradient_stores_match(TestDevice& device, const Problem& p)
{
    SCOPED_TRACE(name(p.s));
    const View dy = device.upload(p.dy), w = device.upload(p.w);
    expect_stores_match(device, p.dx, scaled(p.abs_dx, gamma32(p.s.R * p.s.S * p.s.K)), [&](const Store& d) {
        run(device.exec(), Conv2dDgrad{p.s, dy, w, d});
    });
}

TEST_P(Conv2dTest, stores_gradients_as_the_store_says)
{
    for (const Conv2dShape& s : kStoreShapes) expect_gradient_stores_match(device(), Problem(s));
}

TEST_P(Conv2dMethods, each_method_stores_gradients_as_the_store_says)
{
    for (const Conv2dShape& s : kStoreShapes)
        for (const Conv2dMethod method : cpu_methods()) {
            Problem p(s);
            p.s.method = method;
            expect_gradient_stores_match(device(), p);
        }
}

// ---- transposed --------------------------------------------------------------------------------------------------

TEST(Conv2dTransposeShape, gives_exactly_stride_times_the_input)
{
    for (std::int64_t R = 1; R <= 7; ++R)
        for (std::int64_t stride = 1; stride <= 4; ++stride) {
            if (stride == 1 && R % 2 == 0) {
                EXPECT_THROW(conv2d_transpose_shape(1, 3, 5, 2, 4, R, stride), Error);
                continue;
            }
            const Conv2dShape s = conv2d_transpose_shape(1, 3, 5, 2, 4, R, stride);
            EXPECT_EQ(s.H, 3 * stride) << R;
            EXPECT_EQ(s.W, 5 * stride) << R;
            EXPECT_EQ(s.P(), 3) << R << " stride " << stride;
            EXPECT_EQ(s.Q(), 5) << R << " stride " << stride;
        }
}

TEST_P(Conv2dTest, transposed_digits)
{
    // Each input pixel paints its filter, two pixels further for each step; pad 1 cuts the first row and column.
    const Conv2dShape s = conv2d_transpose_shape(1, 1, 2, 1, 1, 4, 2);
    EXPECT_EQ(s.pad, 1);
    const View x = device().upload<float>({1, 10}), y = device().poisoned<float>(8);
    const View w = device().upload<float>({1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2});
    run(exec(), Conv2dTransposeFwd{s, x, w, y, {}});
    EXPECT_EQ(device().download<float>(y, 8), (std::vector<float>{6, 57, 68, 70, 8, 97, 86, 70}));
}

TEST_P(Conv2dTest, transposed_agrees_with_the_definition)
{
    for (const auto& [R, stride] : {std::pair<int, int>{4, 2}, {3, 2}, {3, 1}, {5, 3}, {2, 2}}) {
        const Conv2dShape s = conv2d_transpose_shape(2, 3, 4, 12, 8, R, stride);
        SCOPED_TRACE(name(s));
        const Problem p(s); // p.dy plays the input, p.x the output's gradient
        const View x = device().upload(p.dy), w = device().upload(p.w), dy = device().upload(p.x);
        const auto bias = random_values(s.C, 8), add = random_values(s.x_size(), 9);
        for (const int shuffle : {1, 2}) {
            const View y = shuffle == 1 ? device().upload(add) : device().poisoned<float>(s.x_size());
            const ConstView add_view = shuffle == 1 ? ConstView(y) : ConstView(device().upload(add));
            run(exec(), Conv2dTransposeFwd{
                            s,
                            x,
                            w,
                            y,
                            {.bias = device().upload(bias), .add = add_view, .act = leaky(0.1f), .shuffle = shuffle}});
            const StoredBound want = stored({s.N, s.H, s.W, s.C}, p.dx, scaled(p.abs_dx, gamma32(s.R * s.S * s.K)),
                                            bias, add, leaky(0.1f), shuffle);
            EXPECT_TRUE(within(device().download<float>(y, s.x_size()), want.y, want.bound));
        }
        expect_stores_match(device(), p.y, scaled(p.abs_y, gamma32(s.R * s.S * s.C)), [&](const Store& d) {
            run(exec(), Conv2dTransposeDgrad{s, dy, w, d});
        });

        const View dw = device().poisoned<float>(s.w_size()), db = device().poisoned<float>(s.C);
        run(exec(), Conv2dTransposeWgrad{s, dy, x, dw, db, false});
        Doubles bias_want(std::size_t(s.C)), bias_abs(bias_want);
        ref::bias_grad(s.N * s.H * s.W, s.C, cast<double>(p.x).data(), bias_want.data(), false);
        ref::bias_grad(s.N * s.H * s.W, s.C, magnitudes(p.x).data(), bias_abs.data(), false);
        EXPECT_TRUE(within(device().download<float>(dw, s.w_size()), p.dw, scaled(p.abs_dw, gamma32(p.pixels()))));
        EXPECT_TRUE(
            within(device().download<float>(db, s.C), bias_want, scaled(bias_abs, gamma32(double(s.N * s.H * s.W)))));
    }
}

// ---- promises ----------------------------------------------------------------------------------------------------

/// The three results of one shape, one behind the other.
std::vector<float> all_results(TestDevice& device, const Problem& p)
{
    const Conv2dShape& s = p.s;
    const View x = device.upload(p.x), w = device.upload(p.w), dy = device.upload(p.dy);
    const View y = device.poisoned<float>(s.y_size()), dx = device.poisoned<float>(s.x_size()),
               dw = device.poisoned<float>(s.w_size()), db = device.poisoned<float>(s.K);
    run(device.exec(), Conv2dFwd{s, x, w, y, {.act = leaky(0.1f)}});
    run(device.exec(), Conv2dDgrad{s, dy, w, {.out = dx}});
    run(device.exec(), Conv2dWgrad{s, dy, x, dw, db, false});
    std::vector<float> all = device.download<float>(y, s.y_size());
    for (const auto& [view, n] : {std::pair{dx, s.x_size()}, {dw, s.w_size()}, {db, s.K}}) {
        const auto values = device.download<float>(view, n);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

const Conv2dShape kRepeated{.N = 3, .H = 12, .W = 10, .C = 22, .K = 40, .R = 3, .S = 3, .pad = 1};

TEST_P(Conv2dTest, repeats_to_the_bit)
{
    const Problem p(kRepeated);
    EXPECT_EQ(all_results(device(), p), all_results(device(), p));
}

TEST(Conv2dLoops, bits_do_not_depend_on_the_thread_count)
{
    Problem p(kRepeated);
    p.s.method = Conv2dMethod::loops;
    TestDevice one("cpu:1"), three("cpu:3");
    static_cast<CpuDevice&>(one.device()).set_threads(1);
    const auto single = all_results(one, p);
    static_cast<CpuDevice&>(three.device()).set_threads(3);
    EXPECT_EQ(single, all_results(three, p));
}

TEST_P(Conv2dTest, replays_what_was_recorded_with_what_the_buffers_then_hold)
{
    const Conv2dShape s{.N = 2, .H = 5, .W = 6, .C = 8, .K = 16, .R = 3, .S = 3, .stride = 2, .pad = 1};
    const Problem p(s);
    const View x = device().upload(std::vector<float>(p.x.size())), w = device().upload(p.w),
               dy = device().upload(p.dy);
    const View y = device().poisoned<float>(s.y_size()), dx = device().poisoned<float>(s.x_size()),
               dw = device().upload(std::vector<float>(p.w.size())), db = device().upload(std::vector<float>(16));
    device().device().begin_recording({});
    run(exec(), Conv2dFwd{s, x, w, y, {.shuffle = 4}});
    run(exec(), Conv2dFwd{s, x, w, y, {}});
    run(exec(), Conv2dDgrad{s, dy, w, {.out = dx}});
    run(exec(), Conv2dWgrad{s, dy, x, dw, db, true});
    const auto recording = device().device().end_recording({});
    device().device().copy({}, x.data, p.x.data(), p.x.size() * sizeof(float));
    device().device().replay({}, *recording);
    device().device().replay({}, *recording);
    EXPECT_TRUE(within(device().download<float>(y, s.y_size()), p.y, scaled(p.abs_y, gamma32(s.R * s.S * s.C))));
    EXPECT_TRUE(within(device().download<float>(dx, s.x_size()), p.dx, scaled(p.abs_dx, gamma32(s.R * s.S * s.K))));
    EXPECT_TRUE(
        within(device().download<float>(dw, s.w_size()), scaled(p.dw, 2), scaled(p.abs_dw, 3 * gamma32(p.pixels()))));
    EXPECT_TRUE(within(device().download<float>(db, s.K), scaled(p.db, 2), scaled(p.abs_db, 3 * gamma32(p.pixels()))));
}

/// Runs the operation in exactly the workspace that its cost states, and looks whether the bytes behind it were
/// touched.
template <class Op>
void expect_stays_within(Device& device, const Op& op)
{
    constexpr std::size_t kGuard = 4096;
    const std::size_t bytes = op.cost(device.target()).workspace_bytes;
    auto* data = static_cast<unsigned char*>(device.allocate(bytes + kGuard));
    device.fill({}, data, 0xA5, bytes + kGuard);
    run(Exec{&device, {}, {data, bytes}}, op);
    for (std::size_t i = bytes; i < bytes + kGuard; ++i) ASSERT_EQ(data[i], 0xA5) << i - bytes << " bytes behind";
    if (bytes > 0) {
        EXPECT_THROW(run(Exec{&device, {}, {data, bytes - 1}}, op), Error);
    }
    device.free(data);
}

TEST_P(Conv2dMethods, stays_within_the_stated_workspace)
{
    for (Conv2dShape s : kShapes)
        for (const Conv2dMethod method : cpu_methods()) {
            s.method = method;
            SCOPED_TRACE(name(s));
            const View x = device().upload(random_values(s.x_size(), 1)),
                       w = device().upload(random_values(s.w_size(), 2)),
                       dy = device().upload(random_values(s.y_size(), 3)), y = device().poisoned<float>(s.y_size()),
                       dx = device().poisoned<float>(s.x_size()), dw = device().poisoned<float>(s.w_size()),
                       db = device().poisoned<float>(s.K);
            for (const Epilogue& e : {Epilogue{}, Epilogue{.add = dy, .act = leaky(0.1f)}, Epilogue{.add = y}})
                expect_stays_within(device().device(), Conv2dFwd{s, x, w, y, e});
            expect_stays_within(device().device(), Conv2dDgrad{s, dy, w, {.out = dx, .add = dx}});
            expect_stays_within(device().device(), Conv2dWgrad{s, dy, x, dw, db, true});
        }
}

TEST(Conv2dPlan, counts_the_arithmetic_and_the_workspace)
{
    const auto plan = open_device("plan:cpu");
    const Conv2dShape s{.N = 2, .H = 5, .W = 6, .C = 8, .K = 16, .R = 3, .S = 3, .stride = 2, .pad = 1};
    const Exec ex{plan.get()};
    const auto buffer = [&](std::int64_t n) { return View{plan->allocate(std::size_t(n) * 4), DType::f32}; };
    const View x = buffer(s.x_size()), w = buffer(s.w_size()), y = buffer(s.y_size());
    run(ex, Conv2dFwd{s, x, w, y, {.shuffle = 2}});
    const Cost total = static_cast<PlanDevice&>(*plan).total();
    EXPECT_EQ(total.flops, 2.0 * 2 * 3 * 3 * 16 * 3 * 3 * 8);
    EXPECT_GE(total.workspace_bytes, std::size_t(s.y_size()) * 4) << "room for the sums before the shuffle";
}

TEST(Conv2dOnednn, computes_what_it_is_asked_for_or_says_that_it_cannot)
{
    TestDevice cpu("cpu");
    const Conv2dShape s{.H = 4, .W = 4, .C = 8, .K = 16, .R = 3, .S = 3, .pad = 1, .method = Conv2dMethod::onednn};
    const View x = cpu.poisoned<float>(s.x_size()), w = cpu.poisoned<float>(s.w_size()),
               y = cpu.poisoned<float>(s.y_size());
    if (!onednn_available()) {
        EXPECT_THROW(run(cpu.exec(), Conv2dFwd{s, x, w, y, {}}), Error);
        return;
    }
    // Bias, skip and leaky go into the library's call: otherwise the tests above would compare something else.
    EXPECT_TRUE(onednn_call(
        {.H = 4, .W = 4, .C = 8, .K = 16, .R = 3, .S = 3, .pad = 1, .bias = true, .add = true, .slope = 0.1f}, 1));
    EXPECT_TRUE(onednn_call({.N = 8, .C = 64, .K = 32, .bias = true, .slope = 0.1f}, 1));
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512bf16")) return;
    for (const OnednnPass pass : {OnednnPass::forward, OnednnPass::input_gradient, OnednnPass::filter_gradient})
        for (const bool f32_out : {false, true}) {
            EXPECT_TRUE(onednn_call({.pass = pass, .N = 8, .C = 64, .K = 32, .bf16 = true, .f32_out = f32_out}, 1));
            OnednnConv conv{.pass = pass, .H = 8, .W = 8, .C = 64, .K = 32, .R = 3, .S = 3, .pad = 1, .bf16 = true};
            conv.f32_out = f32_out;
            EXPECT_TRUE(onednn_call(conv, 1)) << int(pass) << " " << f32_out;
        }
#endif
}

TEST(Conv2d, names_operands_that_do_not_fit)
{
    TestDevice cpu("cpu");
    const View v = cpu.poisoned<float>(64), out = cpu.poisoned<float>(64);
    const auto text = [&](const Conv2dShape& s) {
        try {
            run(cpu.exec(), Conv2dFwd{s, v, v, out, {}});
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    EXPECT_NE(text({.H = 2, .W = 2, .R = 5, .S = 5, .pad = 1}).find("a 5x5 filter on a 2x2 picture"),
              std::string::npos);
    EXPECT_NE(text({.H = 0}).find("x [1,0,1,1]"), std::string::npos);
    EXPECT_NE(text({.stride = 0}).find("stride 0"), std::string::npos);
    EXPECT_NE(text({.method = Conv2dMethod::direct}).find("device cpu does not have this method"), std::string::npos);
    EXPECT_THROW(run(cpu.exec(), Conv2dFwd{{}, v, {v.data, DType::f64}, out, {}}), Error);
    EXPECT_THROW(run(cpu.exec(), Conv2dFwd{{}, v, v, v, {}}), Error);
    EXPECT_THROW(run(cpu.exec(), Conv2dDgrad{{}, v, v, {}, out}), Error) << "values, which only a GPU stores";
}

} // namespace
