#include "kernels/sim/checker.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace bifrons::kernels::sim {

namespace {

constexpr std::uint32_t kLastBlock = (1u << 29) - 1; // that a Touch can hold

/// Whether n bytes are all in one state. The sizes of registers are compared at once.
bool all_are(const ByteState* states, std::size_t n, ByteState state)
{
    const auto equal = [&]<class Word>(Word word) {
        std::memcpy(&word, states, sizeof word);
        return word == Word(Word(~Word(0)) / 0xFF * Word(state));
    };
    if (n == 4) return equal(std::uint32_t());
    if (n == 8) return equal(std::uint64_t());
    if (n == 2) return equal(std::uint16_t());
    for (std::size_t i = 0; i < n; ++i)
        if (states[i] != state) return false;
    return true;
}

const char* verb(Access access)
{
    switch (access) {
    case Access::read:
        return "reads";
    case Access::write:
        return "writes";
    case Access::atomic:
        return "updates atomically";
    default:
        return "copies";
    }
}

} // namespace

BlockRecord::BlockRecord(const SharedMemory& memory) : shared(memory), shadow(memory.arena(), memory.arena_bytes()) {}

void BlockRecord::add_shared(const char* object, std::size_t bytes)
{
    shadow.set(object, bytes, ByteState::unwritten);
    used = std::max(used, std::size_t(object + bytes - shared.arena()));
}

void Checker::begin_launch(const Grid& grid)
{
    grid_ = grid;
    board_.clear();
    early_read_.reset();
    first_block_ = next_launch_;
    const std::uint64_t next = first_block_ + std::uint64_t(grid.blocks.x) * grid.blocks.y * grid.blocks.z;
    BIFRONS_CHECK(bug, next <= kLastBlock, "sim: more than ", kLastBlock,
                  " blocks have run; the checker cannot count further");
    next_launch_ = std::uint32_t(next);
}

void Checker::begin_block(BlockRecord& block, std::size_t index, std::size_t threads) const
{
    block.clocks.begin_block(first_block_ + std::uint32_t(index), threads);
    block.board.clear();
    block.fenced.assign(threads, {});
    block.heard.assign(threads, {});
    block.waited.assign(threads, false);
    block.shadow.set(block.shared.arena(), std::exchange(block.used, 0), ByteState::outside);
    for (const SharedMemory::Object& object : block.shared.objects()) block.add_shared(object.data, object.bytes);
}

std::string Checker::judge(BlockRecord& block, std::size_t thread, const void* address, std::size_t bytes,
                           Access access, SourcePlace place)
{
    Attempt attempt{&block, static_cast<const char*>(address), bytes, access, {}, block.shadow.covers(address)};
    attempt.touch = {.place = place,
                     .thread = unsigned(thread),
                     .step = block.clocks.step(thread),
                     .block = block.clocks.block(),
                     .bytes = 0,
                     .atomic = access == Access::atomic};
    Shadow* shadow = &block.shadow;
    if (!attempt.shared) {
        Buffer* const buffer = global_.find(address);
        if (!buffer && is_of_program(address)) return "";
        if (!buffer) return str(attempted(attempt), ": the address belongs to no buffer of the device");
        shadow = buffer->shadow.get();
        if (!block.waited[thread])
            return str(attempted(attempt), where(attempt),
                       ", before wait_for_previous_kernel(): the kernel before may still be running");
    }
    if (!allowed(*shadow, attempt)) return forbidden(*shadow, attempt);
    if ((access == Access::read || access == Access::atomic) && !early_read_ &&
        !all_are(shadow->states(address), bytes, ByteState::written))
        early_read_ = attempt;
    const char* const end = attempt.address + bytes;
    for (const char* c = attempt.address; c < end;) {
        const bool odd = shadow->offset(c) % 2 != 0, last = c + 1 == end;
        Touch touch = attempt.touch;
        touch.bytes = odd ? 2 : last ? 1 : 3;
        Cell& cell = shadow->cell(c);
        if (const Touch* other = rival(cell, attempt, touch)) return conflict(attempt, *other, other == &cell.write);
        if (access == Access::read) {
            remember_read(cell, touch, attempt);
        } else {
            if (touch.bytes == 3) cell.reads[0] = cell.reads[1] = {};
            cell.write = touch;
        }
        c += touch.bytes == 3 ? 2 : 1;
    }
    if (access == Access::atomic) pass_news(block, thread, address);
    if (access == Access::copy_begun) shadow->set(address, bytes, ByteState::copying);
    if (access == Access::copy_done || access == Access::write) shadow->set(address, bytes, ByteState::written);
    return "";
}

std::optional<Checker::EarlyRead> Checker::end_block(const BlockRecord& block) const
{
    if (!early_read_ || !early_read_->shared || early_read_->block != &block) return {};
    return early_read();
}

std::optional<Checker::EarlyRead> Checker::end_launch() const
{
    if (!early_read_) return {};
    return early_read();
}

Checker::EarlyRead Checker::early_read() const
{
    return {block_index(early_read_->touch),
            str(attempted(*early_read_), where(*early_read_), ": nothing has been written there")};
}

Dim3 Checker::block_index(const Touch& touch) const
{
    return unflatten(touch.block - first_block_, grid_.blocks);
}

Board& Checker::board_of(BlockRecord& block, const void* object)
{
    return block.shadow.covers(object) ? block.board : board_;
}

void Checker::release(BlockRecord& block, std::size_t thread, const void* object)
{
    add(board_of(block, object)[object], block.clocks.tell(thread));
}

void Checker::acquire(BlockRecord& block, std::size_t thread, const void* object)
{
    const Board& board = board_of(block, object);
    if (const auto found = board.find(object); found != board.end()) block.clocks.learn(thread, found->second);
}

void Checker::fence(BlockRecord& block, std::size_t thread)
{
    block.clocks.learn(thread, std::exchange(block.heard[thread], {}));
    block.fenced[thread] = block.clocks.tell(thread);
}

/// An atomic operation: the thread hears what was told at the variable, and tells what it had done before its fence.
void Checker::pass_news(BlockRecord& block, std::size_t thread, const void* variable)
{
    Board& board = board_of(block, variable);
    if (const auto found = board.find(variable); found != board.end()) add(block.heard[thread], found->second);
    if (!block.fenced[thread].empty()) add(board[variable], block.fenced[thread]);
}

/// Whether the state of the bytes permits the access.
bool Checker::allowed(const Shadow& shadow, const Attempt& attempt) const
{
    if (attempt.access == Access::copy_done) return true;
    const ByteState* const states = shadow.states(attempt.address);
    if (all_are(states, attempt.bytes, ByteState::written)) return true;
    for (std::size_t i = 0; i < attempt.bytes; ++i)
        if (states[i] != ByteState::written && states[i] != ByteState::unwritten) return false;
    return true;
}

/// The earlier access to the granule that may not go with this one; null if there is none.
const Touch* Checker::rival(const Cell& cell, const Attempt& attempt, const Touch& touch) const
{
    if (attempt.access == Access::copy_done) return nullptr;
    const auto collides = [&](const Touch& other) {
        return (other.bytes & touch.bytes) != 0 && !(other.atomic && touch.atomic) && unordered(other, touch, attempt);
    };
    if (collides(cell.write)) return &cell.write;
    if (attempt.access == Access::read) return nullptr;
    for (const Touch& read : cell.reads)
        if (collides(read)) return &read;
    return nullptr;
}

/// Whether the thread of `touch` does not know of the earlier access. Other blocks, and other launches, left nothing in
/// shared memory.
bool Checker::unordered(const Touch& earlier, const Touch& touch, const Attempt& attempt) const
{
    const ThreadClocks& clocks = attempt.block->clocks;
    if (earlier.block == touch.block) return !clocks.knows(touch.thread, earlier.thread, earlier.step);
    if (attempt.shared || earlier.block < first_block_) return false;
    return !clocks.knows(touch.thread, earlier.block, earlier.thread, earlier.step);
}

/// Keeps readers of different warps, since those of one are likelier to be ordered.
void Checker::remember_read(Cell& cell, const Touch& touch, const Attempt& attempt) const
{
    const auto same_warp = [](const Touch& a, const Touch& b) {
        return a.block == b.block && a.thread / 32 == b.thread / 32;
    };
    for (Touch& read : cell.reads) {
        if (unordered(read, touch, attempt)) continue;
        const bool again = read.block == touch.block && read.thread == touch.thread && read.step == touch.step;
        const unsigned bytes = again ? read.bytes : 0;
        read = touch;
        read.bytes |= bytes;
        return;
    }
    cell.reads[same_warp(cell.reads[0], touch) && !same_warp(cell.reads[1], touch) ? 0 : 1] = touch;
}

/// Why the state of the bytes does not permit the access.
std::string Checker::forbidden(const Shadow& shadow, const Attempt& attempt) const
{
    std::size_t i = 0;
    const ByteState* const states = shadow.states(attempt.address);
    while (states[i] == ByteState::written || states[i] == ByteState::unwritten) ++i;
    std::string why = "that is outside";
    if (states[i] == ByteState::freed) why = "the buffer has been freed";
    if (states[i] == ByteState::copying) {
        const Touch& copy = shadow.cell(attempt.address + i).write;
        why = str("thread ", copy.thread, " has begun an asynchronous copy to there at ", text_of(copy.place),
                  ", and no thread has waited for it");
    }
    return str(attempted(attempt), where(attempt), ": ", why);
}

std::string Checker::conflict(const Attempt& attempt, const Touch& other, bool other_wrote) const
{
    std::string who = str("thread ", other.thread);
    if (other.block != attempt.touch.block) who += str(" of block ", text(block_index(other)));
    return str(attempted(attempt), where(attempt), ": ", who, other_wrote ? " has written" : " has read", " there at ",
               text_of(other.place),
               other.block == attempt.touch.block ? ", and no barrier orders the two"
                                                  : ", and nothing orders the two blocks");
}

std::string Checker::attempted(const Attempt& attempt) const
{
    return str("thread ", attempt.touch.thread, " ", verb(attempt.access), " ", attempt.bytes, " bytes at ",
               text_of(attempt.touch.place));
}

/// The object that the bytes belong to, or lie behind.
std::string Checker::where(const Attempt& attempt) const
{
    if (attempt.shared) return ", " + attempt.block->shared.describe(attempt.address);
    const Buffer& buffer = *global_.find(attempt.address);
    return str(", byte ", attempt.address - buffer.data, " of a buffer of ", buffer.bytes, " bytes");
}

} // namespace bifrons::kernels::sim
