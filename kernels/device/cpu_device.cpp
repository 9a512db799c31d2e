#include "kernels/device/cpu_device.h"

#include "kernels/base/thread_count.h"

#include <fstream>
#include <latch>
#include <system_error>
#include <thread>
#include <vector>

#include <sched.h>

namespace bifrons::kernels {

namespace {

std::string processor_name()
{
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.rfind("model name", 0) == 0 && line.find(':') != std::string::npos)
            return line.substr(line.find(':') + 2);
    return "processor";
}

/// OpenMP ends the program where it cannot start a thread, so that is tried before.
void expect_threads(int others)
{
    std::vector<std::jthread> started;
    std::latch end(1);
    std::string reason;
    try {
        while (int(started.size()) < others) started.emplace_back([&] { end.wait(); });
    } catch (const std::system_error& error) {
        reason = error.code().message();
    }
    end.count_down();
    BIFRONS_CHECK(device, reason.empty(), "cpu: ", started.size() + 1, " of ", others + 1, " threads can be started (",
                  reason,
                  "). Raise the limits of processes and memory (`ulimit -u`, `ulimit -v`), or use --device cpu:1.");
}

} // namespace

int CpuDevice::usable_threads()
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    return 1;
}

CpuDevice::CpuDevice(int threads)
{
    set_threads(threads > 0 ? threads : usable_threads());
}

void CpuDevice::set_threads(int threads)
{
    BIFRONS_CHECK(usage, threads >= 1 && threads <= 1024, "cpu: ", threads, " threads; expected 1..1024");
    expect_threads(threads - 1);
    threads_ = threads;
}

void CpuDevice::enqueue(Stream stream, std::function<void()> work)
{
    HostDevice::enqueue(stream, [this, work = std::move(work)] {
        const ThreadCount count(threads_);
        work();
    });
}

std::string CpuDevice::describe() const
{
    return str("cpu: ", processor_name(), ", ", threads_, threads_ == 1 ? " thread" : " threads");
}

} // namespace bifrons::kernels
