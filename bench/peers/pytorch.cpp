#include "bench/peers/pytorch.h"

#include "kernels/base/error.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

namespace bifrons::bench {

namespace {

/// Beside the program, or in the sources it was built from.
std::string script()
{
    const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "peer_pytorch_step.py";
    return std::filesystem::exists(beside) ? beside.string() : BIFRONS_BENCH_FOLDER "/peer_pytorch_step.py";
}

/// The Python that has PyTorch: the environment's word goes before the build's.
std::string python()
{
    const char* const set = std::getenv("BIFRONS_PEER_PYTHON");
    return set ? set : BIFRONS_PEER_PYTHON;
}

} // namespace

PyTorchStep::PyTorchStep(const std::string& arguments)
{
    int down[2], up[2];
    BIFRONS_CHECK(failed, pipe(down) == 0 && pipe(up) == 0, "PyTorch: no pipe can be opened");
    child_ = fork();
    BIFRONS_CHECK(failed, child_ >= 0, "PyTorch: no process can be started");
    if (child_ == 0) {
        dup2(down[0], STDIN_FILENO), dup2(up[1], STDOUT_FILENO);
        for (const int end : {down[0], down[1], up[0], up[1]}) close(end);
        // It waits as it does by default: asleep between its short parallel parts it would be slower.
        unsetenv("OMP_WAIT_POLICY");
        const std::string command = str("exec ", python(), " ", script(), " ", arguments, " --serve 2>/dev/null");
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    close(down[0]), close(up[1]);
    std::signal(SIGPIPE, SIG_IGN); // a peer that died is an error of the write
    to_ = fdopen(down[1], "w"), from_ = fdopen(up[0], "r");
    about_ = read_line();
    BIFRONS_CHECK(failed, !about_.contains("error"), "PyTorch: ", about_.value("error", ""));
}

PyTorchStep::~PyTorchStep()
{
    if (to_) std::fclose(to_); // its input ends, and so does it
    if (from_) std::fclose(from_);
    if (child_ > 0) waitpid(child_, nullptr, 0);
}

double PyTorchStep::seconds()
{
    std::fputs("go\n", to_), std::fflush(to_);
    return read_line().at("median_ms").get<double>() / 1e3;
}

nlohmann::json PyTorchStep::read_line()
{
    std::string text;
    for (int c = std::fgetc(from_); c != EOF && c != '\n'; c = std::fgetc(from_)) text += char(c);
    nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
    BIFRONS_CHECK(failed, line.is_object(), "PyTorch: not found; expected ", python(), " with torch");
    return line;
}

} // namespace bifrons::bench
