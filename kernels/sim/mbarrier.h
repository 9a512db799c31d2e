// kernels/sim/mbarrier.h - the barriers of PTX's mbarrier that a block has: they count arrivals, and bytes that
// asynchronous copies are to bring.
#pragma once

#include "kernels/sim/condition.h"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace bifrons::kernels::sim {

/// A phase ends when no arrival and no bytes are missing any more; the next one then begins with the same arrivals.
class MbarrierState {
  public:
    MbarrierState(const void* address, unsigned arrivals) : address_(address), arrivals_(arrivals), missing_(arrivals)
    {
    }

    const void* address() const { return address_; }
    /// False if all arrivals of the phase have come already.
    bool arrive();
    void expect(std::size_t bytes) { bytes_ += std::int64_t(bytes); }
    void receive(std::size_t bytes);
    /// Whether the current phase has the other parity: the last one of this parity has ended.
    bool has_passed(unsigned parity) const { return phase_ % 2 != parity; }
    /// "phase 2 misses 1 of 32 arrivals and 512 bytes"
    std::string missing() const;

  private:
    void end_phase_if_complete();

    const void* address_;
    unsigned arrivals_, missing_;
    std::int64_t bytes_ = 0; // below 0 while more has come than is expected so far
    unsigned phase_ = 0;
};

class MbarrierTable {
  public:
    void clear() { barriers_.clear(); }
    /// Null if there is none.
    MbarrierState* find(const void* address);
    void add(const MbarrierState& barrier) { barriers_.push_back(barrier); }

  private:
    std::deque<MbarrierState> barriers_; // which stay where they are
};

class PhaseEnd : public Condition {
  public:
    PhaseEnd(const MbarrierState& barrier, unsigned parity) : barrier_(barrier), parity_(parity) {}
    bool holds() const override { return barrier_.has_passed(parity_); }
    std::string missing() const override { return barrier_.missing(); }

  private:
    const MbarrierState& barrier_;
    unsigned parity_;
};

} // namespace bifrons::kernels::sim
