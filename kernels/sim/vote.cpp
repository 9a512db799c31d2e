#include "kernels/sim/vote.h"

#include "kernels/sim/executor.h"

#include <algorithm>

namespace bifrons::kernels::sim {

namespace {

/// Gives each lane all lanes' values, joined two by two.
template <class T, class Join>
std::string join_lanes(const WarpArguments& lanes)
{
    bool first = true;
    T all = {};
    for (void* const lane : lanes) {
        if (!lane) continue;
        const T value = *static_cast<T*>(lane);
        all = first ? value : Join()(all, value);
        first = false;
    }
    for (void* const lane : lanes)
        if (lane) *static_cast<T*>(lane) = all;
    return "";
}

template <class Join, class T>
T reduce(unsigned mask, T value, const Site& site)
{
    Executor::current().meet_warp(mask, &value, join_lanes<T, Join>, site);
    return value;
}

struct Add {
    unsigned operator()(unsigned a, unsigned b) const { return a + b; }
};
struct And {
    unsigned operator()(unsigned a, unsigned b) const { return a & b; }
};
struct Or {
    unsigned operator()(unsigned a, unsigned b) const { return a | b; }
};
struct Xor {
    unsigned operator()(unsigned a, unsigned b) const { return a ^ b; }
};
struct Min {
    template <class T>
    T operator()(T a, T b) const
    {
        return std::min(a, b);
    }
};
struct Max {
    template <class T>
    T operator()(T a, T b) const
    {
        return std::max(a, b);
    }
};

} // namespace

unsigned __ballot_sync(unsigned mask, int predicate, const char* file, int line)
{
    const unsigned mine = predicate ? 1u << Executor::current().lane() : 0;
    return reduce<Or>(mask, mine, {"__ballot_sync", file, line});
}

int __any_sync(unsigned mask, int predicate, const char* file, int line)
{
    return int(reduce<Or>(mask, unsigned(predicate != 0), {"__any_sync", file, line}));
}

int __all_sync(unsigned mask, int predicate, const char* file, int line)
{
    return int(reduce<And>(mask, unsigned(predicate != 0), {"__all_sync", file, line}));
}

unsigned __reduce_add_sync(unsigned mask, unsigned value, const char* file, int line)
{
    return reduce<Add>(mask, value, {"__reduce_add_sync", file, line});
}

unsigned __reduce_min_sync(unsigned mask, unsigned value, const char* file, int line)
{
    return reduce<Min>(mask, value, {"__reduce_min_sync", file, line});
}

unsigned __reduce_max_sync(unsigned mask, unsigned value, const char* file, int line)
{
    return reduce<Max>(mask, value, {"__reduce_max_sync", file, line});
}

int __reduce_add_sync(unsigned mask, int value, const char* file, int line)
{
    return int(__reduce_add_sync(mask, unsigned(value), file, line));
}

int __reduce_min_sync(unsigned mask, int value, const char* file, int line)
{
    return reduce<Min>(mask, value, {"__reduce_min_sync", file, line});
}

int __reduce_max_sync(unsigned mask, int value, const char* file, int line)
{
    return reduce<Max>(mask, value, {"__reduce_max_sync", file, line});
}

unsigned __reduce_and_sync(unsigned mask, unsigned value, const char* file, int line)
{
    return reduce<And>(mask, value, {"__reduce_and_sync", file, line});
}

unsigned __reduce_or_sync(unsigned mask, unsigned value, const char* file, int line)
{
    return reduce<Or>(mask, value, {"__reduce_or_sync", file, line});
}

unsigned __reduce_xor_sync(unsigned mask, unsigned value, const char* file, int line)
{
    return reduce<Xor>(mask, value, {"__reduce_xor_sync", file, line});
}

} // namespace bifrons::kernels::sim
