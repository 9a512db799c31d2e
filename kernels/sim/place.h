// kernels/sim/place.h - places in a kernel's source as numbers, which the checker keeps by the million.
#pragma once

#include "kernels/sim/site.h"

#include <cstdint>
#include <string>

namespace bifrons::kernels::sim {

using SourcePlace = std::uint32_t;

/// Whether the address is that of a variable, constant or function of this program.
bool is_of_program(const void* address);

/// Of an instruction of this program.
SourcePlace place_of(const void* instruction);
/// Of an instruction's wrapper.
SourcePlace place_of(const Site& site);
/// "kernels/a.cu:12", and after it where that was inlined; asks addr2line for the place of an instruction.
std::string text_of(SourcePlace place);

} // namespace bifrons::kernels::sim
