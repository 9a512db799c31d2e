// tests/conformance/conform.cpp - the program that records what a GPU's instructions do, and compares the simulator:
//
//   ptx_conform [FOLDER]     runs every micro-kernel on cuda:0, writes FOLDER/ptx_NAME.json (by default into the
//                            sources, tests/golden/), and says for each whether the simulator, if it is built in, does
//                            the same
//
// Exit code 0: it does; 1: not; 4: no usable GPU. Files are rewritten one by one: it can be run again at any time.
#include "tests/conformance/micro_kernels.h"

#include <nlohmann/json.hpp>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

using namespace bifrons;

std::string today()
{
    char text[16];
    const std::time_t now = std::time(nullptr);
    std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
    return text;
}

/// The kernel driver's own line; empty where it tells nothing.
std::string driver()
{
    std::string line;
    std::getline(std::ifstream("/proc/driver/nvidia/version"), line);
    return line;
}

void record(const std::string& path, const kernels::Device& gpu, const test::MicroKernel& kernel, const test::Words& in,
            const test::Words& out)
{
    const nlohmann::ordered_json vector = {{"wrapper", kernel.name},
                                           {"device", gpu.describe()},
                                           {"driver", driver()},
                                           {"date", today()},
                                           {"in", in},
                                           {"out", out}};
    std::ofstream(path) << vector.dump() << "\n";
}

/// Whether the simulator has the same output; true where there is no simulator.
bool simulator_gives([[maybe_unused]] std::size_t i, [[maybe_unused]] const test::Words& in,
                     [[maybe_unused]] const test::Words& out)
{
#if BIFRONS_HAS_SIM
    return run(*kernels::open_device("sim"), kernels::sim::micro_kernels()[i], in) == out;
#else
    return true;
#endif
}

/// Records one micro-kernel. False if the simulator differs.
bool conforms(kernels::Device& gpu, std::size_t i, const std::string& folder)
{
    const test::MicroKernel& kernel = kernels::cuda::micro_kernels()[i];
    if (gpu.target().sm < kernel.sm) {
        std::cout << kernel.name << ": needs sm_" << kernel.sm << "\n";
        return true;
    }
    const test::Words in = test::input_words(), out = run(gpu, kernel, in);
    record(golden_path(folder, kernel), gpu, kernel, in, out);
    const bool equal = simulator_gives(i, in, out);
    std::cout << kernel.name << ": " << (equal ? "recorded" : "recorded; THE SIMULATOR DIFFERS") << "\n";
    return equal;
}

} // namespace

int main(int argc, char** argv)
{
    const std::string folder = argc > 1 ? argv[1] : BIFRONS_GOLDEN;
    std::unique_ptr<kernels::Device> gpu;
    try {
        gpu = kernels::open_device("cuda");
    } catch (const Error& error) {
        std::cerr << error.what() << "\n";
        return 4;
    }
    std::filesystem::create_directories(folder);
    bool all = true;
    for (std::size_t i = 0; i < kernels::cuda::micro_kernels().size(); ++i) all &= conforms(*gpu, i, folder);
    return all ? 0 : 1;
}
