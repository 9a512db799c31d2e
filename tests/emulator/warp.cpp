#include "tests/emulator/warp.h"

#include "kernels/base/error.h"

#include <cstring>

namespace bifrons::emulator {

Block::Block(const Grid& launched, std::array<unsigned, 3> which)
    : grid(launched), index(which), static_shared_(launched.kernel->shared_bytes, std::byte(0xff)),
      dynamic_shared_(launched.dynamic_shared, std::byte(0xff))
{
}

void Block::beyond_shared(std::uint32_t offset, std::size_t bytes)
{
    const bool dynamic = offset >= kDynamicShared;
    throw Fault(cudaErrorIllegalAddress,
                str("access to ", bytes, " bytes at offset ", dynamic ? offset - kDynamicShared : offset, " of ",
                    dynamic ? dynamic_shared_.size() : static_shared_.size(), dynamic ? " dynamic" : " static",
                    " bytes of shared memory"));
}

Mbarrier& Block::mbarrier_at(std::uint32_t offset)
{
    const auto found = mbarriers.find(offset);
    if (found == mbarriers.end()) throw Fault(cudaErrorLaunchFailure, "an mbarrier that was not initialised");
    return found->second;
}

void Block::settle(Mbarrier& barrier)
{
    if (barrier.missing == 0 && barrier.missing_bytes == 0) ++barrier.phase, barrier.missing = barrier.arrivals;
}

Warp::Warp(Block& of, unsigned first_thread, unsigned threads)
    : block(of), alive(threads == kWarpSize ? ~Lanes(0) : (Lanes(1) << threads) - 1),
      registers_(of.grid.kernel->registers), local_(of.grid.kernel->local_bytes * kWarpSize, std::byte(0xff))
{
    const Kernel& kernel = *of.grid.kernel;
    const std::array<unsigned, 3>& size = of.grid.threads;
    for (unsigned lane = 0; lane < kWarpSize; ++lane) {
        const unsigned thread = first_thread + lane;
        const unsigned tid[3] = {thread % size[0], thread / size[0] % size[1], thread / size[0] / size[1]};
        const auto set = [&](std::uint32_t place, unsigned value) {
            if (place != Instruction::kNone) words(place)[lane] = value;
        };
        for (int axis = 0; axis < 3; ++axis) {
            set(kernel.tid[axis], tid[axis]);
            set(kernel.ntid[axis], size[axis]);
            set(kernel.ctaid[axis], of.index[axis]);
            set(kernel.nctaid[axis], of.grid.blocks[axis]);
        }
        set(kernel.laneid, lane);
    }
}

void Warp::commit_copies(Lanes lanes)
{
    for (int lane = 0; lane < kWarpSize; ++lane)
        if (lanes >> lane & 1) copy_groups[lane].push_back(std::move(open_copies[lane])), open_copies[lane].clear();
}

void Warp::copy(const PendingCopy& copy, int lane)
{
    std::byte* to = memory<Space::shared>(copy.shared, copy.bytes, lane);
    if (copy.zeros)
        std::memset(to, 0, copy.bytes);
    else
        std::memcpy(to, memory<Space::global>(copy.global, copy.bytes, lane), copy.bytes);
}

void Warp::finish_copies(Lanes lanes, unsigned groups_left)
{
    for (int lane = 0; lane < kWarpSize; ++lane) {
        if (!(lanes >> lane & 1)) continue;
        auto& groups = copy_groups[lane];
        while (groups.size() > groups_left) {
            for (const PendingCopy& pending : groups.front()) copy(pending, lane);
            groups.erase(groups.begin());
        }
    }
}

void Warp::finish_all_copies(int lane)
{
    commit_copies(Lanes(1) << lane);
    finish_copies(Lanes(1) << lane, 0);
}

std::byte* Warp::local_at(std::uint64_t offset, std::size_t bytes, int lane)
{
    const std::size_t size = block.grid.kernel->local_bytes;
    if (offset + bytes > size) out_of_bounds("local", offset, bytes, lane);
    return local_.data() + lane * size + offset;
}

std::byte* Warp::parameter_at(std::uint64_t offset, std::size_t bytes)
{
    if (offset + bytes > block.grid.parameters.size()) out_of_bounds("parameter", offset, bytes, 0);
    return const_cast<std::byte*>(block.grid.parameters.data()) + offset;
}

void Warp::misaligned(std::uint64_t address, std::size_t bytes, int lane)
{
    throw Fault(cudaErrorMisalignedAddress,
                str("access of lane ", lane, " to ", bytes, " bytes at an address that is ", address % bytes, " off"));
}

void Warp::out_of_bounds(const char* space, std::uint64_t address, std::size_t bytes, int lane)
{
    throw Fault(cudaErrorIllegalAddress,
                str("access of lane ", lane, " to ", bytes, " bytes at ", address, ", no ", space, " memory"));
}

void Warp::touched_too_early(int lane)
{
    throw Fault(cudaErrorLaunchFailure, str("lane ", lane, " touches global memory before griddepcontrol.wait"));
}

} // namespace bifrons::emulator
