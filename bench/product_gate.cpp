#include "bench/product_gate.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace bifrons::bench {

namespace {

using kernels::Conv2dShape;
using Pass = Product::Pass;

constexpr double kMostProducts = 1 << 25;
constexpr std::int64_t kSamples = 96;
constexpr double kUlp32 = 0x1p-24, kUlpBf16 = 0x1p-8, kUlpTf32 = 0x1p-10; // tf32: truncated by some

/// Rows of the output: pixels, or a filter's taps.
std::int64_t rows_of(const ProductCase& c)
{
    const Conv2dShape& s = c.s;
    return c.pass == Pass::fwd ? s.N * s.P() * s.Q() : c.pass == Pass::dgrad ? s.N * s.H * s.W : s.R * s.S;
}

double products_of(const ProductCase& c)
{
    const Conv2dShape& s = c.s;
    return c.pass == Pass::wgrad ? double(s.N * s.P() * s.Q()) : double(s.R * s.S * std::max(s.C, s.K));
}

std::string complaint(const char* what, double got, double want, double allowed)
{
    return str(what, " is ", got, ", expected ", want, " within ", allowed);
}

} // namespace

ProductGate::ProductGate(const ProductCase& c, const std::vector<float>& a, const std::vector<float>& b,
                         const std::vector<float>& bias, const std::vector<float>& add, const std::vector<float>& saved)
    : c_(c), a_(a), b_(b), bias_(bias), add_(add), saved_(saved)
{
    std::mt19937_64 random(1);
    const auto below = [&](std::int64_t n) { return std::int64_t(random() % std::uint64_t(n)); };
    const std::int64_t rows = rows_of(c),
                       samples = std::clamp<std::int64_t>(std::int64_t(kMostProducts / products_of(c)), 8, kSamples);
    for (std::int64_t i = 0; i < samples; ++i) {
        // The first and the last element are always looked at.
        const bool first = i == 0, last = i == 1;
        const auto draw = [&](std::int64_t n) { return first ? 0 : last ? n - 1 : below(n); };
        const std::int64_t row = draw(rows), k = draw(c.s.K), ch = draw(c.s.C);
        if (c.pass == Pass::fwd) samples_.push_back(stored(row, k, forward(row, k)));
        if (c.pass == Pass::dgrad) samples_.push_back(stored(row, ch, input_gradient(row, ch)));
        if (c.pass != Pass::wgrad) continue;
        const Sum sum = filter_gradient(k, row, ch);
        samples_.push_back({row, k, ch, sum.value, allowed(sum)});
    }
    if (c.pass != Pass::wgrad || !c.fused) return;
    for (const std::int64_t k : {std::int64_t(0), c.s.K - 1}) {
        Sum sum;
        for (std::size_t i = std::size_t(k); i < a_.size(); i += std::size_t(c.s.K)) sum.add(a_[i]);
        bias_samples_.push_back({0, k, 0, sum.value, allowed(sum)});
    }
}

ProductGate::Sum ProductGate::forward(std::int64_t row, std::int64_t k) const
{
    const Conv2dShape& s = c_.s;
    const std::int64_t n = row / (s.P() * s.Q()), p = row / s.Q() % s.P(), q = row % s.Q();
    Sum sum;
    for (std::int64_t r = 0; r < s.R; ++r)
        for (std::int64_t t = 0; t < s.S; ++t) {
            const std::int64_t h = p * s.stride + r - s.pad, w = q * s.stride + t - s.pad;
            if (h < 0 || h >= s.H || w < 0 || w >= s.W) continue;
            for (std::int64_t c = 0; c < s.C; ++c)
                sum.add(double(a_[std::size_t(((n * s.H + h) * s.W + w) * s.C + c)]) *
                        double(b_[std::size_t(((k * s.R + r) * s.S + t) * s.C + c)]));
        }
    return sum;
}

ProductGate::Sum ProductGate::input_gradient(std::int64_t row, std::int64_t c) const
{
    const Conv2dShape& s = c_.s;
    const std::int64_t n = row / (s.H * s.W), h = row / s.W % s.H, w = row % s.W;
    Sum sum;
    for (std::int64_t r = 0; r < s.R; ++r)
        for (std::int64_t t = 0; t < s.S; ++t) {
            const std::int64_t y = h + s.pad - r, x = w + s.pad - t;
            if (y < 0 || x < 0 || y % s.stride || x % s.stride) continue;
            const std::int64_t p = y / s.stride, q = x / s.stride;
            if (p >= s.P() || q >= s.Q()) continue;
            for (std::int64_t k = 0; k < s.K; ++k)
                sum.add(double(a_[std::size_t(((n * s.P() + p) * s.Q() + q) * s.K + k)]) *
                        double(b_[std::size_t(((k * s.R + r) * s.S + t) * s.C + c)]));
        }
    return sum;
}

ProductGate::Sum ProductGate::filter_gradient(std::int64_t k, std::int64_t tap, std::int64_t c) const
{
    const Conv2dShape& s = c_.s;
    const std::int64_t r = tap / s.S, t = tap % s.S;
    Sum sum;
    for (std::int64_t n = 0; n < s.N; ++n)
        for (std::int64_t p = 0; p < s.P(); ++p)
            for (std::int64_t q = 0; q < s.Q(); ++q) {
                const std::int64_t h = p * s.stride + r - s.pad, w = q * s.stride + t - s.pad;
                if (h < 0 || h >= s.H || w < 0 || w >= s.W) continue;
                sum.add(double(a_[std::size_t(((n * s.P() + p) * s.Q() + q) * s.K + k)]) *
                        double(b_[std::size_t(((n * s.H + h) * s.W + w) * s.C + c)]));
            }
    return sum;
}

/// Rounding of the sum (tests/support/numerics.h: gamma32), of tf32 operands, and of a bf16 result.
double ProductGate::allowed(const Sum& sum) const
{
    const double inputs = c_.precision == "tf32" ? 2 * kUlpTf32 : 0;
    const double result = c_.dtype() == DType::bf16 ? kUlpBf16 : kUlp32;
    return (8 * std::sqrt(sum.products + 1) * kUlp32 + inputs) * sum.magnitude + result * std::abs(sum.value);
}

ProductGate::Sample ProductGate::stored(std::int64_t row, std::int64_t channel, const Sum& sum) const
{
    Sample sample{row, channel, 0, sum.value, allowed(sum)};
    if (!c_.fused) return sample;
    const std::int64_t channels = c_.pass == Pass::fwd ? c_.s.K : c_.s.C;
    const std::size_t at = std::size_t(row * channels + channel);
    if (!bias_.empty()) sample.value += bias_[std::size_t(channel)];
    if (!add_.empty()) sample.value += add_[at];
    const double decides = c_.pass == Pass::fwd ? sample.value : saved_.empty() ? 1 : saved_[at];
    // Twice: a library's plan may store the sum before our kernel reads it.
    sample.allowed += 2 * (c_.dtype() == DType::bf16 ? kUlpBf16 : kUlp32) * std::abs(sample.value);
    if (decides < 0) sample.value *= double(c_.pass == Pass::fwd ? c_.layer.slope : c_.layer.input_slope);
    if (c_.pass != Pass::fwd || c_.layer.shuffle == 1) return sample;
    const kernels::Conv2dShape& s = c_.s;
    const std::int64_t f = c_.layer.shuffle, C = s.K / (f * f), n = row / (s.P() * s.Q()), p = row / s.Q() % s.P(),
                       q = row % s.Q();
    const std::int64_t i = channel / C / f, j = channel / C % f;
    sample.row = (n * s.P() * f + f * p + i) * s.Q() * f + f * q + j;
    sample.channel = channel % C;
    return sample;
}

std::string ProductGate::check(const std::vector<float>& out, std::int64_t channels_out, std::int64_t channels_in,
                               double& error) const
{
    for (const Sample& at : samples_) {
        const std::int64_t index = c_.pass == Pass::wgrad
                                       ? (at.channel * c_.s.R * c_.s.S + at.row) * channels_in + at.channel_in
                                       : at.row * channels_out + at.channel;
        const double got = out[std::size_t(index)], off = std::abs(got - at.value);
        if (!(off <= at.allowed)) return complaint(str("element ", index).c_str(), got, at.value, at.allowed);
        error = std::max(error, off / at.allowed);
    }
    return "";
}

std::string ProductGate::check_bias(const std::vector<float>& db, double& error) const
{
    for (const Sample& at : bias_samples_) {
        const double got = db[std::size_t(at.channel)], off = std::abs(got - at.value);
        if (!(off <= at.allowed)) return complaint("db", got, at.value, at.allowed);
        error = std::max(error, off / at.allowed);
    }
    return "";
}

} // namespace bifrons::bench
