// tools/interrupt.h - Ctrl-C asks long work to stop at a good place; a second one stops at once.
#pragma once

#include "kernels/base/error.h"

namespace bifrons::tools {

/// From now on SIGINT and SIGTERM set a flag; the second one ends the process with exit code 130.
void catch_interrupts();

/// Whether somebody asked us to stop.
bool interrupted();

/// Thrown by a command that stopped on request and can be started again to go on: exit code 130.
class Interrupted : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

} // namespace bifrons::tools
