// tools/run.h - a command line, run.
#pragma once

namespace bifrons::tools {

/// Runs the command that the arguments name and returns the exit code. Every error ends here as one sentence.
int run(int argc, const char* const* argv);

} // namespace bifrons::tools
