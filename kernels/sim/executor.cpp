#include "kernels/sim/executor.h"

#include "kernels/sim/sim.h"

#include <cstring>
#include <map>

namespace bifrons::kernels::sim {

constinit thread_local Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr std::size_t kMaxThreads = 1024;

thread_local Executor* running_executor = nullptr;

Dim3 unflatten(std::size_t i, Dim3 size)
{
    return {unsigned(i % size.x), unsigned(i / size.x % size.y), unsigned(i / size.x / size.y)};
}

bool same(const Site& a, const Site& b)
{
    const auto same_text = [](const char* x, const char* y) { return x == y || std::strcmp(x, y) == 0; };
    return a.line == b.line && same_text(a.operation, b.operation) && same_text(a.file, b.file);
}

std::string text(const Site& site)
{
    return str(site.operation, " at ", site.file, ":", site.line);
}

std::string text(Dim3 d)
{
    return str("(", d.x, ",", d.y, ",", d.z, ")");
}

/// " 0-15 32" for rising numbers.
std::string ranges(const std::vector<std::size_t>& ids)
{
    std::string text;
    for (std::size_t i = 0, first = 0; i < ids.size(); ++i) {
        if (i + 1 < ids.size() && ids[i + 1] == ids[i] + 1) continue;
        text += i == first ? str(" ", ids[i]) : str(" ", ids[first], "-", ids[i]);
        first = i + 1;
    }
    return text;
}

} // namespace

std::string missing_lane(const WarpArguments& arguments)
{
    for (std::size_t lane = 0; lane < arguments.size(); ++lane)
        if (!arguments[lane]) return str("lane ", lane, " takes no part; all 32 lanes expected");
    return "";
}

Executor& Executor::current()
{
    return *running_executor;
}

void Executor::run(const char* kernel, const Grid& grid, const std::function<void()>& body)
{
    running_executor = this;
    body_ = &body;
    begin_launch(kernel, grid);
    std::vector<std::uint32_t> blocks;
    sequencer_.arrange(blocks, std::size_t(grid.blocks.x) * grid.blocks.y * grid.blocks.z);
    for (const std::size_t block : blocks) run_block(unflatten(block, grid.blocks));
}

void Executor::begin_launch(const char* kernel, const Grid& grid)
{
    kernel_ = kernel;
    grid_ = grid;
    count_ = std::size_t(grid.threads.x) * grid.threads.y * grid.threads.z;
    BIFRONS_CHECK(bug, count_ >= 1 && count_ <= kMaxThreads, kernel, ": launched with ", count_,
                  " threads a block; 1..", kMaxThreads, " expected");
    BIFRONS_CHECK(bug, grid.smem <= kMaxSharedBytes, kernel, ": launched with ", grid.smem,
                  " bytes of dynamic shared memory; at most ", kMaxSharedBytes, " expected");
    gridDim = grid.blocks;
    blockDim = grid.threads;
    shared_.begin_launch(grid.smem);
    for (std::size_t id = threads_.size(); id < count_; ++id)
        threads_.push_back({.fiber = std::make_unique<Fiber>([this, id] { live(id); }), .index = {}});
    for (std::size_t id = 0; id < count_; ++id) threads_[id].index = unflatten(id, grid.threads);
}

void Executor::run_block(Dim3 block)
{
    blockIdx = block;
    begin_block();
    while (running_ > 0 && !failure_)
        if (!run_ready_threads())
            failure_ = std::make_exception_ptr(error(str("the threads wait for each other: ", who_waits_where())));
    if (failure_) {
        give_up_block();
        std::rethrow_exception(failure_);
    }
    if (const std::string damage = shared_.damage(); !damage.empty()) throw error(damage);
}

void Executor::begin_block()
{
    shared_.begin_block();
    for (std::size_t id = 0; id < count_; ++id) {
        threads_[id].state = State::ready;
        threads_[id].copies.clear();
    }
    warps_.resize((count_ + kWarpSize - 1) / kWarpSize);
    for (std::size_t w = 0; w < warps_.size(); ++w) {
        const std::size_t lanes = std::min<std::size_t>(kWarpSize, count_ - w * kWarpSize);
        warps_[w].running = unsigned((std::uint64_t(1) << lanes) - 1);
        warps_[w].meetings.clear();
    }
    running_ = count_;
    at_barrier_ = 0;
    failure_ = nullptr;
    cancelled_ = false;
}

/// Each ready thread (of the leading warp, under schedule `warps`) once, until it waits or ends. False if there was
/// none.
bool Executor::run_ready_threads()
{
    bool any = false;
    sequencer_.arrange(order_, count_);
    for (const std::size_t id : order_) {
        if (threads_[id].state != State::ready) continue;
        if (any && schedule_.order == Schedule::Order::warps && id / kWarpSize != active_ / kWarpSize) break;
        any = true;
        active_ = id;
        threadIdx = threads_[id].index;
        threads_[id].fiber->resume();
        if (failure_) break;
    }
    return any;
}

/// What a fiber does: the same thread of block after block.
void Executor::live(std::size_t id)
{
    for (;;) {
        try {
            if (!cancelled_) {
                (*body_)();
                end_thread(id);
            }
        } catch (const Cancelled&) {
        } catch (...) {
            if (!failure_) failure_ = std::current_exception();
        }
        threads_[id].state = State::ended;
        threads_[id].fiber->suspend();
    }
}

/// Nobody waits for a thread that has ended.
void Executor::end_thread(std::size_t id)
{
    if (const CopyQueue& copies = threads_[id].copies; !copies.empty())
        throw error(str("thread ", id, " ends with ", copies.size(),
                        " copies that it has not waited for, the first of ", text(copies.first().site)));
    Warp& warp = warps_[id / kWarpSize];
    warp.running &= ~(1u << id % kWarpSize);
    --running_;
    if (at_barrier_ > 0 && at_barrier_ == running_) open_barrier();
    for (std::size_t i = warp.meetings.size(); i-- > 0;)
        finish_if_complete(warp, id / kWarpSize * kWarpSize, warp.meetings[i]);
}

/// Unwinds every thread, so that the fibers can be used again.
void Executor::give_up_block()
{
    cancelled_ = true;
    for (std::size_t id = 0; id < count_; ++id)
        if (threads_[id].state != State::ended) threads_[id].fiber->resume();
}

void Executor::wait(State state, const Site& site)
{
    Thread& me = threads_[active_];
    me.state = state;
    me.site = site;
    me.fiber->suspend();
    if (cancelled_) throw Cancelled();
}

void Executor::barrier(const Site& site)
{
    if (at_barrier_ == 0) barrier_site_ = site;
    if (!same(site, barrier_site_))
        throw error(str("thread ", active_, " is in ", text(site), ", which is not the barrier of the others: ",
                        who_waits_where(), ". All threads of a block must come to the same barrier."));
    if (++at_barrier_ == running_)
        open_barrier();
    else
        wait(State::at_barrier, site);
}

void Executor::open_barrier()
{
    at_barrier_ = 0;
    for (std::size_t id = 0; id < count_; ++id)
        if (threads_[id].state == State::at_barrier) threads_[id].state = State::ready;
}

void Executor::meet_warp(unsigned mask, void* argument, WarpOperation operation, const Site& site)
{
    const std::size_t lane = active_ % kWarpSize;
    if (!(mask >> lane & 1))
        throw error(str("thread ", active_, " is in ", text(site), " with a mask, 0x", std::hex, mask,
                        ", that does not name its own lane"));
    Warp& warp = warps_[active_ / kWarpSize];
    Meeting& meeting = join(warp, mask, operation, site);
    meeting.arrived |= 1u << lane;
    meeting.arguments[lane] = argument;
    if (!finish_if_complete(warp, active_ - lane, meeting)) wait(State::in_warp, site);
}

/// The meeting of these lanes at this place, opened if there is none yet.
Executor::Meeting& Executor::join(Warp& warp, unsigned mask, WarpOperation operation, const Site& site)
{
    for (Meeting& meeting : warp.meetings) {
        if ((meeting.mask & mask) == 0) continue;
        if (meeting.mask == mask && same(meeting.site, site)) return meeting;
        throw error(str("thread ", active_, " is in ", text(site), " with mask 0x", std::hex, mask, ", while lanes 0x",
                        meeting.arrived, " of its warp are in ", text(meeting.site), " with mask 0x", meeting.mask,
                        ". All lanes of a mask must come to the same operation."));
    }
    return warp.meetings.emplace_back(Meeting{mask, 0, site, operation, {}});
}

/// Does the operation and lets the lanes go on, if all are there that can still come.
bool Executor::finish_if_complete(Warp& warp, std::size_t first_thread, Meeting& meeting)
{
    if (meeting.arrived != (meeting.mask & warp.running)) return false;
    if (meeting.operation) {
        const std::string wrong = meeting.operation(meeting.arguments);
        if (!wrong.empty())
            throw error(str(text(meeting.site), ", warp of threads ", first_thread, "-", first_thread + kWarpSize - 1,
                            ": ", wrong));
    }
    for (std::size_t lane = 0; lane < kWarpSize; ++lane)
        if (meeting.arrived >> lane & 1) threads_[first_thread + lane].state = State::ready;
    warp.meetings.erase(warp.meetings.begin() + (&meeting - warp.meetings.data()));
    return true;
}

void* Executor::shared_object(const void* key, std::size_t bytes)
{
    void* object = shared_.object(key, bytes);
    if (!object)
        throw error(str("a SHARED object of ", bytes, " bytes does not fit; at most ", kMaxStaticSharedBytes,
                        " bytes of static and ", kMaxSharedBytes, " bytes of shared memory in all expected"));
    return object;
}

void* Executor::dynamic_shared(std::size_t bytes)
{
    if (bytes > shared_.dynamic_bytes())
        throw error(str("dyn_shared of ", bytes, " bytes, but the launch gave ", shared_.dynamic_bytes()));
    return shared_.dynamic();
}

void Executor::check_shared(const void* address, std::size_t bytes, const Site& site) const
{
    check_aligned(address, bytes, site);
    if (!shared_.contains(address, bytes))
        throw error(str("thread ", active_, " is in ", text(site), " with ", bytes,
                        " bytes that do not lie in one object of shared memory"));
}

void Executor::check_aligned(const void* address, std::size_t bytes, const Site& site) const
{
    const std::size_t beyond = reinterpret_cast<std::uintptr_t>(address) % bytes;
    if (beyond != 0)
        throw error(str("thread ", active_, " is in ", text(site), " with an address that is ", beyond,
                        " bytes beyond a multiple of ", bytes));
}

Error Executor::error(const std::string& what) const
{
    return Error(ErrorKind::bug,
                 str(kernel_, ": block ", text(blockIdx), " under schedule ", schedule_.text(), ": ", what));
}

/// "32 threads in __syncthreads at a.cu:3: 0-31 / ..."
std::string Executor::who_waits_where() const
{
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t id = 0; id < count_; ++id) {
        const State state = threads_[id].state;
        if (state == State::at_barrier || state == State::in_warp) groups[text(threads_[id].site)].push_back(id);
    }
    std::string all;
    for (const auto& [place, ids] : groups)
        all += str(all.empty() ? "" : " / ", ids.size(), ids.size() == 1 ? " thread in " : " threads in ", place, ":",
                   ranges(ids));
    return all;
}

} // namespace bifrons::kernels::sim
