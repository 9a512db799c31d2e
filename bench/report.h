// bench/report.h - what is made of the results: a table for people, JSON lines for machines.
//
// A line has the case (name, family, what, network, batch, method, precision), the times (ours_us, ours_single_us,
// peer_us), the ratio peer / ours with p10 and p90 over the pairs, the floor and its share, and where it was measured
// (device, driver, clocks, commit, date). A case that was not measured has "skipped" or "failed" with the reason.
#pragma once

#include "bench/bench.h"
#include "bench/gpu.h"

#include <benchmark/benchmark.h>

#include <set>

namespace bifrons::bench {

class Report : public benchmark::BenchmarkReporter {
  public:
    Report(const Options& options, const kernels::Device& device);

    /// What a line says about where it was measured.
    const Json& context() const { return context_; }
    const kernels::Ceilings* ceilings() const { return ceilings_; }
    GpuState gpu_state() const { return gpu_ ? gpu_->now() : GpuState{}; }
    /// Names of cases that the file of an earlier run of this commit on this device already has.
    std::set<std::string> measured() const;

    void add(const Case& c, Json values);
    /// usage: the method does not do this shape, and is passed over; any other error is a failure.
    void add_failure(const Case& c, const Error& error);
    int failures() const { return failures_; }

    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>&) override {} // the lines are written as results come in

  private:
    void write(const Case& c, Json values);
    void print_row(const std::string& name, const Json& values);

    Options options_;
    Json context_;
    std::optional<GpuMonitor> gpu_;
    const kernels::Ceilings* ceilings_ = nullptr;
    int failures_ = 0;
    bool header_printed_ = false;
};

} // namespace bifrons::bench
