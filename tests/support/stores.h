// tests/support/stores.h - what a gradient operation must store, with and without the fused parts of a Store.
#pragma once

#include "kernels/pointwise/epilogue_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

namespace bifrons::test {

/// Runs grad(Store) bare and with add (in out's own buffer), leaky activation and saved; checks out against the store
/// formula applied to v, within bound (of v before it is stored) and the roundings of the formula itself. T: float,
/// double or bf16.
template <class T, class Grad>
void expect_stores(TestDevice& device, const std::vector<double>& v, const std::vector<double>& bound, const Grad& grad)
{
    const auto n = std::int64_t(v.size());
    std::vector<double> bare_bound(bound);
    for (std::size_t i = 0; i < v.size(); ++i) bare_bound[i] += store_rounding<T>() * (std::abs(v[i]) + bound[i]);
    const kernels::View bare = device.poisoned<T>(n);
    grad(kernels::Store{.out = bare});
    const std::vector<T> first = device.download<T>(bare, n);
    EXPECT_TRUE(within(first, v, bare_bound));
    grad(kernels::Store{.out = bare});
    EXPECT_EQ(bits_of(first), bits_of(device.download<T>(bare, n))) << "repeats to the bit";

    const auto add = random_values<T>(n, 71), saved = random_values<T>(n, 72);
    const auto act = kernels::leaky(0.25f);
    std::vector<double> want(v.size()), fused_bound(bound);
    kernels::ref::store_gradient(n, v.data(), want.data(), cast<double>(add).data(), act, cast<double>(saved).data());
    for (std::size_t i = 0; i < v.size(); ++i) // one addition and one product, the factor at most 1
        fused_bound[i] +=
            (std::ldexp(1.0, -23) + store_rounding<T>()) * (std::abs(v[i]) + std::abs(value_of(add[i])) + bound[i]);
    const kernels::View out = device.upload(add);
    grad(kernels::Store{.out = out, .add = out, .act = act, .saved = device.upload(saved)});
    EXPECT_TRUE(within(device.download<T>(out, n), want, fused_bound)) << "with add and activation";
}

/// `store` computes the whole numbers v [N,P,Q,K] and stores them through everything that an epilogue can do but
/// rounding activations: bias, add, leaky by a power of two, shuffle, with z and without. Y: what y, add and z are
/// stored as.
template <class Y, class StoreValues>
void expect_epilogues(TestDevice& device, const kernels::EpilogueShape& s, const std::vector<double>& v,
                      const StoreValues& store)
{
    const std::int64_t n = s.size();
    const auto whole = [](std::vector<double> values) {
        for (double& value : values) value = std::floor(value);
        return values;
    };
    const auto bias = whole(random_values<double>(s.K, 4, -4, 4)), add = whole(random_values<double>(n, 5, -4, 4));
    const kernels::View bias_view = device.upload(cast<float>(bias)), add_view = device.upload(cast<Y>(add));
    for (const int shuffle : {1, 2}) {
        std::vector<double> want(v.size()), want_z(v.size());
        kernels::ref::epilogue_fwd(s, v.data(), want.data(), bias.data(), add.data(), kernels::leaky(0.25f),
                                   want_z.data(), shuffle);
        const kernels::View y = device.poisoned<Y>(n), bare = device.poisoned<Y>(n), z = device.poisoned<Y>(n);
        kernels::Epilogue e{.bias = bias_view, .add = add_view, .act = kernels::leaky(0.25f), .shuffle = shuffle};
        store(bare, e);
        e.z = z;
        store(y, e);
        EXPECT_EQ(bits_of(device.download<Y>(bare, n)), bits_of(cast<Y>(want))) << "shuffle " << shuffle;
        EXPECT_EQ(bits_of(device.download<Y>(y, n)), bits_of(cast<Y>(want))) << "shuffle " << shuffle << " with z";
        EXPECT_EQ(bits_of(device.download<Y>(z, n)), bits_of(cast<Y>(want_z))) << "shuffle " << shuffle;
    }
}

} // namespace bifrons::test
