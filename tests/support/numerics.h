// tests/support/numerics.h - inputs and derived error bounds.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace bifrons::test {

/// Uniform in [low, high), the same for the same seed everywhere.
template <class T = float>
std::vector<T> random_values(std::int64_t n, std::uint32_t seed, double low = -1, double high = 1)
{
    std::mt19937 engine(seed);
    std::vector<T> values(static_cast<std::size_t>(n));
    for (T& v : values) v = T(low + (high - low) * (double(engine()) / 4294967296.0));
    return values;
}

template <class T, class U>
std::vector<T> cast(const std::vector<U>& values)
{
    return std::vector<T>(values.begin(), values.end());
}

/// Rounding of a sum of n products in f32, in any order: probabilistic bound with a factor of safety of 8
/// (Higham & Mary 2019, SISC 41(5):A2815), to be multiplied with the same sum of absolute values.
inline double gamma32(double n)
{
    return 8 * std::sqrt(n + 1) * std::ldexp(1.0, -24);
}

/// |got - want| <= bound everywhere; NaN fails.
template <class T>
::testing::AssertionResult within(const std::vector<T>& got, const std::vector<double>& want,
                                  const std::vector<double>& bound)
{
    if (got.size() != want.size() || got.size() != bound.size() || got.empty())
        return ::testing::AssertionFailure() << "sizes " << got.size() << ", " << want.size() << ", " << bound.size();
    for (std::size_t i = 0; i < got.size(); ++i)
        if (!(std::abs(double(got[i]) - want[i]) <= bound[i]))
            return ::testing::AssertionFailure()
                   << "element " << i << ": " << got[i] << ", expected " << want[i] << " within " << bound[i];
    return ::testing::AssertionSuccess();
}

template <class T>
::testing::AssertionResult within(const std::vector<T>& got, const std::vector<double>& want, double bound)
{
    return within(got, want, std::vector<double>(want.size(), bound));
}

/// Sum of products, in double.
template <class T, class U>
double dot(const std::vector<T>& a, const std::vector<U>& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * double(b[i]);
    return sum;
}

} // namespace bifrons::test
