// tools/interrupt.h - Ctrl-C asks long work to stop at a good place; a second one stops at once.
#pragma once

#include <atomic>
#include <stdexcept>

namespace bifrons::tools {

/// From now on SIGINT and SIGTERM set a flag; the second one ends the process with exit code 130.
void catch_interrupts();

/// Set once somebody asked us to stop.
const std::atomic<bool>& interrupt_flag();

inline bool interrupted()
{
    return interrupt_flag();
}

/// Thrown by a command that stopped on request and can be run again to continue: exit code 130.
class Interrupted : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

} // namespace bifrons::tools
