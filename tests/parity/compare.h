// tests/parity/compare.h - results of two programs, by name, and how far apart rounding may put them.
#pragma once

#include "engine/shape.h"
#include "tests/parity/rounding.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace bifrons::parity {

using Tensors = std::map<std::string, torch::Tensor>; // by name, in double
using Bounds = std::map<std::string, double>;         // on the largest error of each

constexpr double kUnit32 = 0x1p-24, kUnit64 = 0x1p-53, kPrograms = 2;
constexpr int kRuns = 8;

inline torch::Tensor to_torch(const std::vector<std::int64_t>& sizes, const std::vector<double>& values)
{
    return torch::tensor(values, torch::kFloat64).reshape(sizes);
}
inline torch::Tensor to_torch(const Shape& shape, const std::vector<double>& values)
{
    std::vector<std::int64_t> sizes;
    for (int i = 0; i < shape.rank(); ++i) sizes.push_back(shape[i]);
    return to_torch(sizes, values);
}

inline double largest(const torch::Tensor& x)
{
    return x.abs().max().item<double>();
}

/// How far rounding with this unit may move each of what pass(Rounding) gives, over the whole tensor; means cancel, so
/// that what the last operations round is added.
template <class Pass>
Bounds propagated(const Pass& pass, double unit)
{
    const Tensors exact = pass(Rounding());
    Bounds bounds;
    for (int run = 0; run < kRuns; ++run)
        for (const auto& [name, moved] : pass(Rounding(unit, std::uint64_t(run + 1))))
            bounds[name] =
                std::max(bounds[name], kPrograms * (largest(moved - exact.at(name)) + 8 * unit * largest(moved)));
    return bounds;
}

inline void expect_within(const Tensors& got, const Tensors& want, const Bounds& bounds)
{
    ASSERT_EQ(got.size(), want.size());
    for (const auto& [name, value] : want) {
        ASSERT_TRUE(got.count(name)) << name;
        ASSERT_EQ(got.at(name).sizes(), value.sizes()) << name;
        const double error = largest(got.at(name) - value);
        EXPECT_TRUE(error <= bounds.at(name))
            << name << ": off by " << error << ", bound " << bounds.at(name) << ", largest value " << largest(value);
    }
}

/// A bound that let everything pass would prove nothing.
inline void expect_tight(const Bounds& bounds, const Tensors& want, double share)
{
    for (const auto& [name, value] : want) EXPECT_LT(bounds.at(name), share * largest(value)) << name;
}

} // namespace bifrons::parity
