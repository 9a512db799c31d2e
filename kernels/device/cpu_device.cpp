#include "kernels/device/cpu_device.h"

#include <fstream>

#include <omp.h>
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
    threads_ = threads;
    omp_set_num_threads(threads);
}

std::string CpuDevice::describe() const
{
    return str("cpu: ", processor_name(), ", ", threads_, threads_ == 1 ? " thread" : " threads");
}

} // namespace bifrons::kernels
