// bench/main.cpp - bifrons-bench: ours against the best peers, at the network's own shapes. `bifrons bench` runs it.
#include "bench/pair.h"
#include "bench/report.h"

#include <cstdio>
#include <regex>

#include <CLI/CLI.hpp>

namespace {

using namespace bifrons;
using namespace bifrons::bench;

void declare(CLI::App& app, Options& o)
{
    app.add_flag("--quick", o.quick, "one batch size per network");
    app.add_option("--filter", o.filter, "only cases whose name matches, such as conv2d_fwd/decoder.res0");
    app.add_option("--device", o.device, "auto, cuda, cuda:1, cpu, cpu:2; auto takes a GPU if there is one");
    app.add_option("--precision", o.precision,
                   "compute precision, of operations that have several: bf16, tf32, f32; default all");
    app.add_option("--method", o.method, "kernel method: direct, igemm_mma, ...; default all");
    app.add_option("--network", o.network,
                   "RESOLUTION,E,AE,D,MASK: a df-ud network instead of those of 128 and 256 px");
    app.add_option("--batch", o.batch, "batch size instead of 4, 8, 16 and 32")->check(CLI::Range(1, 4096));
    app.add_option("--pairs", o.pairs, "pairs of samples per case")->check(CLI::Range(1, 10000));
    app.add_option("--out", o.out, "append the results to this file as JSON lines");
    app.add_flag("--resume", o.resume, "skip what the file of --out has for this commit and device");
    app.add_flag("--list", o.list, "list the cases, run nothing");
    app.add_flag("--json", o.json, "print JSON lines on stdout instead of a table");
}

std::unique_ptr<kernels::Device> open(const std::string& name)
{
    if (name != "auto") return kernels::open_device(name);
    try {
        return kernels::open_device("cuda");
    } catch (const Error& e) {
        std::fprintf(stderr, "bifrons-bench: no GPU: %s\n", e.what());
        return kernels::open_device("cpu");
    }
}

Network network_of(const std::string& text)
{
    Network n;
    char more = 0;
    const int read = std::sscanf(text.c_str(), "%ld,%ld,%ld,%ld,%ld%c", &n.resolution, &n.e, &n.ae, &n.d, &n.m, &more);
    const bool good =
        read == 5 && n.resolution >= 32 && n.resolution % 32 == 0 && n.e > 0 && n.ae > 0 && n.d > 0 && n.m > 0;
    BIFRONS_CHECK(usage, good, "--network ", text,
                  "; expected RESOLUTION,E,AE,D,MASK, the resolution a multiple of 32");
    return n;
}

Grid grid_of(const Options& o, kernels::Device& device)
{
    Grid grid{.options = o, .device = &device, .networks = {}, .batches = {}, .precisions = {}};
    const Network demo{64, 32, 128, 16, 6}, small{96, 64, 256, 64, 22}, df128{128}, df256{256};
    if (grid.on_cpu()) {
        grid.networks = o.quick ? std::vector{demo} : std::vector{demo, small};
        grid.batches = {4};
        grid.precisions = {"f32", "bf16"};
    } else {
        grid.networks = {df128, df256};
        grid.batches = o.quick ? std::vector<std::int64_t>{8} : std::vector<std::int64_t>{4, 8, 16, 32};
        grid.precisions = {"bf16", "tf32", "f32"};
    }
    if (!o.network.empty()) grid.networks = {network_of(o.network)};
    if (o.batch) grid.batches = {o.batch};
    if (!o.precision.empty()) grid.precisions = {o.precision};
    return grid;
}

Cases cases_of(const Grid& grid)
{
    Cases all, wanted;
    add_conv2d(grid, all);
    add_conv2d_transpose(grid, all);
    add_dense(grid, all);
    add_pointwise(grid, all);
    add_resample(grid, all);
    add_losses(grid, all);
    add_features(grid, all);
    add_optim(grid, all);
    add_augment(grid, all);
    add_color(grid, all);
    add_poisson(grid, all);
    add_step(grid, all);
    const std::regex filter(grid.options.filter);
    for (Case& c : all) {
        const bool method = grid.options.method.empty() || c.method == grid.options.method;
        if (method && std::regex_search(c.name(), filter)) wanted.push_back(std::move(c));
    }
    return wanted;
}

int run(const Options& options, char** argv)
{
    const auto device = open(options.device);
    const Grid grid = grid_of(options, *device);
    const Cases cases = cases_of(grid);
    BIFRONS_CHECK(usage, !cases.empty(),
                  "no case has this name, method and precision. `bifrons bench --list` lists them.");
    if (options.list) {
        for (const Case& c : cases) std::puts(c.name().c_str());
        return 0;
    }
    Report report(options, *device);
    const auto done = options.resume ? report.measured() : std::set<std::string>{};
    int argc = 1;
    benchmark::Initialize(&argc, argv);
    for (const Case& c : cases)
        if (!done.count(c.name()))
            benchmark::RegisterBenchmark(c.name().c_str(),
                                         [&](benchmark::State& state) { run_case(state, c, *device, report); })
                ->UseManualTime()
                ->Unit(benchmark::kMicrosecond)
                ->Iterations(options.pairs);
    if (!options.json)
        std::printf("%s, commit %s\n", device->describe().c_str(),
                    report.context().at("commit").get<std::string>().c_str());
    benchmark::RunSpecifiedBenchmarks(&report, "all");
    return report.failures() ? 1 : 0;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app{"Benchmarks Bifrons against the best peer libraries, each pair timed in alternating order.",
                 "bifrons-bench"};
    Options options;
    declare(app, options);
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options, argv);
    } catch (const Error& e) {
        std::fprintf(stderr, "bifrons-bench: %s\n", e.what());
        return e.kind() == ErrorKind::device ? 4 : e.kind() == ErrorKind::usage ? 2 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bifrons-bench: %s\n", e.what());
        return 2;
    }
}
