#include "tests/emulator/run_grid.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <random>

namespace bifrons::emulator {

namespace {

constexpr std::uint32_t kNever = ~std::uint32_t(0);

/// Lanes of a warp that are at the same instruction.
struct Group {
    enum class State { ready, at_barrier, at_collective };
    std::uint32_t at = 0;
    Lanes lanes = 0;
    State state = State::ready;
};

class RunningWarp {
  public:
    RunningWarp(Block& block, unsigned first_thread, unsigned threads)
        : warp_(block, first_thread, threads), kernel_(*block.grid.kernel), groups_{{.lanes = warp_.alive}}
    {
    }

    Lanes alive() const { return warp_.alive; }
    bool can_run() const
    {
        return std::any_of(groups_.begin(), groups_.end(),
                           [](const Group& g) { return g.state == Group::State::ready; });
    }
    /// Whether all lanes that are alive stand at one barrier of the block.
    bool at_barrier() const
    {
        const bool standing = groups_.size() == 1 && groups_[0].state == Group::State::at_barrier;
        const bool parted = groups_.size() > 1 && std::all_of(groups_.begin(), groups_.end(), [](const Group& g) {
                                return g.state == Group::State::at_barrier;
                            });
        if (parted) fail(groups_[0], cudaErrorLaunchFailure, "__syncthreads() that only a part of a warp reaches");
        return standing;
    }
    void leave_barrier()
    {
        for (Group& g : groups_) ++g.at, g.state = Group::State::ready;
    }
    std::string whereabouts() const
    {
        std::string text;
        for (const Group& g : groups_)
            text += str("\n    lanes ", std::popcount(g.lanes), " at: ", kernel_.texts[kernel_.code[g.at].text]);
        return text;
    }

    /// At most about this many instructions.
    void run(unsigned instructions)
    {
        while (instructions > 0 && can_run()) {
            Group group = take_lowest();
            const std::uint32_t other = lowest_ready();
            try {
                while (instructions > 0 && group.lanes != 0 && group.at < other && step(group)) --instructions;
            } catch (const Fault& fault) {
                fail(group, fault.status, fault.what());
            }
            if (group.lanes != 0) put(group);
            meet_collectives();
        }
    }

  private:
    /// The ready group that is least far, with all others that stand where it does.
    Group take_lowest()
    {
        const std::uint32_t lowest = lowest_ready();
        Group result{.at = lowest};
        std::erase_if(groups_, [&](const Group& g) {
            const bool taken = g.state == Group::State::ready && g.at == lowest;
            if (taken) result.lanes |= g.lanes;
            return taken;
        });
        return result;
    }
    std::uint32_t lowest_ready() const
    {
        std::uint32_t lowest = kNever;
        for (const Group& g : groups_)
            if (g.state == Group::State::ready) lowest = std::min(lowest, g.at);
        return lowest;
    }
    void put(const Group& group)
    {
        for (Group& g : groups_)
            if (g.at == group.at && g.state == group.state) {
                g.lanes |= group.lanes;
                return;
            }
        groups_.push_back(group);
    }

    Lanes lanes_of_guard(const Instruction& i, Lanes lanes)
    {
        if (i.guard == Instruction::kNone) return lanes;
        const std::uint32_t* holds = warp_.words(i.guard);
        Lanes set = 0;
        for (int lane = 0; lane < kWarpSize; ++lane) set |= (holds[lane] & 1) << lane;
        return lanes & (i.guard_negated ? ~set : set);
    }

    /// One instruction of a group. False if the group may no longer continue by itself.
    bool step(Group& group)
    {
        const Instruction& i = kernel_.code[group.at];
        const Lanes lanes = lanes_of_guard(i, group.lanes);
        switch (i.kind) {
        case Kind::plain:
            if (lanes != 0) i.run(warp_, i, lanes);
            ++group.at;
            return true;
        case Kind::branch:
            return branch(group, i, lanes);
        case Kind::end:
            if (warp_.block.grid.pdl && (lanes & ~warp_.may_touch_global) != 0)
                throw Fault(cudaErrorLaunchFailure, "a thread ends without griddepcontrol.wait");
            warp_.alive &= ~lanes;
            group.lanes &= ~lanes;
            ++group.at;
            return true;
        case Kind::block_barrier:
        case Kind::collective:
            if (lanes != group.lanes) throw Fault(cudaErrorLaunchFailure, "a barrier or collective with a guard");
            group.state = i.kind == Kind::collective ? Group::State::at_collective : Group::State::at_barrier;
            return false;
        }
        return false;
    }

    /// False if the group has parted.
    bool branch(Group& group, const Instruction& i, Lanes taken)
    {
        const Lanes stay = group.lanes & ~taken;
        if (stay != 0 && taken != 0) put({.at = group.at + 1, .lanes = stay}), group.lanes = taken;
        group.at = taken != 0 ? i.target : group.at + 1;
        return stay == 0 || taken == 0;
    }

    /// Runs the collectives whose lanes have all come. Lanes of one group may name different masks: each is one.
    void meet_collectives()
    {
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            if (groups_[g].state != Group::State::at_collective) continue;
            for (Lanes left = groups_[g].lanes; left != 0;) {
                const Lanes together = named_alike(groups_[g], std::countr_zero(left));
                left &= ~together;
                meet(groups_[g], together);
            }
        }
        std::erase_if(groups_, [](const Group& g) { return g.lanes == 0; });
    }
    /// The lanes of the group that name the mask that `lane` names.
    Lanes named_alike(const Group& group, int lane)
    {
        const std::uint32_t members = kernel_.code[group.at].members;
        if (members == Instruction::kNone) return group.lanes;
        const std::uint32_t* masks = warp_.words(members);
        Lanes alike = 0;
        for (int l = 0; l < kWarpSize; ++l) alike |= Lanes(masks[l] == masks[lane]) << l;
        return alike & group.lanes;
    }
    void meet(Group& group, Lanes together)
    {
        const Instruction& i = kernel_.code[group.at];
        const bool all = i.members == Instruction::kNone;
        const Lanes wanted = all ? warp_.alive : warp_.words(i.members)[std::countr_zero(together)];
        if ((wanted & ~warp_.alive) != 0)
            fail(group, cudaErrorLaunchFailure, "a collective that names lanes which have ended");
        if ((together & ~wanted) != 0)
            fail(group, cudaErrorLaunchFailure, "a collective by lanes that its mask does not name");
        if (together != wanted) return;
        try {
            i.run(warp_, i, together);
        } catch (const Fault& fault) {
            fail(group, fault.status, fault.what());
        }
        const Group further{.at = group.at + 1, .lanes = together};
        group.lanes &= ~together;
        put(further);
    }

    [[noreturn]] void fail(const Group& g, cudaError_t status, const std::string& what) const
    {
        const auto& index = warp_.block.index;
        throw Fault(status, str(kernel_.name, ", block (", index[0], ",", index[1], ",", index[2], "): ", what,
                                "\n    at: ", kernel_.texts[kernel_.code[g.at].text]));
    }

    Warp warp_;
    const Kernel& kernel_;
    std::vector<Group> groups_;
};

class RunningBlock {
  public:
    RunningBlock(const Grid& grid, std::array<unsigned, 3> index) : block_(grid, index)
    {
        const unsigned threads = grid.threads[0] * grid.threads[1] * grid.threads[2];
        for (unsigned first = 0; first < threads; first += kWarpSize)
            warps_.emplace_back(block_, first, std::min<unsigned>(kWarpSize, threads - first));
    }

    bool ended() const
    {
        return std::all_of(warps_.begin(), warps_.end(), [](const RunningWarp& w) { return w.alive() == 0; });
    }

    /// Lets one warp run for a while. False if none can.
    bool run(std::mt19937& chance)
    {
        open_barrier();
        std::vector<RunningWarp*> able;
        for (RunningWarp& w : warps_)
            if (w.can_run()) able.push_back(&w);
        if (able.empty()) return false;
        able[chance() % able.size()]->run(1 + chance() % 2000);
        return true;
    }

    std::string whereabouts() const
    {
        std::string text;
        for (std::size_t w = 0; w < warps_.size(); ++w)
            if (warps_[w].alive() != 0) text += str("\n  warp ", w, ":", warps_[w].whereabouts());
        return text;
    }

  private:
    void open_barrier()
    {
        for (const RunningWarp& w : warps_)
            if (w.alive() != 0 && !w.at_barrier()) return;
        for (RunningWarp& w : warps_)
            if (w.alive() != 0) w.leave_barrier();
    }

    Block block_;
    std::deque<RunningWarp> warps_;
};

/// How many blocks of an ordinary launch are under way at once.
constexpr std::size_t kResidentBlocks = 3;

/// Turns of warps that a launch may take: minutes. One that needs more waits in a loop for what never comes.
constexpr std::size_t kMostTurns = 5'000'000;

} // namespace

void run_grid(const Grid& grid)
{
    thread_local std::mt19937 chance(1);
    const std::size_t count = std::size_t(grid.blocks[0]) * grid.blocks[1] * grid.blocks[2];
    const std::size_t resident = grid.cooperative ? count : std::min(count, kResidentBlocks);
    std::vector<std::unique_ptr<RunningBlock>> blocks;
    std::size_t begun = 0;
    const auto begin_next = [&] {
        const std::size_t n = begun++;
        return std::make_unique<RunningBlock>(
            grid, std::array<unsigned, 3>{unsigned(n % grid.blocks[0]), unsigned(n / grid.blocks[0] % grid.blocks[1]),
                                          unsigned(n / grid.blocks[0] / grid.blocks[1])});
    };
    while (begun < resident) blocks.push_back(begin_next());
    for (std::size_t turn = 0; !blocks.empty(); ++turn) {
        if (turn == kMostTurns)
            throw Fault(cudaErrorLaunchTimeout, str(grid.kernel->name, ": does not end", blocks[0]->whereabouts()));
        std::unique_ptr<RunningBlock>& one = blocks[chance() % blocks.size()];
        if (!one->ended() && !one->run(chance) && !one->ended())
            throw Fault(cudaErrorLaunchTimeout, str(grid.kernel->name, ": no thread can continue", one->whereabouts()));
        if (!one->ended()) continue;
        if (begun < count)
            one = begin_next();
        else
            one = std::move(blocks.back()), blocks.pop_back();
    }
}

} // namespace bifrons::emulator
