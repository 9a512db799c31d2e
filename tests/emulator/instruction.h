// tests/emulator/instruction.h - PTX as the emulator runs it: registers of a warp in rows of 32 lanes, and instructions
// that are a function and the places of their operands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <driver_types.h>

namespace bifrons::emulator {

using Lanes = std::uint32_t; ///< a set of lanes of a warp, bit l for lane l

constexpr int kWarpSize = 32;

class Warp;

/// What a GPU would stop with; ends the launch.
class Fault : public std::runtime_error {
  public:
    Fault(cudaError_t gives, const std::string& what) : std::runtime_error(what), status(gives) {}
    cudaError_t status;
};

/// What the grid runner has to do with an instruction beyond calling `run` for a group of lanes.
enum class Kind : std::uint8_t {
    plain,
    branch,
    end, ///< of the thread
    block_barrier,
    collective, ///< waits for the lanes of operand `members`, or for all
};

struct Instruction {
    using Run = void (*)(Warp&, const Instruction&, Lanes);
    static constexpr std::uint32_t kNone = ~std::uint32_t(0);

    Run run = nullptr;
    Kind kind = Kind::plain;
    bool guard_negated = false;
    bool wide_address = true;        ///< the base of the address is a 64-bit register
    std::uint32_t guard = kNone;     ///< predicate register
    std::uint32_t members = kNone;   ///< of a collective
    std::uint32_t target = 0;        ///< of a branch: index of an instruction
    std::int32_t offset = 0;         ///< of the address
    std::int32_t choice = 0;         ///< what the modifiers say: rounding, permutation, bytes
    std::uint32_t operands[14] = {}; ///< places of registers and constants, in the order of the text
    std::uint32_t text = 0;          ///< index in Kernel::texts
};

struct Parameter {
    std::size_t offset, bytes;
};

struct Kernel {
    std::string name; ///< mangled
    std::vector<Parameter> parameters;
    std::size_t parameter_bytes = 0;
    std::size_t shared_bytes = 0; ///< static
    std::size_t local_bytes = 0;  ///< of a thread
    unsigned max_threads = 1024;
    std::vector<Instruction> code;
    std::vector<std::string> texts; ///< of the instructions, for reports
    /// A warp's registers as it begins: constants are in place, the rest is poison.
    std::vector<std::byte> registers;
    /// Where the special registers lie (kNone: not used).
    std::uint32_t tid[3], ntid[3], ctaid[3], nctaid[3], laneid;
};

/// Dynamic shared memory begins here in the block's shared memory, static at 0.
constexpr std::uint32_t kDynamicShared = 1 << 16;
/// Generic addresses of shared and local memory: these and the address inside.
constexpr std::uint64_t kSharedWindow = std::uint64_t(1) << 60, kLocalWindow = std::uint64_t(2) << 60;

} // namespace bifrons::emulator
