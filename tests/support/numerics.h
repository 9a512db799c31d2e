// tests/support/numerics.h - inputs and derived error bounds.
#pragma once

#include "kernels/base/bf16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace bifrons::test {

using kernels::bf16;

/// An element's value.
template <class T>
double value_of(T element)
{
    return double(element);
}
inline double value_of(bf16 element)
{
    return kernels::to_f32(element);
}

/// The element nearest to a value.
template <class T>
T element_of(double value)
{
    return T(value);
}
template <>
inline bf16 element_of<bf16>(double value)
{
    return kernels::to_bf16(float(value));
}

/// Relative error of storing an f32 result as T.
template <class T>
double store_rounding()
{
    return std::is_same_v<T, bf16> ? std::ldexp(1.0, -8) : 0;
}

/// Uniform in [low, high), the same for the same seed everywhere.
template <class T = float>
std::vector<T> random_values(std::int64_t n, std::uint32_t seed, double low = -1, double high = 1)
{
    std::mt19937 engine(seed);
    std::vector<T> values(static_cast<std::size_t>(n));
    for (T& v : values) v = element_of<T>(low + (high - low) * (double(engine()) / 4294967296.0));
    return values;
}

template <class T, class U>
std::vector<T> cast(const std::vector<U>& values)
{
    std::vector<T> elements;
    elements.reserve(values.size());
    for (const U& v : values) elements.push_back(element_of<T>(value_of(v)));
    return elements;
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
        if (!(std::abs(value_of(got[i]) - want[i]) <= bound[i]))
            return ::testing::AssertionFailure()
                   << "element " << i << ": " << value_of(got[i]) << ", expected " << want[i] << " within " << bound[i];
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
    for (std::size_t i = 0; i < a.size(); ++i) sum += value_of(a[i]) * value_of(b[i]);
    return sum;
}

/// (value(x + h) - value(x - h)) / 2h of a function value() of what x refers to, which is left as it was. Off by
/// h^2 / 6 times the third derivative, and by the rounding of value() over h.
template <class Value>
double central_difference(double& x, double h, const Value& value)
{
    const double middle = x;
    x = middle + h;
    const double above = value();
    x = middle - h;
    const double below = value();
    x = middle;
    return (above - below) / (2 * h);
}
/// The same of each of many.
template <class Value>
std::vector<double> central_differences(std::vector<double>& x, double h, const Value& value)
{
    std::vector<double> slopes;
    for (double& element : x) slopes.push_back(central_difference(element, h, value));
    return slopes;
}

/// Bits as numbers, for comparisons that mean every bit.
inline std::vector<std::uint16_t> bits_of(const std::vector<bf16>& values)
{
    std::vector<std::uint16_t> bits;
    for (const bf16 v : values) bits.push_back(v.bits);
    return bits;
}
template <class T>
const std::vector<T>& bits_of(const std::vector<T>& values)
{
    return values;
}

} // namespace bifrons::test
