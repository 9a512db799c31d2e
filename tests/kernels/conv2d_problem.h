// tests/kernels/conv2d_problem.h - operands of a convolution and what its three passes must give, for the tests of the
// methods that run on a GPU.
#pragma once

#include "kernels/conv2d/conv2d_ref.h"
#include "tests/support/devices.h"
#include "tests/support/numerics.h"

namespace bifrons::test {

using Doubles = std::vector<double>;

/// Products and sums of these are exact in any order, and in tf32.
template <class T>
std::vector<T> whole_numbers(std::int64_t n, std::uint32_t seed)
{
    auto values = random_values<double>(n, seed, -4, 4);
    for (double& v : values) v = std::floor(v);
    return cast<T>(values);
}

/// Operands, and the three sums of the definition in double with those of the absolute values.
template <class T>
struct Conv2dProblem {
    template <class Draw>
    Conv2dProblem(const kernels::Conv2dShape& shape, const Draw& draw)
        : s(shape), x(draw(s.x_size(), 1)), w(draw(s.w_size(), 2)), dy(draw(s.y_size(), 3))
    {
        sums(y, dx, dw, cast<double>(x), cast<double>(w), cast<double>(dy));
        const auto magnitudes = [](Doubles values) {
            for (double& v : values) v = std::abs(v);
            return values;
        };
        sums(abs_y, abs_dx, abs_dw, magnitudes(cast<double>(x)), magnitudes(cast<double>(w)),
             magnitudes(cast<double>(dy)));
    }
    void sums(Doubles& y_, Doubles& dx_, Doubles& dw_, const Doubles& xs, const Doubles& ws, const Doubles& dys) const
    {
        y_.resize(dys.size()), dx_.resize(xs.size()), dw_.resize(ws.size());
        kernels::ref::conv2d_fwd(s, xs.data(), ws.data(), y_.data());
        kernels::ref::conv2d_dgrad(s, dys.data(), ws.data(), dx_.data());
        kernels::ref::conv2d_wgrad(s, dys.data(), xs.data(), dw_.data());
    }
    kernels::Conv2dShape s;
    std::vector<T> x, w, dy;
    Doubles y, dx, dw, abs_y, abs_dx, abs_dw;
};

/// Bound of a sum of n products whose absolute values sum to abs: accumulation, the factors' rounding to tf32 if there
/// is one, the result's to Stored.
template <class Stored>
Doubles bounds(const Doubles& sums, const Doubles& abs, std::int64_t n, bool tf32 = false)
{
    const double relative = gamma32(double(n)) + (tf32 ? std::ldexp(1.01, -10) : 0);
    Doubles bound(abs);
    for (std::size_t i = 0; i < abs.size(); ++i)
        bound[i] = relative * abs[i] + store_rounding<Stored>() * (std::abs(sums[i]) + relative * abs[i]);
    return bound;
}

} // namespace bifrons::test
