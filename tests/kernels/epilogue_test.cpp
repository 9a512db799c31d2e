#include "kernels/pointwise/epilogue.h"

#include "kernels/pointwise/epilogue_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"
#include "tests/support/stores.h"

using namespace bifrons;
using namespace bifrons::kernels;
using namespace bifrons::test;

namespace {

class EpilogueTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(EpilogueTest);

const Activation kActivations[] = {{}, leaky(0.1f), {Act::relu}, {Act::sigmoid}, {Act::tanh}, {Act::xcosx}};

TEST_P(EpilogueTest, shuffle_puts_the_block_index_on_the_slow_axis)
{
    // One pixel, 8 channels, factor 2: v[k] = k goes to row k/4, column k/2%2, channel k%2 of a 2x2 picture.
    const View v = device().upload<float>({0, 1, 2, 3, 4, 5, 6, 7}), y = device().poisoned<float>(8);
    run(exec(), EpilogueFwd{{1, 1, 1, 8}, v, y, {.shuffle = 2}});
    EXPECT_EQ(device().download<float>(y, 8), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}));

    // Two pixels side by side: the second row of each lands below, not beside.
    const View v2 = device().upload<float>({0, 1, 2, 3, 10, 11, 12, 13}), y2 = device().poisoned<float>(8);
    run(exec(), EpilogueFwd{{1, 1, 2, 4}, v2, y2, {.shuffle = 2}});
    EXPECT_EQ(device().download<float>(y2, 8), (std::vector<float>{0, 1, 10, 11, 2, 3, 12, 13}));
}

TEST_P(EpilogueTest, bias_add_and_leaky_in_this_order)
{
    const View v = device().upload<float>({1, -4}), bias = device().upload<float>({10, 1}),
               add = device().upload<float>({100, 1}), y = device().poisoned<float>(2);
    run(exec(), EpilogueFwd{{1, 1, 1, 2}, v, y, {.bias = bias, .add = add, .act = leaky(0.5f)}});
    EXPECT_EQ(device().download<float>(y, 2), (std::vector<float>{111, -1}));
}

TEST_P(EpilogueTest, agrees_with_the_definition_for_every_activation)
{
    for (const Activation act : kActivations) {
        for (const auto& [K, f] : {std::pair<int, int>{12, 1}, {12, 2}, {16, 2}, {3, 1}}) {
            const EpilogueShape s{2, 3, 5, K}; // whole packets of 16 bytes, and not
            const auto v = random_values(s.size(), 1, -3, 3), bias = random_values(s.K, 2),
                       add = random_values(s.size(), 3);
            std::vector<double> want(static_cast<std::size_t>(s.size())), z(want.size());
            ref::epilogue_fwd(s, cast<double>(v).data(), want.data(), cast<double>(bias).data(),
                              cast<double>(add).data(), act, z.data(), f);
            const View y = device().poisoned<float>(s.size()), zs = device().poisoned<float>(s.size());
            run(exec(),
                EpilogueFwd{
                    s,
                    device().upload(v),
                    y,
                    {.bias = device().upload(bias), .add = device().upload(add), .act = act, .z = zs, .shuffle = f}});
            // z is below 6 in magnitude, rounded twice; the derivatives are below 1 + 6; the functions within 4 ulp.
            EXPECT_TRUE(within(device().download<float>(y, s.size()), want, 1e-5)) << int(act.kind) << " f" << f;
            EXPECT_TRUE(within(device().download<float>(zs, s.size()), z, 1e-6));
        }
    }
}

TEST_P(EpilogueTest, gradient_agrees_with_finite_differences)
{
    const std::int64_t n = 101;
    auto z = random_values<double>(n, 4, -3, 3);
    const auto v = random_values(n, 5), add = random_values(n, 6);
    for (const Activation act : kActivations) {
        std::vector<float> saved;
        std::vector<double> want;
        for (std::int64_t i = 0; i < n; ++i) {
            const double h = 1e-6, x = z[std::size_t(i)];
            const double slope = (act_fwd<double>(act, x + h) - act_fwd<double>(act, x - h)) / (2 * h);
            want.push_back(slope * (double(v[std::size_t(i)]) + add[std::size_t(i)]));
            saved.push_back(float(act_saves_input(act) ? x : act_fwd<double>(act, x)));
        }
        const View out = device().upload(add); // the sum may be formed in place
        run(exec(), StoreGradient{
                        n, device().upload(v), {.out = out, .add = out, .act = act, .saved = device().upload(saved)}});
        // Slopes are below 4, v + add below 2; f32 rounding of saved moves the slope by less than 4 * 3 * 2^-24.
        EXPECT_TRUE(within(device().download<float>(out, n), want, 1e-5)) << int(act.kind);
    }
}

TEST_P(EpilogueTest, unshuffle_undoes_shuffle)
{
    const EpilogueShape s{2, 3, 4, 8};
    const auto v = random_values(s.size(), 7);
    const View y = device().poisoned<float>(s.size()), back = device().poisoned<float>(s.size());
    run(exec(), EpilogueFwd{s, device().upload(v), y, {.shuffle = 2}});
    run(exec(), Unshuffle{s, 2, y, back});
    EXPECT_EQ(device().download<float>(back, s.size()), v);
}

TEST_P(EpilogueTest, bias_gradient_is_the_sum_over_rows)
{
    for (const auto& [rows, K] : {std::pair<int, int>{1, 1}, {7, 3}, {1000, 64}, {4099, 17}, {70, 520}, {9001, 2}}) {
        const auto d = random_values(std::int64_t(rows) * K, 8);
        std::vector<double> want(std::size_t(K), 0.0), magnitude(want);
        for (std::size_t i = 0; i < d.size(); ++i) {
            want[i % std::size_t(K)] += d[i];
            magnitude[i % std::size_t(K)] += std::abs(d[i]) * gamma32(rows);
        }
        const View dv = device().upload(d), db = device().poisoned<float>(K), again = device().poisoned<float>(K);
        run_with_workspace(BiasGrad{rows, K, dv, db, false});
        run_with_workspace(BiasGrad{rows, K, dv, again, false});
        const auto got = device().download<float>(db, K);
        EXPECT_TRUE(within(got, want, magnitude)) << rows << "x" << K;
        EXPECT_EQ(got, device().download<float>(again, K)) << "repeats to the bit";
        run(exec(), BiasGrad{rows, K, dv, db, true});
        for (std::size_t k = 0; k < want.size(); ++k) want[k] *= 2, magnitude[k] *= 3;
        EXPECT_TRUE(within(device().download<float>(db, K), want, magnitude)) << "accumulates";
    }
}

class Bf16EpilogueTest : public OnDevice {};
BIFRONS_ON_ALL_DEVICES(Bf16EpilogueTest);

TEST_P(Bf16EpilogueTest, stores_the_f32_result_rounded_once)
{
    for (const auto& [act, K] : {std::pair<Activation, int>{{}, 16}, {leaky(0.1f), 12}, {{Act::xcosx}, 32}}) {
        const EpilogueShape s{2, 3, 5, K}; // 16 and 32: whole packets of 16 bytes
        const auto v = random_values<bf16>(s.size(), 1, -3, 3), add = random_values<bf16>(s.size(), 3);
        const auto bias = random_values(s.K, 2);
        std::vector<double> want(static_cast<std::size_t>(s.size())), z(want.size()), bound(want.size());
        ref::epilogue_fwd(s, cast<double>(v).data(), want.data(), cast<double>(bias).data(), cast<double>(add).data(),
                          act, z.data(), 2);
        for (std::size_t i = 0; i < want.size(); ++i) bound[i] = 1e-5 + store_rounding<bf16>() * std::abs(want[i]);
        const View y = device().poisoned<bf16>(s.size()), zs = device().poisoned<bf16>(s.size());
        run(exec(),
            EpilogueFwd{
                s,
                device().upload(v),
                y,
                {.bias = device().upload(bias), .add = device().upload(add), .act = act, .z = zs, .shuffle = 2}});
        EXPECT_TRUE(within(device().download<bf16>(y, s.size()), want, bound)) << int(act.kind);
        for (std::size_t i = 0; i < want.size(); ++i) bound[i] = 1e-6 + store_rounding<bf16>() * std::abs(z[i]);
        EXPECT_TRUE(within(device().download<bf16>(zs, s.size()), z, bound));
    }
}

TEST_P(Bf16EpilogueTest, gradient_store_unshuffle_and_bias_gradient)
{
    for (const std::int64_t K : {8, 12, 16}) {
        const EpilogueShape s{1, 3, 43, K};
        const auto v = random_values<bf16>(s.size(), 7);
        const View values = device().upload(v), y = device().poisoned<bf16>(s.size());
        expect_stores<bf16>(device(), cast<double>(v), std::vector<double>(v.size(), 0.0), [&](const Store& d) {
            run(exec(), StoreGradient{s.size(), values, d});
        });
        run(exec(), EpilogueFwd{s, values, y, {.shuffle = 2}});
        const View back = device().poisoned<bf16>(s.size()), db = device().poisoned<float>(s.K);
        run(exec(), Unshuffle{s, 2, y, back});
        EXPECT_EQ(bits_of(device().download<bf16>(back, s.size())), bits_of(v));

        std::vector<double> want(std::size_t(s.K), 0.0);
        for (std::size_t i = 0; i < v.size(); ++i) want[i % want.size()] += value_of(v[i]);
        run(exec(), BiasGrad{129, s.K, values, db, false});
        EXPECT_TRUE(within(device().download<float>(db, s.K), want, 129 * gamma32(129))) << "sums stay f32";
    }
}

TEST(Epilogue, names_a_channel_count_that_cannot_be_shuffled)
{
    TestDevice cpu("cpu");
    const View v = cpu.upload<float>({1, 2, 3});
    EXPECT_THROW(run(cpu.exec(), EpilogueFwd{{1, 1, 1, 3}, v, v, {.shuffle = 2}}), Error);
}

} // namespace
