// tools/interrupt.h - being asked to stop: by Ctrl-C, by kill, or by a terminal that closes.
#pragma once

#include <atomic>
#include <stdexcept>
#include <string>

namespace bifrons::tools {

/// From now on SIGINT, SIGTERM and SIGHUP set a flag; a second SIGINT or SIGTERM ends the process with exit code 130.
/// (A terminal that closes may send SIGHUP twice.) A signal that was ignored before, as SIGHUP is under nohup, stays
/// so. What is written to a reader that has ended, or beyond the file size limit, fails instead of ending the process.
void catch_interrupts();

/// The same for work that keeps nothing when it is stopped: the first signal prints these and ends the process with
/// exit code 130.
void end_on_interrupt(const std::string& to_stdout, const std::string& to_stderr);

/// Set once somebody asked us to stop.
const std::atomic<bool>& interrupt_flag();

inline bool interrupted()
{
    return interrupt_flag();
}

/// Thrown by a command that stopped on request: exit code 130. The text says what was kept, and how to continue where
/// that is possible.
class Interrupted : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

} // namespace bifrons::tools
