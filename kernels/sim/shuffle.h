// kernels/sim/shuffle.h - values that the lanes of a warp hand to each other.
#pragma once

#include "kernels/sim/executor.h"

#include <cstring>
#include <type_traits>

namespace bifrons::kernels::sim {

/// One lane's part in a shuffle.
struct ShuffleLane {
    int source;          ///< whose value it wants
    std::uint64_t value; ///< what it brings
    std::uint64_t received = 0;
};

/// Gives each lane what it wants.
std::string exchange(const WarpArguments& lanes);

/// The running thread's number in its warp.
int lane();

template <class T>
T shuffle(unsigned mask, T value, int source, const Site& site)
{
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
    ShuffleLane mine{.source = source, .value = 0};
    std::memcpy(&mine.value, &value, sizeof value);
    Executor::current().meet_warp(mask, &mine, exchange, site);
    std::memcpy(&value, &mine.received, sizeof value);
    return value;
}

} // namespace bifrons::kernels::sim
