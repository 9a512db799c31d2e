// tests/emulator/run_grid.h - runs a launch: blocks, warps and the groups of a warp's lanes that have parted, in an
// order that chance decides.
#pragma once

#include "tests/emulator/warp.h"

namespace bifrons::emulator {

/// Throws Fault, whose text names kernel, block, lane and instruction.
void run_grid(const Grid& grid);

} // namespace bifrons::emulator
