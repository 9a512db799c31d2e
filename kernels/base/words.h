// kernels/base/words.h - lists of words, as people write and read them.
#pragma once

#include <string>
#include <vector>

namespace bifrons {

/// The texts between commas, empty ones too. Of an empty text: none.
std::vector<std::string> split(const std::string& list);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words);

/// "a, b or c"
std::string alternatives(const std::vector<std::string>& words);

} // namespace bifrons
