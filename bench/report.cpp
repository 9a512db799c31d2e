#include "bench/report.h"

#include "bench_commit.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>

#if BIFRONS_HAS_CUDA
#include <cuda_runtime_api.h>
#endif

namespace bifrons::bench {

namespace {

std::string today()
{
    const std::time_t now = std::time(nullptr);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    return text;
}

#if BIFRONS_HAS_CUDA
std::string pci_address()
{
    int device = 0;
    char text[32] = "";
    if (cudaGetDevice(&device) == cudaSuccess) cudaDeviceGetPCIBusId(text, sizeof text, device);
    return text;
}
#endif

/// "12.3", "0.45", "1234": three digits.
std::string digits(double v)
{
    char text[32];
    std::snprintf(text, sizeof text, v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v);
    return text;
}

std::string rate(const Json& values)
{
    const double tflops = values.value("tflop_per_s", 0.0), gb = values.value("gb_per_s", 0.0);
    constexpr double kFlopsPerByte = 30; // above, it is the arithmetic that a reader wants to know
    return tflops * 1e3 > kFlopsPerByte * gb ? digits(tflops) + " TFLOP/s" : digits(gb) + " GB/s";
}

} // namespace

Report::Report(const Options& options, const kernels::Device& device) : options_(options)
{
    context_ = {{"device", device.describe()}};
#if BIFRONS_HAS_CUDA
    if (device.kind() == kernels::DeviceKind::cuda) {
        gpu_.emplace(pci_address());
        context_["driver"] = gpu_->driver();
        context_["cuda"] = str(CUDART_VERSION / 1000, ".", CUDART_VERSION % 1000 / 10);
        ceilings_ = kernels::ceilings_of(device.describe());
        if (!ceilings_) ceilings_ = kernels::ceilings_of(device.target());
        if (ceilings_) context_["floor_of"] = ceilings_->gpu;
    }
#endif
    context_["commit"] = BIFRONS_COMMIT;
}

std::set<std::string> Report::measured() const
{
    std::set<std::string> names;
    std::ifstream in(options_.out);
    for (std::string text; std::getline(in, text);) {
        const Json line = Json::parse(text, nullptr, false);
        const bool same = line.is_object() && line.value("commit", "") == BIFRONS_COMMIT &&
                          line.value("device", "") == context_.at("device").get<std::string>();
        if (same && !line.contains("failed")) names.insert(line.value("name", ""));
    }
    return names;
}

void Report::add(const Case& c, Json values)
{
    write(c, std::move(values));
}

void Report::add_failure(const Case& c, const Error& error)
{
    const bool passed_over = error.kind() == ErrorKind::usage;
    failures_ += passed_over ? 0 : 1;
    write(c, {{passed_over ? "skipped" : "failed", error.what()}});
}

void Report::write(const Case& c, Json values)
{
    Json line = {{"name", c.name()}, {"family", c.family}, {"what", c.what}};
    if (c.batch > 0) line["network"] = c.network.text(), line["batch"] = c.batch;
    if (!c.method.empty()) line["method"] = c.method;
    if (!c.precision.empty()) line["precision"] = c.precision;
    line.update(values);
    line.update(context_);
    line["date"] = today();
    if (!options_.out.empty()) {
        std::ofstream out(options_.out, std::ios::app);
        out << line.dump() << std::endl;
        BIFRONS_CHECK(failed, out.good(), options_.out, ": cannot be written: ", std::strerror(errno));
    }
    if (options_.json)
        std::cout << line.dump() << std::endl;
    else
        print_row(c.name(), values);
}

void Report::print_row(const std::string& name, const Json& values)
{
    if (!header_printed_)
        std::printf("%-64s %10s %14s %7s %10s  %-22s %s\n", "", "ours us", "rate", "floor", "peer us",
                    "ratio [p10 .. p90]", "peer");
    header_printed_ = true;
    const char* const why = values.contains("failed") ? "failed" : values.contains("skipped") ? "skipped" : nullptr;
    if (why) {
        std::printf("%-64s %s: %s\n", name.c_str(), why, values.at(why).get<std::string>().c_str());
    } else {
        const bool paired = values.contains("ratio");
        const auto number = [&](const char* key) { return values.contains(key) ? digits(values.at(key)) : "-"; };
        const std::string ratio =
            paired ? number("ratio") + " [" + number("ratio_p10") + " .. " + number("ratio_p90") + "]" : "-";
        const std::string share =
            values.contains("floor_share") ? digits(100 * values.at("floor_share").get<double>()) + " %" : "-";
        std::string peer = values.value("peer", "no peer");
        if (!paired && values.contains("absent")) peer = "absent: " + values.at("absent").at(0).get<std::string>();
        std::printf("%-64s %10s %14s %7s %10s  %-22s %s\n", name.c_str(), number("ours_us").c_str(),
                    rate(values).c_str(), share.c_str(), number("peer_us").c_str(), ratio.c_str(), peer.c_str());
    }
    std::fflush(stdout);
}

} // namespace bifrons::bench
