// Methods igemm_mma and tiled of the convolution: every tile, copy width and split, f32 (tf32 and f32 products) and
// bf16, against the definition; and method direct with bf16. On whole numbers nothing is rounded on the way, so that
// every sum must be right to the last bit.
#include "kernels/conv2d/conv2d_igemm.h"

#include "kernels/conv2d/conv2d_transpose.h"
#include "kernels/device/dispatch.h"
#include "kernels/pointwise/epilogue_ref.h"
#include "tests/kernels/conv2d_problem.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class Conv2dIgemm : public OnDevice {};
BIFRONS_ON_GPU_DEVICES(Conv2dIgemm);

// Tails of rows, columns and depth in every tile; copies of 16, 8 and 4 bytes; strides with and without empty classes;
// filters wider than the picture; several pictures; one pixel (dense).
const Conv2dShape kShapes[] = {
    {.N = 2, .H = 9, .W = 7, .C = 8, .K = 20, .R = 3, .S = 3, .pad = 1},
    {.N = 1, .H = 12, .W = 11, .C = 20, .K = 44, .R = 3, .S = 3, .pad = 1},
    {.N = 2, .H = 8, .W = 8, .C = 22, .K = 6, .R = 1, .S = 3, .pad = 0},
    {.N = 1, .H = 11, .W = 9, .C = 44, .K = 88, .R = 3, .S = 3, .stride = 2, .pad = 1},
    {.N = 2, .H = 7, .W = 9, .C = 64, .K = 40, .R = 5, .S = 5, .stride = 2, .pad = 2},
    {.N = 1, .H = 11, .W = 10, .C = 16, .K = 24, .R = 5, .S = 5, .stride = 3, .pad = 2},
    {.N = 2, .H = 6, .W = 7, .C = 8, .K = 8, .R = 1, .S = 1, .stride = 2, .pad = 0},
    {.N = 1, .H = 2, .W = 3, .C = 8, .K = 16, .R = 5, .S = 5, .stride = 1, .pad = 3},
    {.N = 9, .C = 200, .K = 136},
    {.N = 1, .H = 13, .W = 11, .C = 136, .K = 136},
    {.N = 3, .H = 5, .W = 5, .C = 8, .K = 7, .R = 2, .S = 2, .stride = 2, .pad = 0},
};

std::string name(const Conv2dShape& s, const IgemmPlan& plan)
{
    return str("x ", s.N, "x", s.H, "x", s.W, "x", s.C, " w ", s.K, "x", s.R, "x", s.S, " stride ", s.stride, " pad ",
               s.pad, " tile ", int(plan.tile), " splits ", plan.splits);
}

template <class Op>
void run_planned(const Exec& ex, const IgemmPlan& plan, const Op& op)
{
    on_gpu(ex, Op::kName, [&](const auto& gpu) { run_igemm(gpu, op, plan); });
}

/// Whether the plan can compute the pass, each part with a step at least.
template <class T>
bool supports(Conv2dPass pass, const Conv2dShape& s, const IgemmPlan& plan)
{
    const DType dtype = dtype_of<T>();
    const std::int64_t steps = igemm_product(pass, s).depth * std::int64_t(sizeof(T)) / kIgemmDepthBytes;
    return igemm_supports(pass, s, dtype) &&
           (plan.tile == IgemmTile::medium || igemm_copy_bytes(pass, s, dtype) == 16) &&
           plan.splits <= std::max<std::int64_t>(steps, 1);
}

/// Every tile, by turns whole and in three parts; what is whole for one number is in parts for the next.
std::vector<IgemmPlan> plans(std::int64_t number, bool tensor_cores = true)
{
    std::vector<IgemmPlan> all;
    for (const IgemmTile tile : kIgemmTiles) all.push_back({tile, (int(tile) + number) % 2 == 0 ? 1 : 3, tensor_cores});
    return all;
}

template <class T>
void expect_exact(TestDevice& device, const Conv2dShape& s, std::int64_t number, bool tensor_cores = true)
{
    const Conv2dProblem<T> p(s, whole_numbers<T>);
    const View x = device.upload(p.x), w = device.upload(p.w), dy = device.upload(p.dy);
    for (const IgemmPlan& plan : plans(number, tensor_cores)) {
        SCOPED_TRACE(name(s, plan));
        if (supports<T>(Conv2dPass::fwd, s, plan)) {
            const View y = device.poisoned<T>(s.y_size());
            run_planned(device.exec(), plan, Conv2dFwd{s, x, w, y, {}});
            EXPECT_EQ(bits_of(device.download<T>(y, s.y_size())), bits_of(cast<T>(p.y))) << "fwd";
        }
        if (supports<T>(Conv2dPass::dgrad, s, plan)) {
            const View dx = device.poisoned<T>(s.x_size());
            run_planned(device.exec(), plan, Conv2dDgrad{s, dy, w, {.out = dx}});
            EXPECT_EQ(bits_of(device.download<T>(dx, s.x_size())), bits_of(cast<T>(p.dx))) << "dgrad";
        }
        if (supports<T>(Conv2dPass::wgrad, s, plan)) {
            const View dw = device.poisoned<float>(s.w_size());
            run_planned(device.exec(), plan, Conv2dWgrad{s, dy, x, dw, {}, false});
            EXPECT_EQ(device.download<float>(dw, s.w_size()), cast<float>(p.dw)) << "wgrad";
        }
    }
}

TEST_P(Conv2dIgemm, bf16_is_exact_on_whole_numbers)
{
    for (const Conv2dShape& s : kShapes) expect_exact<bf16>(device(), s, &s - kShapes);
}

TEST_P(Conv2dIgemm, tf32_is_exact_on_whole_numbers)
{
    for (const Conv2dShape& s : kShapes) expect_exact<float>(device(), s, &s - kShapes + 1);
}

TEST_P(Conv2dIgemm, tiled_is_exact_on_whole_numbers)
{
    for (const Conv2dShape& s : kShapes) expect_exact<float>(device(), s, &s - kShapes, false);
}

TEST_P(Conv2dIgemm, many_splits_are_added_once_each)
{
    const Conv2dShape s{.N = 5, .C = 1024, .K = 12};
    const Conv2dProblem<bf16> p(s, whole_numbers<bf16>);
    const View x = device().upload(p.x), w = device().upload(p.w);
    for (const int splits : {15, 16, 29}) {
        const View y = device().poisoned<bf16>(s.y_size());
        run_planned(exec(), {IgemmTile::flat, splits}, Conv2dFwd{s, x, w, y, {}});
        EXPECT_EQ(bits_of(device().download<bf16>(y, s.y_size())), bits_of(cast<bf16>(p.y))) << splits;
    }
}

TEST_P(Conv2dIgemm, an_input_gradient_stored_as_a_value_needs_the_workspace_of_its_splits)
{
    const Conv2dShape s{.N = 5, .C = 16, .K = 1024};
    const Conv2dProblem<bf16> p(s, whole_numbers<bf16>);
    const View dy = device().upload(p.dy), w = device().upload(p.w), y = device().poisoned<bf16>(s.x_size());
    const Conv2dDgrad as_value{s, dy, w, {}, y};
    ASSERT_GT(as_value.cost(target()).workspace_bytes, 0u);
    EXPECT_THROW(run(Exec{.device = &device().device()}, as_value), Error);
    run_with_workspace(as_value);
    EXPECT_EQ(bits_of(device().download<bf16>(y, s.x_size())), bits_of(cast<bf16>(p.dx)));
}

/// The operations of conv2d.h with the method asked for: the plan is the tuning's own.
template <class T>
void expect_sums_match(TestDevice& device, Conv2dShape s, Conv2dMethod method)
{
    s.method = method;
    const bool tf32 = sizeof(T) == 4 && method == Conv2dMethod::igemm_mma;
    const auto supported = [&](Conv2dPass pass) {
        return method == Conv2dMethod::direct || igemm_supports(pass, s, dtype_of<T>());
    };
    SCOPED_TRACE(name(s, {}));
    const Conv2dProblem<T> p(s, [](std::int64_t n, std::uint32_t seed) { return random_values<T>(n, seed); });
    const View x = device.upload(p.x), w = device.upload(p.w), dy = device.upload(p.dy);
    const std::int64_t pixels = s.N * s.P() * s.Q();
    for (const bool widened : {false, true}) { // y in f32
        if (sizeof(T) == 4 && widened) continue;
        const View y = widened ? device.poisoned<float>(s.y_size()) : device.poisoned<T>(s.y_size());
        run(device.exec(), Conv2dFwd{s, x, w, y, {}});
        if (widened) {
            EXPECT_TRUE(
                within(device.download<float>(y, s.y_size()), p.y, bounds<float>(p.y, p.abs_y, s.R * s.S * s.C, tf32)));
        } else {
            const auto got = device.download<T>(y, s.y_size());
            EXPECT_TRUE(within(got, p.y, bounds<T>(p.y, p.abs_y, s.R * s.S * s.C, tf32)));
            run(device.exec(), Conv2dFwd{s, x, w, y, {}});
            EXPECT_EQ(bits_of(device.download<T>(y, s.y_size())), bits_of(got)) << "repeats to the bit";
        }
    }
    if (supported(Conv2dPass::dgrad))
        expect_stores<T>(device, p.dx, bounds<float>(p.dx, p.abs_dx, s.R * s.S * s.K, tf32), [&](const Store& d) {
            run(device.exec(), Conv2dDgrad{s, dy, w, d});
        });
    if (!supported(Conv2dPass::wgrad)) return;
    const View dw = device.poisoned<float>(s.w_size()), db = device.poisoned<float>(s.K);
    run(device.exec(), Conv2dWgrad{s, dy, x, dw, db, false});
    const auto first = device.download<float>(dw, s.w_size());
    EXPECT_TRUE(within(first, p.dw, bounds<float>(p.dw, p.abs_dw, pixels, tf32)));
    run(device.exec(), Conv2dWgrad{s, dy, x, dw, db, true});
    Doubles twice(p.dw), twice_abs(p.abs_dw);
    for (double& v : twice) v *= 2;
    for (double& v : twice_abs) v *= 3;
    EXPECT_TRUE(within(device.download<float>(dw, s.w_size()), twice, bounds<float>(twice, twice_abs, pixels, tf32)))
        << "accumulates";
    Doubles want_db(std::size_t(s.K)), abs_db(want_db);
    for (std::int64_t i = 0; i < s.y_size(); ++i) {
        want_db[std::size_t(i % s.K)] += 2 * value_of(p.dy[std::size_t(i)]);
        abs_db[std::size_t(i % s.K)] += 3 * std::abs(value_of(p.dy[std::size_t(i)]));
    }
    EXPECT_TRUE(within(device.download<float>(db, s.K), want_db, bounds<float>(want_db, abs_db, pixels)));
}

TEST_P(Conv2dIgemm, bf16_agrees_with_the_definition)
{
    for (const Conv2dShape& s : kShapes) expect_sums_match<bf16>(device(), s, Conv2dMethod::igemm_mma);
}

TEST_P(Conv2dIgemm, tf32_agrees_with_the_definition)
{
    for (const Conv2dShape& s : kShapes) expect_sums_match<float>(device(), s, Conv2dMethod::igemm_mma);
}

TEST_P(Conv2dIgemm, tiled_agrees_with_the_definition)
{
    for (const Conv2dShape& s : kShapes) expect_sums_match<float>(device(), s, Conv2dMethod::tiled);
}

TEST_P(Conv2dIgemm, direct_takes_bf16)
{
    for (const Conv2dShape& s : {kShapes[0], kShapes[6], kShapes[10]})
        expect_sums_match<bf16>(device(), s, Conv2dMethod::direct);
}

// ---- epilogues ---------------------------------------------------------------------------------------------------

template <class T, class Y>
void expect_fwd_epilogues(TestDevice& device, const Conv2dShape& s, const IgemmPlan& plan)
{
    SCOPED_TRACE(name(s, plan));
    const Conv2dProblem<T> p(s, whole_numbers<T>);
    const View x = device.upload(p.x), w = device.upload(p.w);
    expect_epilogues<Y>(device, s.y_shape(), p.y, [&](View y, const Epilogue& e) {
        run_planned(device.exec(), plan, Conv2dFwd{s, x, w, y, e});
    });
}

TEST_P(Conv2dIgemm, stores_as_the_epilogue_says)
{
    // Runs of 8 channels, of 4, and channels one by one.
    for (const std::int64_t K : {64, 16, 12})
        for (const IgemmPlan& plan : plans(K / 4)) {
            const Conv2dShape s{.N = 2, .H = 3, .W = 5, .C = 24, .K = K, .R = 3, .S = 3, .pad = 1};
            expect_fwd_epilogues<bf16, bf16>(device(), s, plan);
            expect_fwd_epilogues<float, float>(device(), s, plan);
            if (plan.tile == IgemmTile::tall) expect_fwd_epilogues<bf16, float>(device(), s, plan);
        }
}

template <class T>
void expect_transposed_epilogues(TestDevice& device, const Conv2dShape& s, const IgemmPlan& plan)
{
    SCOPED_TRACE(name(s, plan));
    const Conv2dProblem<T> p(s, whole_numbers<T>);
    const View dy = device.upload(p.dy), w = device.upload(p.w);
    expect_epilogues<T>(device, s.x_shape(), p.dx, [&](View y, const Epilogue& e) {
        run_planned(device.exec(), plan, Conv2dDgrad{s, dy, w, {}, y, e});
    });
}

TEST_P(Conv2dIgemm, transposed_stores_as_the_epilogue_says)
{
    // Each class of pixels stores its own; runs as above.
    for (const std::int64_t C : {64, 16, 12})
        for (const IgemmPlan& plan : plans(C / 4)) {
            const Conv2dShape s{.N = 2, .H = 5, .W = 6, .C = C, .K = 24, .R = 4, .S = 4, .stride = 2, .pad = 1};
            if (supports<bf16>(Conv2dPass::dgrad, s, plan)) expect_transposed_epilogues<bf16>(device(), s, plan);
            if (supports<float>(Conv2dPass::dgrad, s, plan)) expect_transposed_epilogues<float>(device(), s, plan);
        }
}

// ---- the operations around it ------------------------------------------------------------------------------------

TEST_P(Conv2dIgemm, the_transposed_convolution_goes_through)
{
    Conv2dShape s = conv2d_transpose_shape(2, 5, 3, 24, 40, 5, 2);
    s.method = Conv2dMethod::igemm_mma;
    const Conv2dProblem<bf16> p(s, whole_numbers<bf16>);
    const View dx = device().upload(p.x), w = device().upload(p.w), dy = device().upload(p.dy);
    const View up = device().poisoned<bf16>(s.x_size()), down = device().poisoned<bf16>(s.y_size()),
               dw = device().poisoned<float>(s.w_size()), db = device().poisoned<float>(s.C);
    EXPECT_EQ((Conv2dTransposeFwd{s, dy, w, up, {.act = leaky(0.25f)}}.cost(target()).workspace_bytes),
              (Conv2dDgrad{s, dy, w, {.out = up}}.cost(target()).workspace_bytes))
        << "the store is the sum's own";
    run(exec(), Conv2dTransposeFwd{s, dy, w, up, {}});
    EXPECT_EQ(bits_of(device().download<bf16>(up, s.x_size())), bits_of(cast<bf16>(p.dx)));
    expect_epilogues<bf16>(device(), s.x_shape(), p.dx, [&](View y, const Epilogue& e) {
        run_with_workspace(Conv2dTransposeFwd{s, dy, w, y, e});
    });
    run(exec(), Conv2dTransposeDgrad{s, dx, w, {.out = down}});
    EXPECT_EQ(bits_of(device().download<bf16>(down, s.y_size())), bits_of(cast<bf16>(p.y)));
    run(exec(), Conv2dTransposeWgrad{s, dx, dy, dw, db, false});
    EXPECT_EQ(device().download<float>(dw, s.w_size()), cast<float>(p.dw));
}

TEST_P(Conv2dIgemm, stays_within_the_stated_workspace)
{
    // A deep reduction with few rows: the tuning splits it on every GPU.
    const Conv2dShape s{.N = 8, .C = 2048, .K = 64, .method = Conv2dMethod::igemm_mma};
    const Target target = device().device().target();
    ASSERT_GT(igemm_plan(Conv2dPass::fwd, s, DType::bf16, target).splits, 1);
    const View x = device().poisoned<bf16>(s.x_size()), w = device().poisoned<bf16>(s.w_size()),
               y = device().poisoned<bf16>(s.y_size());
    const Conv2dFwd op{s, x, w, y};
    const std::size_t bytes = op.cost(target).workspace_bytes, guard = 4096;
    auto* data = static_cast<char*>(device().device().allocate(bytes + guard));
    device().device().fill({}, data, 0xA5, bytes + guard);
    run(Exec{&device().device(), {}, {data, bytes}}, op);
    EXPECT_THROW(run(Exec{&device().device(), {}, {data, bytes - 1}}, op), Error);
    std::vector<std::uint8_t> behind(guard);
    device().device().copy({}, behind.data(), data + bytes, guard);
    device().device().synchronize({});
    EXPECT_EQ(behind, std::vector<std::uint8_t>(guard, 0xA5));
    device().device().free(data);
}

TEST_P(Conv2dIgemm, says_what_it_cannot_do)
{
    const View v = device().poisoned<bf16>(64), out = device().poisoned<bf16>(64);
    try {
        run(exec(), Conv2dFwd{{.C = 3, .K = 2, .method = Conv2dMethod::igemm_mma}, v, v, out, {}});
        ADD_FAILURE() << "3 channels of bf16";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("method igemm_mma cannot compute 3 to 2 channels of bf16"),
                  std::string::npos)
            << e.what();
    }
    const View odd{static_cast<char*>(v.data) + 2, DType::bf16};
    EXPECT_THROW(run(exec(), Conv2dFwd{{.C = 8, .K = 2, .method = Conv2dMethod::igemm_mma}, odd, v, out, {}}), Error)
        << "copies of 16 bytes from an odd address";
}

// ---- the choice --------------------------------------------------------------------------------------------------

TEST(Conv2dTuning, fills_the_gpu)
{
    const Target h200{.kind = DeviceKind::cuda, .sm = 90};
    const auto blocks = [&](Conv2dPass pass, const Conv2dShape& s) {
        const IgemmPlan plan = igemm_plan(pass, s, DType::bf16, h200);
        const IgemmProduct p = igemm_product(pass, s);
        const auto [rows, columns] = igemm_tile_size(plan.tile);
        return (p.rows + rows - 1) / rows * ((p.columns + columns - 1) / columns) * plan.splits;
    };
    // The filter gradient of a wide, flat layer has 18 large tiles, and the dense layer 2 flat ones.
    const Conv2dShape res{.N = 16, .H = 128, .W = 128, .C = 128, .K = 128, .R = 3, .S = 3, .pad = 1};
    const Conv2dShape dense{.N = 16, .C = 131072, .K = 256};
    EXPECT_GE(blocks(Conv2dPass::wgrad, res), 118) << "nine tenths of 132 multiprocessors";
    EXPECT_GE(blocks(Conv2dPass::fwd, dense), 118);
    EXPECT_EQ(igemm_plan(Conv2dPass::fwd, res, DType::bf16, h200).tile, IgemmTile::large);
    EXPECT_EQ(igemm_plan(Conv2dPass::fwd, res, DType::bf16, h200).splits, 1);
}

} // namespace
