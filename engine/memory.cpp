#include "engine/memory.h"

#include "kernels/device/dispatch.h"

#include <algorithm>
#include <climits>
#include <numeric>
#include <string>
#include <utility>

namespace bifrons {

namespace {

constexpr std::size_t kGuard = kernels::aligned(1);
constexpr std::uint8_t kNan = 0xFF; ///< in each byte: NaN in every float type

/// An empty block has an address of its own.
std::size_t room_for(std::size_t bytes)
{
    return kernels::aligned(std::max<std::size_t>(bytes, 1));
}

} // namespace

std::size_t guard_bytes(kernels::Target target)
{
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__)
    constexpr bool kOnCpu = true;
#else
    constexpr bool kOnCpu = false;
#endif
    const bool guarded = target.kind == kernels::DeviceKind::sim || (kOnCpu && target.kind == kernels::DeviceKind::cpu);
    return guarded ? kGuard : 0;
}

std::size_t MemoryPlan::peak_bytes() const
{
    std::map<int, std::int64_t> change; // position -> bytes that come alive there
    for (const Block& b : blocks) {
        change[b.born] += std::int64_t(b.bytes);
        change[b.died] -= std::int64_t(b.bytes);
    }
    std::int64_t alive = 0, peak = 0;
    for (const auto& [time, delta] : change) peak = std::max(peak, alive += delta);
    return std::size_t(peak);
}

void* Planner::allocate(std::size_t bytes)
{
    void* data = reinterpret_cast<void*>(next_);
    next_ += room_for(bytes);
    alive_[data] = blocks_.size();
    blocks_.push_back({.bytes = guard_ + room_for(bytes) + guard_, .born = time_++, .died = INT_MAX});
    return data;
}

void Planner::release(void* data) noexcept
{
    const auto it = alive_.find(data);
    if (it == alive_.end()) return;
    blocks_[it->second].died = time_++;
    alive_.erase(it);
}

MemoryPlan Planner::plan() const
{
    MemoryPlan plan{.blocks = blocks_, .guard = guard_};
    std::vector<std::size_t> order(blocks_.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return blocks_[a].bytes > blocks_[b].bytes; });
    std::vector<std::size_t> placed; // by offset
    for (const std::size_t i : order) {
        MemoryPlan::Block& block = plan.blocks[i];
        for (const std::size_t j : placed) {
            const MemoryPlan::Block& other = plan.blocks[j];
            const bool together = block.born < other.died && other.born < block.died;
            if (!together) continue;
            if (block.offset + block.bytes <= other.offset) break;
            block.offset = std::max(block.offset, other.offset + other.bytes);
        }
        plan.bytes = std::max(plan.bytes, block.offset + block.bytes);
        const auto after = std::upper_bound(placed.begin(), placed.end(), block.offset,
                                            [&](std::size_t at, std::size_t j) { return at < plan.blocks[j].offset; });
        placed.insert(after, i);
    }
    return plan;
}

Slab::Slab(kernels::Device& device, kernels::Stream stream, MemoryPlan plan)
    : device_(device), stream_(stream), plan_(std::move(plan))
{
    base_ = static_cast<char*>(device_.allocate(plan_.bytes));
}

Slab::Slab(kernels::Device& device, kernels::Stream stream, MemoryPlan plan, void* lent)
    : device_(device), stream_(stream), plan_(std::move(plan)), base_(static_cast<char*>(lent)), lent_(true)
{
}

Slab::~Slab()
{
    if (!lent_) device_.free(base_);
}

void* Slab::allocate(std::size_t bytes)
{
    BIFRONS_CHECK(bug, next_ < plan_.blocks.size(), "slab: allocation ", next_, " was not planned");
    const MemoryPlan::Block& block = plan_.blocks[next_];
    const std::size_t planned = block.bytes - 2 * plan_.guard;
    BIFRONS_CHECK(bug, planned == room_for(bytes), "slab: allocation ", next_, " asks for ", bytes,
                  " bytes; expected the planned ", planned);
    void* const data = base_ + block.offset + plan_.guard;
    if (plan_.guard) make_nan(alive_[data] = {next_, bytes});
    ++next_;
    return data;
}

/// Checked in the stream's order, when all that uses the block has run.
void Slab::release(void* data) noexcept
{
    const auto block = alive_.find(data);
    if (block == alive_.end()) return;
    device_.enqueue(stream_, [this, guarded = block->second] { check(guarded); });
    make_nan(block->second);
    alive_.erase(block);
}

void Slab::rewind()
{
    next_ = 0;
    for (const auto& [data, block] : alive_) check(block);
    alive_.clear();
    const std::string overrun = std::exchange(overrun_, {});
    BIFRONS_CHECK(bug, overrun.empty(), overrun);
}

/// The block and its guards.
void Slab::make_nan(const Guarded& block)
{
    const MemoryPlan::Block& planned = plan_.blocks[block.number];
    device_.fill(stream_, base_ + planned.offset, kNan, planned.bytes);
}

void Slab::check(const Guarded& block)
{
    const MemoryPlan::Block& planned = plan_.blocks[block.number];
    const char *const begin = base_ + planned.offset, *const data = begin + plan_.guard;
    const auto written = [](char byte) { return std::uint8_t(byte) != kNan; };
    const char* hit = std::find_if(begin, data, written);
    if (hit == data) hit = std::find_if(data + block.bytes, begin + planned.bytes, written);
    if (hit == begin + planned.bytes || !overrun_.empty()) return;
    overrun_ = str("slab: byte ", hit - data, " of allocation ", block.number, ", of ", block.bytes,
                   " bytes, was written; an operation wrote outside its operand");
}

} // namespace bifrons
