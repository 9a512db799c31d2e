#include "tests/emulator/operations.h"

#include "tests/emulator/arithmetic.h"
#include "tests/emulator/matrix.h"
#include "tests/emulator/warp.h"

#include "kernels/base/error.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <map>

namespace bifrons::emulator {

namespace {

using Text = std::string;
using Texts = std::vector<std::string>;

bool has(const Texts& texts, std::string_view word)
{
    return std::find(texts.begin(), texts.end(), word) != texts.end();
}

template <class Body>
void for_each_lane(Lanes lanes, const Body& body)
{
    for (; lanes != 0; lanes &= lanes - 1) body(std::countr_zero(lanes));
}

/// "{a, b}" -> {"a", "b"}; "a" -> {"a"}
Texts elements(const Text& argument)
{
    if (argument.front() != '{') return {argument};
    Texts result;
    std::size_t at = 1;
    while (at < argument.size()) {
        const std::size_t end = argument.find_first_of(",}", at);
        Text one = argument.substr(at, end - at);
        one.erase(0, one.find_first_not_of(" \t\n"));
        one.erase(one.find_last_not_of(" \t\n") + 1);
        result.push_back(one);
        at = end + 1;
    }
    return result;
}

// ---- memory: operands[0] is the address, then come the registers ----

template <class T>
using Accessed __attribute__((may_alias)) = T;

template <class T, Space space, class Row>
void load(Warp& warp, const Instruction& i, Lanes lanes)
{
    const std::size_t bytes = sizeof(T) * std::size_t(i.choice);
    Row* const first = warp.row<Row>(i.operands[1]);
    for_each_lane(lanes, [&](int lane) {
        const std::byte* from = warp.memory<space>(warp.address(i, i.operands[0], lane), bytes, lane);
        T value;
        std::memcpy(&value, from, sizeof(T));
        first[lane] = Row(value);
        for (int n = 1; n < i.choice; ++n) {
            std::memcpy(&value, from + n * sizeof(T), sizeof(T));
            warp.row<Row>(i.operands[n + 1])[lane] = Row(value);
        }
    });
}

template <class T, Space space, class Row>
void store(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        std::byte* to = warp.memory<space>(warp.address(i, i.operands[0], lane), sizeof(T) * i.choice, lane);
        for (int n = 0; n < i.choice; ++n) {
            const T value = T(warp.row<Row>(i.operands[n + 1])[lane]);
            std::memcpy(to + n * sizeof(T), &value, sizeof(T));
        }
    });
}

template <class T, Space space>
Instruction::Run access_function(bool is_load, bool wide)
{
    if constexpr (sizeof(T) == 8) {
        return is_load ? load<T, space, std::uint64_t> : store<T, space, std::uint64_t>;
    } else {
        if (is_load) return wide ? load<T, space, std::uint64_t> : load<T, space, std::uint32_t>;
        return wide ? store<T, space, std::uint64_t> : store<T, space, std::uint32_t>;
    }
}

template <class T>
Instruction::Run access_function(Space space, bool is_load, bool wide)
{
    switch (space) {
    case Space::global:
        return access_function<T, Space::global>(is_load, wide);
    case Space::shared:
        return access_function<T, Space::shared>(is_load, wide);
    case Space::local:
        return access_function<T, Space::local>(is_load, wide);
    case Space::generic:
        return access_function<T, Space::generic>(is_load, wide);
    case Space::parameter:
        return access_function<T, Space::parameter>(is_load, wide);
    }
    return nullptr;
}

Space space_of(const Texts& opcode)
{
    for (const Text& word : opcode) {
        if (word == "global") return Space::global;
        if (word.starts_with("shared")) return Space::shared;
        if (word == "local") return Space::local;
        if (word == "param") return Space::parameter;
    }
    return Space::generic;
}

Instruction::Run access_function(const Text& type, Space space, bool is_load, bool wide)
{
    if (type == "s8") return access_function<std::int8_t>(space, is_load, wide);
    if (type == "s16") return access_function<std::int16_t>(space, is_load, wide);
    if (type == "s32") return access_function<std::int32_t>(space, is_load, wide);
    const Text bits = type.substr(1);
    if (bits == "8") return access_function<std::uint8_t>(space, is_load, wide);
    if (bits == "16") return access_function<std::uint16_t>(space, is_load, wide);
    if (bits == "32") return access_function<std::uint32_t>(space, is_load, wide);
    if (bits == "64") return access_function<std::uint64_t>(space, is_load, wide);
    throw std::runtime_error("no type " + type);
}

Instruction memory_access(const Texts& opcode, const Texts& arguments, Names& names)
{
    const bool is_load = opcode[0] == "ld";
    if (has(opcode, "nc")) throw std::runtime_error("griddepcontrol.wait does not order it (kernels/ptx/fence.h)");
    const Text& address = arguments[is_load ? 1 : 0];
    const Texts registers = elements(arguments[is_load ? 0 : 1]);
    const bool eight = opcode.back().substr(1) == "64";
    if (const Text variable = names.call_variable(address); !variable.empty()) { // an argument or result of a call
        return translate({"mov", "b" + opcode.back().substr(1)},
                         is_load ? Texts{registers[0], variable} : Texts{variable, registers[0]}, names);
    }
    Instruction i;
    i.operands[0] = names.address(address, i);
    i.choice = int(registers.size());
    const bool wide = eight || names.is_wide(registers[0]);
    for (std::size_t n = 0; n < registers.size(); ++n) i.operands[n + 1] = names.row(registers[n], wide ? 8 : 4);
    i.run = access_function(opcode.back(), space_of(opcode), is_load, wide);
    return i;
}

// ---- atomic operations: operands are result, address, value, second value ----

enum class Atomic { add, minimum, maximum, bit_and, bit_or, bit_xor, exchange, compare_and_swap };

template <class T>
T changed(Atomic operation, T old, T value, T second)
{
    switch (operation) {
    case Atomic::add:
        return T(old + value);
    case Atomic::minimum:
        return std::min(old, value);
    case Atomic::maximum:
        return std::max(old, value);
    case Atomic::bit_and:
        return T(std::uint64_t(old) & std::uint64_t(value));
    case Atomic::bit_or:
        return T(std::uint64_t(old) | std::uint64_t(value));
    case Atomic::bit_xor:
        return T(std::uint64_t(old) ^ std::uint64_t(value));
    case Atomic::exchange:
        return value;
    case Atomic::compare_and_swap:
        return old == value ? second : old;
    }
    return old;
}

template <class T, Space space>
void atomic(Warp& warp, const Instruction& i, Lanes lanes)
{
    using Row = Accessed<T>;
    for_each_lane(lanes, [&](int lane) {
        std::byte* at = warp.memory<space>(warp.address(i, i.operands[1], lane), sizeof(T), lane);
        T old;
        std::memcpy(&old, at, sizeof(T));
        const auto operand = [&](int k) {
            return i.operands[k] == Instruction::kNone ? T(0) : T(warp.row<Row>(i.operands[k])[lane]);
        };
        const T now = changed(Atomic(i.choice), old, operand(2), operand(3));
        std::memcpy(at, &now, sizeof(T));
        if (i.operands[0] != Instruction::kNone) warp.row<Row>(i.operands[0])[lane] = old;
    });
}

template <class T>
Instruction::Run atomic_function(Space space)
{
    if (space == Space::global) return atomic<T, Space::global>;
    if (space == Space::shared) return atomic<T, Space::shared>;
    return atomic<T, Space::generic>;
}

Instruction atomic_access(const Texts& opcode, Texts arguments, Names& names)
{
    static const std::map<Text, Atomic> operations = {{"add", Atomic::add},       {"min", Atomic::minimum},
                                                      {"max", Atomic::maximum},   {"and", Atomic::bit_and},
                                                      {"or", Atomic::bit_or},     {"xor", Atomic::bit_xor},
                                                      {"exch", Atomic::exchange}, {"cas", Atomic::compare_and_swap}};
    Instruction i{.choice = -1};
    for (const Text& word : opcode)
        if (const auto found = operations.find(word); found != operations.end()) i.choice = int(found->second);
    if (i.choice < 0) throw std::runtime_error("not emulated");
    const Text& type = opcode.back();
    const int bytes = type.substr(1) == "64" ? 8 : 4;
    if (opcode[0] == "red") arguments.insert(arguments.begin(), "_");
    i.operands[0] = arguments[0] == "_" ? Instruction::kNone : names.row(arguments[0], bytes);
    i.operands[1] = names.address(arguments[1], i);
    i.operands[2] = names.row(arguments[2], bytes);
    i.operands[3] = arguments.size() > 3 ? names.row(arguments[3], bytes) : Instruction::kNone;
    const Space space = space_of(opcode);
    if (type == "s32") i.run = atomic_function<std::int32_t>(space);
    if (type == "u32" || type == "b32") i.run = atomic_function<std::uint32_t>(space);
    if (type == "u64" || type == "b64") i.run = atomic_function<std::uint64_t>(space);
    if (type == "f32") i.run = atomic_function<float>(space);
    if (type == "f64") i.run = atomic_function<double>(space);
    if (!i.run) throw std::runtime_error("not emulated");
    return i;
}

// ---- asynchronous copies ----

void begin_copy(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const unsigned bytes = unsigned(i.choice), read = warp.words(i.operands[2])[lane];
        if (read != 0 && read != bytes) throw Fault(cudaErrorLaunchFailure, "cp.async of a part: not emulated");
        const auto shared = std::uint32_t(warp.address(i, i.operands[0], lane));
        const std::uint64_t global = warp.row<std::uint64_t>(i.operands[1])[lane];
        warp.memory<Space::shared>(shared, bytes, lane); // addresses are judged now
        if (read != 0) warp.memory<Space::global>(global, bytes, lane);
        warp.open_copies[lane].push_back({shared, global, bytes, read == 0});
    });
}

void commit_copies(Warp& warp, const Instruction&, Lanes lanes)
{
    warp.commit_copies(lanes);
}

void wait_for_copies(Warp& warp, const Instruction& i, Lanes lanes)
{
    warp.finish_copies(lanes, unsigned(i.choice));
}

void arrive(Block& block, std::uint32_t barrier)
{
    Mbarrier& at = block.mbarrier_at(barrier);
    if (at.missing == 0)
        throw Fault(cudaErrorLaunchFailure, "more arrivals at an mbarrier than it was initialised with");
    --at.missing;
    Block::settle(at);
}

void mbarrier_init(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const auto at = std::uint32_t(warp.address(i, i.operands[0], lane));
        const unsigned arrivals = warp.words(i.operands[1])[lane];
        warp.memory<Space::shared>(at, 8, lane);
        warp.block.mbarriers[at] = {.arrivals = arrivals, .missing = arrivals};
    });
}

void mbarrier_arrive(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) { arrive(warp.block, std::uint32_t(warp.address(i, i.operands[1], lane))); });
}

void mbarrier_expect(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        warp.block.mbarrier_at(std::uint32_t(warp.address(i, i.operands[0], lane))).missing_bytes +=
            warp.words(i.operands[1])[lane];
    });
}

void mbarrier_test(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const Mbarrier& at = warp.block.mbarrier_at(std::uint32_t(warp.address(i, i.operands[1], lane)));
        warp.words(i.operands[0])[lane] = (at.phase & 1) != (warp.words(i.operands[2])[lane] & 1);
    });
}

void arrive_after_copies(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        warp.finish_all_copies(lane);
        arrive(warp.block, std::uint32_t(warp.address(i, i.operands[0], lane)));
    });
}

void bulk_copy(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const auto shared = std::uint32_t(warp.address(i, i.operands[0], lane));
        const std::uint64_t global = warp.row<std::uint64_t>(i.operands[1])[lane];
        const unsigned bytes = warp.words(i.operands[2])[lane];
        if (bytes % 16 != 0) throw Fault(cudaErrorLaunchFailure, str("a bulk copy of ", bytes, " bytes"));
        for (unsigned at = 0; at < bytes; at += 16)
            std::memcpy(warp.memory<Space::shared>(shared + at, 16, lane),
                        warp.memory<Space::global>(global + at, 16, lane), 16);
        Mbarrier& barrier = warp.block.mbarrier_at(warp.words(i.operands[3])[lane]);
        barrier.missing_bytes -= bytes;
        Block::settle(barrier);
    });
}

Instruction asynchronous_copy(const Texts& opcode, const Texts& arguments, Names& names)
{
    Instruction i;
    if (has(opcode, "commit_group")) {
        i.run = commit_copies;
    } else if (has(opcode, "wait_group")) {
        i.run = wait_for_copies, i.choice = std::stoi(arguments[0]);
    } else if (has(opcode, "wait_all")) {
        throw std::runtime_error("cp.async.wait_all: not emulated");
    } else if (has(opcode, "mbarrier") && has(opcode, "noinc")) {
        i.run = arrive_after_copies, i.operands[0] = names.address(arguments[0], i);
    } else if (has(opcode, "mbarrier")) {
        throw std::runtime_error("cp.async.mbarrier.arrive without .noinc: not emulated");
    } else if (has(opcode, "bulk")) {
        Instruction unused;
        i.run = bulk_copy;
        i.operands[0] = names.address(arguments[0], i);
        i.operands[1] = names.address(arguments[1], unused);
        i.operands[2] = names.row(arguments[2], 4);
        i.operands[3] = names.address(arguments[3], unused);
        if (unused.offset != 0) throw std::runtime_error("a bulk copy with offsets: not emulated");
    } else {
        Instruction unused;
        i.run = begin_copy, i.choice = std::stoi(arguments[2]);
        i.operands[0] = names.address(arguments[0], i);
        i.operands[1] = names.address(arguments[1], unused);
        i.operands[2] = names.row(arguments.size() > 3 ? arguments[3] : arguments[2], 4);
        if (unused.offset != 0) throw std::runtime_error("cp.async from [register+offset]: not emulated");
    }
    return i;
}

Instruction mbarrier_operation(const Texts& opcode, const Texts& arguments, Names& names)
{
    Instruction i;
    if (opcode[1] == "init" || opcode[1] == "expect_tx") {
        i.run = opcode[1] == "init" ? mbarrier_init : mbarrier_expect;
        i.operands[0] = names.address(arguments[0], i);
        i.operands[1] = names.row(arguments[1], 4);
    } else if (opcode[1] == "arrive" && opcode.size() == 4 && arguments.size() == 2) {
        i.run = mbarrier_arrive;
        i.operands[1] = names.address(arguments[1], i); // the state that it returns is not looked at
    } else if (has(opcode, "parity")) {
        i.run = mbarrier_test;
        i.operands[0] = names.row(arguments[0], 4);
        i.operands[1] = names.address(arguments[1], i);
        i.operands[2] = names.row(arguments[2], 4);
    } else {
        throw std::runtime_error("not emulated");
    }
    return i;
}

// ---- what a warp does together ----

enum class Shuffle { up, down, butterfly, index };

/// PTX ISA, shfl.sync. operands: result, in-range predicate, value, b, c.
template <Shuffle way>
void shuffle(Warp& warp, const Instruction& i, Lanes lanes)
{
    std::uint32_t values[kWarpSize];
    std::copy_n(warp.words(i.operands[2]), kWarpSize, values);
    for_each_lane(lanes, [&](int lane) {
        const unsigned b = warp.words(i.operands[3])[lane] & 31, c = warp.words(i.operands[4])[lane];
        const unsigned clamp = c & 31, segment = c >> 8 & 31;
        const int last = int((unsigned(lane) & segment) | (clamp & ~segment)), first = int(unsigned(lane) & segment);
        int from = lane;
        if (way == Shuffle::up) from = lane - int(b);
        if (way == Shuffle::down) from = lane + int(b);
        if (way == Shuffle::butterfly) from = lane ^ int(b);
        if (way == Shuffle::index) from = first | int(b & ~segment);
        const bool in_range = way == Shuffle::up ? from >= last : from <= last;
        if (!in_range) from = lane;
        if (!(lanes >> from & 1))
            throw Fault(cudaErrorLaunchFailure,
                        str("shfl: lane ", lane, " reads lane ", from, ", which takes no part"));
        warp.words(i.operands[0])[lane] = values[from];
        if (i.operands[1] != Instruction::kNone) warp.words(i.operands[1])[lane] = in_range;
    });
}

enum class Vote { any, all, ballot };

template <Vote kind>
void vote(Warp& warp, const Instruction& i, Lanes lanes)
{
    Lanes yes = 0;
    for_each_lane(lanes, [&](int lane) { yes |= Lanes(warp.words(i.operands[1])[lane] & 1) << lane; });
    const std::uint32_t result = kind == Vote::ballot ? yes : kind == Vote::any ? yes != 0 : yes == lanes;
    for_each_lane(lanes, [&](int lane) { warp.words(i.operands[0])[lane] = result; });
}

template <class T>
void reduce(Warp& warp, const Instruction& i, Lanes lanes)
{
    const auto values = warp.row<Accessed<T>>(i.operands[1]);
    bool first = true;
    T sum = 0;
    for_each_lane(lanes, [&](int lane) {
        sum = first ? T(values[lane]) : changed<T>(Atomic(i.choice), sum, values[lane], 0);
        first = false;
    });
    for_each_lane(lanes, [&](int lane) { warp.row<Accessed<T>>(i.operands[0])[lane] = sum; });
}

void whole_warp_only(Lanes lanes)
{
    if (lanes != ~Lanes(0)) throw Fault(cudaErrorLaunchFailure, "a matrix instruction without all 32 lanes");
}

/// operands: address, registers. PTX ISA, ldmatrix: lane 8 m + r names row r of matrix m.
template <bool transposed>
void load_matrices(Warp& warp, const Instruction& i, Lanes lanes)
{
    whole_warp_only(lanes);
    for (int m = 0; m < i.choice; ++m) {
        std::uint16_t matrix[8][8];
        for (int r = 0; r < 8; ++r)
            std::memcpy(
                matrix[r],
                warp.memory<Space::shared>(std::uint32_t(warp.address(i, i.operands[0], 8 * m + r)), 16, 8 * m + r),
                16);
        for (int lane = 0; lane < kWarpSize; ++lane) {
            const int r = lane / 4, c = lane % 4 * 2;
            const unsigned low = transposed ? matrix[c][r] : matrix[r][c];
            const unsigned high = transposed ? matrix[c + 1][r] : matrix[r][c + 1];
            warp.words(i.operands[m + 1])[lane] = low | high << 16;
        }
    }
}

void store_matrices(Warp& warp, const Instruction& i, Lanes lanes)
{
    whole_warp_only(lanes);
    for (int m = 0; m < i.choice; ++m)
        for (int r = 0; r < 8; ++r) {
            std::uint32_t row[4];
            for (int c = 0; c < 4; ++c) row[c] = warp.words(i.operands[m + 1])[4 * r + c];
            std::memcpy(
                warp.memory<Space::shared>(std::uint32_t(warp.address(i, i.operands[0], 8 * m + r)), 16, 8 * m + r),
                row, 16);
        }
}

float bf16_half(std::uint32_t word, int half)
{
    return std::bit_cast<float>(half ? word & 0xffff0000u : word << 16);
}

float tf32(std::uint32_t word)
{
    return std::bit_cast<float>(word & 0xffffe000u); // the tensor core does not see the last 13 bits
}

constexpr int kMmaRows = 16, kMmaColumns = 8;

/// d = a b + c from matrices that were gathered from the lanes. operands: 4 of d, 4 of a, 2 of b, 4 of c.
template <int depth>
void multiply(Warp& warp, const Instruction& i, const float (&a)[kMmaRows][depth], const float (&b)[kMmaColumns][depth])
{
    for (int lane = 0; lane < kWarpSize; ++lane)
        for (int r = 0; r < 4; ++r) {
            const int row = lane / 4 + r / 2 * 8, column = lane % 4 * 2 + r % 2;
            const float c = warp.row<Accessed<float>>(i.operands[10 + r])[lane];
            warp.row<Accessed<float>>(i.operands[r])[lane] = tensor_core_sum(c, a[row], b[column], depth);
        }
}

/// PTX ISA, fragments of mma.m16n8k16 with .bf16: element e of A lies in row g + 8 (e / 2 % 2), column 2 t + e % 2 + 8
/// (e / 4), element e of B in row 2 t + e % 2 + 8 (e / 2), column g.
void mma_bf16(Warp& warp, const Instruction& i, Lanes lanes)
{
    whole_warp_only(lanes);
    float a[kMmaRows][16], b[kMmaColumns][16];
    for (int lane = 0; lane < kWarpSize; ++lane) {
        const int g = lane / 4, t = lane % 4;
        for (int e = 0; e < 8; ++e)
            a[g + 8 * (e / 2 % 2)][2 * t + e % 2 + 8 * (e / 4)] =
                bf16_half(warp.words(i.operands[4 + e / 2])[lane], e % 2);
        for (int e = 0; e < 4; ++e)
            b[g][2 * t + e % 2 + 8 * (e / 2)] = bf16_half(warp.words(i.operands[8 + e / 2])[lane], e % 2);
    }
    multiply<16>(warp, i, a, b);
}

/// PTX ISA, fragments of mma.m16n8k8 with .tf32: element e of A lies in row g + 8 (e % 2), column t + 4 (e / 2),
/// element e of B in row t + 4 e, column g.
void mma_tf32(Warp& warp, const Instruction& i, Lanes lanes)
{
    whole_warp_only(lanes);
    float a[kMmaRows][8], b[kMmaColumns][8];
    for (int lane = 0; lane < kWarpSize; ++lane) {
        const int g = lane / 4, t = lane % 4;
        for (int e = 0; e < 4; ++e) a[g + 8 * (e % 2)][t + 4 * (e / 2)] = tf32(warp.words(i.operands[4 + e])[lane]);
        for (int e = 0; e < 2; ++e) b[g][t + 4 * e] = tf32(warp.words(i.operands[8 + e])[lane]);
    }
    multiply<8>(warp, i, a, b);
}

Instruction matrix_product(const Texts& opcode, const Texts& arguments, Names& names)
{
    Instruction i{.kind = Kind::collective};
    int at = 0;
    for (const Text& argument : arguments)
        for (const Text& reg : elements(argument)) i.operands[at++] = names.row(reg, 4);
    if (has(opcode, "m16n8k16") && has(opcode, "bf16")) i.run = mma_bf16;
    if (has(opcode, "m16n8k8") && has(opcode, "tf32")) i.run = mma_tf32;
    if (!i.run || at != 14) throw std::runtime_error("not emulated");
    return i;
}

Instruction matrix_move(const Texts& opcode, const Texts& arguments, Names& names)
{
    Instruction i{.kind = Kind::collective};
    const bool is_load = opcode[0] == "ldmatrix";
    const Texts registers = elements(arguments[is_load ? 0 : 1]);
    i.operands[0] = names.address(arguments[is_load ? 1 : 0], i);
    i.choice = int(registers.size());
    for (std::size_t n = 0; n < registers.size(); ++n) i.operands[n + 1] = names.row(registers[n], 4);
    if (!is_load && has(opcode, "trans")) throw std::runtime_error("not emulated");
    i.run = !is_load ? store_matrices : has(opcode, "trans") ? load_matrices<true> : load_matrices<false>;
    return i;
}

Instruction shuffle_operation(const Texts& opcode, const Texts& arguments, Names& names)
{
    Instruction i{.kind = Kind::collective};
    const std::size_t bar = arguments[0].find('|');
    i.operands[0] = names.row(arguments[0].substr(0, bar), 4);
    i.operands[1] = bar == Text::npos ? Instruction::kNone : names.row(arguments[0].substr(bar + 1), 4);
    for (int k = 1; k <= 3; ++k) i.operands[k + 1] = names.row(arguments[std::size_t(k)], 4);
    i.members = names.row(arguments[4], 4);
    if (has(opcode, "up")) i.run = shuffle<Shuffle::up>;
    if (has(opcode, "down")) i.run = shuffle<Shuffle::down>;
    if (has(opcode, "bfly")) i.run = shuffle<Shuffle::butterfly>;
    if (has(opcode, "idx")) i.run = shuffle<Shuffle::index>;
    return i;
}

Instruction vote_operation(const Texts& opcode, const Texts& arguments, Names& names)
{
    Instruction i{.kind = Kind::collective};
    for (int k = 0; k < 2; ++k) i.operands[k] = names.row(arguments[std::size_t(k)], 4);
    i.members = names.row(arguments[2], 4);
    if (opcode[0] == "vote") {
        i.run = has(opcode, "ballot") ? vote<Vote::ballot> : has(opcode, "any") ? vote<Vote::any> : vote<Vote::all>;
        if (has(opcode, "uni")) throw std::runtime_error("not emulated");
        return i;
    }
    static const std::map<Text, Atomic> sums = {{"add", Atomic::add},     {"min", Atomic::minimum},
                                                {"max", Atomic::maximum}, {"and", Atomic::bit_and},
                                                {"or", Atomic::bit_or},   {"xor", Atomic::bit_xor}};
    i.choice = int(sums.at(opcode[2]));
    i.run = opcode.back() == "s32" ? reduce<std::int32_t> : reduce<std::uint32_t>;
    return i;
}

// ---- the rest ----

/// PTX ISA, prmt without a mode: byte n of the result is byte c[4 n + 2 : 4 n] of {b, a}; bit 4 n + 3 spreads its sign.
void permute(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const std::uint64_t bytes = warp.words(i.operands[1])[lane] | std::uint64_t(warp.words(i.operands[2])[lane])
                                                                          << 32;
        const std::uint32_t selection = warp.words(i.operands[3])[lane];
        std::uint32_t result = 0;
        for (int n = 0; n < 4; ++n) {
            const unsigned nibble = selection >> (4 * n) & 15;
            unsigned byte = unsigned(bytes >> (8 * (nibble & 7))) & 255;
            if (nibble & 8) byte = byte & 128 ? 255 : 0;
            result |= byte << (8 * n);
        }
        warp.words(i.operands[0])[lane] = result;
    });
}

/// bfind[.shiftamt].u32
template <bool shift_amount>
void find_leading_bit(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const std::uint32_t a = warp.words(i.operands[1])[lane];
        const int zeros = std::countl_zero(a);
        warp.words(i.operands[0])[lane] = a == 0 ? ~0u : unsigned(shift_amount ? zeros : 31 - zeros);
    });
}

/// operands: low half, high half, whole; choice is the bits of a half.
template <class Whole>
void split(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const std::uint64_t whole = warp.row<Accessed<Whole>>(i.operands[2])[lane];
        const std::uint64_t mask = (std::uint64_t(1) << i.choice) - 1;
        if (i.operands[0] != Instruction::kNone) warp.words(i.operands[0])[lane] = std::uint32_t(whole & mask);
        if (i.operands[1] != Instruction::kNone)
            warp.words(i.operands[1])[lane] = std::uint32_t(whole >> i.choice & mask);
    });
}

template <class Whole>
void join(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const std::uint64_t mask = (std::uint64_t(1) << i.choice) - 1;
        const std::uint64_t low = warp.words(i.operands[0])[lane] & mask, high = warp.words(i.operands[1])[lane] & mask;
        warp.row<Accessed<Whole>>(i.operands[2])[lane] = Whole(low | high << i.choice);
    });
}

/// mov.b64 {low, high}, whole  and  mov.b64 whole, {low, high}
Instruction move_halves(const Texts& opcode, const Texts& arguments, Names& names)
{
    const bool splits = arguments[0].front() == '{', wide = opcode.back() == "b64";
    const Texts halves = elements(arguments[splits ? 0 : 1]);
    if (halves.size() != 2 || (!wide && opcode.back() != "b32")) throw std::runtime_error("not emulated");
    Instruction i;
    i.choice = wide ? 32 : 16;
    for (int h = 0; h < 2; ++h)
        i.operands[h] = halves[std::size_t(h)] == "_" ? Instruction::kNone : names.row(halves[std::size_t(h)], 4);
    i.operands[2] = names.row(arguments[splits ? 1 : 0], wide ? 8 : 4);
    i.run = wide ? (splits ? split<std::uint64_t> : join<std::uint64_t>)
                 : (splits ? split<std::uint32_t> : join<std::uint32_t>);
    return i;
}

/// Into a window of generic addresses, or out of it.
template <std::uint64_t window, bool out>
void change_window(Warp& warp, const Instruction& i, Lanes lanes)
{
    for_each_lane(lanes, [&](int lane) {
        const std::uint64_t a = warp.row<std::uint64_t>(i.operands[1])[lane];
        warp.row<std::uint64_t>(i.operands[0])[lane] = out ? a - window : a + window;
    });
}

Instruction convert_address(const Texts& opcode, const Texts& arguments, Names& names)
{
    if (opcode.back() != "u64") throw std::runtime_error("not emulated");
    Instruction i;
    for (int k = 0; k < 2; ++k) i.operands[k] = names.row(arguments[std::size_t(k)], 8);
    const bool out = opcode[1] == "to";
    switch (space_of(opcode)) {
    case Space::shared:
        i.run = out ? change_window<kSharedWindow, true> : change_window<kSharedWindow, false>;
        break;
    case Space::local:
        i.run = out ? change_window<kLocalWindow, true> : change_window<kLocalWindow, false>;
        break;
    default:
        i.run = change_window<0, true>;
    }
    return i;
}

void nothing(Warp&, const Instruction&, Lanes) {}

void allow_global(Warp& warp, const Instruction&, Lanes lanes)
{
    warp.may_touch_global |= lanes;
}

void trap(Warp&, const Instruction&, Lanes)
{
    throw Fault(cudaErrorLaunchFailure, "trap");
}

Instruction barrier(const Texts& opcode, const Texts& arguments, Names& names)
{
    if (has(opcode, "warp")) return {.run = nothing, .kind = Kind::collective, .members = names.row(arguments[0], 4)};
    if (arguments.size() != 1 || arguments[0] != "0" || has(opcode, "red")) throw std::runtime_error("not emulated");
    return {.run = nothing, .kind = Kind::block_barrier};
}

Instruction arithmetic(const Texts& opcode, const Texts& arguments, Names& names)
{
    Text name = opcode[0];
    for (std::size_t k = 1; k < opcode.size(); ++k) name += "." + opcode[k];
    const Arithmetic* found = find_arithmetic(name);
    if (!found) throw std::runtime_error("not emulated");
    if (arguments.size() != found->row_bytes.size()) throw std::runtime_error("its operands are not what is emulated");
    Instruction i{.run = found->run};
    for (std::size_t k = 0; k < arguments.size(); ++k) {
        const bool takes_low_half =
            name.starts_with("cvt") && k == 1 && found->row_bytes[k] == 4 && names.is_wide(arguments[k]);
        i.operands[k] = takes_low_half ? names.low_half(arguments[k]) : names.row(arguments[k], found->row_bytes[k]);
    }
    return i;
}

Instruction three_words(Instruction::Run run, const Texts& arguments, Names& names)
{
    Instruction i{.run = run};
    for (std::size_t k = 0; k < arguments.size(); ++k) i.operands[k] = names.row(arguments[k], 4);
    return i;
}

} // namespace

Instruction translate(const Texts& opcode, const Texts& arguments, Names& names)
{
    const Text& family = opcode[0];
    if (family == "bra") {
        names.branch_to(arguments[0]);
        return {.kind = Kind::branch};
    }
    if (family == "ret" || family == "exit") return {.kind = Kind::end};
    if (family == "ld" || family == "st") return memory_access(opcode, arguments, names);
    if (family == "atom" || family == "red") return atomic_access(opcode, arguments, names);
    if (family == "cp") return asynchronous_copy(opcode, arguments, names);
    if (family == "mbarrier") return mbarrier_operation(opcode, arguments, names);
    if (family == "mma") return matrix_product(opcode, arguments, names);
    if (family == "ldmatrix" || family == "stmatrix") return matrix_move(opcode, arguments, names);
    if (family == "shfl") return shuffle_operation(opcode, arguments, names);
    if (family == "vote" || family == "redux") return vote_operation(opcode, arguments, names);
    if (family == "bar" || family == "barrier") return barrier(opcode, arguments, names);
    if (family == "prmt" && opcode.size() == 2) return three_words(permute, arguments, names);
    if (family == "bfind")
        return three_words(has(opcode, "shiftamt") ? find_leading_bit<true> : find_leading_bit<false>, arguments,
                           names);
    if (family == "cvta") return convert_address(opcode, arguments, names);
    if (family == "mov" && (arguments[0].front() == '{' || arguments[1].front() == '{'))
        return move_halves(opcode, arguments, names);
    if (family == "membar" || family == "fence" || family == "nanosleep") return {.run = nothing};
    if (family == "griddepcontrol") return {.run = opcode[1] == "wait" ? allow_global : nothing};
    if (family == "trap") return {.run = trap};
    return arithmetic(opcode, arguments, names);
}

} // namespace bifrons::emulator
