#include "tools/commands.h"
#include "tools/options.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

namespace bifrons::tools {

namespace {

namespace fs = std::filesystem;

struct Options {
    bool quick = false, resume = false, list = false;
    std::string device = "auto", filter, precision = "all", method = "all", network, out;
    std::int64_t batch = 0, pairs = 30;
};

/// Beside this program, or where the build puts it.
fs::path find_program()
{
    const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
    for (const char* place : {"bifrons-bench", "bench/bifrons-bench"})
        if (fs::exists(folder / place)) return folder / place;
    throw Error(ErrorKind::failed,
                str("bifrons-bench: is neither in ", folder.string(),
                    " nor in its folder bench. Build the preset release, or with -DBIFRONS_BENCH=ON."));
}

std::vector<std::string> arguments_of(const Options& o, bool json)
{
    std::vector<std::string> arguments = {"bifrons-bench", "--device", o.device, "--pairs", std::to_string(o.pairs)};
    const auto flag = [&](const char* name, bool on) {
        if (on) arguments.push_back(name);
    };
    const auto value = [&](const char* name, const std::string& text, const char* unset) {
        if (text != unset) arguments.insert(arguments.end(), {name, text});
    };
    flag("--quick", o.quick), flag("--resume", o.resume), flag("--list", o.list), flag("--json", json);
    value("--filter", o.filter, ""), value("--network", o.network, ""), value("--out", o.out, "");
    value("--precision", o.precision, "all"), value("--method", o.method, "all");
    if (o.batch) value("--batch", std::to_string(o.batch), "");
    return arguments;
}

/// This process becomes bifrons-bench.
void bench(const Options& o, Console& console)
{
    const std::string program = find_program();
    std::vector<std::string> arguments = arguments_of(o, console.json());
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(program.c_str(), pointers.data());
    throw Error(ErrorKind::failed, str(program, ": cannot be started: ", std::strerror(errno)));
}

} // namespace

Work declare_bench(CLI::App& app)
{
    const auto options = std::make_shared<Options>();
    flag(app, "--quick", options->quick, "one batch size per network");
    text(app, "--filter", options->filter, "REGEX", "only cases whose name matches, such as conv2d_fwd/decoder.res0");
    text(app, "--device", options->device, "DEVICE",
         "auto, cuda, cuda:1, cpu or cpu:2; auto takes a GPU if there is one");
    choice(app, "--precision", options->precision, {"all", "bf16", "tf32", "f32"},
           "compute precision, of operations that have several");
    text(app, "--method", options->method, "METHOD", "kernel method, the last part of a case's name; or all");
    text(app, "--network", options->network, "R,E,AE,D,MASK",
         "a df-ud network of these dims instead of those of 128 and 256 px");
    number<std::int64_t>(app, "--batch", options->batch, 0, 4096, "batch size; 0 = those of the grid");
    number<std::int64_t>(app, "--pairs", options->pairs, 1, 10000, "pairs of samples per case");
    text(app, "--out", options->out, "FILE", "append the results to this file as JSON lines");
    flag(app, "--resume", options->resume, "skip what the file of --out has for this commit and device");
    flag(app, "--list", options->list, "list the cases, run nothing");
    return [options](Console& console) { bench(*options, console); };
}

} // namespace bifrons::tools
