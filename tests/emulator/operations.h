// tests/emulator/operations.h - the instructions of PTX ISA that our kernels contain, each as a function over lanes.
#pragma once

#include "tests/emulator/instruction.h"

#include <string>
#include <string_view>
#include <vector>

namespace bifrons::emulator {

/// How operands are spelt in the text of a kernel, turned into places.
class Names {
  public:
    virtual ~Names() = default;
    /// The row of a register, or of a constant of this many bytes. `bytes` is 4 or 8; throws if the register has
    /// others.
    virtual std::uint32_t row(std::string_view operand, int bytes) = 0;
    /// Whether it is a 64-bit register.
    virtual bool is_wide(std::string_view operand) = 0;
    /// The row of the low 32 bits of a 64-bit register.
    virtual std::uint32_t low_half(std::string_view reg) = 0;
    /// Base and offset of "[base+offset]".
    virtual std::uint32_t address(std::string_view operand, Instruction& to) = 0;
    /// The name in "[name+0]" if it is a variable of a call, which is a register here; otherwise empty.
    virtual std::string call_variable(std::string_view operand) const = 0;
    /// Index of a kernel's instruction with this label, filled in when the kernel is complete.
    virtual void branch_to(std::string_view label) = 0;
};

/// `opcode` split at its dots, `arguments` at its commas. Throws std::runtime_error for what it does not know.
Instruction translate(const std::vector<std::string>& opcode, const std::vector<std::string>& arguments, Names& names);

} // namespace bifrons::emulator
