// tests/emulator/fatbinary.h - the PTX in what nvcc embeds in a program.
#pragma once

#include <string>

namespace bifrons::emulator {

/// The text of the first PTX entry of the fat binary behind what __cudaRegisterFatBinary() is given. Empty if there is
/// none, or if it is compressed (nvcc --no-compress leaves it as it is).
std::string ptx_of(const void* wrapper);

/// The architecture in its ".target", as in 90; 0 if the text is empty.
int target_of(const std::string& ptx);

} // namespace bifrons::emulator
