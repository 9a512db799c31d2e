#include "kernels/sim/mbarrier.h"

#include "kernels/sim/executor.h"

namespace bifrons::kernels::sim {

bool MbarrierState::arrive()
{
    if (missing_ == 0) return false;
    --missing_;
    end_phase_if_complete();
    return true;
}

void MbarrierState::receive(std::size_t bytes)
{
    bytes_ -= std::int64_t(bytes);
    end_phase_if_complete();
}

void MbarrierState::end_phase_if_complete()
{
    if (missing_ > 0 || bytes_ != 0) return;
    missing_ = arrivals_;
    ++phase_;
}

std::string MbarrierState::missing() const
{
    return str("phase ", phase_, " misses ", missing_, " of ", arrivals_, " arrivals and ", bytes_, " bytes");
}

MbarrierState* MbarrierTable::find(const void* address)
{
    for (MbarrierState& barrier : barriers_)
        if (barrier.address() == address) return &barrier;
    return nullptr;
}

void Executor::init_mbarrier(const void* barrier, unsigned arrivals, const Site& site)
{
    const SimulatorCode simulator;
    constexpr unsigned kMostArrivals = (1u << 20) - 1;
    check_aligned(barrier, sizeof(std::uint64_t), site);
    check_shared(barrier, sizeof(std::uint64_t), site);
    if (arrivals < 1 || arrivals > kMostArrivals)
        throw error(str(at(site), " with ", arrivals, " arrivals; expected 1..", kMostArrivals));
    if (block().mbarriers.find(barrier)) throw error(str(at(site), " with a barrier that has been initialised before"));
    note_access(barrier, sizeof(std::uint64_t), Access::write, site);
    block().mbarriers.add({barrier, arrivals});
}

MbarrierState& Executor::mbarrier(const void* address, const Site& site)
{
    MbarrierState* const barrier = block().mbarriers.find(address);
    if (!barrier) throw error(str(at(site), " with a barrier that has not been initialised"));
    note_access(address, sizeof(std::uint64_t), Access::atomic, site);
    return *barrier;
}

void Executor::arrive(const void* barrier, const Site& site)
{
    const SimulatorCode simulator;
    MbarrierState& state = mbarrier(barrier, site);
    note_release(barrier);
    if (!state.arrive())
        throw error(str(at(site), ", but all arrivals of the barrier's phase have come: ", state.missing()));
}

void Executor::expect_bytes(const void* barrier, std::size_t bytes, const Site& site)
{
    const SimulatorCode simulator;
    mbarrier(barrier, site).expect(bytes);
}

void Executor::wait_for_phase(const void* barrier, unsigned parity, const Site& site)
{
    const SimulatorCode simulator;
    wait_until(PhaseEnd(mbarrier(barrier, site), parity), site);
    note_acquire(barrier);
}

} // namespace bifrons::kernels::sim
