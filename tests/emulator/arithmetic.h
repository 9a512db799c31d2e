// tests/emulator/arithmetic.h - the instructions of PTX that only compute: registers in, one register out, each lane by
// itself. PTX ISA 9: integer, logic and shift, floating point, comparison, data movement and conversion instructions.
#pragma once

#include "tests/emulator/instruction.h"

#include <string>
#include <vector>

namespace bifrons::emulator {

struct Arithmetic {
    Instruction::Run run;       ///< operands[0] is written, the others are read
    std::vector<int> row_bytes; ///< of the operands: 4, or 8 for 64-bit registers
};

/// nullptr if there is none of this name ("add.s32").
const Arithmetic* find_arithmetic(const std::string& opcode);

} // namespace bifrons::emulator
