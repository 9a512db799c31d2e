#include "kernels/sim/shadow.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace bifrons::kernels::sim {

namespace {

/// Zeros, which the system provides when they are first used.
template <class T>
T* zeros(std::size_t n)
{
    void* memory = std::calloc(n + 1, sizeof(T));
    BIFRONS_CHECK(device, memory, "sim: no memory for the checker: ", human_bytes(double(n * sizeof(T))), " needed");
    return static_cast<T*>(memory);
}

} // namespace

void Shadow::Free::operator()(void* memory) const
{
    std::free(memory);
}

Shadow::Shadow(const void* begin, std::size_t bytes)
    : begin_(reinterpret_cast<std::uintptr_t>(begin)), bytes_(bytes), states_(zeros<ByteState>(bytes)),
      cells_(zeros<Cell>((bytes + 1) / 2))
{
}

void Shadow::set(const void* address, std::size_t bytes, ByteState state)
{
    const std::size_t first = offset(address);
    std::memset(states_.get() + first, int(state), std::min(bytes, bytes_ - first));
}

void Shadow::copy(const void* address, const Shadow& source, const void* from, std::size_t bytes)
{
    std::memmove(states_.get() + offset(address), source.states(from), bytes);
}

} // namespace bifrons::kernels::sim
