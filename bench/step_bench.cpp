// bench/step_bench.cpp - a whole training step, without a discriminator and with one, beside PyTorch's step of the same
// network, in alternating blocks. Making samples is not timed on either side. The peer is bench/peer_pytorch_step.py in
// a process of its own.
#include "bench/pair.h"
#include "bench/peers/pytorch.h"
#include "model/adversary.h"
#include "model/trainer.h"

#include <chrono>
#include <cmath>
#include <random>

namespace bifrons::bench {

namespace {

constexpr int kSteps = 8; // of a block

/// The batch stays what it is.
struct Untouched : BatchSource {
    void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
};

model::Settings settings_of(const Network& n, std::int64_t batch, bool adversarial)
{
    model::Settings s;
    s.archi = "df-ud";
    s.optimizer = "adam";
    s.resolution = n.resolution;
    s.e_dims = n.e, s.ae_dims = n.ae, s.d_dims = n.d, s.d_mask_dims = n.m;
    s.batch_size = batch;
    if (adversarial) s.gan_power = 0.1;
    return s;
}

class Ours {
  public:
    Ours(kernels::Device& device, const model::Settings& settings)
        : device_(device), trainer_(device, settings, source_, nullptr)
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
        for (int i = 0; i < 3; ++i) trainer_.step(); // planned, recorded, replayed
    }
    /// Median seconds of a block's steps.
    double seconds()
    {
        std::vector<double> times;
        for (int i = 0; i < kSteps; ++i) {
            device_.synchronize({});
            const auto begin = std::chrono::steady_clock::now();
            trainer_.step();
            device_.synchronize({});
            times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        }
        BIFRONS_CHECK(bug, !trainer_.report().skipped, "a loss is not finite");
        return quantile(times, 0.5);
    }
    Cost cost()
    {
        Cost sum;
        for (const auto& [name, cost] : trainer_.costs()) sum.flops += cost.flops, sum.bytes += cost.bytes;
        return sum;
    }

  private:
    kernels::Device& device_;
    Untouched source_;
    model::Trainer trainer_;
};

/// What the script is told of the discriminator.
std::string strides_of(const model::Settings& settings)
{
    std::string text;
    if (settings.gan_power > 0)
        for (const int stride : model::patch_strides(model::adversary_of(settings).patch))
            text += str(text.empty() ? " --gan " : ",", stride);
    return text;
}

Work step_work(Bench& bench, const Network& network, std::int64_t batch, const std::string& precision, bool adversarial)
{
    model::Settings settings = settings_of(network, batch, adversarial);
    const kernels::Target target = bench.device().target();
    const bool gpu = target.kind == kernels::DeviceKind::cuda;
    model::apply_assignment(settings, "precision=" + precision);
    const auto ours = std::make_shared<Ours>(bench.device(), settings);
    Work work{.cost = ours->cost(), .arithmetic = products_of(precision)};
    work.ours.name = "ours";
    work.ours.sample = [ours] { return ours->seconds(); };
    try {
        const auto theirs = std::make_shared<PyTorchStep>(
            str("--config ", network.text(), ",", batch, " --steps ", kSteps, " --precision ", precision,
                strides_of(settings), gpu ? " --device cuda" : str(" --threads ", target.threads)));
        work.peers.push_back({.name = theirs->about().at("peer"), .sample = [theirs] { return theirs->seconds(); }});
    } catch (const Error& e) {
        work.absent.push_back(e.what());
    }
    return work;
}

} // namespace

void add_step(const Grid& grid, Cases& cases)
{
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches)
            for (const std::string& precision : grid.precisions)
                for (const bool adversarial : {false, true})
                    if (!adversarial || !grid.options.quick || grid.on_cpu())
                        cases.push_back({"training_step", adversarial ? "df-ud with patch GAN" : "df-ud", network,
                                         batch, "", precision, [=](Bench& bench) {
                                             return step_work(bench, network, batch, precision, adversarial);
                                         }});
}

} // namespace bifrons::bench
