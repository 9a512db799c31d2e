#include "bench/pair.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace bifrons::bench {

namespace {

using kernels::DeviceKind;

/// Shorter samples drown in the resolution of the clock.
constexpr double kSampleSecondsOnGpu = 1e-3, kSampleSecondsOnCpu = 5e-3;
constexpr int kMostCalls = 4096, kTrials = 5;
/// Clocks of two samples of a pair that differ by more spoil the pair.
constexpr double kSteady = 0.02;

/// A method that is hopelessly slow is not timed for hours: after 20 seconds five samples must do.
class Patience {
  public:
    bool ends(std::size_t samples) const
    {
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin_;
        return spent.count() > 20 && samples >= 5;
    }

  private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

double median_seconds(Sampled& side, int samples)
{
    std::vector<double> times;
    for (int i = 0; i < samples; ++i) times.push_back(side.seconds());
    return quantile(times, 0.5);
}

/// Runs a side once on set 0 and checks what it made. Returns its error in units of what is allowed.
double checked(Bench& bench, const Side& side)
{
    if (side.run) side.run(bench.exec(), 0);
    bench.device().synchronize(bench.exec().stream);
    double error = 0;
    const std::string wrong = side.check ? side.check(error) : "";
    BIFRONS_CHECK(bug, wrong.empty(), side.name, " is wrong: ", wrong);
    return error;
}

/// The fastest of the peers that run; the others' reasons go to `absent`.
const Side* best_peer(Bench& bench, Work& work, Json& values)
{
    const Side* best = nullptr;
    double least = 0;
    for (const Side& peer : work.peers) {
        try {
            const double error = checked(bench, peer);
            if (work.peers.size() > 1) {
                Sampled sampled(bench, peer);
                const double seconds = median_seconds(sampled, kTrials);
                values["trials_us"][peer.name] = seconds * 1e6;
                if (best && seconds >= least) continue;
                least = seconds;
            }
            best = &peer;
            values["peer"] = peer.name;
            values["peer_error"] = error;
        } catch (const std::exception& e) {
            work.absent.push_back(str(peer.name, ": ", e.what()));
        }
    }
    return best;
}

/// What the pairs gave.
struct Pairs {
    std::vector<double> ours, theirs, ratios;
    int unsteady = 0;

    void add(double our_seconds, double their_seconds, bool steady)
    {
        unsteady += steady ? 0 : 1;
        ours.push_back(our_seconds);
        theirs.push_back(their_seconds);
        if (steady) steady_ratios_.push_back(their_seconds / our_seconds);
        ratios.push_back(their_seconds / our_seconds);
    }
    /// Pairs at two clocks are left out, unless that leaves less than half of them.
    const std::vector<double>& kept() const
    {
        return 2 * steady_ratios_.size() >= ratios.size() ? steady_ratios_ : ratios;
    }

  private:
    std::vector<double> steady_ratios_;
};

bool steady(const GpuState& a, const GpuState& b)
{
    return std::abs(a.sm_mhz - b.sm_mhz) <= kSteady * std::max(a.sm_mhz, b.sm_mhz);
}

void measure_pairs(benchmark::State& state, Sampled& ours, Sampled& theirs, const Report& report, Pairs& pairs)
{
    bool we_begin = true;
    const Patience patience;
    for (auto _ : state) {
        if (patience.ends(pairs.ours.size())) {
            state.SetIterationTime(pairs.ours.back());
            continue;
        }
        double our_seconds = 0, their_seconds = 0;
        GpuState clocks[2];
        for (int turn = 0; turn < 2; ++turn) {
            if ((turn == 0) == we_begin)
                our_seconds = ours.seconds();
            else
                their_seconds = theirs.seconds();
            clocks[turn] = report.gpu_state();
        }
        state.SetIterationTime(our_seconds);
        pairs.add(our_seconds, their_seconds, steady(clocks[0], clocks[1]));
        we_begin = !we_begin;
    }
}

void measure_alone(benchmark::State& state, Sampled& ours, Pairs& pairs)
{
    const Patience patience;
    for (auto _ : state) {
        if (!patience.ends(pairs.ours.size())) pairs.ours.push_back(ours.seconds());
        state.SetIterationTime(pairs.ours.back());
    }
}

void add_clocks(Json& values, const char* when, const GpuState& s)
{
    if (s.sm_mhz)
        values[when] = {{"sm_mhz", s.sm_mhz}, {"memory_mhz", s.memory_mhz}, {"watts", s.watts}, {"celsius", s.celsius}};
}

void summarise(Json& values, const Work& work, const Pairs& pairs, const Report& report)
{
    const double seconds = quantile(pairs.ours, 0.5);
    values["ours_us"] = seconds * 1e6;
    values["gflop"] = work.cost.flops / 1e9;
    values["mb"] = work.cost.bytes / 1e6;
    values["tflop_per_s"] = work.cost.flops / seconds / 1e12;
    values["gb_per_s"] = work.cost.bytes / seconds / 1e9;
    if (const kernels::Ceilings* ceilings = report.ceilings()) {
        const double floor = kernels::floor_seconds(work.cost, *ceilings, work.arithmetic);
        values["floor_us"] = floor * 1e6;
        values["floor_share"] = floor / seconds;
    }
    if (!pairs.ratios.empty()) {
        values["peer_us"] = quantile(pairs.theirs, 0.5) * 1e6;
        values["ratio"] = quantile(pairs.kept(), 0.5);
        values["ratio_p10"] = quantile(pairs.kept(), 0.1);
        values["ratio_p90"] = quantile(pairs.kept(), 0.9);
        values["pairs"] = pairs.kept().size();
        values["unsteady_pairs"] = pairs.unsteady;
    }
    if (!work.absent.empty()) values["absent"] = work.absent;
}

Json measure(benchmark::State& state, const Case& c, kernels::Device& device, const Report& report)
{
    Json values = Json::object();
    Bench bench(device);
    Work work = c.make(bench);
    bench.reserve(work.cost.workspace_bytes);
    values["ours_error"] = checked(bench, work.ours);
    const Side* const peer = best_peer(bench, work, values);
    Sampled ours(bench, work.ours);
    values["sets"] = bench.sets();
    if (work.ours.run) values["ours_single_us"] = ours.single_seconds() * 1e6;
    add_clocks(values, "before", report.gpu_state());
    Pairs pairs;
    if (peer) {
        Sampled theirs(bench, *peer);
        if (peer->run) values["peer_single_us"] = theirs.single_seconds() * 1e6;
        measure_pairs(state, ours, theirs, report, pairs);
    } else {
        measure_alone(state, ours, pairs);
    }
    add_clocks(values, "after", report.gpu_state());
    summarise(values, work, pairs, report);
    return values;
}

} // namespace

double quantile(std::vector<double> values, double q)
{
    std::sort(values.begin(), values.end());
    return values[std::size_t(q * double(values.size() - 1) + 0.5)];
}

Sampled::Sampled(Bench& bench, const Side& side) : bench_(bench), side_(side)
{
    if (side_.sample) return;
    for (int i = 0; i < bench.sets(); ++i) run_calls(); // warm
    const double wanted = on_gpu() ? kSampleSecondsOnGpu : kSampleSecondsOnCpu;
    const double one = timed([&] { run_calls(); });
    calls_ = int(std::clamp(std::ceil(wanted / std::max(one, 1e-9)), 1.0, double(kMostCalls)));
    if (!on_gpu() || side_.how == Side::How::eager) return;
    record_calls();
    seconds();
}

/// A library's plan that cannot be recorded is timed call by call.
void Sampled::record_calls()
{
    const kernels::Stream stream = bench_.exec().stream;
    bench_.device().begin_recording(stream);
    bool whole = true;
    try {
        run_calls();
    } catch (const Error&) {
        whole = false;
    }
    try {
        recording_ = bench_.device().end_recording(stream);
    } catch (const Error&) {
        whole = false;
    }
    if (!whole) recording_ = nullptr;
}

bool Sampled::on_gpu() const
{
    return bench_.device().kind() == DeviceKind::cuda && side_.how != Side::How::host;
}

void Sampled::run_calls()
{
    for (int i = 0; i < calls_; ++i, set_ = (set_ + 1) % bench_.sets()) side_.run(bench_.exec(), set_);
}

double Sampled::timed(const std::function<void()>& work)
{
    kernels::Device& device = bench_.device();
    const kernels::Stream stream = bench_.exec().stream;
    if (!on_gpu()) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        device.synchronize(stream);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    const auto begin = device.record_event(stream);
    work();
    const auto end = device.record_event(stream);
    return device.elapsed_ms(*begin, *end) / 1e3;
}

double Sampled::seconds()
{
    if (side_.sample) return side_.sample();
    const auto work = [&] {
        if (recording_)
            bench_.device().replay(bench_.exec().stream, *recording_);
        else
            run_calls();
    };
    return timed(work) / calls_;
}

double Sampled::single_seconds()
{
    std::vector<double> times;
    for (int i = 0; i < kTrials; ++i) times.push_back(timed([&] { side_.run(bench_.exec(), i % bench_.sets()); }));
    return quantile(times, 0.5);
}

void run_case(benchmark::State& state, const Case& c, kernels::Device& device, Report& report)
{
    try {
        device.trim(); // the peers take memory by themselves
        Json values = measure(state, c, device, report);
        for (const auto& [name, value] : values.items())
            if (value.is_number()) state.counters[name] = value.get<double>();
        report.add(c, std::move(values));
    } catch (const Error& e) {
        report.add_failure(c, e);
        state.SkipWithError(e.what());
    }
}

} // namespace bifrons::bench
