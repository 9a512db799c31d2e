#include "kernels/sim/async.h"

#include "kernels/sim/executor.h"

#include <cstring>

namespace bifrons::kernels::sim {

namespace {

constexpr int kPoison = 0xFF; // NaN in every float type

} // namespace

void AsyncCopy::land()
{
    if (landed) return;
    if (from)
        std::memcpy(to, from, bytes);
    else
        std::memset(to, 0, bytes);
    landed = true;
}

void CopyQueue::clear()
{
    copies_.clear();
    ends_.clear();
}

std::vector<AsyncCopy> CopyQueue::take()
{
    std::vector<AsyncCopy> copies;
    copies.swap(copies_);
    ends_.clear();
    return copies;
}

void CopyQueue::drop(std::size_t groups, std::size_t copies)
{
    copies_.erase(copies_.begin(), copies_.begin() + std::ptrdiff_t(copies));
    ends_.erase(ends_.begin(), ends_.begin() + std::ptrdiff_t(groups));
    for (std::size_t& end : ends_) end -= copies;
}

void Executor::begin_copy(void* to, const void* from, std::size_t bytes, bool valid, const Site& site)
{
    const SimulatorCode simulator;
    check_aligned(to, bytes, site);
    check_shared(to, bytes, site);
    check_aligned(from, bytes, site);
    if (valid) note_access(from, bytes, Access::read, site);
    note_access(to, bytes, Access::copy_begun, site);
    AsyncCopy copy{to, valid ? from : nullptr, bytes, false, site};
    if (sequencer_.lands_at_once())
        copy.land();
    else
        std::memset(to, kPoison, bytes);
    threads_[active_].copies.begin(copy);
}

void Executor::commit_copies()
{
    threads_[active_].copies.commit();
}

void Executor::wait_for_copies(std::size_t groups_left)
{
    const SimulatorCode simulator;
    threads_[active_].copies.wait(groups_left, [&](AsyncCopy& copy) { finish_copy(copy); });
}

void Executor::finish_copy(AsyncCopy& copy)
{
    copy.land();
    note_access(copy.to, copy.bytes, Access::copy_done, copy.site);
}

void Executor::arrive_after_copies(const void* barrier, const Site& site)
{
    const SimulatorCode simulator;
    mbarrier(barrier, site);
    begin_operation(site, [=, this, copies = threads_[active_].copies.take()]() mutable {
        for (AsyncCopy& copy : copies) finish_copy(copy);
        arrive(barrier, site);
    });
}

void Executor::begin_bulk_copy(void* to, const void* from, std::size_t bytes, const void* barrier, const Site& site)
{
    const SimulatorCode simulator;
    constexpr std::size_t kUnit = 16;
    if (bytes == 0 || bytes % kUnit != 0)
        throw error(str(at(site), " with ", bytes, " bytes; expected a multiple of ", kUnit));
    check_aligned(to, kUnit, site);
    check_aligned(from, kUnit, site);
    check_shared(to, bytes, site);
    MbarrierState& state = mbarrier(barrier, site);
    note_access(from, bytes, Access::read, site);
    note_access(to, bytes, Access::copy_begun, site);
    std::memset(to, kPoison, bytes);
    begin_operation(site, [=, this, &state, copy = AsyncCopy{to, from, bytes, false, site}]() mutable {
        finish_copy(copy);
        note_release(barrier);
        state.receive(bytes);
    });
}

void Executor::begin_operation(const Site& site, std::function<void()> finish)
{
    if (sequencer_.lands_at_once())
        finish();
    else
        operations_.push_back({active_, site, std::move(finish)});
}

/// Finishes the oldest operation (a random one if asynchronous work is done at random) on behalf of the thread that has
/// begun it. False if there is none.
bool Executor::finish_operation()
{
    if (operations_.empty()) return false;
    const auto next = operations_.begin() + std::ptrdiff_t(sequencer_.pick(operations_.size()));
    const Operation operation = std::move(*next);
    operations_.erase(next);
    try {
        enter(operation.thread);
        operation.finish();
    } catch (...) {
        failure_ = std::current_exception();
    }
    return true;
}

} // namespace bifrons::kernels::sim
