// bench/pair.h - how ours and a peer are timed: in one run, alternating, on operands that no cache holds.
//
// One pair = one sample of each side, in alternating order; the ratio is taken pair by pair, so that clocks and heat
// that drift touch both. A sample is a recording (on cuda, a graph) of as many calls as make a millisecond, each on the
// next set of operands, timed by the device's own events. Before any of it, both sides' results are checked.
#pragma once

#include "bench/report.h"

#include <benchmark/benchmark.h>

namespace bifrons::bench {

/// The value below which a share q of the values lies.
double quantile(std::vector<double> values, double q);

/// Calls of one side, to be timed again and again.
class Sampled {
  public:
    Sampled(Bench& bench, const Side& side);
    /// Seconds of one call, from a sample of several.
    double seconds();
    /// Seconds of one call by itself, its launch included; not of a side that times itself.
    double single_seconds();

  private:
    bool on_gpu() const;
    double timed(const std::function<void()>& work);
    void run_calls();
    void record_calls();

    Bench& bench_;
    const Side& side_;
    int calls_ = 1, set_ = 0;
    std::unique_ptr<kernels::Recording> recording_;
};

/// Measures a case as one benchmark: an iteration is a pair. The result, or why there is none, goes to the report.
void run_case(benchmark::State& state, const Case& c, kernels::Device& device, Report& report);

} // namespace bifrons::bench
