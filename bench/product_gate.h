// bench/product_gate.h - whether a product is right: a few of its values in double, on the very operands that are
// timed.
#pragma once

#include "bench/product.h"

namespace bifrons::bench {

/// The operands as the host knows them, rounded to their types, and the values to be expected at sampled places.
class ProductGate {
  public:
    /// a, b: fwd x, w; dgrad dy, w; wgrad dy, x. The others are empty where there is none.
    ProductGate(const ProductCase& c, const std::vector<float>& a, const std::vector<float>& b,
                const std::vector<float>& bias, const std::vector<float>& add, const std::vector<float>& saved);

    /// Compares a result whose rows have channels_out channels (wgrad: channels_in as well), more than the shape's
    /// where they are padded. Returns what is wrong, or nothing; `error`: the largest, in units of what is allowed.
    std::string check(const std::vector<float>& out, std::int64_t channels_out, std::int64_t channels_in,
                      double& error) const;
    /// db [K].
    std::string check_bias(const std::vector<float>& db, double& error) const;

  private:
    /// Where a value is, and what it is.
    struct Sample {
        std::int64_t row = 0, channel = 0, channel_in = 0; ///< out[row, channel]; wgrad: dw[channel, row, channel_in]
        double value = 0, allowed = 0;
    };
    struct Sum {
        double value = 0, magnitude = 0;
        double products = 0;
        void add(double x) { value += x, magnitude += std::abs(x), products += 1; }
    };
    Sum forward(std::int64_t row, std::int64_t k) const;
    Sum input_gradient(std::int64_t row, std::int64_t c) const;
    Sum filter_gradient(std::int64_t k, std::int64_t tap, std::int64_t c) const;
    Sample stored(std::int64_t row, std::int64_t channel, const Sum& sum) const;
    double allowed(const Sum& sum) const;

    const ProductCase c_;
    const std::vector<float>&a_, &b_, &bias_, &add_, &saved_;
    std::vector<Sample> samples_;
    std::vector<Sample> bias_samples_;
};

} // namespace bifrons::bench
