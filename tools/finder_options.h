// tools/finder_options.h - the options that select the faces of the footage; extract, merge and eval share them.
#pragma once

#include "data/extract/extract.h"
#include "tools/console.h"

#include <functional>

namespace CLI {
class App;
} // namespace CLI

namespace bifrons::tools {

/// Declares them; what it returns reads their values once the command line is parsed, and says what
/// --detector auto and --landmarks auto chose.
std::function<data::FinderOptions(Console&)> finder_options(CLI::App& app);

} // namespace bifrons::tools
