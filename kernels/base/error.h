// kernels/base/error.h - the one exception type, and the check that throws it.
//
// Text of an error: "<operation or file>: <what is, with values>; expected <what>. <What to do>."
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

namespace bifrons {

/// What went wrong, as far as the caller can act on it. The command line turns a kind into an exit code.
enum class ErrorKind {
    usage,  ///< wrong option or setting: exit code 2
    data,   ///< a file or picture that cannot be used: exit code 3
    device, ///< no usable device, or it is out of memory: exit code 4 before work starts, 1 after
    shape,  ///< operands that do not fit together: exit code 1
    failed, ///< the work could not be finished (disk full, child process failed): exit code 1
    bug     ///< a broken promise inside the program: exit code 1
};

class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
    ErrorKind kind() const { return kind_; }

  private:
    ErrorKind kind_;
};

/// The parts written one after the other, as an output stream would.
template <class... Parts>
std::string str(const Parts&... parts)
{
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

/// "2.1 GiB", "345 KiB": bytes as people read them.
std::string human_bytes(double bytes);

} // namespace bifrons

/// Throws Error(kind, str(parts...)) unless the condition holds. Stays on in release builds.
#define BIFRONS_CHECK(kind, condition, ...)                                                                            \
    do {                                                                                                               \
        if (!(condition)) throw ::bifrons::Error(::bifrons::ErrorKind::kind, ::bifrons::str(__VA_ARGS__));             \
    } while (0)
