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

void CopyQueue::drop(std::size_t groups, std::size_t copies)
{
    copies_.erase(copies_.begin(), copies_.begin() + std::ptrdiff_t(copies));
    ends_.erase(ends_.begin(), ends_.begin() + std::ptrdiff_t(groups));
    for (std::size_t& end : ends_) end -= copies;
}

void Executor::begin_copy(void* to, const void* from, std::size_t bytes, bool valid, const Site& site)
{
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
    threads_[active_].copies.wait(groups_left, [&](AsyncCopy& copy) {
        copy.land();
        note_access(copy.to, copy.bytes, Access::copy_done, copy.site);
    });
}

} // namespace bifrons::kernels::sim
