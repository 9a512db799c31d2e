#include "kernels/device/sim_device.h"

#include "kernels/sim/sim.h"

#include <cstdlib>
#include <thread>

namespace bifrons::kernels {

namespace {

sim::Schedule schedule_of_environment()
{
    const char* text = std::getenv("BIFRONS_SIM_SCHEDULE");
    return text ? sim::Schedule::parse(text) : sim::Schedule();
}

} // namespace

SimDevice::SimDevice(sim::Schedule schedule, int workers) : schedule_(schedule), memory_(sim::kCheckedKernels)
{
    for (int i = 0; i < (sim::kCheckedKernels ? 1 : workers); ++i)
        workers_.push_back(std::make_unique<sim::Executor>(schedule, memory_));
}

int SimDevice::workers_of_environment()
{
    const char* const text = std::getenv("BIFRONS_SIM_WORKERS");
    if (!text) return 1;
    constexpr int kMost = 256;
    const int workers = std::atoi(text);
    BIFRONS_CHECK(usage, workers >= 1 && workers <= kMost, "BIFRONS_SIM_WORKERS is \"", text, "\"; expected 1..",
                  kMost);
    return workers;
}

SimDevice::Fault SimDevice::fault_of_environment()
{
    const char* const variable = std::getenv("BIFRONS_SIM_FAULT");
    if (!variable) return {};
    const std::string text = variable;
    const std::size_t colon = text.rfind(':');
    const int left = colon == text.npos ? 0 : std::atoi(text.c_str() + colon + 1);
    BIFRONS_CHECK(usage, colon > 0 && left >= 1, "BIFRONS_SIM_FAULT is \"", text,
                  "\"; expected a kernel and the number of its launch, as in judge_step:4");
    return {text.substr(0, colon), left};
}

/// A GPU is of no use after a fault, so every launch from there on fails.
void SimDevice::meet_fault(const char* kernel)
{
    if (fault_.left > 0 && fault_.kernel == kernel && --fault_.left == 0) faulted_ = true;
    BIFRONS_CHECK(device, !faulted_, "sim: a kernel failed while it ran: a fault in ", fault_.kernel,
                  ", which BIFRONS_SIM_FAULT asks for. What was saved before is intact.");
}

SimDevice::SimDevice() : SimDevice(schedule_of_environment()) {}

SimDevice::~SimDevice()
{
    while (char* base = memory_.take_retired(true)) HostDevice::free(base);
}

std::string SimDevice::describe() const
{
    return str("sim: CUDA kernels simulated by ", workers_.size(), workers_.size() == 1 ? " worker" : " workers",
               ", schedule ", schedule_.text());
}

void* SimDevice::allocate(std::size_t bytes)
{
    constexpr std::size_t kRedzones = 2 * sim::GlobalMemory::kRedzone;
    return memory_.add(static_cast<char*>(HostDevice::allocate(kRedzones + bytes)), bytes);
}

void SimDevice::free(void* data) noexcept
{
    if (!data) return;
    memory_.retire(data);
    while (char* base = memory_.take_retired(false)) HostDevice::free(base);
}

void SimDevice::copy(Stream stream, void* to, const void* from, std::size_t bytes)
{
    memory_.check_range("copy to", to, bytes);
    memory_.check_range("copy from", from, bytes);
    HostDevice::copy(stream, to, from, bytes);
    enqueue(stream, [=, this] { memory_.note_copy(to, from, bytes); });
}

void SimDevice::fill(Stream stream, void* data, std::uint8_t value, std::size_t bytes)
{
    memory_.check_range("fill", data, bytes);
    HostDevice::fill(stream, data, value, bytes);
    enqueue(stream, [=, this] { memory_.note_fill(data, bytes); });
}

sim::AccessCount SimDevice::access_count(const std::string& kernel, const std::string& line) const
{
    BIFRONS_CHECK(bug, workers_.front()->counts(), "sim: access_count without count_accesses");
    return workers_.front()->counts()->of(kernel, line);
}

std::vector<sim::AccessCount> SimDevice::access_counts(const std::string& kernel) const
{
    BIFRONS_CHECK(bug, workers_.front()->counts(), "sim: access_counts without count_accesses");
    return workers_.front()->counts()->of(kernel);
}

void SimDevice::run(const char* kernel, const Grid& grid, const std::function<void()>& body)
{
    meet_fault(kernel);
    const bool together = grid.cooperative || workers_.front()->counts();
    const std::size_t blocks = std::size_t(grid.blocks.x) * grid.blocks.y * grid.blocks.z;
    const std::size_t workers = together ? 1 : std::min(workers_.size(), blocks);
    std::vector<std::exception_ptr> failures(workers);
    const auto work = [&](std::size_t i) {
        try {
            workers_[i]->run(kernel, grid, body, {.first = i, .of = workers});
        } catch (...) {
            failures[i] = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < workers; ++i) threads.emplace_back(work, i);
        work(0);
    }
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
    memory_.check_redzones(kernel);
}

namespace sim {

void enqueue_kernel(const char* name, const Grid& grid, const kernels::Exec& ex, std::function<void()> body)
{
    auto* device = static_cast<SimDevice*>(ex.device);
    device->enqueue(ex.stream, [=] { device->run(name, grid, body); });
}

} // namespace sim

} // namespace bifrons::kernels
