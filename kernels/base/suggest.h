// kernels/base/suggest.h - "did you mean ...?" for mistyped names.
#pragma once

#include <string>
#include <vector>

namespace bifrons {

/// `; did you mean "learning_rate"?` for the word with the fewest single-letter edits from `typed`, if these are at
/// most a third of its letters, rounded (at least one edit is allowed), else "".
std::string did_you_mean(const std::string& typed, const std::vector<std::string>& words);

} // namespace bifrons
