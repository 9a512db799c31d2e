#include "kernels/sim/executor.h"

#include "kernels/sim/sim.h"

#include <cstring>
#include <map>

namespace bifrons::kernels::sim {

constinit thread_local Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr std::size_t kMaxThreads = 1024;

thread_local Executor* running_executor = nullptr;

/// Whether the address is in threadIdx and its like.
bool is_index(const void* address)
{
    for (const Dim3* index : {&threadIdx, &blockIdx, &blockDim, &gridDim})
        if (address >= index && address < index + 1) return true;
    return false;
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
        if (!arguments[lane]) return str("lane ", lane, " takes no part; expected all 32 lanes");
    return "";
}

Executor& Executor::current()
{
    return *running_executor;
}

Executor::Executor(Schedule schedule, GlobalMemory& memory) : schedule_(schedule), sequencer_(schedule)
{
    if (kCheckedKernels) checker_ = std::make_unique<Checker>(memory);
}

std::unique_ptr<Executor::Block> Executor::make_block() const
{
    auto block = std::make_unique<Block>();
    if (checker_) block->record = std::make_unique<BlockRecord>(block->shared);
    return block;
}

std::unique_ptr<Fiber> Executor::make_fiber(std::size_t id)
{
    return std::make_unique<Fiber>([this, id] { live(id); });
}

void Executor::run(const char* kernel, const Grid& grid, const std::function<void()>& body, BlockShare share)
{
    running_executor = this;
    body_ = &body;
    begin_launch(kernel, grid);
    const std::size_t all = std::size_t(grid.blocks.x) * grid.blocks.y * grid.blocks.z;
    std::vector<std::uint32_t> blocks;
    sequencer_.arrange(blocks, (all + share.of - 1 - share.first) / share.of);
    for (std::uint32_t& block : blocks) block = std::uint32_t(share.first + block * share.of);
    for (std::size_t i = 0; i < blocks.size(); i += at_once_) run_blocks(blocks.data() + i);
    if (checker_) report(checker_->end_launch());
}

void Executor::begin_launch(const char* kernel, const Grid& grid)
{
    kernel_ = kernel;
    grid_ = grid;
    check_launch(grid);
    block_size_ = std::size_t(grid.block_size());
    at_once_ = grid.cooperative ? std::size_t(grid.blocks.x) * grid.blocks.y * grid.blocks.z : 1;
    gridDim = grid.blocks;
    blockDim = grid.threads;
    while (blocks_.size() < at_once_) blocks_.push_back(make_block());
    for (std::size_t id = threads_.size(); id < at_once_ * block_size_; ++id)
        threads_.push_back({.fiber = make_fiber(id)});
    for (std::size_t id = 0; id < at_once_ * block_size_; ++id) {
        Thread& thread = threads_[id];
        thread.block = blocks_[id / block_size_].get();
        thread.number = id % block_size_;
        thread.index = unflatten(thread.number, grid.threads);
    }
    for (std::size_t i = 0; i < at_once_; ++i) {
        blocks_[i]->threads = &threads_[i * block_size_];
        blocks_[i]->shared.begin_launch(grid.smem);
    }
    if (checker_) checker_->begin_launch(grid);
    if (counter_) counter_->begin_launch(kernel);
}

void Executor::check_launch(const Grid& grid) const
{
    const auto count = [](Dim3 d) { return std::uint64_t(d.x) * d.y * d.z; };
    BIFRONS_CHECK(bug, count(grid.threads) >= 1 && count(grid.threads) <= kMaxThreads, kernel_, ": launched with ",
                  count(grid.threads), " threads a block; expected 1..", kMaxThreads);
    BIFRONS_CHECK(bug, grid.smem <= kMaxSharedBytes, kernel_, ": launched with ", grid.smem,
                  " bytes of dynamic shared memory; expected at most ", kMaxSharedBytes);
    BIFRONS_CHECK(bug, !grid.cooperative || count(grid.blocks) <= kResidentBlocks, kernel_, ": launched with ",
                  count(grid.blocks),
                  " blocks that are to run at once; expected at most resident_blocks() = ", kResidentBlocks);
    BIFRONS_CHECK(bug, grid.cluster >= 1 && grid.blocks.x % grid.cluster == 0, kernel_, ": launched with ",
                  grid.blocks.x, " blocks along x in clusters of ", grid.cluster, "; expected a multiple");
}

/// The blocks of these numbers, `at_once_` of them.
void Executor::run_blocks(const std::uint32_t* numbers)
{
    for (std::size_t i = 0; i < at_once_; ++i) begin_block(*blocks_[i], numbers[i]);
    running_ = at_once_ * block_size_;
    operations_.clear();
    failure_ = nullptr;
    cancelled_ = false;
    while (running_ > 0 && !failure_)
        if (!run_ready_threads() && !failure_ && !finish_operation())
            failure_ = std::make_exception_ptr(error(str("the threads wait for each other: ", who_waits_where())));
    if (failure_) {
        give_up();
        std::rethrow_exception(failure_);
    }
    if (counter_) counter_->end_blocks();
    for (std::size_t i = 0; i < at_once_; ++i) end_block(*blocks_[i]);
}

void Executor::begin_block(Block& block, std::size_t index)
{
    block.index = unflatten(index, grid_.blocks);
    block.shared.begin_block();
    if (checker_) checker_->begin_block(*block.record, index, block_size_);
    for (std::size_t i = 0; i < block_size_; ++i) {
        block.threads[i].state = State::ready;
        block.threads[i].copies.clear();
        block.threads[i].waited = false;
    }
    block.warps.resize((block_size_ + kWarpSize - 1) / kWarpSize);
    for (std::size_t w = 0; w < block.warps.size(); ++w) {
        const std::size_t lanes = std::min<std::size_t>(kWarpSize, block_size_ - w * kWarpSize);
        block.warps[w].running = unsigned((std::uint64_t(1) << lanes) - 1);
        block.warps[w].meetings.clear();
    }
    block.running = block_size_;
    block.at_barrier = 0;
    block.mbarriers.clear();
}

void Executor::end_block(const Block& block)
{
    active_ = std::size_t(block.threads - threads_.data());
    if (checker_) report(checker_->end_block(*block.record));
    if (const std::string damage = block.shared.damage(); !damage.empty()) throw error(damage);
    if (!operations_.empty())
        throw error(str("ends while asynchronous work is under way that no thread has waited for, begun by thread ",
                        threads_[operations_.front().thread].number, " in ", text(operations_.front().site)));
}

void Executor::report(const std::optional<Checker::EarlyRead>& read)
{
    if (!read) return;
    block().index = read->block;
    throw error(read->text);
}

/// Each ready thread (of the leading warp, under schedule `warps`) once, until it waits or ends. False if there was
/// none.
bool Executor::run_ready_threads()
{
    bool any = false;
    sequencer_.arrange(order_, at_once_ * block_size_);
    for (const std::size_t id : order_) {
        if (!is_ready(threads_[id])) continue;
        if (any && schedule_.order == Schedule::Order::warps && id / kWarpSize != active_ / kWarpSize) break;
        any = true;
        enter(id);
        threads_[id].fiber->resume();
        if (failure_) break;
    }
    if (any && !failure_ && !operations_.empty() && sequencer_.work_goes_on()) finish_operation();
    return any;
}

bool Executor::is_ready(Thread& thread)
{
    if (thread.state == State::at_condition && thread.condition->holds()) thread.state = State::ready;
    return thread.state == State::ready;
}

/// What the thread sees of itself.
void Executor::enter(std::size_t id)
{
    active_ = id;
    threadIdx = threads_[id].index;
    blockIdx = threads_[id].block->index;
}

/// What a fiber does: the same thread of block after block.
void Executor::live(std::size_t id)
{
    for (;;) {
        try {
            if (!cancelled_) {
                (*body_)();
                end_thread(threads_[id]);
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
void Executor::end_thread(Thread& thread)
{
    if (const CopyQueue& copies = thread.copies; !copies.empty())
        throw error(str("thread ", thread.number, " ends with ", copies.size(),
                        " copies that it has not waited for, the first of ", text(copies.first().site)));
    if (!thread.waited)
        throw error(str("thread ", thread.number,
                        " ends without wait_for_previous_kernel(), with which each thread of a "
                        "kernel begins: on a GPU the kernel before may still be running"));
    Block& own = *thread.block;
    const std::size_t lane = thread.number % kWarpSize;
    Warp& warp = own.warps[thread.number / kWarpSize];
    warp.running &= ~(1u << lane);
    --running_;
    --own.running;
    if (own.at_barrier > 0 && own.at_barrier == own.running) open_barrier(own);
    for (std::size_t i = warp.meetings.size(); i-- > 0;) finish_if_complete(warp, &thread - lane, warp.meetings[i]);
}

/// Unwinds every thread, so that the fibers can be used again, but for those that cannot be unwound.
void Executor::give_up()
{
    cancelled_ = true;
    for (std::size_t id = 0; id < at_once_ * block_size_; ++id)
        if (threads_[id].in_access) {
            threads_[id].fiber = make_fiber(id);
            threads_[id].in_access = false;
        } else if (threads_[id].state != State::ended) {
            threads_[id].fiber->resume();
        }
}

void Executor::wait(State state, const Site& site)
{
    Thread& me = threads_[active_];
    me.state = state;
    me.site = site;
    me.fiber->suspend();
    if (cancelled_) throw Cancelled();
}

void Executor::wait_until(const Condition& condition, const Site& site)
{
    const SimulatorCode simulator;
    if (condition.holds()) return;
    threads_[active_].condition = &condition;
    wait(State::at_condition, site);
}

void Executor::barrier(const Site& site)
{
    const SimulatorCode simulator;
    Block& own = block();
    if (own.at_barrier == 0) own.barrier_site = site;
    if (!same(site, own.barrier_site))
        throw error(str(at(site), ", which is not the barrier of the others: ", who_waits_where(),
                        ". All threads of a block must come to the same barrier."));
    if (++own.at_barrier == own.running)
        open_barrier(own);
    else
        wait(State::at_barrier, site);
}

void Executor::open_barrier(Block& block)
{
    block.at_barrier = 0;
    if (checker_) block.record->clocks.meet_all();
    for (std::size_t i = 0; i < block_size_; ++i)
        if (block.threads[i].state == State::at_barrier) block.threads[i].state = State::ready;
}

void Executor::meet_warp(unsigned mask, void* argument, WarpOperation operation, const Site& site)
{
    const SimulatorCode simulator;
    Thread& me = threads_[active_];
    const std::size_t lane = me.number % kWarpSize;
    if (!(mask >> lane & 1))
        throw error(str(at(site), " with a mask, 0x", std::hex, mask, ", that does not name its own lane"));
    Warp& warp = me.block->warps[me.number / kWarpSize];
    Meeting& meeting = join(warp, mask, operation, site);
    meeting.arrived |= 1u << lane;
    meeting.arguments[lane] = argument;
    if (!finish_if_complete(warp, &me - lane, meeting)) wait(State::in_warp, site);
}

/// The meeting of these lanes at this place, opened if there is none yet.
Executor::Meeting& Executor::join(Warp& warp, unsigned mask, WarpOperation operation, const Site& site)
{
    for (Meeting& meeting : warp.meetings) {
        if ((meeting.mask & mask) == 0) continue;
        if (meeting.mask == mask && same(meeting.site, site)) return meeting;
        throw error(str(at(site), " with mask 0x", std::hex, mask, ", while lanes 0x", meeting.arrived,
                        " of its warp are in ", text(meeting.site), " with mask 0x", meeting.mask,
                        ". All lanes of a mask must come to the same operation."));
    }
    return warp.meetings.emplace_back(Meeting{mask, 0, site, operation, {}});
}

/// Does the operation and lets the lanes continue, if all lanes that can still arrive have arrived.
bool Executor::finish_if_complete(Warp& warp, Thread* lanes, Meeting& meeting)
{
    if (meeting.arrived != (meeting.mask & warp.running)) return false;
    if (meeting.operation) {
        const std::string wrong = meeting.operation(meeting.arguments);
        if (!wrong.empty())
            throw error(str(text(meeting.site), ", warp of threads ", lanes->number, "-", lanes->number + kWarpSize - 1,
                            ": ", wrong));
    } else if (checker_) {
        lanes->block->record->clocks.meet(lanes->number, meeting.arrived);
    }
    for (std::size_t lane = 0; lane < kWarpSize; ++lane)
        if (meeting.arrived >> lane & 1) lanes[lane].state = State::ready;
    warp.meetings.erase(warp.meetings.begin() + (&meeting - warp.meetings.data()));
    return true;
}

int Executor::lane() const
{
    return int(threads_[active_].number % kWarpSize);
}

void Executor::wait_for_previous_kernel()
{
    Thread& me = threads_[active_];
    me.waited = true;
    if (checker_) me.block->record->waited[me.number] = true;
}

void Executor::check_cooperative(const Site& site) const
{
    const SimulatorCode simulator;
    if (!grid_.cooperative)
        throw error(
            str(at(site), ", but the launch is not cooperative: nothing guarantees that all blocks run at once"));
}

void* Executor::shared_object(const void* key, std::size_t bytes)
{
    const SimulatorCode simulator;
    Block& own = block();
    const std::size_t objects = own.shared.objects().size();
    void* object = own.shared.object(key, bytes);
    if (!object)
        throw error(str("a SHARED object of ", bytes, " bytes does not fit; expected at most ", kMaxStaticSharedBytes,
                        " bytes of static and ", kMaxSharedBytes, " bytes of shared memory in all"));
    if (checker_ && own.shared.objects().size() > objects) own.record->add_shared(static_cast<char*>(object), bytes);
    return object;
}

void* Executor::dynamic_shared(std::size_t bytes)
{
    const SimulatorCode simulator;
    SharedMemory& shared = block().shared;
    if (bytes > shared.dynamic_bytes())
        throw error(str("dyn_shared of ", bytes, " bytes, but the launch gave ", shared.dynamic_bytes()));
    return shared.dynamic();
}

void Executor::note_access(const void* address, std::size_t bytes, Access access, const Site& site)
{
    if (!checker_ && !counter_) return;
    const SimulatorCode simulator;
    if (const std::string wrong = judge(address, bytes, access, place_of(site)); !wrong.empty()) throw error(wrong);
}

/// What is wrong with an access by the running thread; empty if nothing is, or if kernels are not checked.
std::string Executor::judge(const void* address, std::size_t bytes, Access access, SourcePlace place)
{
    const Thread& me = threads_[active_];
    if (counter_ && access != Access::atomic && access != Access::copy_done && !is_of_program(address)) {
        const std::size_t lane = me.number % kWarpSize;
        counter_->note(active_ - lane, int(lane), address, bytes, me.block->shared.holds(address), place);
    }
    return checker_ ? checker_->judge(*me.block->record, me.number, address, bytes, access, place) : "";
}

void Executor::note_release(const void* object)
{
    const SimulatorCode simulator;
    if (checker_) checker_->release(*block().record, threads_[active_].number, object);
}

void Executor::note_acquire(const void* object)
{
    const SimulatorCode simulator;
    if (checker_) checker_->acquire(*block().record, threads_[active_].number, object);
}

void Executor::note_fence()
{
    const SimulatorCode simulator;
    if (checker_) checker_->fence(*block().record, threads_[active_].number);
}

void Executor::kernel_access(const void* address, std::size_t bytes, Access access, const void* instruction)
{
    if (cancelled_ || threads_[active_].fiber->has_on_stack(address) || is_index(address)) return;
    const SimulatorCode simulator;
    if (--accesses_to_preemption_ == 0) {
        accesses_to_preemption_ = sequencer_.accesses_to_preemption();
        if (std::uncaught_exceptions() == 0) leave_access();
    }
    const std::string wrong = judge(address, bytes, access, place_of(instruction));
    if (wrong.empty()) return;
    failure_ = std::make_exception_ptr(error(wrong));
    leave_access(); // for good
}

/// Gives the core away. The compiler believes that kernel_access cannot throw, so the thread cannot be unwound from
/// here.
void Executor::leave_access()
{
    Thread& me = threads_[active_];
    me.in_access = true;
    me.fiber->suspend();
    me.in_access = false;
}

void Executor::check_shared(const void* address, std::size_t bytes, const Site& site) const
{
    const SimulatorCode simulator;
    if (!block().shared.contains(address, bytes))
        throw error(str(at(site), " with ", bytes, " bytes that do not lie in one object of shared memory"));
}

void Executor::check_aligned(const void* address, std::size_t alignment, const Site& site) const
{
    const SimulatorCode simulator;
    const std::size_t beyond = reinterpret_cast<std::uintptr_t>(address) % alignment;
    if (beyond != 0)
        throw error(str(at(site), " with an address that is ", beyond, " bytes beyond a multiple of ", alignment));
}

/// "thread 3 is in __syncthreads at a.cu:3"
std::string Executor::at(const Site& site) const
{
    return str("thread ", threads_[active_].number, " is in ", text(site));
}

Error Executor::error(const std::string& what) const
{
    return Error(ErrorKind::bug,
                 str(kernel_, ": block ", text(block().index), " under schedule ", schedule_.text(), ": ", what));
}

/// "32 threads in __syncthreads at a.cu:3: 0-31 / ...", block by block.
std::string Executor::who_waits_where() const
{
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t id = 0; id < at_once_ * block_size_; ++id) {
        const Thread& thread = threads_[id];
        if (thread.state == State::ready || thread.state == State::ended) continue;
        std::string place = text(thread.site);
        if (thread.state == State::at_condition) place += str(" (", thread.condition->missing(), ")");
        if (at_once_ > 1) place += str(" in block ", text(thread.block->index));
        groups[place].push_back(thread.number);
    }
    std::string all;
    for (const auto& [place, ids] : groups)
        all += str(all.empty() ? "" : " / ", ids.size(), ids.size() == 1 ? " thread in " : " threads in ", place, ":",
                   ranges(ids));
    return all;
}

} // namespace bifrons::kernels::sim
