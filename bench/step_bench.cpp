// bench/step_bench.cpp - a training step on the cpu device beside PyTorch's step of the same network.
//
// An iteration is a block of our steps and a block of theirs, one after the other in alternating order; the peer is
// bench/peer_pytorch_step.py in a process of its own. Counters: ours_ms and pytorch_ms are medians over the blocks'
// medians; ratio = pytorch / ours, with p10 and p90 over the blocks. Without PyTorch, ours alone is timed.
#include "model/trainer.h"

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <random>

namespace {

using namespace bifrons;

constexpr int kSteps = 8, kBlocks = 7;

double quantile(std::vector<double> values, double q)
{
    std::sort(values.begin(), values.end());
    return values[std::size_t(q * double(values.size() - 1) + 0.5)];
}

/// The batch stays what it is: making samples is not timed on either side.
struct Untouched : BatchSource {
    void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
};

struct Config {
    std::int64_t resolution, e, ae, d, m, batch;

    model::Settings settings() const
    {
        model::Settings s;
        s.architecture = "df-ud";
        s.resolution = resolution;
        s.e_dims = e, s.ae_dims = ae, s.d_dims = d, s.d_mask_dims = m;
        s.batch_size = batch;
        return s;
    }
    std::string text() const { return str(resolution, ",", e, ",", ae, ",", d, ",", m, ",", batch); }
};

class Ours {
  public:
    Ours(const Config& config, int threads)
        : device_(kernels::open_device(str("cpu:", threads))), trainer_(*device_, config.settings(), source_, nullptr)
    {
        std::mt19937 random(1);
        const Batch& batch = trainer_.batch();
        for (const Tensor& t : {batch.input, batch.target, batch.mask}) {
            std::vector<float> values(std::size_t(t.size()));
            for (float& v : values) v = float(random() >> 8) / 16777216.0f;
            if (t.shape()[3] == 1)
                for (float& v : values) v = std::round(v);
            t.upload(trainer_.exec(), values);
        }
        milliseconds(3); // planned, recorded, replayed
    }
    /// Median of n steps.
    double milliseconds(int n)
    {
        std::vector<double> times;
        for (int i = 0; i < n; ++i) {
            const auto begin = std::chrono::steady_clock::now();
            trainer_.step();
            BIFRONS_CHECK(bug, !trainer_.report().skipped, "step: a loss is not finite");
            times.push_back(
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
        }
        return quantile(times, 0.5);
    }
    double flops()
    {
        double sum = 0;
        for (const auto& [name, cost] : trainer_.costs()) sum += cost.flops;
        return sum;
    }

  private:
    Untouched source_;
    std::unique_ptr<kernels::Device> device_;
    model::Trainer trainer_;
};

/// Median of the peer's steps; 0 where there is no PyTorch.
double pytorch_milliseconds(const Config& config, int threads)
{
    // The peer waits as it does by default: asleep between its short parallel parts it would be slower.
    const std::string command = str("env -u OMP_WAIT_POLICY ", BIFRONS_PEER_PYTHON, " ", BIFRONS_BENCH_FOLDER,
                                    "/peer_pytorch_step.py --config ", config.text(), " --threads ", threads,
                                    " --steps ", kSteps, " 2>/dev/null");
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string text;
    char part[256];
    while (pipe && std::fgets(part, sizeof part, pipe.get())) text += part;
    const nlohmann::json result = nlohmann::json::parse(text, nullptr, false);
    return result.is_object() ? result.at("median_ms").get<double>() : 0;
}

void training_step(benchmark::State& state)
{
    const Config config{state.range(0), state.range(1), state.range(2), state.range(3), state.range(4), state.range(5)};
    const int threads = int(state.range(6));
    Ours ours(config, threads);
    std::vector<double> our_times, their_times, ratios;
    bool we_begin = true;
    for (auto _ : state) {
        double theirs = we_begin ? 0 : pytorch_milliseconds(config, threads);
        our_times.push_back(ours.milliseconds(kSteps));
        if (we_begin) theirs = pytorch_milliseconds(config, threads);
        state.SetIterationTime(our_times.back() / 1e3);
        if (theirs > 0) their_times.push_back(theirs), ratios.push_back(theirs / our_times.back());
        we_begin = !we_begin;
    }
    state.counters["ours_ms"] = quantile(our_times, 0.5);
    state.counters["gflop_per_s"] = ours.flops() / quantile(our_times, 0.5) / 1e6;
    if (ratios.empty()) return;
    state.counters["pytorch_ms"] = quantile(their_times, 0.5);
    state.counters["ratio"] = quantile(ratios, 0.5);
    state.counters["ratio_p10"] = quantile(ratios, 0.1);
    state.counters["ratio_p90"] = quantile(ratios, 0.9);
}

/// The demo's network and one of DeepFaceLab's, with one thread and with all.
BENCHMARK(training_step)
    ->Apply([](auto* b) {
        for (const std::int64_t threads :
             {std::int64_t(1), std::int64_t(kernels::open_device("cpu")->target().threads)}) {
            b->Args({64, 32, 128, 16, 6, 4, threads});
            b->Args({96, 64, 256, 64, 22, 4, threads});
        }
    }) -> ArgNames({"side", "e", "ae", "d", "m", "batch", "threads"}) -> UseManualTime()
        -> Unit(benchmark::kMillisecond) -> Iterations(kBlocks);

} // namespace
