// tools/left_out.h - what a command says of files that it could not use.
#pragma once

#include "tools/console.h"

namespace bifrons::tools {

/// A warning for each, with the first ones by name and the others by number.
void warn_of_each(const std::string& what, const std::vector<std::string>& names, Console& console);

} // namespace bifrons::tools
