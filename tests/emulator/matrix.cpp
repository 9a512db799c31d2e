#include "tests/emulator/matrix.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bifrons::emulator {

namespace {

int exponent(double x)
{
    return int(std::bit_cast<std::uint64_t>(x) >> 52 & 0x7ff);
}

double power_of_two(int biased_exponent)
{
    return std::bit_cast<double>(std::uint64_t(biased_exponent) << 52);
}

/// Towards zero.
float cut_off(double x)
{
    const float y = float(x);
    return std::fabs(double(y)) > std::fabs(x) ? std::nextafter(y, 0.f) : y;
}

} // namespace

float tensor_core_sum(float c, const float* a, const float* b, int count)
{
    constexpr int kBits = 24 + 2, kBias = 1023, kMost = 16;
    double addends[kMost + 1];
    int largest = exponent(c);
    addends[count] = c;
    bool finite = std::isfinite(c);
    for (int k = 0; k < count; ++k) {
        addends[k] = double(a[k]) * double(b[k]);
        largest = std::max(largest, exponent(addends[k]));
        finite = finite && std::isfinite(addends[k]);
    }
    double sum = 0;
    if (!finite) {
        for (int k = 0; k <= count; ++k) sum += addends[k];
        return float(sum);
    }
    if (largest == 0) return c;
    // One unit of the last bit that is kept: 2^(largest - bias - (kBits - 1)).
    const double up = power_of_two(2 * kBias - largest + kBits - 1), unit = power_of_two(largest - kBits + 1);
    for (int k = 0; k <= count; ++k) sum += std::trunc(addends[k] * up);
    return cut_off(sum * unit);
}

} // namespace bifrons::emulator
